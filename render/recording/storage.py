"""Runs in a file: an `.npz` archive of plain arrays, without pickle.

The member `header` is JSON: the format's name and version, and for each run what is not an
array. Run i's arrays are the members `i/params`, `i/loss`, and so on.
"""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from render.errors import InputError, RecordingError
from render.problem.shown import shown
from render.recording.shapes import check_lengths
from render.recording.trajectory import Array, Trajectory

if TYPE_CHECKING:
    from os import PathLike

    from render.recording.problem import Problem

__all__ = ["load_run", "load_runs", "save_runs"]

_FORMAT = "render-run"
_VERSION = 1
_ARRAYS = ("params", "loss", "lr", "grad_norm", "x", "y")
_OPTIONAL = ("batch", "final")
_GROUPS = ("metrics", "buffers")


def save_runs(path: str | PathLike[str], runs: Sequence[Trajectory]) -> None:
    """Write runs to one `.npz` file, whole or not at all. Their models are not written."""
    target = _path(path)
    listed = isinstance(runs, Sequence) and all(isinstance(run, Trajectory) for run in runs)
    if not listed or not runs:
        raise InputError(
            f"save_runs: runs is {shown(runs)}; give a list of one or more runs, such as [run], or "
            "list(runs.values()) of a sweep"
        )
    members = _members(runs)
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as file:
            np.savez(file, allow_pickle=False, **members)
        os.replace(part, target)
    except OSError as exc:
        way = "choose a folder that exists and can be written to"
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            way = "make room there, or name a file on another disk"
        raise RecordingError(f"cannot write {str(target)!r}: {exc.strerror or exc}; {way}") from exc
    finally:
        with suppress(OSError):  # it is not there, nor is its folder
            part.unlink()


def load_runs(path: str | PathLike[str]) -> list[Trajectory]:
    """Read the runs that `save_runs` or `Trajectory.save` wrote; they have no model attached.

    Raises RecordingError where the file is missing, damaged, of another kind or of a newer
    version.
    """
    path = _path(path)
    members = _read(path)
    header = _header(path, members)
    try:
        return [_run(index, entry, members) for index, entry in enumerate(header["runs"])]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _damaged(path, exc) from exc


def load_run(path: str | PathLike[str], problem: Problem | None = None) -> Trajectory:
    """Read the only run of a file, and attach `problem` where it is given."""
    if problem is not None and not (hasattr(problem, "model") and hasattr(problem, "loss")):
        raise InputError(
            f"load: problem is {shown(problem)}; give the problem of another run, such as "
            "run.problem, or load without it and use attach(model, loss)"
        )
    runs = load_runs(path)
    if len(runs) != 1:
        raise RecordingError(
            f"{str(path)!r} holds {len(runs)} runs; read them with load_runs(path)"
        )
    return runs[0] if problem is None else runs[0].attach(problem.model, problem.loss)


def _path(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)) or not Path(path).name or "\0" in str(path):
        raise InputError(f"the path of a run is {shown(path)}; give a file such as 'run.npz'")
    return Path(path)


def _members(runs: Sequence[Trajectory]) -> dict[str, Array]:
    """Return the archive's arrays by name."""
    members: dict[str, Array] = {}
    entries = []
    for index, run in enumerate(runs):
        for name in _ARRAYS:
            members[f"{index}/{name}"] = getattr(run, name)
        for name in _OPTIONAL:
            if getattr(run, name) is not None:
                members[f"{index}/{name}"] = getattr(run, name)
        for group in _GROUPS:
            for name, values in getattr(run, group).items():
                members[f"{index}/{group}/{name}"] = values
        entries.append(
            {
                "layout": run.layout,
                "meta": run.meta,
                "metrics": list(run.metrics),
                "buffers": list(run.buffers),
                "every": run.every,
                **{name: getattr(run, name) is not None for name in _OPTIONAL},
            }
        )
    header = {"format": _FORMAT, "version": _VERSION, "runs": entries}
    return {"header": np.array(json.dumps(header)), **members}


def _read(path: Path) -> dict[str, Array]:
    """Return the archive's arrays; every byte passes the archive's checksum first."""
    try:
        with zipfile.ZipFile(path) as archive:
            raw = {name: archive.read(name) for name in archive.namelist()}
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(content), allow_pickle=False
            )
            for name, content in raw.items()
        }
    except OSError as exc:
        raise RecordingError(
            f"cannot read {str(path)!r}: {exc.strerror or exc}; give a file written by "
            "Trajectory.save or --save-run"
        ) from exc
    except Exception as exc:  # a damaged archive can raise nearly anything
        raise _damaged(path, exc) from exc


def _header(path: Path, members: Mapping[str, Array]) -> dict[str, Any]:
    try:
        header = json.loads(str(members["header"]))
        kind, version = header["format"], header["version"]
    except (KeyError, TypeError, ValueError) as exc:
        raise RecordingError(
            f"{str(path)!r} is not a run of render's; give a file written by "
            "Trajectory.save or --save-run"
        ) from exc
    if kind != _FORMAT or not isinstance(version, int) or not isinstance(header["runs"], list):
        raise _damaged(path, ValueError(f"format {kind!r}, version {version!r}"))
    if version > _VERSION:
        raise RecordingError(
            f"{str(path)!r} has format version {version}, and this render reads up to {_VERSION}; "
            "upgrade render, or record the run again"
        )
    return dict(header)


def _run(index: int, entry: Mapping[str, Any], members: Mapping[str, Array]) -> Trajectory:
    arrays: dict[str, Any] = {name: members[f"{index}/{name}"] for name in _ARRAYS}
    groups: dict[str, dict[str, Array]] = {
        group: {name: members[f"{index}/{group}/{name}"] for name in entry[group]}
        for group in _GROUPS
    }
    layout = tuple(
        (str(name), tuple(int(size) for size in shape)) for name, shape in entry["layout"]
    )
    batch, final = (members[f"{index}/{name}"] if entry.get(name) else None for name in _OPTIONAL)
    run = Trajectory(
        **arrays,
        metrics=groups["metrics"],
        buffers=groups["buffers"],
        batch=batch,
        final=final,
        every=int(entry.get("every", 1)),
        layout=layout,
        meta=dict(entry["meta"]),
    )
    check_lengths(run)
    return run


def _damaged(path: Path, cause: Exception) -> RecordingError:
    reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return RecordingError(
        f"{str(path)!r} is damaged or not a run of render's ({reason}); record the run again"
    )
