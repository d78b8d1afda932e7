from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, metrics, models, surfaces
from render.recording import Keep, memory, record, session, sweep, sweeps, together

SGD = torch.optim.SGD
LINE = partial(sweep, models.Line(-1.0, 1.0), datasets.line(40), loss=losses.mse)
NET = partial(sweep, models.MLP((2, 6, 1)), datasets.moons(30), loss=losses.nll)


def assert_close(run, alone, rtol: float = 1e-4) -> None:
    np.testing.assert_allclose(run.params, alone.params, rtol=rtol, atol=1e-5)
    np.testing.assert_allclose(run.loss, alone.loss, rtol=rtol, atol=1e-6)
    np.testing.assert_allclose(run.grad_norm, alone.grad_norm, rtol=20 * rtol, atol=1e-5)
    np.testing.assert_allclose(run.lr, alone.lr, rtol=1e-12)
    assert (run.batch is None) == (alone.batch is None)
    if run.batch is not None:
        np.testing.assert_array_equal(run.batch, alone.batch)
    for name, values in alone.metrics.items():
        np.testing.assert_allclose(run.metrics[name], values, rtol=1e-3, atol=0.04)
    meta = {key: value for key, value in run.meta.items() if key != "together"}
    assert meta == dict(alone.meta)


OPTIMIZERS = {
    "SGD": SGD,
    "momentum": partial(SGD, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": torch.optim.Adam,
    "AdamW": partial(torch.optim.AdamW, weight_decay=0.1, amsgrad=True),
    "Adamax": torch.optim.Adamax,
    "Adadelta": torch.optim.Adadelta,
    "Adagrad": partial(torch.optim.Adagrad, lr_decay=0.01),
    "NAdam": torch.optim.NAdam,
    "RAdam": partial(torch.optim.RAdam, weight_decay=0.1, decoupled_weight_decay=True),
    "RMSprop": partial(torch.optim.RMSprop, momentum=0.5, centered=True),
}


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rates_advance_together_to_the_numbers_of_separate_runs(name: str, batch_size) -> None:
    settings = dict(steps=12, batch_size=batch_size, metrics=[metrics.accuracy])
    runs = NET(optimizer=OPTIMIZERS[name], lr=[0.003, 0.01, 0.03], **settings)
    assert list(runs) == ["lr 0.003", "lr 0.01", "lr 0.03"]
    for rate, run in zip([0.003, 0.01, 0.03], runs.values(), strict=True):
        assert run.meta["together"] == 3
        optimizer = partial(OPTIMIZERS[name], lr=rate)
        alone = record(
            models.MLP((2, 6, 1)),
            datasets.moons(30),
            loss=losses.nll,
            optimizer=optimizer,
            **settings,
        )
        assert_close(run, alone)


SCHEDULES = {
    "StepLR": partial(lr_scheduler.StepLR, step_size=4, gamma=0.5),
    "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=12),
}


@pytest.mark.parametrize("scheduler", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("clip", [None, 0.5], ids=["", "clipped"])
def test_schedules_and_clipping_hold_for_each_run(scheduler, clip) -> None:
    settings = dict(steps=12, scheduler=scheduler, clip=clip, validation=datasets.line(9, seed=1))
    runs = LINE(optimizer=SGD, lr=[0.01, 0.3], **settings)
    for rate, run in zip([0.01, 0.3], runs.values(), strict=True):
        alone = record(
            models.Line(-1.0, 1.0),
            datasets.line(40),
            loss=losses.mse,
            optimizer=partial(SGD, lr=rate),
            **settings,
        )
        assert run.meta["together"] == 2
        assert_close(run, alone)


def test_starts_seeds_and_batches_vary_in_every_combination() -> None:
    starts = {"near": models.Line(3.0, 7.0), "far": models.Line(-5.0, 0.0)}
    runs = sweep(
        starts,
        datasets.line(40),
        loss=losses.mse,
        optimizer=partial(SGD, lr=0.1),
        steps=9,
        batch_size=[None, 7, 16],
        seed=[0, 1],
    )
    assert len(runs) == 12 and "far, batch 7, seed 1" in runs and "near, batch all, seed 0" in runs
    sizes = {"all": None, "7": 7, "16": 16}
    for label, run in runs.items():
        start, size, seed = label.split(", ")
        alone = record(
            starts[start],
            datasets.line(40),
            loss=losses.mse,
            optimizer=partial(SGD, lr=0.1),
            steps=9,
            batch_size=sizes[size.removeprefix("batch ")],
            seed=int(seed.removeprefix("seed ")),
        )
        assert_close(run, alone)
        assert run.meta["together"] == 4


def test_optimizers_of_different_kinds_are_compared_on_a_surface() -> None:
    runs = sweep(
        models.Point(-2.0, 2.0),
        surfaces.rosenbrock,
        optimizer={"plain": SGD, "momentum": partial(SGD, momentum=0.9), "Adam": torch.optim.Adam},
        lr=[1e-4, 1e-3],
        steps=20,
    )
    assert list(runs)[:3] == ["plain, lr 0.0001", "plain, lr 0.001", "momentum, lr 0.0001"]
    assert {run.meta["together"] for run in runs.values()} == {2}
    alone = record(
        models.Point(-2.0, 2.0),
        surfaces.rosenbrock,
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        steps=20,
    )
    assert_close(runs["Adam, lr 0.001"], alone)


class Branching(nn.Module):
    """Decides by a value, which a batched call cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return self.slope * x if self.slope < 0.7 else self.slope * x + 1


class Counting(nn.Module):
    """Changes with its own calls, which a traced computation would not see."""

    def __init__(self, still: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5))
        self.still = still

    def forward(self, x):
        self.still -= 1
        return self.slope * x + (0 if self.still > 0 else 5)


def dropping() -> nn.Module:
    return nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 4), nn.Dropout(), nn.Flatten(0))


FALLBACKS = {
    "branching": Branching(),
    "counting": Counting(4),
    "counting on": Counting(30),
    "dropout": nn.Sequential(dropping(), nn.Unflatten(0, (-1, 4)), nn.Linear(4, 1), nn.Flatten(0)),
    "batch norm": nn.Sequential(
        nn.Unflatten(0, (-1, 1)), nn.BatchNorm1d(1), nn.Linear(1, 1), nn.Flatten(0)
    ),
    "convolution": nn.Sequential(
        nn.Unflatten(0, (1, 1, -1)), nn.Conv1d(1, 1, 3, padding=1), nn.Flatten(0)
    ),
}


@pytest.mark.parametrize("model", FALLBACKS.values(), ids=FALLBACKS)
def test_what_cannot_advance_together_equals_record_to_the_bit(model) -> None:
    settings = dict(loss=losses.mse, steps=32)
    runs = sweep(model, datasets.line(40), optimizer=SGD, lr=[0.05, 0.2], **settings)
    for rate, run in zip([0.05, 0.2], runs.values(), strict=True):
        alone = record(model, datasets.line(40), optimizer=partial(SGD, lr=rate), **settings)
        assert "together" not in run.meta
        np.testing.assert_array_equal(run.params, alone.params)
        np.testing.assert_array_equal(run.loss, alone.loss)


ALONE = {
    "LBFGS": dict(optimizer=partial(torch.optim.LBFGS, max_iter=2)),
    "Rprop": dict(optimizer=torch.optim.Rprop),
    "plateau": dict(optimizer=SGD, scheduler=lr_scheduler.ReduceLROnPlateau),
    "one cycle": dict(
        optimizer=partial(SGD, momentum=0.9),
        scheduler=partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=20),
    ),
    "keep": dict(optimizer=SGD, keep=Keep(every=2)),
}


@pytest.mark.parametrize("settings", ALONE.values(), ids=ALONE)
def test_other_optimizers_and_schedules_run_one_after_another(settings) -> None:
    runs = LINE(lr=[0.05, 0.2], steps=6, **settings)
    for rate, run in zip([0.05, 0.2], runs.values(), strict=True):
        optimizer = partial(settings["optimizer"], lr=rate)
        alone = record(
            models.Line(-1.0, 1.0),
            datasets.line(40),
            loss=losses.mse,
            steps=6,
            **{**settings, "optimizer": optimizer},
        )
        assert "together" not in run.meta
        np.testing.assert_array_equal(run.params, alone.params)


def test_a_run_that_diverges_harms_no_other() -> None:
    rates = [0.01, 50.0, 0.1, 1e30]
    together, sane = (
        LINE(optimizer=SGD, lr=rates, steps=150),
        LINE(optimizer=SGD, lr=[0.01, 0.1], steps=150),
    )
    assert together["lr 50"].diverged_at is not None
    assert together["lr 1e+30"].diverged_at is not None
    for label, run in sane.items():
        assert run.diverged_at is None
        np.testing.assert_array_equal(together[label].params, run.params)


def test_models_of_one_shape_but_different_working_stay_what_they_are() -> None:
    starts = {name: models.MLP((2, 4, 1), name) for name in ("tanh", "relu")}
    data = datasets.moons(20)
    runs = sweep(starts, data, loss=losses.nll, optimizer=partial(SGD, lr=0.1), steps=5)
    for name, model in starts.items():
        alone = record(model, data, loss=losses.nll, optimizer=partial(SGD, lr=0.1), steps=5)
        np.testing.assert_array_equal(runs[name].params, alone.params)


def test_runs_predict_save_and_replay_as_any_others(tmp_path) -> None:
    with session() as opened:
        runs = LINE(optimizer=SGD, lr=[0.01, 0.1], steps=5)
    assert opened.runs == list(runs.values())
    for run in runs.values():
        assert run.predict([0.5], -1).shape == (1,) and run.loss_at(run.params).shape == (6,)
        run.save(tmp_path / "run.npz")
    with session(replay=opened.runs):
        again = LINE(optimizer=SGD, lr=[0.01, 0.1], steps=5)
    for label, run in runs.items():
        np.testing.assert_array_equal(again[label].params, run.params)
    with (
        pytest.raises(RecordingError, match=r"lr=0\.1, and the scene now"),
        session(replay=opened.runs),
    ):
        LINE(optimizer=SGD, lr=[0.01, 0.2], steps=5)


def test_progress_reaches_the_end() -> None:
    seen = []
    with session(progress=lambda done, total: seen.append((done, total))):
        LINE(optimizer=SGD, lr=[0.01, 0.1], steps=50)
    assert seen[-1] == (50, 50)


def test_rates_that_are_close_have_as_many_digits_as_tell_them_apart() -> None:
    runs = LINE(optimizer=SGD, lr=[0.1, 0.1 + 1e-9, 0.2], steps=1)
    assert list(runs) == ["lr 0.1", "lr 0.100000001", "lr 0.2"]


def test_no_steps_and_one_value_are_fine() -> None:
    runs = LINE(optimizer=SGD, lr=[0.1], steps=0)
    assert list(runs) == ["lr 0.1"] and runs["lr 0.1"].params.tolist() == [[-1, 1]]
    both = LINE(optimizer=SGD, lr=[0.1, 0.2], steps=0)
    assert [run.params.tolist() for run in both.values()] == [[[-1, 1]]] * 2


def test_class_labels_advance_together_with_torchs_own_loss() -> None:
    data = datasets.blobs(30)
    model = models.MLP((2, 5, 3))
    runs = sweep(model, data, loss=functional.cross_entropy, optimizer=SGD, lr=[0.1, 0.2], steps=5)
    alone = record(
        model, data, loss=functional.cross_entropy, optimizer=partial(SGD, lr=0.2), steps=5
    )
    assert runs["lr 0.2"].meta["together"] == 2
    assert_close(runs["lr 0.2"], alone)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (dict(lr=0.1), "lr is 0.1; give a list of rates"),
        (dict(lr=[]), "lr is []"),
        (dict(lr=["a"]), "lr is ['a']"),
        (dict(lr=b"a"), "lr is b'a'"),
        (dict(seed=b"a"), "seed is b'a'; give a whole number"),
        (dict(seed=torch.empty(1, device="meta")), "seed is tensor(..., device='meta', size=())"),
        (dict(lr=[0.1, 0.1]), "lr lists 0.1 twice"),
        (dict(lr=[[0.1], [0.2, 0.3]]), "lr is [[0.1], [0.2, 0.3]]; give a list of rates"),
        (dict(lr=[1j]), "lr is [1j]; give a list of rates"),
        (dict(optimizer={"1": SGD, 1: SGD}), "two labels that read the same"),
        (dict(seed=[]), "seed is empty"),
        (dict(seed=[1, 1]), "seed lists 1 twice"),
        (dict(batch_size=[0]), "batch_size is 0"),
        (dict(optimizer=[]), "optimizer is empty"),
        (dict(optimizer="SGD"), "optimizer is 'SGD'; give a callable taking parameters"),
        (dict(optimizer=[SGD, SGD]), "optimizer lists one name twice; give a mapping"),
        (dict(lr=[0.1, -1.0]), "SGD cannot be built (Invalid learning rate: -1.0)"),
        (dict(loss=lambda p, y: (p - y) ** 2), "the loss returns shape (40,)"),
    ],
)
def test_a_bad_argument_says_why_in_one_line(changed, message: str) -> None:
    with pytest.raises(InputError) as caught:
        LINE(**{**dict(optimizer=SGD, lr=[0.1, 0.2], steps=2), **changed})
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_schedule_that_fails_says_so_as_a_single_run_does() -> None:
    scheduler = partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: 1 / (2 - step))
    with pytest.raises(RecordingError, match="ZeroDivisionError: division by zero"):
        LINE(optimizer=SGD, lr=[0.1, 0.2], steps=5, scheduler=scheduler)


def test_numpys_numbers_are_as_good_as_pythons() -> None:
    optimizer = partial(SGD, lr=0.1)
    runs = LINE(optimizer=optimizer, seed=np.arange(2), batch_size=[np.int64(8), None], steps=3)
    assert list(runs) == [
        "batch 8, seed 0",
        "batch 8, seed 1",
        "batch all, seed 0",
        "batch all, seed 1",
    ]
    assert runs["batch 8, seed 1"].meta["seed"] == 1
    assert type(runs["batch 8, seed 1"].meta["batch_size"]) is int
    assert list(LINE(optimizer=optimizer, batch_size=np.array([5, 8]), steps=1)) == [
        "batch 5",
        "batch 8",
    ]
    (run,) = LINE(optimizer=SGD, lr=[np.float32(0.5)], seed=np.int64(3), steps=1).values()
    assert run.meta["seed"] == 3 and run.meta["optimizer.lr"] == 0.5


RATES = [0.1, 0.2, 0.3, 0.4]


def test_runs_that_would_not_fit_say_so_before_they_start(monkeypatch) -> None:
    one = LINE(optimizer=SGD, lr=[0.1], steps=10)["lr 0.1"].meta["recording_bytes"]
    monkeypatch.setattr(memory, "free_bytes", lambda: 2 * one)
    monkeypatch.setattr(sweeps, "recorded", lambda *_: pytest.fail("started"))
    with pytest.raises(RecordingError, match=r"4 runs of 10 steps take .* GB are free"):
        LINE(optimizer=SGD, lr=RATES, steps=10)


def test_what_the_loop_takes_counts_once_for_all_runs(monkeypatch) -> None:
    """Rows of 2 parameters, loss, rate, norm; once, parameters and gradients of all rows twice."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 4 * 11 * (2 * 4 + 32) + 2 * 11 * 4 * 4)
    runs = LINE(optimizer=SGD, lr=RATES, steps=10)
    assert len(runs) == 4


def test_runs_that_do_not_fit_together_are_recorded_one_by_one(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**6)  # less than the rows' window
    runs = LINE(optimizer=SGD, lr=RATES, steps=10)
    assert not any("together" in run.meta for run in runs.values())


@pytest.mark.parametrize("batch_size", [None, 7])
def test_rows_that_stay_on_a_device_are_read_back_in_windows(monkeypatch, batch_size) -> None:
    call = partial(LINE, optimizer=torch.optim.Adam, lr=RATES, steps=30, batch_size=batch_size)
    at_once = call()
    monkeypatch.setattr(together, "_WRITTEN_AT_ONCE", ())
    monkeypatch.setitem(memory.WINDOW_BYTES, "cpu", 7 * 8 * 4)
    for label, run in call().items():
        assert run.meta["together"] == 4
        for name in ("params", "loss", "grad_norm"):
            np.testing.assert_array_equal(getattr(run, name), getattr(at_once[label], name))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_gpu_sweeps_as_the_cpu_does_and_no_row_waits_for_it(monkeypatch) -> None:
    add, settle = together._History.add, together._History.settle

    def forbidden(history, row, *values):
        add(history, row, *values)
        if row:  # once everything is built
            torch.cuda.set_sync_debug_mode("error")

    def allowed(history, end):
        torch.cuda.set_sync_debug_mode("default")
        settle(history, end)

    monkeypatch.setattr(together, "_WORTH_A_STACK", 0)
    call = partial(NET, optimizer=torch.optim.Adam, lr=RATES, steps=30, batch_size=10)
    there = call(device="cuda")
    monkeypatch.setattr(together._History, "add", forbidden)
    monkeypatch.setattr(together._History, "settle", allowed)
    try:
        watched = call(device="cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for label, run in call(device="cpu").items():
        assert there[label].meta["together"] == watched[label].meta["together"] == 4
        np.testing.assert_array_equal(there[label].params, watched[label].params)
        np.testing.assert_allclose(there[label].params, run.params, rtol=1e-3, atol=1e-4)


def test_what_vmap_takes_one_by_one_is_swept_one_by_one_without_a_word() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.Unflatten(1, (2, 1)), nn.Linear(1, 4), layer, nn.Flatten(0))
    settings = dict(loss=lambda p, y: (p**2).mean(), optimizer=SGD, steps=3)
    with warnings.catch_warnings(record=True, action="always") as told:
        runs = sweep(model, datasets.moons(10), lr=[0.1, 0.2], **settings)
    assert told == [] and all("together" not in run.meta for run in runs.values())
