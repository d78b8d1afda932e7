"""What varies in a sweep, by labels, and what all of its runs share."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models, surfaces
from render.recording import Keep, record, sweep

SGD = torch.optim.SGD
LINE = partial(sweep, models.Line(-1.0, 1.0), datasets.line(40), loss=losses.mse)


@pytest.mark.parametrize(
    ("varied", "labels", "values"),
    [
        (dict(lr={"slow": 0.1, "fast": 0.2}), ["slow", "fast"], dict(lr=[0.1, 0.2])),
        (dict(lr={0.1: 5.0}), ["0.1"], dict(lr=[5.0])),
        (
            dict(lr=[0.1], seed={1: 10, "two": 20}),
            ["lr 0.1, 1", "lr 0.1, two"],
            dict(seed=[10, 20]),
        ),
        (
            dict(lr=[0.1], batch_size={"few": 4, "all": None}),
            ["lr 0.1, few", "lr 0.1, all"],
            dict(batch_size=[4, None]),
        ),
    ],
)
def test_what_varies_may_have_labels(varied, labels, values) -> None:
    runs = LINE(optimizer=SGD, steps=3, **{"batch_size": 8, **varied})
    assert list(runs) == labels
    ((name, each),) = values.items()
    for value, run in zip(each, runs.values(), strict=True):
        given = {"lr": 0.1, "batch_size": 8, "seed": 0, name: value}
        alone = record(
            models.Line(-1.0, 1.0),
            datasets.line(40),
            loss=losses.mse,
            optimizer=partial(SGD, lr=given.pop("lr")),
            steps=3,
            **given,
        )
        np.testing.assert_allclose(run.params, alone.params, rtol=1e-5)
        assert run.meta["seed"] == alone.meta["seed"]


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        (dict(lr={}), "lr is {}; give a list of rates"),
        (dict(lr={"a": "b"}), "lr is {'a': 'b'}; give a list of rates"),
        (dict(lr={"1": 0.1, 1: 0.2}), "lr has two labels that read the same"),
        (dict(seed={}), "seed is empty"),
        (dict(seed={"1": 1, 1: 2}), "seed has two labels that read the same"),
        (dict(seed={"a": -1}), "seed is -1"),
    ],
)
def test_labels_that_cannot_be_used_say_so(varied, message: str) -> None:
    with pytest.raises(InputError) as caught:
        LINE(**{**dict(optimizer=SGD, lr=[0.1], steps=2), **varied})
    assert message in str(caught.value)


def bounded(prediction, target):
    """A loss that refuses to go on."""
    if not (prediction.abs() < 1e6).all():
        raise ValueError("beyond all bounds")
    return losses.mse(prediction, target)


def finite(prediction, target):
    """A metric that refuses what has diverged."""
    assert prediction.isfinite().all(), "not finite"
    return prediction.mean()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(loss=bounded), "sweep: the run 'lr 50': the run failed after its first loss"),
        (dict(metrics=[finite]), "sweep: the run 'lr 50': finite cannot be computed (not finite)"),
    ],
)
def test_a_run_that_raises_is_named(settings, message) -> None:
    with pytest.raises(RecordingError) as caught:
        LINE(optimizer=SGD, lr=[0.01, 50.0], steps=60, **settings)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_metrics_that_can_be_listed_once_are_those_of_every_run() -> None:
    for keep in (None, Keep(every=2)):  # together, and one after another
        given = (metric for metric in [losses.mse])
        runs = LINE(optimizer=SGD, lr=[0.1, 0.2], steps=2, metrics=given, keep=keep)
        assert [list(run.metrics) for run in runs.values()] == [["mse"], ["mse"]]


def test_all_runs_hold_one_copy_of_the_data() -> None:
    data = datasets.line(40)
    before = data.x.numpy().copy()
    optimizers = {"together": SGD, "alone": torch.optim.Rprop}
    runs = sweep(
        models.Line(-1.0, 1.0), data, loss=losses.mse, optimizer=optimizers, lr=[0.1, 0.2], steps=2
    )
    assert [run.meta.get("together") for run in runs.values()] == [2, 2, None, None]
    data.x.zero_()
    first, *others = runs.values()
    np.testing.assert_array_equal(first.x, before)
    for run in others:
        assert np.shares_memory(run.x, first.x) and np.shares_memory(run.y, first.y)
        assert run.problem.data is first.problem.data


def test_points_of_two_types_have_data_of_theirs() -> None:
    starts = [models.Point(-1.0, 1.0, dtype=kind) for kind in (torch.float32, torch.float64)]
    runs = sweep(starts, surfaces.quadratic(3), optimizer=partial(SGD, lr=0.1), steps=1)
    assert [str(run.x.dtype) for run in runs.values()] == ["float32", "float64"]


def test_a_run_that_cannot_be_prepared_is_named() -> None:
    wrong = {"plain": SGD, "wrong": partial(SGD, momentum=-1)}
    named = r"^sweep: the run 'wrong, lr 0.1': optimizer SGD cannot be"
    with pytest.raises(InputError, match=named):
        LINE(optimizer=wrong, lr=[0.1], steps=3)
    with pytest.raises(InputError, match=r"^record: steps is -1"):
        LINE(optimizer=SGD, lr=[0.1, 0.2], steps=-1)
