"""Building the optimizer and the scheduler that a run was asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from inspect import Parameter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from render.errors import InputError
from render.problem.shown import shown
from render.recording.faults import first_line, whence
from render.recording.settings import label

__all__ = ["optimizer_of", "scheduler_of"]


def optimizer_of(factory: object, model: nn.Module) -> Optimizer:
    """Return the optimizer of the model's parameters. Raises InputError."""
    example = "a callable taking parameters, such as partial(torch.optim.SGD, lr=0.1)"
    if isinstance(factory, Optimizer):
        raise InputError(
            f"record: optimizer is an optimizer already built, {type(factory).__name__}, which "
            f"holds another model's parameters; give {example}"
        )
    built = _call("optimizer", _with_own_tensors(factory), list(model.parameters()), example)
    if not isinstance(built, Optimizer):
        raise InputError(
            f"record: optimizer gave a {type(built).__name__}, not a torch optimizer; "
            f"give {example}"
        )
    own = {id(p) for p in model.parameters()}
    held = [p for group in built.param_groups for p in group["params"]]
    foreign = [p for p in held if id(p) not in own]
    if len(foreign) == len(held):
        raise InputError(
            f"record: optimizer {label(factory)} holds none of the model's parameters; give "
            f"{example}"
        )
    if foreign:
        raise InputError(
            f"record: optimizer {label(factory)} holds a tensor of shape "
            f"{tuple(foreign[0].shape)} that is no parameter of the model, and only those are "
            "copied and recorded; make it one, such as model.weight = nn.Parameter(…), or leave "
            "it out"
        )
    if isinstance(built, torch.optim.SparseAdam):
        raise InputError(
            "record: SparseAdam takes sparse gradients, and dense ones are recorded; use "
            "torch.optim.Adam"
        )
    return built


def _with_own_tensors(factory: object) -> object:
    """Return a partial with copies of its tensors: a scheduler moves such a rate in place."""
    if not isinstance(factory, partial):
        return factory
    named = {
        key: value.detach().clone() if isinstance(value, Tensor) else value
        for key, value in factory.keywords.items()
    }
    return partial(factory.func, *factory.args, **named)


def scheduler_of(factory: object, optimizer: Optimizer) -> Any:
    """Return the scheduler of the optimizer. Raises InputError."""
    example = (
        "a callable taking the optimizer, such as "
        "partial(torch.optim.lr_scheduler.StepLR, step_size=100)"
    )
    if not callable(factory) and hasattr(factory, "step"):
        raise InputError(
            f"record: scheduler is already built, {type(factory).__name__}, for another "
            f"optimizer; give {example}"
        )
    built = _call("scheduler", factory, optimizer, example)
    if not callable(getattr(built, "step", None)):
        raise InputError(
            f"record: scheduler gave a {type(built).__name__}, which cannot step; give {example}"
        )
    asked = _needed(built.step)  # type: ignore[attr-defined]
    if asked and not isinstance(built, lr_scheduler.ReduceLROnPlateau):
        raise InputError(
            f"record: scheduler {type(built).__name__} needs {asked[0]} in step({', '.join(asked)})"
            ", and is stepped without arguments after each update; give one that needs none, or "
            "torch's ReduceLROnPlateau, which is given the loss"
        )
    return built


def _needed(step: Callable[..., object]) -> list[str]:
    """Return the arguments without which a function cannot be called."""
    try:
        arguments = inspect.signature(step).parameters.values()
    except (TypeError, ValueError):  # one that does not say
        return []
    optional = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [p.name for p in arguments if p.default is Parameter.empty and p.kind not in optional]


def _call(name: str, factory: object, argument: object, example: str) -> object:
    if not callable(factory):
        raise InputError(f"record: {name} is {shown(factory)}; give {example}")
    try:
        return factory(argument)
    except Exception as exc:  # whatever a user's own raises
        raise InputError(
            f"record: {name} {label(factory)} cannot be built ({first_line(exc)}); give {example}"
            f"{whence(exc)}"
        ) from exc
