"""Timelines: which step of the run each frame shows.

A timeline is fixed before anything is drawn, and depends on nothing but the run: frame 40 shows
the same step first, last, twice, or in another process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_choice, expect, is_number, is_whole
from render.film.limits import MOST_STEPS

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Pace", "Timeline"]

Pace = Literal["linear", "log", "even"]


@dataclass(frozen=True)
class Timeline:
    """How a run's steps are spread over a film's frames.

    `pace` is "linear" (every step gets the same time), "log" (the first steps, where most
    happens, get most of the time) or "even" (every frame moves the parameters and the loss by
    about the same amount on screen). None shows a step for longer than a frame, unless the run
    has fewer steps than the film has frames. `every=n` shows step `n * frame` instead. The film
    holds the first step for `hold_start` seconds and the last for `hold_end` seconds.
    Raises InputError when a value is not allowed.
    """

    pace: Pace = "linear"
    _: KW_ONLY
    every: int | None = None
    hold_start: float = 0.0
    hold_end: float = 0.0

    def __post_init__(self) -> None:
        check_choice("pace", self.pace, Pace)
        if self.every is not None:
            every = is_whole(self.every, 1, MOST_STEPS)
            expect("every", self.every, every, "a positive number of steps")
        for name in ("hold_start", "hold_end"):
            hold = getattr(self, name)
            expect(name, hold, is_number(hold, 0), "a number of seconds >= 0")

    def steps(
        self, last: int, frames: int, fps: float, runs: Sequence[Trajectory] = ()
    ) -> NDArray[np.int64]:
        """Return the step each frame shows, shape (frames,), never falling.

        `last` is the last step there is; `runs` are what an even pace measures.
        Raises InputError when the holds leave no frame to move in.
        """
        start, end = round(self.hold_start * fps), round(self.hold_end * fps)
        moving = frames - start - end
        if moving < 1:
            raise InputError(
                f"the holds of {self.hold_start:g} s and {self.hold_end:g} s fill the whole film "
                f"of {frames / fps:g} s; make it longer or hold less"
            )
        if self.every is not None:
            path = np.minimum(np.arange(moving) * self.every, last)
        else:
            path = np.rint(_PACES[self.pace](last, moving, runs)).astype(np.int64)
        # A hold repeats a frame beyond the ones that move.
        return np.concatenate([np.repeat(path[:1], start), path, np.repeat(path[-1:], end)])


def _linear(last: int, frames: int, runs: Sequence[Trajectory]) -> NDArray[np.float64]:
    return np.linspace(0.0, last, frames) if frames > 1 else np.array([float(last)])


def _log(last: int, frames: int, runs: Sequence[Trajectory]) -> NDArray[np.float64]:
    """Strides that grow by a constant ratio from one step a frame on, so that nothing stutters."""
    moves = frames - 1
    if moves <= 1 or last <= moves:
        return _linear(last, frames, runs)

    def reached(ratio: float) -> float:
        with np.errstate(over="ignore"):  # infinity is far enough
            return float(np.expm1(moves * math.log(ratio)) / (ratio - 1))

    ratio = _bisect(lambda ratio: reached(ratio) - last, 1 + 1e-12, 1 + last)
    return np.asarray(np.expm1(np.arange(frames) * math.log(ratio)) / (ratio - 1))


def _even(last: int, frames: int, runs: Sequence[Trajectory]) -> NDArray[np.float64]:
    """Equal lengths along the path that the eye follows, but no step is shown for two frames."""
    moves = frames - 1
    length = np.zeros(last)
    for run in runs:
        change = np.repeat(_visible_change(run) / run.every, run.every)[:last]
        length[: len(change)] += change
    if moves <= 1 or last <= moves or not length.any():
        return _linear(last, frames, runs)
    # Where nothing moves, steps still take a little time: the times must add up to the moves.
    length = np.maximum(length, 1e-6 * length.sum() / last)

    def time(scale: float) -> NDArray[np.float64]:
        return np.asarray(np.minimum(1.0, scale * length))

    scale = _bisect(lambda scale: float(time(scale).sum()) - moves, 0.0, 1.0 / float(length.min()))
    reached = np.concatenate([[0.0], np.cumsum(time(scale))])
    return np.asarray(np.interp(np.arange(frames), reached, np.arange(last + 1)))


def _bisect(rises: Callable[[float], float], low: float, high: float) -> float:
    """Return where a rising function is zero, to the last digit."""
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if rises(middle) < 0 else (low, middle)
    return high


def _visible_change(run: Trajectory) -> NDArray[np.float64]:
    """How far each kept step moves what the eye follows, shape (steps,).

    That is the parameters, and the loss on a log axis, as parts of their range; a value that is
    not finite counts as no change.
    """
    with np.errstate(all="ignore"):
        log_loss = np.log10(np.maximum(run.loss, np.finfo(np.float32).tiny))
        seen = np.column_stack([run.params, log_loss]).astype(np.float64)
        seen[~np.isfinite(seen)] = np.nan
        span = np.fmax.reduce(seen, axis=0) - np.fmin.reduce(seen, axis=0)
        moves = np.nan_to_num(np.diff(seen, axis=0) / np.where(span > 0, span, 1.0))
    parameters = np.linalg.norm(moves[:, :-1], axis=1) / math.sqrt(run.params.shape[1])
    return np.asarray(parameters + np.abs(moves[:, -1]))


_PACES = {"linear": _linear, "log": _log, "even": _even}
