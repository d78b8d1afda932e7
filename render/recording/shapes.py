"""What the arrays of a run must be: of one length, as wide as its layout. Imports without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from render.errors import InputError
from render.problem.shown import shown

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["check_arrays", "check_lengths", "count"]

_BY_ROW = ("params", "loss", "lr", "grad_norm")


def count(layout: Sequence[tuple[str, tuple[int, ...]]]) -> int:
    """Return the number of columns that a layout describes."""
    return sum(math.prod(shape) for _, shape in layout)


def check_arrays(run: Trajectory) -> None:
    """Check that a run's arrays are arrays, and that parameters and losses fit. Raises InputError.

    The others may be shorter or longer, in a run that is made to be drawn: see `check_lengths`.
    """
    for group in ("metrics", "buffers"):
        held = getattr(run, group)
        if not isinstance(held, Mapping):
            raise InputError(f"Trajectory: {group} is {shown(held)}; give a mapping from names")
    for name, values in {**_by_row(run), "x": run.x, "y": run.y}.items():
        if not isinstance(values, np.ndarray) or not values.ndim or not len(values):
            raise InputError(f"Trajectory: {name} is {shown(values)}; give a numpy array of rows")
    _check_rows("params", len(run.params), "loss", len(run.loss))
    _check_rows("y", len(run.y), "x", len(run.x))
    _check_layout(run)


def check_lengths(run: Trajectory) -> None:
    """Check that each array has a row for each loss. Raises InputError."""
    for name, values in _by_row(run).items():
        _check_rows(name, len(values), "loss", len(run.loss))


def _by_row(run: Trajectory) -> dict[str, Any]:
    by_row = {name: getattr(run, name) for name in _BY_ROW}
    if run.batch is not None:
        by_row["batch"] = run.batch
    for group in ("metrics", "buffers"):
        by_row |= {f"{group}[{name!r}]": held for name, held in getattr(run, group).items()}
    return by_row


def _check_rows(name: str, rows: int, other: str, expected: int) -> None:
    if rows != expected:
        raise InputError(f"Trajectory: {name} has {rows} rows and {other} {expected}; give as many")


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
