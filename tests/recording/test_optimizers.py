"""Every optimizer of torch's that takes dense parameters, against a plain loop, bit for bit."""

from __future__ import annotations

import copy
import inspect
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models
from render.recording import record

DATA = datasets.moons(24, seed=2)
BATCHED_DECAY = partial(lr_scheduler.StepLR, step_size=4, gamma=0.5)


def matrices(optimizer, **settings):
    """Muon takes matrices only: the biases stay as they are."""
    return lambda params: optimizer([p for p in params if p.ndim == 2], **settings)


def two_groups(params):
    first, *rest = params
    return torch.optim.SGD([{"params": [first], "lr": 0.2}, {"params": rest}], lr=0.05)


class SignDescent(torch.optim.Optimizer):
    """A user's own optimizer."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p -= group["lr"] * p.grad.sign()


class Plain(SignDescent):
    """Its step takes no closure."""

    def step(self):
        super().step()


TORCHS = {
    "ASGD": torch.optim.ASGD,
    "Adadelta": torch.optim.Adadelta,
    "Adafactor": torch.optim.Adafactor,
    "Adagrad": partial(torch.optim.Adagrad, lr_decay=0.01, weight_decay=0.01),
    "Adam": partial(torch.optim.Adam, lr=0.05, weight_decay=0.01),
    "AdamW": partial(torch.optim.AdamW, lr=0.05, amsgrad=True),
    "Adamax": torch.optim.Adamax,
    "LBFGS": partial(torch.optim.LBFGS, lr=0.5, max_iter=3),
    "Muon": matrices(getattr(torch.optim, "Muon", torch.optim.SGD), lr=0.01),
    "NAdam": torch.optim.NAdam,
    "RAdam": partial(torch.optim.RAdam, weight_decay=0.01, decoupled_weight_decay=True),
    "RMSprop": partial(torch.optim.RMSprop, momentum=0.9, centered=True),
    "Rprop": torch.optim.Rprop,
    "SGD": partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
}
MORE = {
    "SGD foreach": partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True, foreach=True),
    "Adam fused": partial(torch.optim.Adam, lr=0.05, fused=True),
    "SGD maximize": partial(torch.optim.SGD, lr=0.01, maximize=True),
    "two groups": two_groups,
    "own": partial(SignDescent, lr=0.01),
    "own without a closure": partial(Plain, lr=0.01),
    "LBFGS line search": partial(torch.optim.LBFGS, line_search_fn="strong_wolfe", max_iter=3),
}
SPARSE_ONLY = {"SparseAdam"}


def test_the_table_holds_every_optimizer_of_torchs() -> None:
    there = {
        name
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, torch.optim.Optimizer)
    }
    assert there - {"Optimizer"} - SPARSE_ONLY <= set(TORCHS)


def plain_loop(optimizer, scheduler, clip, steps=9):
    model = models.MLP((2, 4, 1))
    params = list(model.parameters())
    made = optimizer(params)
    schedule = scheduler(made) if scheduler else None
    rows = []

    def closure():
        model.zero_grad()  # of all parameters, also those that the optimizer leaves out
        value = losses.nll(model(DATA.x), DATA.y)
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(params, clip)
        return value

    for _ in range(steps + 1):
        at = torch.cat([p.detach().flatten() for p in params]).numpy().copy()
        if isinstance(made, torch.optim.LBFGS):
            loss = losses.nll(model(DATA.x), DATA.y)
            rows.append((at, loss.item(), made.param_groups[0]["lr"]))
            made.step(closure)
        else:
            rows.append((at, closure().item(), made.param_groups[0]["lr"]))
            made.step()
        if schedule:
            schedule.step()
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("clip", [None, 0.05], ids=["", "clipped"])
@pytest.mark.parametrize("scheduler", [None, BATCHED_DECAY], ids=["constant", "StepLR"])
@pytest.mark.parametrize("name", [*TORCHS, *MORE])
def test_a_recording_equals_a_plain_loop_bit_for_bit(name: str, scheduler, clip) -> None:
    optimizer = {**TORCHS, **MORE}[name]
    run = record(
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer=optimizer,
        steps=9,
        scheduler=scheduler,
        clip=clip,
    )
    params, loss, lr = plain_loop(optimizer, scheduler, clip)
    np.testing.assert_array_equal(run.params, params)
    np.testing.assert_array_equal(run.loss, loss.astype(np.float32))
    np.testing.assert_array_equal(run.lr, lr)


@pytest.mark.parametrize("name", [*TORCHS, *MORE])
def test_the_norm_is_that_of_the_losss_own_gradient_before_it_is_clipped(name: str) -> None:
    run = record(
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer={**TORCHS, **MORE}[name],
        steps=4,
        clip=0.01,
    )
    for row in range(5):
        model = copy.deepcopy(models.MLP((2, 4, 1)))
        nn.utils.vector_to_parameters(torch.tensor(run.params[row]), model.parameters())
        losses.nll(model(DATA.x), DATA.y).backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
        assert run.grad_norm[row] == pytest.approx(norm, rel=1e-5)


def test_each_inner_step_of_lbfgs_is_visible_with_one_iteration_a_step() -> None:
    """Ten steps of one iteration pass the points where one step of ten asks for the loss."""
    model, seen = models.MLP((2, 4, 1)), []
    made = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)

    def closure():
        seen.append(torch.cat([p.detach().flatten() for p in model.parameters()]).numpy().copy())
        made.zero_grad()
        value = losses.nll(model(DATA.x), DATA.y)
        value.backward()
        return value

    made.step(closure)
    run = record(
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer=partial(torch.optim.LBFGS, lr=0.5, max_iter=1),
        steps=9,
    )
    np.testing.assert_array_equal(run.params, seen)


def test_each_inner_step_of_lbfgs_is_visible_with_a_line_search_too() -> None:
    """Steps of one iteration go where one step of as many iterations ends."""
    lbfgs = partial(torch.optim.LBFGS, line_search_fn="strong_wolfe")
    run = record(
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer=partial(lbfgs, max_iter=1, max_eval=25),
        steps=8,
    )
    for iterations in (1, 3, 8):
        once = record(
            models.MLP((2, 4, 1)),
            DATA,
            loss=losses.nll,
            optimizer=partial(lbfgs, max_iter=iterations, max_eval=1000),
            steps=1,
        )
        np.testing.assert_array_equal(run.params[iterations], once.params[1])


def test_the_rate_is_that_of_the_first_group_and_the_others_are_in_the_metadata() -> None:
    run = record(
        models.MLP((2, 4, 1)), DATA, loss=losses.nll, optimizer=two_groups, steps=1, clip=2.0
    )
    assert run.lr.tolist() == [0.2, 0.2]
    assert run.meta["optimizer.lr"] == 0.2 and run.meta["optimizer.1.lr"] == 0.05
    assert run.meta["clip"] == 2.0


def test_a_rate_that_is_a_tensor_stays_what_the_caller_has() -> None:
    rate = torch.tensor(0.05)
    call = partial(
        record,
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer=partial(torch.optim.Adam, lr=rate),
        scheduler=BATCHED_DECAY,
        steps=9,
    )
    first, second = call(), call()
    np.testing.assert_array_equal(first.lr, np.float32(0.05) * np.repeat([1, 0.5, 0.25], 4)[:10])
    np.testing.assert_array_equal(first.params, second.params)
    assert rate.item() == np.float32(0.05)


@pytest.mark.parametrize("clip", [0, -1.0, float("nan"), float("inf"), "a"])
def test_a_clip_that_is_not_a_norm_says_so(clip) -> None:
    with pytest.raises(InputError, match=r"clip is .*; give a gradient norm above 0, or None"):
        record(
            models.Line(0, 0),
            datasets.line(5),
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=0.1),
            steps=1,
            clip=clip,
        )


class Sharpness(torch.optim.SGD):
    """Climbs, asks for the gradient there, and goes down from where it was."""

    @torch.no_grad()
    def step(self, closure=None):
        assert closure is not None, "requires a closure"
        params = self.param_groups[0]["params"]
        climbs = [0.5 * p.grad for p in params]
        torch._foreach_add_(params, climbs)
        with torch.enable_grad():
            closure()
        torch._foreach_sub_(params, climbs)
        super().step()


class ByKeyword(Sharpness):
    def step(self, *, closure):
        super().step(closure)


class AnyKeyword(Sharpness):
    def step(self, **settings):
        super().step(**settings)


class AnyArgument(Sharpness):
    def step(self, *arguments, **settings):
        super().step(*arguments, **settings)


class Wrapped(torch.optim.SGD):
    def step(self, **settings):
        return super().step(**settings)


def descent(rows: int, climb: float, limit: float | None) -> np.ndarray:
    model, found = models.MLP((2, 4, 1)), []
    params = list(model.parameters())

    def gradient():
        grads = torch.autograd.grad(losses.nll(model(DATA.x), DATA.y), params)
        norm = torch.cat([g.flatten() for g in grads]).norm()
        return grads if limit is None else [g * min(1, limit / (norm + 1e-6)) for g in grads]

    for _ in range(rows):
        found.append(torch.cat([p.detach().flatten() for p in params]).numpy().copy())
        climbs = [climb * g for g in gradient()]
        with torch.no_grad():
            torch._foreach_add_(params, climbs)
        down = gradient()
        with torch.no_grad():
            torch._foreach_sub_(params, climbs)
            torch._foreach_sub_(params, [0.1 * g for g in down])
    return np.array(found)


@pytest.mark.parametrize("limit", [None, 0.05], ids=["", "clipped"])
@pytest.mark.parametrize("kind", [Sharpness, ByKeyword, AnyKeyword, AnyArgument, Wrapped])
def test_an_optimizer_of_ones_own_gets_a_closure_where_it_needs_one(kind, limit) -> None:
    run = record(
        models.MLP((2, 4, 1)),
        DATA,
        loss=losses.nll,
        optimizer=partial(kind, lr=0.1),
        steps=6,
        clip=limit,
    )
    expected = descent(7, 0.5 if issubclass(kind, Sharpness) else 0.0, limit)
    np.testing.assert_allclose(run.params, expected, rtol=1e-5, atol=1e-6)


def test_an_optimizer_that_fails_is_not_tried_again() -> None:
    moved = []

    class Breaks(torch.optim.SGD):
        def step(self, closure=None):
            super().step()
            moved.append(self.param_groups[0]["params"][0].item())
            raise ValueError("closure" if closure else "no closure")

    with pytest.raises(RecordingError, match=r"ValueError: closure\)"):
        record(
            models.Line(0, 0),
            datasets.line(5),
            loss=losses.mse,
            optimizer=partial(Breaks, lr=0.1),
            steps=1,
        )
    assert len(set(moved)) == 1  # a copy, then the model's own
