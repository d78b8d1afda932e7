"""The first step of a run, where what does not fit together shows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from render.errors import InputError, RecordingError, RenderError
from render.recording.faults import first_line, whence
from render.recording.given import keeps_off
from render.recording.hooks import gradient_hooks
from render.recording.sharing import aliases
from render.recording.task import Task
from render.recording.watching import tried

__all__ = ["check_gradients", "first_backward", "first_loss"]

_PENALTY = "give a penalty as loss=losses.penalised(loss, lambda model: …)"
_WAY = (
    f"{_PENALTY}, and in a module call layers by self in forward, not in a function kept from "
    "__init__"
)
_BESIDE = (
    ", and that tensors of their own are registered as buffers or made with device=x.device; or "
    "use device='cpu'"
)


def first_loss(task: Task, x: Tensor, y: Tensor) -> Tensor:
    """Return the first loss, or say what is wrong with model, loss, data or metrics."""
    name = type(task.model).__name__
    before, versions = (x.clone(), y.clone()), (x._version, y._version)
    standing = aliases(task.model)
    try:
        with keeps_off(task.request.model, "the loss or the model", _WAY):
            loss: object = task.loss(task.model(x), y)
            if isinstance(loss, Tensor):
                _check_own(task, loss)
    except (RenderError, torch.OutOfMemoryError):
        raise
    except Exception as exc:  # whatever a user's model or loss raises
        raise RecordingError(
            f"record: {name} or its loss failed on x of shape {tuple(x.shape)} and y of shape "
            f"{tuple(y.shape)} ({first_line(exc)}); check that they fit together"
            f"{_BESIDE if x.is_cuda else ''}{whence(exc)}"
        ) from exc
    if (x._version, y._version) != versions:
        with torch.no_grad():
            x.copy_(before[0])
            y.copy_(before[1])
        raise InputError(
            f"record: {name} or its loss changes the data in place; take a layer without "
            "inplace=True, or an operation such as x * 2 for x *= 2"
        )
    if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.is_complex():
        got = type(loss).__name__
        if isinstance(loss, Tensor):
            got = "a complex number" if loss.is_complex() else f"shape {tuple(loss.shape)}"
        raise InputError(
            f"record: the loss returns {got}; it must return one real number as a tensor, for "
            "example by .mean()"
        )
    if not loss.requires_grad:
        raise InputError(_apart(name))
    _check_aliases(task.model, standing)
    tried(task)
    return loss


def first_backward(task: Task, loss: Tensor, params: Sequence[nn.Parameter]) -> None:
    """Compute the first gradient, and check it as `check_gradients` does.

    Raises InputError for a hook that reads the model that was given, too.
    """
    watched = gradient_hooks(task.model)  # else not: it changes how torch differentiates a product
    with keeps_off(task.request.model, "a hook", _PENALTY) if watched else nullcontext():
        loss.backward()  # type: ignore[no-untyped-call]
    check_gradients(task.model, params)


def _check_aliases(model: nn.Module, standing: list[tuple[str, Tensor]]) -> None:
    """Check that what shared memory with a parameter was made anew in the forward."""
    before = {id(values) for _, values in standing}
    for name, values in aliases(model):
        if id(values) in before:
            raise InputError(
                f"record: {name} of {type(model).__name__} shares memory with a parameter, which "
                "it does not follow where a run is evaluated at another step; take the parameter "
                f"itself in forward, without {name}"
            )


def _check_own(task: Task, loss: Tensor) -> None:
    """Check that the loss does not reach the model that was given: only its copy moves."""
    given = {id(param): name for name, param in task.request.model.named_parameters()}
    seen: set[Any] = set()
    waiting: list[Any] = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        name = given.get(id(getattr(node, "variable", None)))
        if name is not None:
            raise InputError(
                f"record: the loss reaches {name} of the {type(task.model).__name__} that was "
                f"given, and a copy of it is optimised; {_WAY}"
            )
        waiting += [following for following, _ in node.next_functions]


def check_gradients(model: nn.Module, params: Sequence[nn.Parameter]) -> None:
    """Check the gradients of the first row: some, dense, and of `params`, which rows hold.

    Raises InputError.
    """
    name = type(model).__name__
    if list(map(id, model.parameters())) != list(map(id, params)):
        raise InputError(
            f"record: {name} makes parameters in its forward, which the optimizer does not know; "
            "make them in __init__, or call model(data.x) once before recording"
        )
    if all(param.grad is None for param in params):
        raise InputError(_apart(name))
    for name, param in model.named_parameters():
        if param.grad is not None and param.grad.layout != torch.strided:
            raise InputError(
                f"record: the gradient of {name} is sparse; give a model with dense gradients, "
                "such as nn.Embedding(…, sparse=False)"
            )


def _apart(name: str) -> str:
    return (
        f"record: the loss does not depend on the parameters of {name}; compute it from the "
        "prediction with torch operations, without detach(), item(), numpy or a new tensor"
    )
