from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, metrics, models
from render.recording import load_runs, record, save_runs, session

STEP_LR = partial(torch.optim.lr_scheduler.StepLR, step_size=5)


def scene(**changes):
    settings = dict(
        model=models.Line(-1.0, 1.0),
        data=datasets.line(30),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=10,
        batch_size=4,
        scheduler=STEP_LR,
        metrics={"error": losses.mse},
    )
    return record(**{**settings, **changes})


def test_a_session_collects_the_runs_in_order() -> None:
    with session() as opened:
        first, second = scene(), scene(steps=2)
    assert opened.runs == [first, second]
    scene()
    assert len(opened.runs) == 2


def test_a_sessions_device_replaces_auto_only() -> None:
    with session(device="cpu"):
        assert scene().meta["device_reason"] == "asked for"
    with session(device="tpu"):
        assert scene(device="cpu").meta["device"] == "cpu"
        with pytest.raises(InputError, match="device is 'tpu'"):
            scene()


def test_progress_counts_the_updates_to_the_end() -> None:
    seen = []
    with session(progress=lambda done, total: seen.append((done, total))):
        scene(steps=300)
    assert seen[0] == (0, 300) and seen[-1] == (300, 300) and len(seen) < 100
    assert all(a < b for (a, _), (b, _) in pairwise(seen))


def test_stored_runs_are_returned_with_their_model_and_without_computing(tmp_path) -> None:
    runs = [scene(), scene(steps=4)]
    save_runs(tmp_path / "runs.npz", runs)

    def never(prediction, target):
        raise AssertionError("computed")

    never.__name__ = "mse"
    with session(replay=load_runs(tmp_path / "runs.npz"), device="cuda") as opened:
        again = [scene(loss=never), scene(steps=4)]
    assert opened.runs == again
    for run, other in zip(runs, again, strict=True):
        np.testing.assert_array_equal(run.params, other.params)
        np.testing.assert_array_equal(run.predict([0.5], [0, 4]), other.predict([0.5], [0, 4]))


CHANGED = {
    "steps": (dict(steps=300), "with steps=10, and the scene now asks for steps=300"),
    "seed": (dict(seed=1), "with seed=0, and the scene now asks for seed=1"),
    "batch": (dict(batch_size=8), "batch_size=4, and the scene now asks for batch_size=8"),
    "full batch": (dict(batch_size=None), "batch_size=30"),
    "lr": (
        dict(optimizer=partial(torch.optim.SGD, lr=0.2)),
        "optimizer.lr=0.1, and the scene now asks for optimizer.lr=0.2",
    ),
    "momentum": (
        dict(optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.9)),
        "optimizer.momentum=0, and the scene now asks for optimizer.momentum=0.9",
    ),
    "optimizer": (
        dict(optimizer=partial(torch.optim.Adam, lr=0.1)),
        "optimizer=SGD, and the scene now asks for optimizer=Adam",
    ),
    "no scheduler": (
        dict(scheduler=None),
        "scheduler=StepLR, and the scene now asks for scheduler=unset",
    ),
    "scheduler": (
        dict(scheduler=partial(torch.optim.lr_scheduler.StepLR, step_size=6)),
        "scheduler.step_size=5",
    ),
    "start": (
        dict(model=models.Line(-2.0, 1.0)),
        "slope at the start=-1.0, and the scene now asks for slope at the start=-2.0",
    ),
    "model": (dict(model=models.Logistic(-1.0, 1.0)), "model=Line"),
    "data": (dict(data=datasets.line(30, seed=9)), "recorded with data="),
    "samples": (dict(data=datasets.line(31)), "n=30, and the scene now asks for n=31"),
    "loss": (dict(loss=functional.l1_loss), "loss=mse, and the scene now asks for loss=l1_loss"),
    "metrics": (dict(metrics=[metrics.accuracy]), "metrics=['error']"),
}


@pytest.mark.parametrize(("changes", "message"), CHANGED.values(), ids=CHANGED)
def test_a_stored_run_that_does_not_fit_names_the_difference(changes, message: str) -> None:
    stored = scene()
    with pytest.raises(RecordingError) as caught, session(replay=[stored]):
        scene(**changes)
    assert message in str(caught.value)
    assert "record the run again, or pass the settings" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_of_another_shape_does_not_fit() -> None:
    def net(width: int) -> nn.Module:
        return nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, width), nn.Flatten(0))

    def loss(prediction, target):
        return prediction.mean()

    stored = scene(model=net(1), loss=loss, metrics=None)
    with pytest.raises(RecordingError, match="parameters="), session(replay=[stored]):
        scene(model=net(2), loss=loss, metrics=None)


def test_runs_missing_or_left_over_say_so() -> None:
    stored = scene()
    with session(replay=[stored]):
        scene()
        with pytest.raises(RecordingError, match=r"holds 1 run\(s\), and the scene asks for more"):
            scene()
    with (
        pytest.raises(RecordingError, match=r"holds 2 run\(s\), and the scene asks for 1;"),
        session(replay=[stored, stored]),
    ):
        scene()


def test_an_error_inside_the_session_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), session(replay=[scene()]):
        raise ZeroDivisionError
    scene()  # and the session is closed
