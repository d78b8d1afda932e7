"""One update: clearing gradients, clipping them, the optimizer's step, the scheduler's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.recording.task import Task

__all__ = ["clearing", "clipping", "stepper"]


def clearing(optimizer: Optimizer, params: Sequence[nn.Parameter]) -> Callable[[], None]:
    """Return a function that clears every gradient of the model.

    torch's own `zero_grad` sets them to None; done here, without its profiling and grouping,
    that gives back the time that recording takes. An optimizer's own `zero_grad` is called.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = type(optimizer).zero_grad is not Optimizer.zero_grad
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

    def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
        nonlocal needs
        clip()
        if needs is None:
            needs = _fails_alone(task)
            if needs:
                with_closure(x, y, loss)
        elif needs:
            with_closure(x, y, loss)
        else:
            optimizer.step()
        advance(loss)

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

    def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
        # torch's own optimizers first call the closure where they are: that is known already
        known = [loss] if _is_torchs(optimizer) else []

        def closure() -> Tensor:
            if known:
                return known.pop()
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


def clipping(task: Task) -> Callable[[], object]:
    """Return a function that scales the gradients down to the run's limit, if it has one."""
    limit, params = task.request.clip, list(task.model.parameters())
    if limit is None:
        return lambda: None
    return lambda: nn.utils.clip_grad_norm_(params, limit)


def _needs_closure(optimizer: Optimizer) -> bool | None:
    """Say whether the optimizer's step needs a closure; None where only a step can tell."""
    arguments = _arguments(optimizer)
    open_ended = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    if any(p.default is Parameter.empty and p.kind not in open_ended for p in arguments):
        return True
    return None if arguments and not _is_torchs(optimizer) else False


def _fails_alone(task: Task) -> bool:
    """Step without a closure; say whether that raises where it needs one, before a change."""
    params = list(task.model.parameters())
    before = [param.detach().clone() for param in params]
    try:
        task.optimizer.step()
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception:  # an assertion, a None that is called, or whatever a user's own raises
        if not all(map(torch.equal, before, params)):
            raise
        return True
    return False


def _arguments(optimizer: Optimizer) -> list[Parameter]:
    step: Any = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):  # a scheduler's wrapper, which is not bound
        step = step.__wrapped__.__get__(optimizer)
    return list(inspect.signature(step).parameters.values())


def _is_torchs(optimizer: Optimizer) -> bool:
    return type(optimizer).__module__.startswith("torch.optim.")


def _scheduling(scheduler: Any) -> Callable[[Tensor], None]:
    if scheduler is None:
        return lambda loss: None
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return lambda loss: scheduler.step(loss.detach())
    return lambda loss: scheduler.step()
