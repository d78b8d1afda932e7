"""A stored run in the place of a new one, if it is the run that the scene asks for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from render.errors import RecordingError
from render.recording.problem import HALVES, Problem, to_numpy
from render.recording.recomputing import recomputed
from render.recording.selection import Selection
from render.recording.task import Task
from render.recording.trajectory import Trajectory
from render.recording.watching import names_of

__all__ = ["replayed"]

_FREE = (
    HALVES,
    "compiled",
    "cuda_graph",
    "device",
    "device_reason",
    "recording_bytes",
    "together",
    "torch",
)
_LATER = ("architecture", "frozen")
"""What older files do not tell."""

Difference = tuple[str, object, object]


def replayed(task: Task, stored: Trajectory) -> Trajectory:
    """Return `stored` with the task's problem attached, or raise RecordingError.

    Names, settings, data and start are compared, then the first and last loss and metrics, which
    are computed again: functions of the same name need not be the same.
    """
    for name, recorded, asked in _differences(task, stored):
        raise RecordingError(
            f"the file was recorded with {name}={recorded}, and the scene now asks for "
            f"{name}={asked}; record the run again, or pass the settings it was recorded with"
        )
    untold = [key for key in _LATER if key not in stored.meta]
    if untold:
        warnings.warn(
            f"the stored run is older and does not tell its {' and '.join(untold)}: they were not "
            "compared with the scene's; record the run again to be sure",
            stacklevel=2,
        )
    model = task.model.to("cpu").eval()
    return replace(stored, source=Problem(model=model, loss=task.loss, data=task.data))


def _differences(task: Task, stored: Trajectory) -> Iterator[Difference]:
    """Yield (name, recorded, asked for) of what decides a run's numbers, the cheapest first."""
    selection = Selection(task.model, task.keep)
    yield from _settings(task, stored)
    if stored.layout != selection.layout:
        yield "parameters", dict(stored.layout), dict(selection.layout)
    yield from _layers(task, stored)
    if selection.projection is None:
        start = np.concatenate([to_numpy(p).reshape(-1) for p in selection.chosen])
        same = (stored.params[0] == start) | (np.isnan(stored.params[0]) & np.isnan(start))
        for column in np.flatnonzero(~same):
            name = f"{stored.names[column]} at the start"
            yield name, stored.params[0, column], start[column]
    named = names_of(task)
    if set(stored.metrics) != set(named):
        yield "metrics", sorted(stored.metrics), sorted(named)
    yield from recomputed(task, stored)


def _settings(task: Task, stored: Trajectory) -> Iterator[Difference]:
    for key in sorted({*task.meta, *stored.meta} - {*_FREE, *_LATER}, key=_importance):
        recorded, asked = stored.meta.get(key, "unset"), task.meta.get(key, "unset")
        if recorded != asked and not (recorded != recorded and asked != asked):
            yield key, recorded, asked


def _layers(task: Task, stored: Trajectory) -> Iterator[Difference]:
    if "architecture" in stored.meta:
        told = (str(made.meta["architecture"]).splitlines() for made in (stored, task))
        for recorded, asked in zip_longest(*told, fillvalue="no more layers"):
            if recorded != asked:
                yield "the layer", recorded.strip(), asked.strip()
    if stored.meta.get("frozen", task.meta["frozen"]) != task.meta["frozen"]:
        yield "frozen parameters", stored.meta["frozen"], task.meta["frozen"]


def _importance(key: str) -> tuple[bool, bool, int, str]:
    """Order names so that the most telling difference comes first, fingerprints last.

    What another scene's run tells is that its model, loss or optimizer has another name.
    """
    kinds = ("model", "loss", "optimizer")
    return key == "data", "." in key, kinds.index(key) if key in kinds else len(kinds), key
