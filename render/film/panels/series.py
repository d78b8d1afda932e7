"""Numbers of a run by name, one for each row: what curves draw and readouts write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from render.errors import InputError

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = [
    "Scale",
    "Series",
    "check_series",
    "distance_to",
    "in_words",
    "leaves",
    "limits_of",
    "row_at",
    "series_of",
    "shown_part",
    "step_told",
]

Scale = Literal["linear", "log"]

Series = str | Callable[["Trajectory"], Any]
"""A name, or a function from a run to an array of shape (T,)."""

_FAR = 10.0  # times what it began with
_TINY = 1e-12
_COSTLY = ("loss", "batch loss")  # every run has these; the first may take a while
_MARGIN = 0.06  # of an axis, beyond the values at either end
_TO_ZERO = 10.0  # so far below all other values a logarithmic axis reaches, where there are zeros
_BELOW_ROUNDING = 0.1  # of it: how near to a minimum a run may get by luck


def row_at(run: Trajectory, step: int) -> int:
    """Return the row that shows a run at a step: the last one kept by then, or its last."""
    return min(step // run.every, run.steps)


def step_told(run: Trajectory, row: int) -> str:
    """Return the step at which a row is first so, or the steps among which it lies.

    Of a run that keeps every tenth step, row 2 may have been so since step 11: "11\N{EN DASH}20".
    """
    last = row * run.every
    if run.every == 1 or row == 0:
        return str(last)
    return f"{last - run.every + 1}\N{EN DASH}{last}"


def in_words(name: str) -> str:
    """Return what a series is called in a film: "validation loss" for "val_loss"."""
    return f"validation {name[4:]}" if name.startswith("val_") else name


def series_of(run: Trajectory, name: Series, asker: str) -> NDArray[Any]:
    """Return one number for each row of a run, shape (T,).

    name: "step", "loss" (over all the data), "batch loss" (what the optimizer saw), "rate",
    "gradient" (its norm), a metric, a parameter, or a function of the run. Raises InputError,
    naming `asker`, where there is no such series.
    """
    if callable(name):
        values = np.asarray(name(run))
        if values.shape != (run.steps + 1,):
            raise InputError(
                f"{asker}: {getattr(name, '__name__', name)} gives an array of shape "
                f"{values.shape}; it must be ({run.steps + 1},), a number for each row of the run"
            )
        return values
    if name in run.metrics:
        return run.metrics[name]
    if name in _OF_RUN:
        return np.asarray(_OF_RUN[name](run))
    if name in run.names:
        return np.asarray(run.params[:, run.names.index(name)])
    known = ", ".join([*_OF_RUN, *run.metrics, *run.names[:5]])
    raise InputError(f"{asker}: nothing is called {name!r}; there are: {known}")


def check_series(run: Trajectory, name: Series, asker: str) -> None:
    """Raise InputError, as `series_of` does, but compute no loss for it."""
    if name not in _COSTLY:
        series_of(run, name, asker)


def limits_of(values: NDArray[Any], scale: Scale) -> tuple[float, float] | None:
    """Return limits with room for all finite values, or None where there are none to show.

    On a logarithmic axis those count that are not rounding: the loss is quadratic around its
    minimum, so it stops meaning anything where the largest is times the square of the rounding.
    """
    usable = values[np.isfinite(values) & ((values > 0) | (scale == "linear"))]
    if not usable.size:
        return None
    low, high = float(usable.min()), float(usable.max())
    if scale == "log":
        precise: Any = values.dtype if np.issubdtype(values.dtype, np.floating) else np.dtype(float)
        floor = high * (_BELOW_ROUNDING * float(np.finfo(precise).eps)) ** 2
        low = float(usable[usable >= floor].min())
        ratio = max(high / low, 1.1) ** _MARGIN
        below = max(ratio, _TO_ZERO) if (values == 0).any() else ratio
        return low / below, min(high * ratio, float(np.finfo(float).max))
    margin = _MARGIN * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


_OF_RUN: dict[str, Callable[[Trajectory], NDArray[Any]]] = {
    "step": lambda run: np.arange(run.steps + 1) * run.every,
    "loss": lambda run: run.data_loss,
    "batch loss": lambda run: run.loss,
    "rate": lambda run: run.lr,
    "gradient": lambda run: run.grad_norm,
}


def distance_to(points: Sequence[Sequence[float]]) -> Callable[[Trajectory], NDArray[Any]]:
    """Return the series of Euclidean distances from a run's parameters to the nearest point.

    points: (n, P), such as a surface's `minima`. Raises InputError when there is none.
    """
    targets = np.asarray(points, dtype=float)
    if targets.ndim != 2 or not len(targets):
        raise InputError(f"distance_to: give points of shape (n, P), not {points!r}")

    def distance(run: Trajectory) -> NDArray[Any]:
        ways = run.params[:, None, :].astype(float) - targets
        return np.asarray(np.linalg.norm(ways, axis=2).min(axis=1))

    return distance


def leaves(run: Trajectory) -> bool:
    """Whether a run diverges, or ends so much higher than it began that it leaves the picture."""
    first, last = float(run.loss[0]), float(run.loss[-1])
    return run.diverged_at is not None or last > first + _FAR * max(abs(first), _TINY)


def shown_part(run: Trajectory, values: NDArray[Any]) -> NDArray[Any]:
    """Return the finite values that an axis should have room for.

    Of a run that diverges, only those near where it began: it leaves the picture.
    """
    finite = values[np.isfinite(values)]
    if not leaves(run) or not finite.size:
        return np.asarray(finite)
    far = _FAR * max(abs(finite[0]), _TINY)
    near = finite[np.abs(finite - finite[0]) <= far]
    if np.ptp(near) == 0 and near.size < values.size:  # it leaves with its first step
        near = np.append(near, near[:1] + far)  # room in which it is seen to rise
    return np.asarray(near)
