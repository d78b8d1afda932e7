"""A run that is about to start: everything checked and built."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.optim import Optimizer

from render.errors import InputError, RecordingError
from render.problem.dataset import Dataset
from render.recording import memory
from render.recording.arguments import check_compile, check_run, named_metrics, problem_of
from render.recording.devices import choose
from render.recording.factories import optimizer_of, scheduler_of
from render.recording.faults import first_line, has_stopped
from render.recording.generators import seeded
from render.recording.keep import Keep, check_keep
from render.recording.problem import Loss, bound, copied, counterparts, halves, to_numpy
from render.recording.request import Metric, Request
from render.recording.settings import architecture, label, settings
from render.recording.sharing import check_sharing

__all__ = ["Task", "prepare"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A run about to start: its own copy of the model on the device, optimizer and scheduler.

    request: the arguments as they were given. batch_size: None for the full batch. own: the copy of
    the data that the run holds, where it shares one with others.
    """

    request: Request
    model: nn.Module
    data: Dataset
    loss: Loss
    optimizer: Optimizer
    scheduler: Any
    metrics: Mapping[str, Metric]
    steps: int
    batch_size: int | None
    keep: Keep
    seed: int
    device: torch.device
    meta: dict[str, str | int | float]
    own: tuple[Dataset, npt.NDArray[Any], npt.NDArray[Any]] | None = None


def prepare(request: Request) -> Task:
    """Check every argument of `record` and build what the loop needs. Raises InputError."""
    with torch.inference_mode(False):  # whose tensors have no gradients
        return _prepared(request)


def _prepared(request: Request) -> Task:
    data, loss = problem_of(request)
    if data.x.is_inference() or data.y.is_inference():
        data = Dataset(data.x.clone(), data.y.clone())
    request = check_run(request, data)
    n, model, steps = len(data), request.model, request.steps
    size = None if request.batch_size in (None, n) else request.batch_size
    place, reason = choose(request.device, model, size or n)
    metrics = named_metrics(request.metrics, request.validation is not None)
    keep = check_keep(request.keep, model, steps)
    count = len(metrics) if request.validation is None else 2 * len(metrics) + 1
    needed = memory.recording_bytes(model, steps, keep, size, n, count)
    memory.check(needed, f"record: {steps} steps of {type(model).__name__}")
    own = bound(_copied(model, place), loss)
    with seeded(place, request.seed):
        built, schedule, made = _built(request, own, place)
    meta: dict[str, str | int | float] = {
        "model": type(model).__name__,
        **architecture(model),
        "loss": label(loss),
        "steps": steps,
        "batch_size": size or n,
        "n": n,
        "seed": request.seed,
        "data": _digest(data.x, data.y),
        **halves(data),
        **made,
        **_extras(request, keep),
        "device": str(place),
        "device_reason": reason,
        "torch": str(torch.__version__),
        "recording_bytes": needed,
    }
    return Task(
        request=request,
        model=own,
        data=data,
        loss=loss,
        optimizer=built,
        scheduler=schedule,
        metrics=metrics,
        steps=steps,
        batch_size=size,
        keep=keep,
        seed=request.seed,
        device=place,
        meta=meta,
    )


def _built(
    request: Request, own: nn.Module, place: torch.device
) -> tuple[Optimizer, Any, dict[str, str | int | float]]:
    """Return the optimizer, the scheduler or None, and the settings of both."""
    optimizer = optimizer_of(request.optimizer, own)
    check_compile(request, optimizer, place)
    made = settings("optimizer", optimizer)  # before a scheduler adds its own notes
    if request.scheduler is None:
        return optimizer, None, made
    schedule = scheduler_of(request.scheduler, optimizer)
    return optimizer, schedule, {**made, **settings("scheduler", schedule)}


def _extras(request: Request, keep: Keep) -> dict[str, str | int | float]:
    """Return what only some runs have, for `meta`."""
    extras: dict[str, str | int | float] = {}
    if request.clip is not None:
        extras["clip"] = request.clip
    if request.validation is not None:
        extras["validation"] = _digest(request.validation.x, request.validation.y)
    if keep.every != 1 or not keep.whole:
        extras["keep"] = str(keep)
    if keep.directions is not None:
        extras["keep.directions"] = _digest(
            torch.tensor(np.asarray(keep.directions, dtype=float), device="cpu")
        )
    if not keep.whole:  # else the first row tells
        extras["start"] = _digest(*request.model.parameters())
    return extras


def _copied(model: nn.Module, place: torch.device) -> nn.Module:
    try:
        own = copied(model).to(place)
    except torch.OutOfMemoryError as exc:
        raise RecordingError(
            f"record: the model does not fit on {place}; use device='cpu'"
        ) from exc
    except RuntimeError as exc:
        if has_stopped(exc):
            raise RecordingError(
                f"record: {place} does not work here ({first_line(exc)}); use device='cpu', or "
                "start a new process, where it failed before in this one"
            ) from exc
        raise InputError(
            f"record: {type(model).__name__} cannot be moved to {place} ({first_line(exc)}); give "
            "a model whose parameters hold numbers"
        ) from exc
    check_sharing(model, own)
    copies = counterparts(model, own)
    for given in model.parameters():
        if given.requires_grad:
            _hook(given, copies[id(given)])
    return own


def _hook(given: nn.Parameter, copy: nn.Parameter) -> None:
    """Give the copy of a parameter its hooks, which torch leaves out."""
    for hook in (given._backward_hooks or {}).values():
        copy.register_hook(hook)  # type: ignore[no-untyped-call]
    for hook in (given._post_accumulate_grad_hooks or {}).values():
        copy.register_post_accumulate_grad_hook(hook)  # type: ignore[no-untyped-call]


def _digest(*tensors: torch.Tensor) -> str:
    """Return a fingerprint of the tensors: 16 hexadecimal digits."""
    total = hashlib.sha256()
    for values in tensors:
        array = to_numpy(values)
        total.update(f"{values.dtype}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()[:16]
