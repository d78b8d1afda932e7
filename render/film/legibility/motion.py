"""Motion: no flashes that harm, no axes that jump."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from render.film.colours import LUMINANCE, linear
from render.film.insets import every_axes
from render.film.legibility.findings import Finding, told_apart
from render.film.legibility.pictures import name_of_axes

__all__ = ["Flashes", "Jumps"]

# WCAG 2.2, 2.3.1: a flash is a pair of opposing changes of relative luminance by 10% or more, the
# darker below 0.80, or of saturated red; harmful above three a second, over a quarter of 10
# degrees of the visual field: 21,824 of 1024 x 768 pixels.
_CHANGE, _DARK, _MOST_A_SECOND, _AREA = 0.1, 0.8, 3, 21_824 / (1024 * 768)
_RED_SHARE, _RED_CHANGE = 0.8, 20 / 320

_JUMP = 0.02  # of an axis' length, from one frame to the next
_STEADY_PX = 0.5


@dataclass
class _Swings:
    """Counts, for each pixel, how often a signal turned, and when."""

    fps: float
    turns: deque[npt.NDArray[np.bool_]] = field(default_factory=deque)  # the last second's
    count: npt.NDArray[Any] | None = None  # of them, for each pixel
    extreme: npt.NDArray[Any] | None = None
    direction: npt.NDArray[Any] | None = None

    def add(self, values: npt.NDArray[Any], change: float, dark: float) -> float:
        """Take a frame's signal; return the share of pixels that flash too often by now."""
        if self.extreme is None or self.direction is None or self.count is None:
            self.extreme, self.direction = values.copy(), np.zeros(values.shape, np.int8)
            self.count = np.zeros(values.shape, np.int32)
        moved = values - self.extreme
        darker = np.minimum(values, self.extreme)
        turned = (np.abs(moved) >= change) & (darker < dark) & (np.sign(moved) != self.direction)
        onwards = np.sign(moved) == self.direction
        self.direction[turned] = np.sign(moved)[turned]
        self.extreme = np.where(turned | onwards, values, self.extreme)
        self.count += turned
        self.turns.append(turned)
        if len(self.turns) > max(1, round(self.fps)):
            self.count -= self.turns.popleft()
        return float((self.count // 2 > _MOST_A_SECOND).mean())


class Flashes:
    """Watches a film's frames, in order, for flashes."""

    def __init__(self, fps: float) -> None:
        self._light, self._red = _Swings(fps), _Swings(fps)

    def add(self, frame: int, picture: npt.NDArray[np.uint8]) -> Iterator[Finding]:
        """Take a frame, (height, width, 4); yield flashes above three a second."""
        colour = linear(picture[..., :3])
        light = self._light.add(colour @ LUMINANCE, _CHANGE, _DARK)
        red, green, blue = np.moveaxis(colour, -1, 0)
        saturated = red / np.maximum(red + green + blue, 1e-9) >= _RED_SHARE
        reds = np.where(saturated, np.maximum(red - green - blue, 0), 0)
        area = max(light, self._red.add(reds, _RED_CHANGE, np.inf))
        if area > _AREA:
            value, bound = told_apart(area, _AREA, "%")
            yield Finding(
                rule="flashes more than three times a second over",
                frame=frame,
                artist="picture",
                value=f"{value} of its area",
                bound=f"at most {bound} (WCAG 2.3.1)",
                place=("flashes",),
                badness=area,
            )


@dataclass
class Jumps:
    """Watches the axes of a figure, frame after frame, except those that may move."""

    exempt: Sequence[Axes] = ()
    _before: dict[int, npt.NDArray[Any]] = field(default_factory=dict)

    def add(self, frame: int, figure: Figure) -> Iterator[Finding]:
        """Take a frame; yield each axes that jumps."""
        for number, axes in enumerate(every_axes(figure)):
            now = np.concatenate([_place(axes), *_limits(axes)])
            before = self._before.get(number)
            self._before[number] = now
            if before is None or axes in self.exempt:
                continue
            if before.shape != now.shape:
                continue
            shift, jump = np.abs(now[:4] - before[:4]).max(), _largest_jump(before[4:], now[4:])
            if shift > _STEADY_PX:
                value, bound = told_apart(shift, _STEADY_PX)
                value, bound = f"by {value} px on the picture", f"at most {bound} px"
            elif jump > _JUMP:
                value, bound = told_apart(jump, _JUMP, "%", digits=0)
                value, bound = f"by {value} of its axis' length", f"at most {bound}"
            else:
                continue
            yield Finding(
                rule="jumps",
                frame=frame,
                artist=name_of_axes(axes),
                value=value,
                bound=f"{bound} a frame, unless its panel says moves_axes = True",
                place=("jumps", shift > _STEADY_PX, number),
                badness=float(shift if shift > _STEADY_PX else jump),
            )


def _place(axes: Axes) -> npt.NDArray[Any]:
    return np.asarray(axes.get_window_extent().extents)


def _limits(axes: Any) -> Iterator[npt.NDArray[Any]]:
    """Yield the limits of each axis, as they are scaled on the picture."""
    for name in axes._axis_names:
        axis = getattr(axes, f"{name}axis")
        with np.errstate(all="ignore"):
            yield np.asarray(axis.get_transform().transform(np.array(axis.get_view_interval())))


def _largest_jump(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> float:
    pairs, moved = before.reshape(-1, 2), (now - before).reshape(-1, 2)
    spans = np.maximum(np.abs(pairs[:, 1] - pairs[:, 0]), 1e-300)
    return float((np.abs(moved).max(axis=1) / spans).max(initial=0.0))
