"""Which schedules are known before a run, and that a sweep follows all of them."""

from __future__ import annotations

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from render.problem import datasets, losses, models
from render.recording import sweep

DATA = datasets.line(20)
RATES = [0.01, 0.2]
STEPS = 9
MOMENTUM = partial(torch.optim.SGD, momentum=0.5)
BASE = 0.9
TABLE = [1.0, 0.5] * STEPS


def plain_loop(scheduler, lr: float) -> np.ndarray:
    """Return the parameters after the last step, (P,)."""
    model = copy.deepcopy(models.Line(-1.0, 1.0))
    optimizer = MOMENTUM(model.parameters(), lr=lr)
    schedule = scheduler(optimizer)
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.mse(model(DATA.x), DATA.y).backward()
        optimizer.step()
        schedule.step()
    return torch.stack([p.detach() for p in model.parameters()]).numpy()


def swept(scheduler, loss=losses.mse):
    return sweep(
        models.Line(-1.0, 1.0),
        DATA,
        loss=loss,
        optimizer=MOMENTUM,
        lr=RATES,
        steps=STEPS,
        scheduler=scheduler,
    )


def warmed(optimizer):
    """Two of torch's, one after the other."""
    first = lr_scheduler.LinearLR(optimizer, total_iters=3)
    then = lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
    return lr_scheduler.SequentialLR(optimizer, [first, then], milestones=[3])


def with_momentum(optimizer):
    """Sets an option when it is built."""
    optimizer.param_groups[0]["momentum"] = 0.8
    return lr_scheduler.ExponentialLR(optimizer, 0.9)


def halving(every: int):
    return partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: 0.5 ** (step // every))


FORESEEN = {
    "sequence": warmed,
    "chain": lambda one: lr_scheduler.ChainedScheduler([lr_scheduler.ConstantLR(one)]),
    "momentum when built": with_momentum,
    "triangle": partial(
        lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1, step_size_up=3, cycle_momentum=False
    ),
    "one cycle": partial(
        lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=STEPS + 1, cycle_momentum=False
    ),
    "numbers in a closure": halving(2),
    "numbers of the module": partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: BASE**step),
    "math": partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: math.exp(-step) + 0.1),
    "numpy": partial(lr_scheduler.MultiplicativeLR, lr_lambda=lambda step: np.sqrt(0.5)),
}


@pytest.mark.parametrize("scheduler", FORESEEN.values(), ids=FORESEEN)
def test_schedules_that_follow_the_step_advance_together(scheduler) -> None:
    runs = swept(scheduler)
    for rate, run in zip(RATES, runs.values(), strict=True):
        assert run.meta["together"] == 2
        np.testing.assert_allclose(run.params[-1], plain_loop(scheduler, rate), rtol=1e-5)


def damped(prediction, target):
    """A loss that moves a number which the schedule reads."""
    global BASE
    BASE *= 0.9
    return losses.mse(prediction, target)


def test_a_number_that_the_loss_moves_is_read_as_it_is_then(monkeypatch) -> None:
    scheduler = partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: BASE)
    monkeypatch.setitem(globals(), "BASE", 0.9)
    run = swept(scheduler, damped)["lr 0.01"]
    assert "together" not in run.meta
    expected = [0.01 * 0.9] + [0.01 * 0.9 ** (2 + step) for step in range(STEPS)]
    np.testing.assert_allclose(run.lr, expected, rtol=1e-12)


class Own(lr_scheduler.LRScheduler):
    """A user's own, which sees and changes what it likes."""

    def get_lr(self):
        for state in self.optimizer.state.values():
            state.pop("momentum_buffer", None)  # a restart each step
        size = sum(float(p.detach().norm()) for p in self.optimizer.param_groups[0]["params"])
        return [base / (1 + size) for base in self.base_lrs]


def writing(optimizer):
    """A schedule of torch's whose `step` was replaced by one that moves the parameters."""
    made = lr_scheduler.StepLR(optimizer, 3)
    params = optimizer.param_groups[0]["params"]

    def step() -> None:
        with torch.no_grad():
            params[0].mul_(0.9)

    made.step = step
    return made


def looking(optimizer):
    params = optimizer.param_groups[0]["params"]
    return lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + float(params[0].detach().abs())))


def counting(optimizer):
    calls = 0

    def factor(step):
        nonlocal calls
        calls += 1
        return 1 / calls

    return lr_scheduler.LambdaLR(optimizer, factor)


def drawing(optimizer):
    return lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 + 0 * float(torch.rand(())))


UNKNOWN = {
    "own": Own,
    "replaced": writing,
    "looks at parameters": looking,
    "keeps count": counting,
    "draws": drawing,
    "list": partial(lr_scheduler.LambdaLR, lr_lambda=lambda step: TABLE[step]),
    "inside a chain": lambda one: lr_scheduler.ChainedScheduler([Own(one)]),
    "cycles the momentum": partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1, step_size_up=3),
}


@pytest.mark.parametrize("scheduler", UNKNOWN.values(), ids=UNKNOWN)
def test_other_schedules_are_stepped_with_their_run(scheduler) -> None:
    runs = swept(scheduler)
    for rate, run in zip(RATES, runs.values(), strict=True):
        assert "together" not in run.meta
        np.testing.assert_array_equal(run.params[-1], plain_loop(scheduler, rate))
