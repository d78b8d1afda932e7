from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, metrics, models, surfaces
from render.recording import Keep, load_runs, record, save_runs, session

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


def test_stored_runs_are_returned_with_their_model_and_without_training(tmp_path) -> None:
    runs = [scene(), scene(steps=4)]
    save_runs(tmp_path / "runs.npz", runs)

    calls = []

    def counted(prediction, target):
        calls.append(1)
        return losses.mse(prediction, target)

    counted.__name__ = "mse"
    with session(replay=load_runs(tmp_path / "runs.npz"), device="cuda") as opened:
        again = [scene(loss=counted), scene(steps=4)]
    assert len(calls) == 2  # at the first row and the last
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


def named(name: str, function):
    function.__name__ = name
    return function


def small(activation: str = "tanh", p: float = 0.5, frozen: bool = False) -> nn.Module:
    model = nn.Sequential(nn.Unflatten(0, (-1, 1)), models.MLP((1, 3, 1), activation))
    model.append(nn.Sequential(nn.Dropout(p)) if p else nn.Identity())
    next(model.parameters()).requires_grad_(not frozen)
    return model


HALVED = partial(torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda step: 0.5**step)
LINEAR = partial(torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda step: 1 / (1 + step))
L1 = named("mse", lambda p, y: (p - y).abs().mean())
UNLIKE = {
    "layer": (
        dict(model=small()),
        dict(model=small("relu")),
        r"the layer=\(1\): Tanh\(\), and the scene now asks for the layer=\(1\): ReLU\(\)",
    ),
    "dropout": (dict(model=small()), dict(model=small(p=0.4)), r"p=0.5.*p=0.4"),
    "frozen": (
        dict(model=small()),
        dict(model=small(frozen=True)),
        r"frozen parameters=none, .*=1.layers.0.weight;",
    ),
    "loss": ({}, dict(loss=L1), "with the first loss=.*, and the scene now asks for the first"),
    "loss of a part": (
        dict(keep=Keep(tensors=["slope"])),
        dict(keep=Keep(tensors=["slope"]), loss=L1),
        "the first loss=",
    ),
    "loss at the end": (
        {},
        dict(loss=named("mse", lambda p, y: losses.mse(p, y) * (1 + (p.mean() > 5)))),
        "the last loss=",
    ),
    "schedule": (dict(scheduler=HALVED), dict(scheduler=LINEAR), r"the rate of step 2=0.025"),
    "metric": ({}, dict(metrics={"error": L1}), "the first error="),
    "rate of numpy's": (
        dict(optimizer=partial(torch.optim.SGD, lr=np.float32(0.1))),
        dict(optimizer=partial(torch.optim.SGD, lr=np.float32(0.2))),
        "optimizer.lr=0.1.*optimizer.lr=0.2",
    ),
}


@pytest.mark.parametrize(("before", "after", "message"), UNLIKE.values(), ids=UNLIKE)
def test_a_run_of_another_problem_of_the_same_names_does_not_fit(before, after, message) -> None:
    stored = scene(**before)
    with session(replay=[stored]):
        scene(**before)
    with pytest.raises(RecordingError, match=message), session(replay=[stored]):
        scene(**after)


def test_another_surface_does_not_fit() -> None:
    def walk(height):
        return record(
            models.Point(1.0, 1.0),
            surfaces.of(height),
            optimizer=partial(torch.optim.SGD, lr=0.1),
            steps=3,
        )

    stored = walk(lambda x, y: x**2 + y**2)
    with pytest.raises(RecordingError, match=r"the first loss=2\.0"), session(replay=[stored]):
        walk(lambda x, y: x**2 + y**4 + 1)


class Own(torch.optim.lr_scheduler.LRScheduler):
    """Looks at the parameters."""

    def get_lr(self):
        size = float(self.optimizer.param_groups[0]["params"][0].detach().abs())
        return [base / (1 + size) for base in self.base_lrs]


def looking(optimizer):
    params = optimizer.param_groups[0]["params"]
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 1 / (1 + params[0].detach().abs().item())
    )


REPLAYED = {
    "own schedule": dict(scheduler=Own),
    "schedule that looks": dict(scheduler=looking),
    "dropout": dict(model=small()),
    "batch norm": dict(
        model=nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.BatchNorm1d(1), models.MLP((1, 2, 1)))
    ),
    "plateau": dict(
        scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau, optimizer=torch.optim.Adam
    ),
    "diverges": dict(optimizer=partial(torch.optim.SGD, lr=1e20)),
    "thinned": dict(keep=Keep(every=5)),
    "part": dict(keep=Keep(tensors=["slope"], every=2), batch_size=7),
}


@pytest.mark.parametrize("changes", REPLAYED.values(), ids=REPLAYED)
def test_a_run_that_is_asked_for_again_fits(changes, tmp_path) -> None:
    scene(**changes).save(tmp_path / "run.npz")
    with session(replay=load_runs(tmp_path / "run.npz")):
        scene(**changes)


def test_an_older_file_fits_and_says_what_was_not_compared() -> None:
    run = scene()
    older = {key: run.meta[key] for key in run.meta if key not in ("architecture", "frozen")}
    with (
        pytest.warns(UserWarning, match="does not tell its architecture and frozen"),
        session(replay=[replace(run, meta=older)]),
    ):
        scene()
    with (
        pytest.raises(RecordingError, match="the first loss="),
        session(replay=[replace(run, meta=older)]),
    ):
        scene(loss=L1)


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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(replay=3), "replay is 3; give runs such as load_runs"),
        (dict(replay=["run.npz"]), "replay is ['run.npz']; give runs"),
        (dict(progress=3), "progress is 3; give a callable"),
    ],
)
def test_a_session_of_something_else_says_so(settings, message: str) -> None:
    with pytest.raises(InputError) as caught, session(**settings):
        pass
    assert message in str(caught.value)


def test_an_error_inside_the_session_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), session(replay=[scene()]):
        raise ZeroDivisionError
    scene()  # and the session is closed


def test_an_error_of_the_progress_says_so() -> None:
    def broken(done, total):
        raise ValueError("no window")

    with (
        pytest.raises(RecordingError, match=r"session: progress failed \(ValueError: no window\)"),
        session(progress=broken),
    ):
        scene()
