"""Where runs go over a picture of two parameters: their paths, and when they leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from render.film.panels.panel import Update
from render.film.panels.series import row_at, step_told
from render.film.styles import run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Path", "draw_paths"]

_DOT_AREA = 121.0
_FAR_OUT = 50.0  # in widths of the picture: beyond it, coordinates may overflow the drawing


class Path:
    """Where a run goes in the picture, and when it leaves for good."""

    def __init__(
        self, run: Trajectory, points: NDArray[Any], xs: NDArray[Any], ys: NDArray[Any]
    ) -> None:
        self._run = run
        low, high = np.array([xs[0], ys[0]]), np.array([xs[-1], ys[-1]])
        with np.errstate(invalid="ignore"):
            inside = ((points >= low) & (points <= high)).all(axis=1)
        last = int(np.flatnonzero(inside)[-1]) if inside.any() else -1
        self.leaves = last < len(points) - 1
        self._first_row_outside = last + 1
        self.points = _within(points[: last + 2], low, high)

    @property
    def first_outside(self) -> str:
        """The first step from which the run stays outside."""
        return step_told(self._run, self._first_row_outside)

    def is_gone(self, step: int) -> bool:
        """Say whether the run has left the picture for good by a step."""
        return self.leaves and row_at(self._run, step) >= self._first_row_outside

    def until(self, step: int) -> NDArray[Any]:
        """The points up to a step, shape (n, 2)."""
        return self.points[: row_at(self._run, step) + 1]

    def now(self, step: int) -> NDArray[Any]:
        """The current point, shape (2,): not a number once the run has left."""
        return np.full(2, np.nan) if self.is_gone(step) else np.asarray(self.until(step)[-1])


def draw_paths(ax: Axes, paths: Mapping[str, Path]) -> Update:
    """Draw each start as a ring, each path as a line, each current point as a dot.

    Halos in the paper's colour lie below all lines, so that they stand out from any shade.
    """
    paper, ink = matplotlib.rcParams["axes.facecolor"], matplotlib.rcParams["axes.edgecolor"]
    starts = np.concatenate([path.points[:1] for path in paths.values()])
    ring = {"marker": "o", "markerfacecolor": paper, "color": ink, "linestyle": "none"}
    ax.plot(*np.unique(starts, axis=0).T, zorder=2.8, **ring)
    styles = run_styles(paths)
    halos = [ax.plot([], [], "-", linewidth=4, color=paper, zorder=2.5)[0] for _ in paths]
    lines = [
        ax.plot([], [], linewidth=2, zorder=3, label=label, **styles[label])[0] for label in paths
    ]
    colors = [styles[label]["color"] for label in paths]
    dots = ax.scatter(
        starts[:, 0], starts[:, 1], s=_DOT_AREA, c=colors, edgecolors=paper, linewidths=1, zorder=4
    )

    def move(step: int) -> None:
        for path, halo, line in zip(paths.values(), halos, lines, strict=True):
            shown = path.until(step).T
            halo.set_data(*shown)
            line.set_data(*shown)
        dots.set_offsets([path.now(step) for path in paths.values()])

    return move


def _within(points: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    """Bring points that are very far out nearer, in the direction of the way there."""
    span = high - low
    with np.errstate(invalid="ignore", over="ignore"):
        ways = (points - (low + high) / 2) / span
        far = np.abs(ways).max(axis=1, keepdims=True) / _FAR_OUT
        return np.asarray((low + high) / 2 + span * ways / np.maximum(far, 1.0))
