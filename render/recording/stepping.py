"""One update: clearing gradients, clipping them, the optimizer's step, the scheduler's."""

from __future__ import annotations

import dis
import inspect
import math
import operator
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from inspect import Parameter
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.errors import RecordingError, RenderError
from render.recording.faults import first_line, whence
from render.recording.generators import forked
from render.recording.problem import copied, counterparts
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
    with_closure = _closing(task, clear, clip)
    needs = _needs_closure(optimizer)  # None: to be found out in the first step
    alone = _alone(optimizer) if needs is None else optimizer.step

    def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
        nonlocal needs
        clip()
        if needs is None:
            needs = _fails_alone(task)
        if needs:
            with_closure(x, y, loss)
        else:
            alone()
        advance(loss)

    return step


def _alone(optimizer: Optimizer) -> Callable[[], object]:
    """Return the step without a closure, which says what to do where it comes to need one."""

    def step() -> None:
        try:
            optimizer.step()
        except (RenderError, torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as exc:  # whatever a user's own raises
            name = type(optimizer).__name__
            raise RecordingError(
                f"record: the step of {name} failed ({type(exc).__name__}: {first_line(exc)}); "
                "where it needs a closure now and then, let it take one without a default, as in "
                f"def step(self, closure){whence(exc)}"
            ) from exc

    return step


def _closing(
    task: Task, clear: Callable[[], None], clip: Callable[[], object]
) -> Callable[[Tensor, Tensor, Tensor], None]:
    """Return the optimizer's step with a closure; the gradient has been clipped before."""
    optimizer = task.optimizer
    kinds = {entry.kind for entry in _arguments(optimizer)}
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
    if isinstance(rate, Tensor) and rate.numel() == 1:
        return rate.item() if rate.is_cpu else rate.detach().clone()
    return float(rate) if isinstance(rate, Real) else math.nan


def _needs_closure(optimizer: Optimizer) -> bool | None:
    """Say whether the optimizer's step needs a closure; None where only a step can tell."""
    arguments = _arguments(optimizer)
    open_ended = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    if any(p.default is Parameter.empty and p.kind not in open_ended for p in arguments):
        return True
    if _is_torchs(optimizer):
        return False
    return None if any(_reads(_step(optimizer), p.name) for p in arguments) else False


def _fails_alone(task: Task) -> bool:
    """Try a step without a closure on copies of model and optimizer; say whether it fails."""
    twin = _twin(task)
    if twin is None:
        return False
    with forked(task.device):
        try:
            twin.step()
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception:  # an assertion, a None that is called, or whatever a user's own raises
            return True
    return False


def _twin(task: Task) -> Optimizer | None:
    """Return a copy of the optimizer for a copy of the model, without hooks, with the gradients.

    None where there is none: of one that cannot be copied, or whose `step` holds the optimizer.
    """
    optimizer, model = task.optimizer, copied(task.model)
    held = dict(vars(optimizer))
    if getattr(_step(optimizer), "__self__", None) is not optimizer:
        return None
    if hasattr(held.get("step"), "_wrapped_by_lr_sched"):  # which is the optimizer's own
        del held["step"]
    twin: Optimizer = object.__new__(type(optimizer))
    copies: dict[int, Any] = {**counterparts(task.model, model), id(optimizer): twin}
    try:
        vars(twin).update(
            deepcopy(held, copies),
            _optimizer_step_pre_hooks=OrderedDict(),
            _optimizer_step_post_hooks=OrderedDict(),
        )
        for param, copy in zip(task.model.parameters(), model.parameters(), strict=True):
            vars(copy).update(deepcopy(vars(param), copies))
            copy.grad = None if param.grad is None else param.grad.clone()
    except Exception:  # whatever a user's own holds
        return None
    return twin


def _step(optimizer: Optimizer) -> Callable[..., object]:
    """Return the optimizer's step, without a scheduler's counter around it."""
    step: Any = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):  # which is not bound
        step = step.__wrapped__.__get__(optimizer)
    made: Callable[..., object] = step
    return made


def _arguments(optimizer: Optimizer) -> list[Parameter]:
    return list(inspect.signature(_step(optimizer)).parameters.values())


def _reads(step: Callable[..., object], name: str) -> bool:
    """Say whether a function uses one of its arguments, or cannot be looked into."""
    code = getattr(inspect.unwrap(step), "__code__", None)
    return code is None or any(
        entry.opname.startswith("LOAD") and name in str(entry.argrepr)
        for entry in dis.get_instructions(code)
    )


def _is_torchs(optimizer: Optimizer) -> bool:
    """Say whether the optimizer's step is one of torch's."""
    return str(_step(optimizer).__module__).startswith("torch.optim")


def _scheduling(scheduler: Any) -> Callable[[Tensor], None]:
    if scheduler is None:
        return lambda loss: None
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return lambda loss: scheduler.step(loss.detach())
    return lambda loss: scheduler.step()
