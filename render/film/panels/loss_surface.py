"""The loss over two parameters as contours, and the paths that the runs take on it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from render.errors import InputError
from render.film.panels.panel import RunPanel, Update
from render.film.panels.series import row_at
from render.film.styles import run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["LossSurface"]

_LEVELS = 16
_LEVEL_POWER = 3.0  # levels crowd towards the minimum, where a path spends its time
_CONTOUR_SHADES = (0.08, 0.62)  # the part of the colour map that leaves paths their contrast


@dataclass(frozen=True)
class LossSurface(RunPanel):
    """Filled contours of the loss over two parameters, with each run's path and current point.

    parameters: the two parameters, by name or column; by default the first two. The others stay
    at the first run's last finite row. x_range, y_range: what is shown; by default the paths and
    a margin. grid: points along each side at which the loss is computed.
    Raises InputError when the runs have fewer than two parameters, or no such parameter.
    """

    _: KW_ONLY
    parameters: tuple[str | int, str | int] = (0, 1)
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    grid: int = 121
    _computed: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the two parameters are there."""
        super().__post_init__()
        for run in self.runs.values():
            if run.params.shape[1] < 2:
                raise InputError(
                    f"LossSurface needs two parameters; the run has {run.params.shape[1]}"
                )
        self._columns()

    def prepare(self, steps: object) -> None:
        """Compute the surface."""
        if "loss" not in self._computed:
            self._computed["loss"] = self._losses(*self._axes())

    def __call__(self, ax: Axes) -> Update:
        """Draw the contours; return the update that draws the paths up to a step."""
        self.prepare(())
        a, b = self._columns()
        names = next(iter(self.runs.values())).names
        ax.set(xlabel=names[a], ylabel=names[b])
        ax.grid(False)
        xs, ys = self._axes()
        _draw_contours(ax, xs, ys, self._computed["loss"])
        ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
        styles = run_styles(self.runs)
        movers = [
            _draw_path(ax, run, run.params[:, [a, b]], styles[label] | {"label": label})
            for label, run in self.runs.items()
        ]

        def update(step: int) -> None:
            for move in movers:
                move(step)

        return update

    def _columns(self) -> tuple[int, int]:
        run = next(iter(self.runs.values()))
        a, b = (
            run.column(parameter)
            if isinstance(parameter, str)
            else range(len(run.names))[parameter]
            for parameter in self.parameters
        )
        return a, b

    def _axes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The values of the two parameters at which the loss is computed."""
        columns = self._columns()
        ranges = []
        for column, given in zip(columns, (self.x_range, self.y_range), strict=True):
            values = np.concatenate([run.params[:, column] for run in self.runs.values()])
            ranges.append(given or _padded_range(values[np.isfinite(values)]))
        x_range, y_range = ranges
        return np.linspace(*x_range, self.grid), np.linspace(*y_range, self.grid)

    def _losses(self, xs: NDArray[Any], ys: NDArray[Any]) -> NDArray[Any]:
        """The loss over the grid, shape (len(ys), len(xs))."""
        a, b = self._columns()
        run = next(iter(self.runs.values()))
        finite = np.isfinite(run.params).all(axis=1)
        points = np.repeat(run.params[finite][-1:], xs.size * ys.size, axis=0)
        points[:, a], points[:, b] = (side.reshape(-1) for side in np.meshgrid(xs, ys))
        return run.loss_at(points).reshape(ys.size, xs.size)


def _padded_range(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin


def _draw_contours(ax: Axes, xs: NDArray[Any], ys: NDArray[Any], loss: NDArray[Any]) -> None:
    finite = loss[np.isfinite(loss)]
    low, high = float(finite.min()), float(finite.max())
    spread = np.linspace(0.0, 1.0, _LEVELS) ** _LEVEL_POWER
    levels = low + ((high - low) or 1.0) * spread
    shades = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]](
        np.linspace(*_CONTOUR_SHADES, _LEVELS)
    )
    cmap = LinearSegmentedColormap.from_list("loss", list(shades[::-1]))
    norm = matplotlib.colors.BoundaryNorm(levels, cmap.N)
    ax.contourf(xs, ys, loss, levels=levels, cmap=cmap, norm=norm, extend="max")
    ax.contour(
        xs,
        ys,
        loss,
        levels=levels,
        colors=[matplotlib.rcParams["axes.facecolor"]],
        linewidths=0.7,
        alpha=0.6,
    )


def _draw_path(ax: Axes, run: Trajectory, path: NDArray[Any], style: dict[str, Any]) -> Update:
    """Draw the start as a ring, the path as a line, the current point as a dot."""
    paper = matplotlib.rcParams["axes.facecolor"]
    color = style["color"]
    ax.plot(*path[:1].T, marker="o", markerfacecolor=paper, color=color, linestyle="none")
    (line,) = ax.plot([], [], linewidth=2, zorder=3, **style)
    (dot,) = ax.plot(
        [], [], marker="o", markersize=11, color=color, markeredgecolor=paper, zorder=4
    )

    def move(step: int) -> None:
        now = row_at(run, step)
        line.set_data(*path[: now + 1].T)
        dot.set_data(*path[now : now + 1].T)

    return move
