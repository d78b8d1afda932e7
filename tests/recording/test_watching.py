"""Metrics are over all the data at each row."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, metrics, models
from render.recording import Keep, record

SGD = partial(torch.optim.SGD, lr=0.1)


def test_metrics_are_over_all_the_data_at_each_row(labels, network) -> None:
    def mean_logit(prediction, target):
        return float(prediction.mean())  # a number, not a tensor: cannot be batched

    run = record(
        network(),
        data := labels(),
        loss=losses.nll,
        optimizer=SGD,
        steps=6,
        batch_size=5,
        metrics=[metrics.accuracy, mean_logit],
    )
    assert list(run.metrics) == ["accuracy", "mean_logit"]
    for k in range(7):
        logits = torch.tensor(run.predict(data.x, k))
        assert run.metrics["accuracy"][k] == metrics.accuracy(logits, data.y)
        assert run.metrics["mean_logit"][k] == pytest.approx(logits.mean().item(), abs=1e-6)


def test_class_labels_train_with_torchs_own_loss(labels) -> None:
    x = labels().x
    data = datasets.of(x, (x[:, 0] > 0).long())
    run = record(
        nn.Linear(2, 2),
        data,
        loss=functional.cross_entropy,
        optimizer=SGD,
        steps=50,
        metrics=[metrics.accuracy],
    )
    assert run.loss[-1] < run.loss[0] and run.metrics["accuracy"][-1] > 0.8


KEPT = {"after the run": None, "in each step": Keep(tensors=["0.weight"])}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_a_metric_that_changes_the_prediction_changes_it_for_no_other(
    labels, network, keep
) -> None:
    def rounded(prediction, target):
        return prediction.sigmoid_().round_().eq(target).float().mean()

    call = partial(record, network(), labels(), loss=losses.nll, optimizer=SGD, steps=4, keep=keep)
    alone, second = call(metrics=[losses.nll]), call(metrics=[rounded, losses.nll])
    np.testing.assert_array_equal(second.metrics["nll"], alone.metrics["nll"])


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_a_metric_that_changes_the_target_is_refused_and_the_data_stay(
    labels, network, keep
) -> None:
    def hinge(prediction, target):
        target[target == 0] = -1
        return (1 - prediction * target).clamp(min=0).mean()

    data = labels()
    with pytest.raises(InputError, match="hinge changes the target in place"):
        record(network(), data, loss=losses.nll, optimizer=SGD, steps=2, metrics=[hinge], keep=keep)
    assert data.y.min() == 0


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_a_metric_may_record_a_run_itself(labels, network, keep) -> None:
    line, data = models.Line(0, 0), datasets.line(5)

    def last(prediction, target):
        return record(line, data, loss=losses.mse, optimizer=SGD, steps=2).loss[-1]

    call = partial(record, network(), labels(), loss=losses.nll, optimizer=SGD, steps=3, keep=keep)
    expected = record(line, data, loss=losses.mse, optimizer=SGD, steps=2).loss[-1]
    run = call(metrics=[last])
    np.testing.assert_array_equal(run.metrics["last"], expected)
    np.testing.assert_array_equal(run.params, call().params)


class Particular(models.Line):
    """Refuses in evaluation what it takes in training."""

    def forward(self, x):
        if not self.training and len(x) != 5:
            raise ValueError("not five samples")
        return super().forward(x)


LATE = {
    "metric": (dict(metrics={"a": lambda p, y: None}), r"metric 'a': <lambda> cannot be computed"),
    "metric of the validation": (
        dict(metrics={"a": lambda p, y: 1 / (len(y) - 3)}, validation=datasets.line(3)),
        r"cannot be computed \(division by zero\)",
    ),
    "model": (
        dict(model=Particular(0, 0), validation=datasets.line(3)),
        r"Particular cannot be evaluated on the validation data \(not five samples\)",
    ),
}


@pytest.mark.parametrize(("settings", "message"), LATE.values(), ids=LATE)
def test_what_only_evaluations_show_is_said_before_the_run(settings, message) -> None:
    calls = []

    def counted(prediction, target):
        calls.append(1)
        return losses.mse(prediction, target)

    call = partial(record, data=datasets.line(5), loss=counted, optimizer=SGD, steps=50)
    with pytest.raises(RecordingError, match=message):
        call(**{"model": models.Line(0, 0), **settings})
    assert len(calls) == 1


def test_a_loss_of_torchs_sees_the_validation_data_before_the_run() -> None:
    steps = []

    class Seen(torch.optim.SGD):
        def step(self, closure=None):
            steps.append(1)
            super().step()

    with pytest.raises(RecordingError, match=r"cross_entropy cannot be computed \(Target 2 is"):
        record(
            nn.Linear(1, 2),
            datasets.of([[0.0], [1.0]], [0, 1]),
            loss=functional.cross_entropy,
            optimizer=partial(Seen, lr=0.1),
            steps=5,
            validation=datasets.of([[0.0]], [2]),
        )
    assert not steps


def test_validation_data_do_not_advance_a_loss_that_counts_its_calls() -> None:
    def warming():
        calls = 0

        def loss(prediction, target):
            nonlocal calls
            calls += 1
            return losses.mse(prediction, target) * min(1.0, calls / 5)

        return loss

    call = partial(record, models.Line(-1.0, 1.0), datasets.line(5), optimizer=SGD, steps=8)
    alone, validated = call(loss=warming()), call(loss=warming(), validation=datasets.line(3))
    np.testing.assert_array_equal(validated.params, alone.params)


def test_trying_the_metrics_leaves_a_models_buffers_alone() -> None:
    class Filling(models.Line):
        """Counts all its calls in a buffer, in place."""

        def __init__(self) -> None:
            super().__init__(-1.0, 1.0)
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x):
            self.count += 1
            return super().forward(x) * (1 + 0.1 * self.count)

    call = partial(record, Filling(), datasets.line(5), loss=losses.mse, optimizer=SGD, steps=4)
    np.testing.assert_array_equal(call(metrics=[losses.mse]).params, call().params)


class Clipping(models.Line):
    """Changes its input, in evaluation only."""

    def forward(self, x):
        return super().forward(x if self.training else x.clamp_(max=0.5))


class Marking(models.Line):
    """Asks for the gradient of its input."""

    def forward(self, x):
        x.requires_grad_()
        return super().forward(x)


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_a_model_does_not_reach_the_data_that_were_given(keep) -> None:
    keep = keep and Keep(tensors=["slope"])
    data, asked = datasets.of([0.0, 1.0], [0.0, 1.0]), torch.ones(3)
    call = partial(record, loss=losses.mse, optimizer=SGD, steps=2)
    with pytest.raises(InputError, match="Clipping changes its input in place where it is eval"):
        call(Clipping(0, 0), data, metrics=[losses.mse], validation=data, keep=keep)
    with pytest.raises(InputError, match="Clipping changes its input in place"):
        call(Clipping(0, 0), data).predict(asked, 0)
    run = call(Marking(0, 0), data, metrics=[losses.mse], validation=data, keep=keep)
    if keep is None:
        run.predict(asked, 0)
    assert data.x.tolist() == [0, 1] and asked.tolist() == [1, 1, 1]
    assert not (data.x.requires_grad or asked.requires_grad)
