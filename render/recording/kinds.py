"""Which runs may advance together: those for which it is known to change nothing but rounding."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.recording import evaluation
from render.recording.hooks import gradient_hooks, module_hooks, step_is_altered
from render.recording.problem import layout_of
from render.recording.schedules import is_foreseen
from render.recording.sharing import overlapping
from render.recording.task import Task

__all__ = ["kind_of", "renewed"]

_ELEMENTWISE = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adamax,
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
)
"""Optimizers that treat every number alone, and whose update is its rate times a direction."""

_OWN = ("params", "param_names", "lr", "initial_lr")


def kind_of(task: Task) -> object | None:
    """Return what runs must have in common to advance together; None where a run cannot."""
    optimizer, model = task.optimizer, task.model
    groups, params = optimizer.param_groups, list(model.parameters())
    alone = (
        type(optimizer) not in _ELEMENTWISE
        or len(groups) != 1
        or [id(p) for p in groups[0]["params"]] != [id(p) for p in params]
        or _holds_tensors(groups[0])
        or step_is_altered(optimizer)
        or not _is_new(optimizer)
        or not is_foreseen(task.scheduler)
        or task.request.keep is not None
        or gradient_hooks(task.request.model)
        or module_hooks(task.request.model)
        or bool(list(model.buffers()))
        or len({(p.dtype, p.requires_grad) for p in params}) > 1
        or not params[0].requires_grad
        or evaluation.is_looped(model)
        or bool(overlapping(params))
    )
    if alone:
        return None
    return (
        type(optimizer),
        repr(_options(groups[0])),
        _workings(task.request.model),
        layout_of(model),
        params[0].dtype,
        task.batch_size,
    )


def renewed(optimizer: Optimizer, params: Sequence[nn.Parameter]) -> Optimizer:
    """Return an optimizer of the same class and options for other parameters, with rate 1."""
    options = _options(optimizer.param_groups[0])
    named = inspect.signature(type(optimizer)).parameters
    taken: dict[str, Any] = {key: value for key, value in options.items() if key in named}
    return type(optimizer)([{"params": list(params), **options}], lr=1.0, **taken)  # type: ignore[call-arg]


def _options(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key not in _OWN}


def _holds_tensors(group: dict[str, Any]) -> bool:
    """Say whether a rate or another option is a tensor, which may change during the run."""
    values = [value for key, value in group.items() if key != "params"]
    values += [entry for value in values if isinstance(value, tuple) for entry in value]
    return any(isinstance(value, Tensor) for value in values)


def _is_new(optimizer: Optimizer) -> bool:
    """Say whether the optimizer's state is what its class begins with."""
    params = optimizer.param_groups[0]["params"]
    try:
        begun = renewed(optimizer, params).state
    except Exception:  # options changed to what the class refuses
        return False
    return set(optimizer.state) == set(begun) and all(
        _same(optimizer.state[p], begun[p]) for p in begun
    )


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return set(one) == set(other) and all(
        torch.equal(*(torch.as_tensor(held[key], device="cpu") for held in (one, other)))
        for key in one
    )


_TORCHS = set(vars(nn.Module())) - {"training"}
"""Attributes that hold parameters, buffers, modules and hooks."""


def _workings(model: nn.Module) -> tuple[object, ...]:
    """Return what decides how a model computes beside its parameters: equal where that is."""
    modules = tuple(
        (name, type(module), tuple((key, _told(vars(module)[key])) for key in _attributes(module)))
        for name, module in model.named_modules(remove_duplicate=False)
    )
    places = list(model.named_parameters(remove_duplicate=False))
    first: dict[int, str] = {}
    return modules, tuple((name, first.setdefault(id(param), name)) for name, param in places)


def _attributes(module: nn.Module) -> list[str]:
    return sorted(set(vars(module)) - _TORCHS)


def _told(value: object) -> object:
    """Return a value to compare: of plain ones what they are, of others which object it is."""
    if isinstance(value, dict):
        return dict, tuple((_told(key), _told(entry)) for key, entry in value.items())
    if isinstance(value, (tuple, list)):
        return type(value), tuple(_told(entry) for entry in value)
    if value is None or isinstance(value, (bool, int, float, str, torch.dtype, torch.device)):
        return type(value), repr(value)
    return id(value)
