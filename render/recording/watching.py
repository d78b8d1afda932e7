"""Metrics: numbers over all the data, of a run's rows or while the rows are written."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.errors import InputError, RecordingError, RenderError
from render.problem.penalties import Penalised
from render.recording import evaluation
from render.recording.faults import first_line, whence
from render.recording.generators import forked
from render.recording.given import keeps_off
from render.recording.problem import Problem, copied
from render.recording.request import Metric
from render.recording.task import Task

__all__ = ["LiveMetrics", "after", "names_of", "tried"]

Array = npt.NDArray[Any]

_WAY = (
    "take run.params or run.predict once it is recorded, or a copy.deepcopy of the model where "
    "its start is meant"
)


def names_of(task: Task) -> list[str]:
    """Return the names of the metrics that a run will have."""
    names = list(task.metrics)
    if task.request.validation is not None:
        names += ["val_loss", *(f"val_{name}" for name in task.metrics)]
    return names if task.keep.directions is None else [*names, "off_plane"]


def after(
    task: Task, problem: Problem, params: Array, buffers: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the metrics of all rows, evaluated in batches once the run is over."""
    found = {}
    for name, (measure, validating) in _measures(task).items():
        over = problem
        if validating:
            assert task.request.validation is not None
            over = Problem(model=problem.model, loss=problem.loss, data=task.request.validation)
        with _named(name, measure):
            found[name] = evaluation.metric(over, measure, params, buffers)
    return found


def tried(task: Task) -> None:
    """Compute each metric at the start: what is wrong with one shows before the run, not after.

    Of the losses, only torch's and ours see the validation data so early: a user's own may count
    its calls.
    """
    measures = _measures(task)
    if not measures:
        return
    with torch.no_grad(), forked(task.device):
        model = copied(task.model).eval()
        for name, (measure, validating) in measures.items():
            data = task.request.validation if validating else task.data
            assert data is not None
            x, y = (side.to(task.device, copy=True) for side in (data.x, data.y))
            prediction = _predicted(model, x, "validation " if validating else "")
            if name != "val_loss" or _counts_nothing(measure):
                given = task.request.model
                with keeps_off(given, f"the metric {name!r}", _WAY), _named(name, measure):
                    evaluation.measured(measure, prediction, y)


@contextmanager
def _named(name: str, measure: object) -> Iterator[None]:
    """Have errors name the metric where its function's own name, such as <lambda>, does not."""
    try:
        yield
    except (InputError, RecordingError) as exc:
        if name.removeprefix("val_") == getattr(measure, "__name__", ""):
            raise
        raise type(exc)(f"metric {name!r}: {exc}") from exc


def _predicted(model: nn.Module, x: Tensor, which: str) -> Any:
    try:
        return evaluation.called(model, {}, x)
    except (RenderError, torch.OutOfMemoryError):
        raise
    except Exception as exc:  # whatever a user's model raises
        raise RecordingError(
            f"record: {type(model).__name__} cannot be evaluated on the {which}data "
            f"({first_line(exc)}); check that model.eval() takes them, all at once"
            f"{whence(exc)}"
        ) from exc


def _counts_nothing(loss: object) -> bool:
    while isinstance(loss, partial):
        loss = loss.func
    home = str(getattr(loss, "__module__", "")).split(".")[0]
    return home in ("render", "torch")


class LiveMetrics:
    """The metrics of a run whose parameters are not kept, computed at each row."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._model = copy.deepcopy(task.model).eval()
        self._measures = _measures(task)
        self._values: dict[str, list[Tensor]] = {name: [] for name in self._measures}
        self._packed: dict[str, list[Tensor]] = {name: [] for name in self._measures}
        place = task.device
        self._data = [
            None if data is None else (data.x.to(place, copy=True), data.y.to(place, copy=True))
            for data in (task.data, task.request.validation)
        ]
        self._buffers: dict[str, Tensor] = {}

    def look(self) -> None:
        """Note the buffers that belong to the next row: its loss moves running statistics on."""
        if self._measures:
            live = self._task.model.named_buffers()
            self._buffers = {name: value.detach().clone() for name, value in live}

    def add(self) -> None:
        """Compute the metrics at the model's parameters and the buffers that were noted."""
        if not self._measures:
            return
        state = {**dict(self._task.model.named_parameters()), **self._buffers}
        with torch.no_grad(), forked(self._task.device):
            predictions: dict[bool, Tensor] = {}
            for name, (measure, validating) in self._measures.items():
                samples = self._data[validating]
                assert samples is not None
                if validating not in predictions:
                    predictions[validating] = evaluation.called(self._model, state, samples[0])
                prediction = predictions[validating]
                before = getattr(prediction, "_version", 0)
                with _named(name, measure):
                    value = evaluation.measured(measure, prediction, samples[1])
                self._values[name].append(value.detach().clone())
                if len(self._values[name]) == _LOOSE:
                    self._packed[name].append(torch.stack(self._values[name]))
                    self._values[name].clear()
                if getattr(prediction, "_version", 0) != before:  # the next metric needs another
                    del predictions[validating]

    def history(self) -> dict[str, Array]:
        """Return (T,) arrays by name."""
        found = {}
        for name, values in self._values.items():
            column = torch.cat([*self._packed[name], *[value[None] for value in values]])
            if column.dtype == torch.bfloat16:  # which numpy lacks
                column = column.float()
            found[name] = np.asarray(column.cpu().numpy())
        return found


_LOOSE = 512
"""Numbers of a metric that are kept apart: as a tensor each takes a hundred times its bytes."""


def _measures(task: Task) -> dict[str, tuple[Metric, bool]]:
    """Return each metric by name, and whether it is over the validation data."""
    found: dict[str, tuple[Metric, bool]] = {
        name: (measure, False) for name, measure in task.metrics.items()
    }
    if task.request.validation is not None:
        loss = task.loss
        found["val_loss"] = (loss.loss if isinstance(loss, Penalised) else loss, True)
        found |= {f"val_{name}": (measure, True) for name, measure in task.metrics.items()}
    return found
