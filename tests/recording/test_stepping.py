"""An update: the optimizer's step, with its closure, then the scheduler's."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch.optim import lr_scheduler

from render.problem import datasets, losses, models
from render.recording import record

SGD = partial(torch.optim.SGD, lr=0.1)
STEP_LR = partial(lr_scheduler.StepLR, step_size=5, gamma=0.5)


class NeedsClosure(torch.optim.SGD):
    """Looks ahead before it asks for the gradient, as sharpness-aware methods do."""

    def step(self, closure):
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                p += 0.5
        with torch.enable_grad():
            closure()
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                p -= 0.5
        super().step()


def test_an_optimizer_of_ones_own_may_call_its_closure_anywhere() -> None:
    data = datasets.line(20, dtype=torch.float64)
    model = models.Line(0.0, 0.0, dtype=torch.float64)
    run = record(model, data, loss=losses.mse, optimizer=partial(NeedsClosure, lr=0.1), steps=1)
    residual = 2 * (0.5 * data.x + 0.5 - data.y)
    expected = [-0.1 * (data.x * residual).mean(), -0.1 * residual.mean()]
    np.testing.assert_allclose(run.params[1], expected, rtol=1e-12)
    assert run.loss[0] == losses.mse(model(data.x), data.y).item()


def test_rates_follow_the_schedule_one_step_an_update() -> None:
    run = record(
        models.Line(0, 0),
        datasets.line(5),
        loss=losses.mse,
        optimizer=SGD,
        steps=11,
        scheduler=STEP_LR,
    )
    assert run.lr.tolist() == [0.1] * 5 + [0.05] * 5 + [0.025] * 2


def test_a_plateau_scheduler_sees_the_loss() -> None:
    plateau = partial(lr_scheduler.ReduceLROnPlateau, patience=0, factor=0.1)
    run = record(
        models.Line(3.0, 8.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=1.2),
        steps=20,
        scheduler=plateau,
    )
    assert run.lr[0] == 1.2 and run.lr[-1] < 1.2
