"""Metrics are over all the data at each row."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError
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
