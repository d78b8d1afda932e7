"""Rates that are known before a run: those of schedules that look at nothing but the step."""

from __future__ import annotations

import dis
import inspect
import math
import types
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.optim import lr_scheduler

from render.recording.task import Task

__all__ = ["is_foreseen", "rates_of"]

Array = npt.NDArray[Any]

_FORESEEN = (
    lr_scheduler.ChainedScheduler,
    lr_scheduler.ConstantLR,
    lr_scheduler.CosineAnnealingLR,
    lr_scheduler.CosineAnnealingWarmRestarts,
    lr_scheduler.CyclicLR,
    lr_scheduler.ExponentialLR,
    lr_scheduler.LambdaLR,
    lr_scheduler.LinearLR,
    lr_scheduler.MultiplicativeLR,
    lr_scheduler.MultiStepLR,
    lr_scheduler.OneCycleLR,
    lr_scheduler.PolynomialLR,
    lr_scheduler.SequentialLR,
    lr_scheduler.StepLR,
)
"""Schedulers of torch's that follow the number of the step; a class derived from one may not."""


def is_foreseen(scheduler: object) -> bool:
    """Say whether a schedule can be stepped before the run, to the rates it would give in it."""
    if scheduler is None:
        return True
    kind, held = type(scheduler), vars(scheduler)
    if kind not in _FORESEEN:
        return False
    if any(callable(value) and hasattr(kind, name) for name, value in held.items()):
        return False  # a method replaced
    functions = [*held.get("lr_lambdas", ()), held.get("_scale_fn_custom")]
    return all(function is None or _is_pure(function) for function in functions) and all(
        is_foreseen(inner) for inner in held.get("_schedulers", ())
    )


def rates_of(tasks: Sequence[Task]) -> Array | None:
    """Return the rate of each step and run, (T, K); None where a schedule moves more than it.

    The tasks' schedulers are stepped to the end.
    """
    columns = [_column(task) for task in tasks]
    return None if any(column is None for column in columns) else np.array(columns).T


def _column(task: Task) -> list[float] | None:
    group = task.optimizer.param_groups[0]
    if task.scheduler is None:
        return [float(group["lr"])] * (task.steps + 1)
    before = {key: value for key, value in group.items() if key != "lr"}
    column = [float(group["lr"])]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
        for _ in range(task.steps):
            try:
                task.scheduler.step()
            except Exception:  # one by one, it shows in its place
                return None
            if isinstance(group["lr"], Tensor) or _moved(group, before):
                return None
            column.append(float(group["lr"]))
    return column


def _moved(group: dict[str, Any], before: dict[str, Any]) -> bool:
    return len(group) != len(before) + 1 or any(
        group.get(key) is not value for key, value in before.items()
    )


_KNOWN = {"abs", "divmod", "float", "int", "len", "max", "min", "pow", "range", "round", "sum"}
_KNOWN |= {name for name in vars(math) if not name.startswith("_")}
"""Builtins, and attributes of `math` and numpy, that give one thing for one argument."""


def _is_pure(function: object) -> bool:
    """Say whether a user's function can compute with its argument, constants and `math` only.

    Anything else, such as a tensor, a list or another function, could change during the run.
    """
    given: list[object] = []
    while isinstance(function, partial):
        given += [*function.args, *function.keywords.values()]
        function = function.func
    if not isinstance(function, types.FunctionType):
        return False
    code, names = function.__code__, function.__globals__
    given += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    given += inspect.getclosurevars(function).nonlocals.values()
    given += [names[name] for name in code.co_names if name in names]
    others = [name for name in code.co_names if name not in names]
    writes = {entry.opname for entry in dis.get_instructions(code)}
    return (
        all(name in _KNOWN for name in others)
        and all(_is_constant(value) for value in (*given, *code.co_consts))
        and not writes & {"STORE_GLOBAL", "STORE_DEREF"}
    )


def _is_constant(value: object) -> bool:
    if isinstance(value, (tuple, frozenset)):
        return all(_is_constant(entry) for entry in value)
    if isinstance(value, types.BuiltinFunctionType):
        return value.__module__ == "math"
    allowed = value is None or value is math or value is np
    return allowed or isinstance(value, (bool, int, float, str, np.number))
