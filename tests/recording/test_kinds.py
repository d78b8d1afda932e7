"""Runs advance together only where that is known to give the numbers of a plain loop each."""

from __future__ import annotations

import copy
import types
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_full_backward_pre_hook,
)
from torch.optim.optimizer import register_optimizer_step_post_hook

from render.problem import datasets, losses, models, surfaces
from render.recording import record, sweep

DATA = datasets.line(20)
RATES = [0.05, 0.2]
SGD = torch.optim.SGD
STEPS = 8


def plain_loop(model: nn.Module, factory, lr: float, data=DATA) -> np.ndarray:
    """Return the parameters after the last step, (P,)."""
    model = copy.deepcopy(model)
    optimizer = factory(list(model.parameters()), lr=lr)
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.mse(model(data.x), data.y).backward()
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy()


def together(runs) -> list[int | None]:
    return [run.meta.get("together") for run in runs.values()]


def bounded(params, lr):
    """Projected gradient descent: a hook after each step."""

    def project(optimizer, args, kwargs) -> None:
        with torch.no_grad():
            for param in params_of(optimizer):
                param.clamp_(-1.2, 1.2)

    optimizer = SGD(params, lr=lr)
    optimizer.register_step_post_hook(project)
    return optimizer


def clipped(params, lr):
    """A hook before each step, over all that the optimizer holds."""
    optimizer = SGD(params, lr=lr)
    optimizer.register_step_pre_hook(
        lambda one, args, kwargs: nn.utils.clip_grad_norm_(params_of(one), 1.0) and None
    )
    return optimizer


def with_its_own_step(params, lr):
    """Every step twice."""
    optimizer = SGD(params, lr=lr)

    def step(self, closure=None):
        SGD.step(self, closure)
        SGD.step(self, closure)

    optimizer.step = types.MethodType(step, optimizer)
    return optimizer


def with_a_beginning(params, lr):
    """A momentum that is there from the start."""
    optimizer = SGD(params, lr=lr, momentum=0.9)
    for param in params:
        optimizer.state[param]["momentum_buffer"] = torch.full_like(param, 2.0)
    return optimizer


def params_of(optimizer) -> list[nn.Parameter]:
    return [param for group in optimizer.param_groups for param in group["params"]]


@pytest.mark.parametrize("factory", [bounded, clipped, with_its_own_step, with_a_beginning])
def test_optimizers_with_something_of_their_own_are_left_to_themselves(factory) -> None:
    model = models.Line(-1.0, 1.0)
    runs = sweep(model, DATA, loss=losses.mse, optimizer=factory, lr=RATES, steps=STEPS)
    assert together(runs) == [None, None]
    for rate, run in zip(RATES, runs.values(), strict=True):
        np.testing.assert_array_equal(run.params[-1], plain_loop(model, factory, rate))


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize(
    "register",
    [
        register_optimizer_step_post_hook,
        register_module_forward_hook,
        register_module_full_backward_pre_hook,
    ],
    ids=["optimizer", "forward", "backward"],
)
def test_hooks_on_every_optimizer_or_module_count_too(register) -> None:
    handle = register(lambda *_: None)
    try:
        runs = sweep(
            models.Line(-1.0, 1.0), DATA, loss=losses.mse, optimizer=SGD, lr=RATES, steps=1
        )
    finally:
        handle.remove()
    assert together(runs) == [None, None]


OPTIONS = {
    "a decay by the number of tensors": lambda params, lr: SGD(
        params, lr=lr, weight_decay=1 / len(params)
    ),
    "a momentum by their sizes": lambda params, lr: SGD(
        params, lr=lr, momentum=0.1 * sum(p.numel() for p in params)
    ),
    "a sum to begin with": partial(torch.optim.Adagrad, initial_accumulator_value=0.5),
    "named parameters": lambda params, lr: SGD(
        [(f"p{at}", p) for at, p in enumerate(params)], lr=lr
    ),
}


@pytest.mark.parametrize("factory", OPTIONS.values(), ids=OPTIONS)
def test_the_stack_takes_the_options_of_a_runs_own_optimizer(factory) -> None:
    model = models.Line(-1.0, 1.0)
    runs = sweep(model, DATA, loss=losses.mse, optimizer=factory, lr=RATES, steps=STEPS)
    assert together(runs) == [2, 2]
    for rate, run in zip(RATES, runs.values(), strict=True):
        expected = plain_loop(model, factory, rate)
        np.testing.assert_allclose(run.params[-1], expected, rtol=1e-5)


def hooked(how: str) -> nn.Module:
    model = models.Line(-1.0, 1.0)
    if how == "gradient":
        model.slope.register_hook(lambda gradient: gradient * 0)
    elif how == "accumulated gradient":
        model.slope.register_post_accumulate_grad_hook(lambda param: setattr(param, "grad", None))
    elif how == "forward":
        model.register_forward_hook(lambda module, given, made: made * 2)
    else:
        model = models.MLP((1, 3, 1))
        last = model.layers[-1]
        last.register_full_backward_pre_hook(lambda module, gradient: (gradient[0] * 2,))
    return model


@pytest.mark.parametrize("how", ["gradient", "accumulated gradient", "forward", "backward"])
def test_a_model_with_hooks_is_left_to_itself(how: str) -> None:
    model = hooked(how)
    settings = dict(loss=losses.mse, steps=STEPS)
    runs = sweep(model, DATA, optimizer=SGD, lr=RATES, **settings)
    assert together(runs) == [None, None]
    alone = record(model, DATA, optimizer=partial(SGD, lr=0.2), **settings)
    np.testing.assert_array_equal(runs["lr 0.2"].params, alone.params)


def test_a_parameter_that_the_loss_does_not_use_does_not_decay() -> None:
    model = models.Line(-1.0, 1.0)
    model.unused = nn.Parameter(torch.tensor(3.0))
    runs = sweep(
        model,
        DATA,
        loss=losses.mse,
        optimizer=partial(SGD, weight_decay=0.1),
        lr=RATES,
        steps=STEPS,
    )
    for run in runs.values():
        assert run.params[:, run.column("unused")].tolist() == [3.0] * (STEPS + 1)


def test_starts_of_two_types_keep_their_types() -> None:
    starts = [models.Point(-1.0, 1.0), models.Point(-1.0, 1.0, dtype=torch.float64)]
    runs = sweep(starts, surfaces.quadratic(10), optimizer=partial(SGD, lr=0.01), steps=2)
    assert [str(run.params.dtype) for run in runs.values()] == ["float32", "float64"]
    assert together(runs) == [None, None]


class Scaled(nn.Module):
    """A slope, times a number that is no parameter."""

    def __init__(self, scale: object, slope: float = 0.5) -> None:
        super().__init__()
        self.scale = scale
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, x):
        return self.slope * x * self.scale


@pytest.mark.parametrize("scales", [(1.0, 1.0005), (torch.tensor(1.0), torch.tensor(1.0005))])
def test_starts_that_differ_in_an_attribute_are_computed_with_their_own(scales) -> None:
    starts = [Scaled(scale) for scale in scales]
    runs = sweep(starts, DATA, loss=losses.mse, optimizer=partial(SGD, lr=0.1), steps=STEPS)
    assert together(runs) == [None, None]
    for start, run in zip(starts, runs.values(), strict=True):
        np.testing.assert_array_equal(run.params[-1], plain_loop(start, SGD, 0.1))


def test_starts_that_differ_in_parameters_only_advance_together() -> None:
    starts = [Scaled(2.0, slope) for slope in (0.5, 1.5)]
    runs = sweep(starts, DATA, loss=losses.mse, optimizer=partial(SGD, lr=0.1), steps=STEPS)
    assert together(runs) == [2, 2]
    networks = [models.MLP((1, 3, 1), seed=seed) for seed in (0, 1)]
    runs = sweep(networks, DATA, loss=losses.mse, optimizer=partial(SGD, lr=0.1), steps=STEPS)
    assert together(runs) == [2, 2]


def test_layers_used_twice_in_another_order_are_another_model() -> None:
    layers = [nn.Linear(2, 2) for _ in range(2)]
    starts = [nn.Sequential(*(layers[at] for at in order)) for order in ((0, 1, 0), (0, 1, 1))]
    data = datasets.of(torch.randn(9, 2), torch.randn(9, 2))
    runs = sweep(starts, data, loss=losses.mse, optimizer=partial(SGD, lr=0.1), steps=STEPS)
    for start, run in zip(starts, runs.values(), strict=True):
        expected = plain_loop(start, SGD, 0.1, data)
        np.testing.assert_allclose(run.params[-1], expected, rtol=1e-5, atol=1e-6)
