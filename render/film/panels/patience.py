"""Early stopping: where training with patience stops, and what it keeps."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from render.errors import InputError
from render.film.checks import expect, is_whole
from render.film.limits import MOST_STEPS
from render.film.panels.curves import Curve
from render.film.panels.panel import Update
from render.film.panels.series import series_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Patience", "Stop", "stopping"]


class Stop(NamedTuple):
    """What patience keeps (`best`), where it is used up (`at`, or None), as rows of a run.

    lowest: whether no later value is lower than the one kept.
    """

    best: int
    at: int | None
    lowest: bool


def stopping(values: npt.ArrayLike, patience: int) -> Stop:
    """Return where training stops once no value has been lower than the best for `patience` rows.

    Of equal values the first counts; NaN is never lower. Raises InputError where there are no
    values, or patience is not a whole number of at least 1. Source: Goodfellow, Bengio and
    Courville, Deep Learning, MIT Press 2016, algorithm 7.1.
    """
    _check(patience)
    heights = np.nan_to_num(np.asarray(values, dtype=float), nan=np.inf)
    if heights.ndim != 1 or not heights.size:
        raise InputError(f"stopping: values have shape {heights.shape}; give at least one number")
    lows = np.minimum.accumulate(heights)
    falls = np.append(0, np.flatnonzero(lows[1:] < lows[:-1]) + 1)  # the best so far, in turn
    ends = np.append(falls[1:], heights.size)
    stops = falls[falls + patience < ends]
    best = int(stops[0] if stops.size else falls[-1])
    return Stop(best, best + patience if stops.size else None, bool(heights[best] == lows[-1]))


def _check(patience: object) -> None:
    whole = is_whole(patience, 1, MOST_STEPS)
    expect("patience", patience, whole, "a whole number of steps, at least 1")


@dataclass(frozen=True)
class Patience(Curve):
    """A curve that marks, once it has got there, where training stops and what is kept.

    patience: the steps to wait for a lower value of the longest run's series, such as its
    validation loss. The other fields are the curve's. Raises InputError where it is not
    a whole number of at least 1.
    """

    _: KW_ONLY
    patience: int = 100

    def __post_init__(self) -> None:
        """Check the series and the patience."""
        super().__post_init__()
        _check(self.patience)

    def stop(self) -> Stop:
        """Return the steps of the longest run at which it is best, and at which it stops."""
        label, run = max(self.runs.items(), key=lambda item: item[1].steps * item[1].every)
        values = series_of(run, self._name(label), type(self).__name__)
        rows = stopping(values, -(-self.patience // run.every))
        at = None if rows.at is None else rows.at * run.every
        return Stop(rows.best * run.every, at, rows.lowest)

    def __call__(self, ax: Axes) -> Update:
        """Draw the curve and the wait; return the update that shows both in their time."""
        draw = super().__call__(ax)
        best, at, lowest = self.stop()
        if at is None:
            at, words = self.steps, f"patience was not used up by step {self.steps}"
        else:
            so_far = "" if lowest else "so far, "
            words = f"stopped at step {at}: lowest {so_far}at {best}"
        marks = [ax.set_title(words), ax.axvspan(best, at, color="0.5", alpha=0.2, lw=0)]

        def update(step: int) -> None:
            draw(step)
            for mark in marks:
                mark.set_visible(step >= at)

        return update
