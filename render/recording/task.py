"""What `record` was asked for, checked before anything is computed."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.errors import InputError, RecordingError
from render.problem.dataset import Dataset
from render.recording.devices import choose
from render.recording.problem import Loss, to_numpy
from render.recording.settings import label, settings

__all__ = ["Metric", "Metrics", "OptimizerFactory", "SchedulerFactory", "Task", "prepare"]

Metric = Callable[[Tensor, Tensor], object]
Metrics = Mapping[str, Metric] | Iterable[Metric]
OptimizerFactory = Callable[[Any], Optimizer]
SchedulerFactory = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A run about to start: its own copy of the model on the device, optimizer and scheduler."""

    model: nn.Module
    data: Dataset
    loss: Loss
    optimizer: Optimizer
    scheduler: Any
    metrics: Mapping[str, Metric]
    steps: int
    batch_size: int | None
    seed: int
    device: torch.device
    meta: dict[str, str | int | float]


def prepare(
    model: nn.Module,
    data: Dataset,
    *,
    loss: Loss,
    optimizer: OptimizerFactory,
    steps: int,
    batch_size: int | None,
    scheduler: SchedulerFactory | None,
    metrics: Metrics | None,
    seed: int,
    device: str,
) -> Task:
    """Check every argument of `record` and build what the loop needs. Raises InputError."""
    if not isinstance(data, Dataset):
        raise InputError(
            f"record: data is a {type(data).__name__}; give a Dataset, such as datasets.of(x, y)"
        )
    _check_model(model, data)
    _check_whole("steps", steps, least=0)
    _check_whole("seed", seed, least=0)
    if not callable(loss):
        raise InputError(
            f"record: loss is {loss!r}; give a callable (prediction, target) -> scalar"
        )
    n = len(data)
    if batch_size is not None:
        _check_whole("batch_size", batch_size, least=1)
        if batch_size > n:
            raise InputError(
                f"record: batch_size is {batch_size}, but there are {n} samples; give 1 to {n}, "
                "or None for all of them"
            )
    size = None if batch_size in (None, n) else batch_size
    place, reason = choose(device, model, size or n)
    named = _named(metrics)
    _check_memory(model, steps, size)
    own = _copied(model, place)
    built = _optimizer(optimizer, own)
    meta: dict[str, str | int | float] = {
        "model": type(model).__name__,
        "loss": label(loss),
        "steps": steps,
        "batch_size": size or n,
        "n": n,
        "seed": seed,
        "data": _digest(data),
        **settings("optimizer", built),
    }
    schedule = None if scheduler is None else _scheduler(scheduler, built)
    if schedule is not None:
        meta |= settings("scheduler", schedule)
    meta |= {
        "device": str(place),
        "device_reason": reason,
        "torch": str(torch.__version__),
    }
    return Task(
        model=own,
        data=data,
        loss=loss,
        optimizer=built,
        scheduler=schedule,
        metrics=named,
        steps=steps,
        batch_size=size,
        seed=seed,
        device=place,
        meta=meta,
    )


def _check_model(model: object, data: Dataset) -> None:
    if not isinstance(model, nn.Module):
        raise InputError(
            f"record: model is a {type(model).__name__}; give a torch.nn.Module, such as "
            "models.Line(slope=0.0, intercept=0.0)"
        )
    params = list(model.parameters())
    if not any(param.requires_grad for param in params):
        raise InputError(
            f"record: {type(model).__name__} has no parameters that require a gradient, so there "
            "is nothing to optimise"
        )
    if any(nn.parameter.is_lazy(param) for param in params):
        raise InputError(
            f"record: {type(model).__name__} has parameters without a shape yet; call "
            "model(data.x) once before recording"
        )
    kinds = {param.dtype for param in params if param.is_floating_point()}
    kind = data.x.dtype
    if kind.is_floating_point and kind not in kinds:
        held = ", ".join(sorted(str(entry) for entry in kinds))
        raise InputError(
            f"record: the data's x is {kind} and the model's parameters are {held}; give both the "
            f"same type: the model with dtype={kind} or model.to({kind}), or the dataset with "
            f"dtype={held}"
        )


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"record: {name} is {value!r}; give a whole number of at least {least}")


def _check_memory(model: nn.Module, steps: int, batch_size: int | None) -> None:
    """Refuse, before it starts, a run whose arrays would not fit into memory."""
    width = sum(param.numel() * param.element_size() for param in model.parameters())
    needed = (steps + 1) * (width + 32 + 8 * (batch_size or 0))
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError, IndexError):
        return  # not Linux: the allocation itself will tell
    if needed > free:
        raise RecordingError(
            f"record: {steps} steps of {type(model).__name__} take {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free; take fewer steps or a smaller model"
        )


def _copied(model: nn.Module, place: torch.device) -> nn.Module:
    try:
        return copy.deepcopy(model).to(place)
    except torch.OutOfMemoryError as exc:
        raise RecordingError(
            f"record: the model does not fit on {place}; use device='cpu'"
        ) from exc
    except RuntimeError as exc:
        raise InputError(
            f"record: {type(model).__name__} cannot be copied ({_first_line(exc)}); give a model "
            "that copy.deepcopy accepts"
        ) from exc


def _optimizer(factory: object, model: nn.Module) -> Optimizer:
    example = "a callable taking parameters, such as partial(torch.optim.SGD, lr=0.1)"
    if isinstance(factory, Optimizer):
        raise InputError(
            f"record: optimizer is an optimizer already built, {type(factory).__name__}, which "
            f"holds another model's parameters; give {example}"
        )
    built = _call("optimizer", factory, list(model.parameters()), example)
    if not isinstance(built, Optimizer):
        raise InputError(
            f"record: optimizer gave a {type(built).__name__}, not a torch optimizer; "
            f"give {example}"
        )
    return built


def _scheduler(factory: object, optimizer: Optimizer) -> Any:
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
    return built


def _call(name: str, factory: object, argument: object, example: str) -> object:
    if not callable(factory):
        raise InputError(f"record: {name} is {factory!r}; give {example}")
    try:
        return factory(argument)
    except (TypeError, ValueError, RuntimeError) as exc:
        raise InputError(
            f"record: {name} {label(factory)} cannot be built ({_first_line(exc)}); give {example}"
        ) from exc


def _named(metrics: Metrics | None) -> dict[str, Metric]:
    if isinstance(metrics, Mapping):
        named = dict(metrics)
    elif metrics is None or isinstance(metrics, Iterable):
        named = {label(entry): entry for entry in metrics or ()}
    else:
        raise InputError(f"record: metrics is {metrics!r}; give a mapping or a list of callables")
    for name, entry in named.items():
        if not callable(entry):
            raise InputError(
                f"record: metric {name!r} is {entry!r}; give a callable (prediction, target)"
            )
    return named


def _digest(data: Dataset) -> str:
    """Return a fingerprint of the data: 16 hexadecimal digits."""
    total = hashlib.sha256()
    for values in (data.x, data.y):
        array = to_numpy(values)
        total.update(f"{values.dtype}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()[:16]


def _first_line(exc: BaseException) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0]
