"""Numbers of a stored run, computed again at its first and last row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.batches import Batches
from render.recording.generators import forked
from render.recording.problem import Problem, copied
from render.recording.schedules import is_foreseen
from render.recording.starting import first_loss
from render.recording.stepping import rate_of
from render.recording.task import Task
from render.recording.trajectory import Trajectory
from render.recording.watching import after

__all__ = ["recomputed"]

Difference = tuple[str, object, object]

_MOST_RATES = 1000
_METRICS = 0.01
"""How far metrics may differ, of their size: a count moves by one where a number rounds."""


def recomputed(task: Task, stored: Trajectory) -> Iterator[Difference]:
    """Yield (name, recorded, computed) of the rates, losses and metrics that differ.

    The task's scheduler is used up.
    """
    yield from _rates(task, stored)
    probe = replace(task, model=copied(task.model))
    yield from _losses(probe, stored)
    if not task.keep.whole:
        return
    problem = Problem(model=probe.model, loss=task.loss, data=task.data)
    ends = [0, -1]
    buffers = {name: values[ends] for name, values in stored.buffers.items()}
    for name, values in after(task, problem, stored.params[ends], buffers).items():
        known = stored.metrics[name][ends].astype(float)
        size = float(np.abs(known[np.isfinite(known)]).max(initial=0.0))
        for which, recorded, found in zip(("first", "last"), known, values, strict=True):
            if not _close(recorded, found, _METRICS, _METRICS * size):
                yield f"the {which} {name}", recorded, found


def _rates(task: Task, stored: Trajectory) -> Iterator[Difference]:
    """Compare the schedule's first rates, where they are known not to depend on the run itself."""
    if task.scheduler is None or not is_foreseen(task.scheduler):
        return
    for row in range(min(task.steps, _MOST_RATES) + 1):
        rate = float(rate_of(task.optimizer))
        if row % stored.every == 0:
            recorded = float(stored.lr[row // stored.every])
            if not _close(recorded, rate, 1e-6, 0.0):
                yield f"the rate of step {row}", recorded, rate
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
            try:
                task.scheduler.step()
            except Exception:  # it may ask for what only a run knows
                return


def _losses(probe: Task, stored: Trajectory) -> Iterator[Difference]:
    """Compare the losses that the optimizer saw, but for those of random numbers."""
    with forked(), torch.enable_grad():
        torch.default_generator.manual_seed(probe.seed)
        before = torch.get_rng_state()
        start = {name: value.clone() for name, value in probe.model.named_buffers()}
        loss = first_loss(probe, *next(iter(Batches(probe)))).detach()
        random = not torch.equal(before, torch.get_rng_state())
    eps = torch.finfo(loss.dtype).eps
    first = float(stored.loss[0])
    known = not random or stored.meta.get("device", "cpu") == "cpu"  # a GPU draws other numbers
    if known and not _close(first, float(loss), eps**0.5, 0.0):
        yield "the first loss", first, float(loss)
    if random or not np.isfinite(stored.loss[-1]):
        return
    if stored.final is not None and not stored.buffers and _have_moved(probe.model, start):
        return  # the last row's buffers are not known
    params = stored.params[-1] if stored.final is None else stored.final
    _restore(probe.model, params, {name: rows[-1] for name, rows in stored.buffers.items()})
    x, y = (side.detach().to(probe.device) for side in (probe.data.x, probe.data.y))
    if stored.batch is not None:
        at = torch.tensor(stored.batch[-1][stored.batch[-1] >= 0], dtype=torch.int64, device="cpu")
        x, y = x[at], y[at]
    with torch.no_grad():
        last = float(probe.loss(probe.model(x), y))
    if not _close(float(stored.loss[-1]), last, eps**0.5, eps * abs(first)):
        yield "the last loss", float(stored.loss[-1]), last


def _have_moved(model: nn.Module, start: dict[str, Tensor]) -> bool:
    now = dict(model.named_buffers())
    return not all(name in now and now[name].equal(value) for name, value in start.items())


def _restore(model: nn.Module, row: npt.NDArray[Any], buffers: dict[str, Any]) -> None:
    named: dict[str, Tensor] = dict(model.named_buffers())
    start = 0
    with torch.no_grad():
        for param in model.parameters():
            values = torch.tensor(row[start : start + param.numel()], device="cpu")
            param.copy_(values.view(param.shape))
            start += param.numel()
        for name, value in buffers.items():
            named[name].copy_(torch.tensor(value, device="cpu"))


def _close(recorded: float, found: float, relative: float, absolute: float) -> bool:
    if not np.isfinite(recorded):
        return not np.isfinite(found)
    return bool(abs(found - recorded) <= absolute + relative * abs(recorded))
