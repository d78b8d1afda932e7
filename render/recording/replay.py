"""A stored run in the place of a new one, if it is the run that the scene asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from render.errors import RecordingError
from render.recording.problem import Problem, to_numpy
from render.recording.selection import Selection
from render.recording.task import Task
from render.recording.trajectory import Trajectory
from render.recording.watching import names_of

__all__ = ["replayed"]

_FREE = (
    "compiled",
    "cuda_graph",
    "device",
    "device_reason",
    "recording_bytes",
    "together",
    "torch",
)


def replayed(task: Task, stored: Trajectory) -> Trajectory:
    """Return `stored` with the task's problem attached, or raise RecordingError."""
    for name, recorded, asked in _differences(task, stored):
        raise RecordingError(
            f"the file was recorded with {name}={recorded}, and the scene now asks for "
            f"{name}={asked}; record the run again, or pass the settings it was recorded with"
        )
    model = task.model.to("cpu").eval()
    return replace(stored, source=Problem(model=model, loss=task.loss, data=task.data))


def _differences(task: Task, stored: Trajectory) -> list[tuple[str, object, object]]:
    """Return (name, recorded, asked for) of everything that decides a run's numbers."""
    found: list[tuple[str, object, object]] = []
    selection = Selection(task.model, task.keep)
    layout = selection.layout
    for key in sorted({*task.meta, *stored.meta} - set(_FREE), key=_importance):
        recorded, asked = stored.meta.get(key, "unset"), task.meta.get(key, "unset")
        if recorded != asked and not (recorded != recorded and asked != asked):
            found.append((key, recorded, asked))
    if stored.layout != layout:
        found.append(("parameters", dict(stored.layout), dict(layout)))
        return found
    if selection.projection is None:
        start = np.concatenate([to_numpy(p).reshape(-1) for p in selection.chosen])
        same = (stored.params[0] == start) | (np.isnan(stored.params[0]) & np.isnan(start))
        found += [
            (f"{stored.names[column]} at the start", stored.params[0, column], start[column])
            for column in np.flatnonzero(~same)
        ]
    named = names_of(task)
    if set(stored.metrics) != set(named):
        found.append(("metrics", sorted(stored.metrics), sorted(named)))
    return found


def _importance(key: str) -> tuple[bool, bool, str]:
    """Order names so that the most telling difference comes first, fingerprints last."""
    return key == "data", "." in key, key
