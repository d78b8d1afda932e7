"""One update: clearing gradients, clipping them, the optimizer's step, the scheduler's."""

from __future__ import annotations

import dis
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from inspect import Parameter
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.recording.task import Task

__all__ = ["clearing", "clipping", "rate_of", "stepper"]


def clearing(optimizer: Optimizer, params: Sequence[nn.Parameter]) -> Callable[[], None]:
    """Return a function that clears every gradient of the model.

    torch's own `zero_grad` sets them to None; done here, without its profiling and grouping,
    that gives back the time that recording takes. An optimizer's own `zero_grad` is called.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = getattr(optimizer.zero_grad, "__func__", None) is not Optimizer.zero_grad
    if own or not held <= {id(p) for p in params}:
        others = [p for p in params if id(p) not in held]

        def clear_with_optimizer() -> None:
            optimizer.zero_grad()
            for param in others:
                param.grad = None

        return clear_with_optimizer

    def clear() -> None:
        for param in params:
            param.grad = None

    return clear


def stepper(task: Task, clear: Callable[[], None]) -> Callable[[Tensor, Tensor, Tensor], None]:
    """Return the update: clip, the optimizer's step, then the scheduler's."""
    optimizer, clip = task.optimizer, clipping(task)
    advance = _scheduling(task.scheduler)
    if _takes_closure(optimizer):
        with_closure = _closing(task, clear, clip)

        def close_and_step(x: Tensor, y: Tensor, loss: Tensor) -> None:
            clip()
            with_closure(x, y, loss)
            advance(loss)

        return close_and_step

    def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
        clip()
        optimizer.step()
        advance(loss)

    return step


def _closing(
    task: Task, clear: Callable[[], None], clip: Callable[[], object]
) -> Callable[[Tensor, Tensor, Tensor], None]:
    """Return the optimizer's step with a closure; the gradient has been clipped before."""
    optimizer = task.optimizer
    kinds = {entry.kind for entry in _arguments(_steps(optimizer)[0])}
    by_name = not kinds & {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD} and (
        Parameter.VAR_POSITIONAL not in kinds
    )
    # torch's own first call it where they are; others may have moved before
    still = _always if _is_torchs(optimizer) else _Still(list(task.model.parameters()))

    def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
        known, unchanged = [loss], still()

        def closure() -> Tensor:
            if known:
                first = known.pop()
                if unchanged():
                    return first
            with torch.enable_grad():
                clear()
                again = task.loss(task.model(x), y)
                again.backward()  # type: ignore[no-untyped-call]
            clip()
            return again

        if by_name:
            optimizer.step(closure=closure)  # type: ignore[arg-type]  # torch's own take tensors
        else:
            optimizer.step(closure)  # type: ignore[arg-type]

    return step


class _Still:
    """Tells whether parameters and gradients are what they were: also where `.data` was written,
    which torch does not count.
    """

    def __init__(self, params: Sequence[nn.Parameter]) -> None:
        self._params = params
        self._before = [torch.empty_like(p, requires_grad=False) for p in params]

    def __call__(self) -> Callable[[], bool]:
        """Note what they are now; return what compares them with that."""
        with torch.no_grad():
            torch._foreach_copy_(self._before, self._params)  # type: ignore[arg-type]
        grads = [p.grad for p in self._params]
        versions = [None if grad is None else grad._version for grad in grads]

        def unchanged() -> bool:
            now = [p.grad for p in self._params]
            return (
                all(map(operator.is_, grads, now))
                and versions == [None if grad is None else grad._version for grad in now]
                and all(map(_equal, self._before, self._params))
            )

        return unchanged


def _always() -> Callable[[], bool]:
    return lambda: True


def _equal(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold the same numbers, NaN being one."""
    if torch.equal(one, other):
        return True
    return torch.allclose(one, other, rtol=0.0, atol=0.0, equal_nan=True)


def clipping(task: Task) -> Callable[[], object]:
    """Return a function that scales the gradients down to the run's limit, if it has one."""
    limit, params = task.request.clip, list(task.model.parameters())
    if limit is None:
        return lambda: None
    return lambda: nn.utils.clip_grad_norm_(params, limit)


def rate_of(optimizer: Optimizer) -> float | Tensor:
    """Return the first group's rate, as it is now; NaN where it has none that is a number."""
    rate: object = optimizer.param_groups[0].get("lr")
    if type(rate) is float:
        return rate
    if isinstance(rate, Tensor):
        return rate.detach().clone() if rate.numel() == 1 else math.nan
    return float(rate) if isinstance(rate, Real) else math.nan


def _takes_closure(optimizer: Optimizer) -> bool:
    """Say whether a step is to be given a closure: torch's own only where it needs one."""
    for function in _steps(optimizer):
        arguments = _arguments(function)
        open_ended = {p.kind for p in arguments} & _OPEN_ENDED
        if any(p.default is Parameter.empty and p.kind not in _OPEN_ENDED for p in arguments):
            return True
        if _is_torchs(optimizer):
            return False
        if any(p.name == "closure" for p in arguments):
            return _reads(function, "closure")
        if not open_ended:
            return False
    return False  # what passes on all that it is given, to nothing


_OPEN_ENDED = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}


def _steps(optimizer: Optimizer) -> list[Callable[..., object]]:
    """Return the `step` of the optimizer, and those it may pass its arguments on to."""
    kinds = [kind for kind in type(optimizer).__mro__ if "step" in vars(kind)]
    found = [vars(kind)["step"].__get__(optimizer) for kind in kinds]
    own: Any = vars(optimizer).get("step")
    if own is not None and not hasattr(own, "_wrapped_by_lr_sched"):  # a scheduler's counter
        found.insert(0, own)
    return found


def _arguments(step: Callable[..., object]) -> list[Parameter]:
    return list(inspect.signature(step).parameters.values())


def _reads(step: Callable[..., object], name: str) -> bool:
    """Say whether a function uses one of its arguments, or cannot be looked into."""
    code = getattr(inspect.unwrap(step), "__code__", None)
    return code is None or any(
        entry.opname.startswith("LOAD") and name in str(entry.argrepr)
        for entry in dis.get_instructions(code)
    )


def _is_torchs(optimizer: Optimizer) -> bool:
    """Say whether the optimizer's step is one of torch's."""
    return str(_steps(optimizer)[0].__module__).startswith("torch.optim")


def _scheduling(scheduler: Any) -> Callable[[Tensor], None]:
    if scheduler is None:
        return lambda loss: None
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return lambda loss: scheduler.step(loss.detach())
    return lambda loss: scheduler.step()
