"""One update: clearing gradients, clipping them, the optimizer's step, the scheduler's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
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
    if not _needs_closure(optimizer):

        def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
            clip()
            optimizer.step()
            advance(loss)

        return step

    def step_with_closure(x: Tensor, y: Tensor, loss: Tensor) -> None:
        # torch's own optimizers first call the closure where they are: that is known already
        known = [loss] if type(optimizer).__module__.startswith("torch.optim.") else []
        clip()

        def closure() -> Tensor:
            if known:
                return known.pop()
            clear()
            again = task.loss(task.model(x), y)
            again.backward()  # type: ignore[no-untyped-call]
            clip()
            return again

        optimizer.step(closure)  # type: ignore[arg-type]  # torch's own take tensors
        advance(loss)

    return step_with_closure


def clipping(task: Task) -> Callable[[], object]:
    """Return a function that scales the gradients down to the run's limit, if it has one."""
    limit, params = task.request.clip, list(task.model.parameters())
    if limit is None:
        return lambda: None
    return lambda: nn.utils.clip_grad_norm_(params, limit)


def _needs_closure(optimizer: Optimizer) -> bool:
    parameters = list(inspect.signature(optimizer.step).parameters.values())
    return bool(parameters) and parameters[0].default is inspect.Parameter.empty


def _scheduling(scheduler: Any) -> Callable[[Tensor], None]:
    if scheduler is None:
        return lambda loss: None
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return lambda loss: scheduler.step(loss.detach())
    return lambda loss: scheduler.step()
