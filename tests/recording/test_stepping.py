"""An update: the optimizer's step, with its closure, then the scheduler's."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from render.errors import RecordingError
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


class Counting(torch.optim.SGD):
    """Counts its steps before it asks for the gradient."""

    def __init__(self, params, lr=0.1) -> None:
        super().__init__(params, lr)
        self.count = 0

    def step(self, closure=None):
        self.count += 1
        self.param_groups[0]["lr"] = 0.1 / self.count
        closure()
        super().step()


class ByData(torch.optim.SGD):
    """Climbs where torch does not count it, as older code does, and asks there, in `no_grad`."""

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.data.add_(0.3)
        closure()
        for p in self.param_groups[0]["params"]:
            p.data.sub_(0.3)
        super().step()


class Forgetful(torch.optim.SGD):
    """Clears the gradient before it asks for it."""

    def step(self, closure):
        self.zero_grad()
        super().step(closure)


class Sometimes(Counting):
    """Asks for the gradient in each third step."""

    def step(self, closure):
        super().step(closure if self.count % 3 == 2 else lambda: None)


class Passing(Counting):
    """Passes on what it is given."""

    def step(self, *arguments, **settings):
        return super().step(*arguments, **settings)


def scheduled(params):
    made = Counting(params)
    lr_scheduler.StepLR(made, 100)  # counts the calls of `step`
    return made


CLOSURES = {
    "at each step": Counting,
    "at each third step": Sometimes,
    "where it climbed": partial(ByData, lr=0.1),
    "without a gradient": partial(Forgetful, lr=0.1),
    "passed on": Passing,
    "counted by a scheduler": scheduled,
}


@pytest.mark.parametrize("optimizer", CLOSURES.values(), ids=CLOSURES)
def test_a_step_that_needs_a_closure_does_what_it_does_in_a_plain_loop(optimizer) -> None:
    data, model = datasets.line(20), models.Line(-1.0, 1.0)
    run = record(model, data, loss=losses.mse, optimizer=optimizer, steps=7)
    made = optimizer(list(model.parameters()))

    def closure():
        with torch.enable_grad():
            model.zero_grad()
            loss = losses.mse(model(data.x), data.y)
            loss.backward()
        return loss

    for row in run.params:
        np.testing.assert_array_equal(row, [p.item() for p in model.parameters()])
        closure()
        made.step(closure)


def test_a_loss_that_is_known_is_not_computed_again() -> None:
    calls = []

    def counted(prediction, target):
        calls.append(1)
        return losses.mse(prediction, target)

    line, data = models.Line(float("nan"), 1.0), datasets.line(5)
    record(line, data, loss=counted, optimizer=Counting, steps=4)
    assert len(calls) == 5


def test_a_class_of_ones_own_below_lbfgs_steps_as_lbfgs_does() -> None:
    class Own(torch.optim.LBFGS):
        pass

    model = nn.Sequential(nn.Unflatten(0, (-1, 1)), models.MLP((1, 6)), nn.Dropout(0.5))
    model.append(models.MLP((6, 1)))
    call = partial(record, model, datasets.line(20), loss=losses.mse, steps=4)
    own, torchs = (call(optimizer=partial(kind, max_iter=3)) for kind in (Own, torch.optim.LBFGS))
    np.testing.assert_array_equal(own.params, torchs.params)


def test_hooks_of_a_step_run_as_often_as_in_a_plain_loop() -> None:
    """Torch calls them for the step, and for the step of the class below."""
    seen = []

    def hooked(params):
        made = Counting(params)
        made.register_step_pre_hook(lambda optimizer, *_: seen.append(optimizer.count))
        return made

    line, data = models.Line(-1.0, 1.0), datasets.line(5)
    record(line, data, loss=losses.mse, optimizer=hooked, steps=4)
    assert seen == [0, 1, 1, 2, 2, 3, 3, 4]


class Twice(torch.optim.SGD):
    """Steps twice, with a closure that it does not need, and looks at what its parameters carry."""

    def __init__(self, params, lr=0.1) -> None:
        super().__init__(params, lr)
        self.seen = []

    def step(self, closure=None):
        self.seen.append([p.label for p in self.param_groups[0]["params"]])
        super().step(closure)
        super().step(closure)


@pytest.mark.parametrize("start", [-1.0, float("nan")])
def test_a_step_that_works_without_a_closure_gets_none(start: float) -> None:
    data, model = datasets.line(20), models.Line(start, 1.0)
    for name, param in model.named_parameters():
        param.label = name
    held = []

    def built(params):
        held.append(Twice(params))
        return held[0]

    run = record(model, data, loss=losses.mse, optimizer=built, steps=4)
    assert held[0].seen == [["slope", "intercept"]] * 4
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    for row in run.params:
        np.testing.assert_array_equal(row, [p.item() for p in model.parameters()])
        made.zero_grad()
        losses.mse(model(data.x), data.y).backward()
        made.step()
        made.step()


def test_a_step_that_comes_to_need_a_closure_says_what_to_do() -> None:
    class Late(torch.optim.SGD):
        count = 0

        def step(self, closure=None):
            self.count += 1
            if self.count == 3:
                closure()
            super().step()

    line, data = models.Line(-1.0, 1.0), datasets.line(5)
    with pytest.raises(
        RecordingError, match=r"Late failed \(TypeError: .* as in def step\(self, c"
    ):
        record(line, data, loss=losses.mse, optimizer=partial(Late, lr=0.1), steps=5)


def test_an_optional_argument_of_another_name_is_left_alone() -> None:
    class Quiet(torch.optim.SGD):
        def step(self, verbose=False):
            assert verbose is False
            super().step()

    line, data = models.Line(-1.0, 1.0), datasets.line(5)
    run = record(line, data, loss=losses.mse, optimizer=partial(Quiet, lr=0.1), steps=3)
    np.testing.assert_array_equal(
        run.params, record(line, data, loss=losses.mse, optimizer=SGD, steps=3).params
    )


def test_gradients_add_up_where_an_optimizers_own_zero_grad_leaves_them() -> None:
    def adding_up(params):
        made = SGD(params)
        made.zero_grad = lambda set_to_none=True: None
        return made

    data, model = datasets.line(20), models.Line(0.0, 0.0)
    run = record(model, data, loss=losses.mse, optimizer=adding_up, steps=3)
    made = SGD(model.parameters())
    for row in run.params:
        np.testing.assert_array_equal(row, [p.item() for p in model.parameters()])
        losses.mse(model(data.x), data.y).backward()
        made.step()


@pytest.mark.parametrize("rate", [None, "warm", torch.ones(2)], ids=["none", "text", "two numbers"])
def test_a_rate_that_is_no_number_is_nan_and_the_run_is_kept(rate) -> None:
    class Relative(torch.optim.Optimizer):
        def __init__(self, params, lr=rate) -> None:
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for p in self.param_groups[0]["params"]:
                p -= 0.1 * p.grad

    line, data = models.Line(-1.0, 1.0), datasets.line(5)
    run = record(line, data, loss=losses.mse, optimizer=Relative, steps=3)
    assert np.isnan(run.lr).all()
    plain = record(line, data, loss=losses.mse, optimizer=SGD, steps=3)
    np.testing.assert_allclose(run.params, plain.params, rtol=1e-6)
