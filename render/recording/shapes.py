"""What the arrays of a run must be: of one length, as wide as its layout. Imports without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from render.errors import InputError
from render.problem.shown import shown

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["check_arrays", "count"]

_BY_ROW = ("params", "loss", "lr", "grad_norm")


def count(layout: Sequence[tuple[str, tuple[int, ...]]]) -> int:
    """Return the number of columns that a layout describes."""
    return sum(math.prod(shape) for _, shape in layout)


def check_arrays(run: Trajectory) -> None:
    """Check a run's arrays. Raises InputError."""
    by_row: dict[str, object] = {name: getattr(run, name) for name in _BY_ROW}
    if run.batch is not None:
        by_row["batch"] = run.batch
    for group in ("metrics", "buffers"):
        held = getattr(run, group)
        if not isinstance(held, Mapping):
            raise InputError(f"Trajectory: {group} is {shown(held)}; give a mapping from names")
        by_row |= {f"{group}[{name!r}]": values for name, values in held.items()}
    _check_rows(by_row, "loss")
    _check_rows({"x": run.x, "y": run.y}, "x")
    _check_layout(run)


def _check_rows(arrays: Mapping[str, object], like: str) -> None:
    lengths = {}
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray) or not values.ndim or not len(values):
            raise InputError(f"Trajectory: {name} is {shown(values)}; give a numpy array of rows")
        lengths[name] = len(values)
    for name, length in lengths.items():
        if length != lengths[like]:
            raise InputError(
                f"Trajectory: {name} has {length} rows and {like} {lengths[like]}; give as many"
            )


def _check_layout(run: Trajectory) -> None:
    try:
        width = count(run.layout)
    except (TypeError, ValueError) as exc:
        raise InputError(
            f"Trajectory: layout is {shown(run.layout)}; give the name and shape of each tensor, "
            "such as (('slope', ()),)"
        ) from exc
    if run.params.shape[1:] != (width,):
        raise InputError(
            f"Trajectory: params has shape {run.params.shape}, and its layout {width} columns; "
            "give (rows, columns)"
        )
