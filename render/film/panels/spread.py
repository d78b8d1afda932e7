"""How far minibatch runs scatter: as clouds of points, and against the size of their batches."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_whole
from render.film.panels.contours import draw_minima
from render.film.panels.loss_surface import LossSurface
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.series import row_at
from render.film.styles import run_styles
from render.film.wrapping import extent_pt

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Cloud", "Spread", "spread_of"]

Array = NDArray[Any]

_NAME_PT = 17.0  # the law's name


@dataclass(frozen=True)
class Spread(RunPanel):
    """The spread of each run's last steps over its batch size, beside the law 1/sqrt(batch).

    last: the rows that count, up to the current one; a dot appears with the second. The line has
    the slope of the law, and the height that fits the spreads of the last frame best. text: what
    the line is called; "" for nothing. x_label, y_label: the axes' labels.
    Raises InputError for a run without batches, or fewer than two rows.
    """

    _: KW_ONLY
    last: int = 100
    text: str = r"$\propto 1\,/\sqrt{\mathrm{batch}}$"
    x_label: str = "batch size"
    y_label: str | None = None

    def __post_init__(self) -> None:
        """Check that the runs have batches."""
        super().__post_init__()
        check_whole("Spread: last", self.last, 2)
        for label, run in self.runs.items():
            if run.batch is None:
                raise InputError(
                    f"Spread: the run {label!r} has no batches; record it with batch_size="
                )

    @property
    def _counted(self) -> str:
        """How many steps the rows that count are, where that is one number."""
        apart = {run.every for run in self.runs.values()}
        return f"{self.last * apart.pop()} steps" if len(apart) == 1 else f"{self.last} rows"

    def __call__(self, ax: Axes) -> Update:
        """Draw axes and law; return the update that moves the dots."""
        runs = self.runs
        sizes = np.array([_size(run) for run in runs.values()], dtype=float)
        spreads = {label: spread_of(run, self.last) for label, run in runs.items()}
        finals = np.array([spread[-1] for spread in spreads.values()])
        heading = f"spread of the last {self._counted}" if self.y_label is None else self.y_label
        ax.set(xlabel=self.x_label, ylabel=heading, xscale="log", yscale="log")
        ax.set_xlim(sizes.min() / 1.7, sizes.max() * 1.7)
        _mark_sizes(ax, sizes)
        name = _draw_law(ax, sizes, list(spreads.values()), self.text)
        dots = ax.scatter(
            sizes,
            finals,
            s=170,
            color=[style["color"] for style in run_styles(runs).values()],
            edgecolors=matplotlib.rcParams["axes.facecolor"],
            linewidths=1.0,
            zorder=3,
        )

        def update(step: int) -> None:
            now = [spreads[label][row_at(run, step)] for label, run in runs.items()]
            dots.set_offsets(np.column_stack([sizes, now]))

        return together([name, update])


@dataclass(frozen=True)
class Cloud(LossSurface):
    """The last steps of runs as points on contours of the loss, each run's in a circle.

    A circle's radius is the spread of the run's points, about their mean. The settings are those of
    `LossSurface`, without the words of runs that leave. last: the rows that count, up to the
    current one.
    """

    _: KW_ONLY
    last: int = 100

    def __post_init__(self) -> None:
        """Check the rows that count too."""
        super().__post_init__()
        check_whole("Cloud: last", self.last, 2)

    def __call__(self, ax: Axes) -> Update:
        """Draw the contours; return the update that moves points and circles."""
        self._draw_ground(ax)
        ax.set_title(self.title)
        labels = draw_minima(ax, self.minima, (), self._each_minimum)
        clouds = [
            _draw_cloud(ax, run, self._states(run), self.last, style, label)
            for (label, run), style in zip(
                self.runs.items(), run_styles(self.runs).values(), strict=True
            )
        ]
        return together([labels, *clouds])


def _draw_cloud(
    ax: Axes, run: Trajectory, states: Array, last: int, style: dict[str, Any], label: str
) -> Update:
    paper = matplotlib.rcParams["axes.facecolor"]
    spread = _spreads(states, last)
    turn = np.linspace(0.0, 2 * np.pi, 73)
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    circles = {
        "marker": "o",
        "linestyle": "none",
        "color": style["color"],
        "markeredgecolor": paper,
    }
    (points,) = ax.plot([], [], markersize=4.4, markeredgewidth=0.4, zorder=2.5, **circles)
    halo = [withStroke(linewidth=4.6, foreground=paper)]
    (circle,) = ax.plot([], [], linewidth=2.4, zorder=3, path_effects=halo, label=label, **style)
    (dot,) = ax.plot([], [], markersize=9, zorder=4, **circles)

    def move(step: int) -> None:
        now = row_at(run, step)
        shown = states[max(0, now + 1 - last) : now + 1]
        points.set_data(*shown.T)
        circle.set_data(*(shown.mean(axis=0) + spread[now] * ring).T)
        dot.set_data(*shown[-1:].T)

    return move


def spread_of(run: Trajectory, last: int) -> Array:
    """Return the spread of the last rows up to each row, shape (T,); NaN for the first.

    It is the root of the mean squared distance of the parameters from their mean.
    """
    return _spreads(run.params, last)


def _spreads(states: Array, last: int) -> Array:
    """Return `spread_of` of states (T, P)."""
    params = states.astype(np.float64)
    parts = []
    for start in range(0, len(params), last):
        before = max(start - last + 1, 0)
        parts.append(_spread_of(params[before : start + last], last)[start - before :])
    return np.concatenate(parts)


def _spread_of(params: Array, last: int) -> Array:
    """Return `spread_of` of few rows: sums of numbers that are near one another keep their digits.

    A run that has come from far would lose them in one sum over all its rows.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        away = params - params[0]
        sums = np.cumsum(np.vstack([np.zeros(away.shape[1]), away]), axis=0)
        squares = np.cumsum(np.concatenate([[0.0], (away**2).sum(axis=1)]))
        ends = np.arange(1, len(params) + 1)
        starts = np.maximum(ends - last, 0)
        counts = ends - starts
        means = (sums[ends] - sums[starts]) / counts[:, None]
        variance = (squares[ends] - squares[starts]) / counts - (means**2).sum(axis=1)
        spread = np.sqrt(np.maximum(variance, 0.0))
    return np.where((counts > 1) & (spread > 0) & np.isfinite(spread), spread, np.nan)


def _size(run: Trajectory) -> int:
    assert run.batch is not None
    return int(run.batch.shape[1])


def _mark_sizes(ax: Axes, sizes: Array) -> None:
    marked = sorted(set(sizes.tolist()))
    ax.set_xticks(marked, [f"{size:,.0f}" for size in marked])
    ax.xaxis.set_minor_locator(NullLocator())


def _draw_law(ax: Axes, sizes: Array, spreads: list[Array], text: str) -> Update:
    """Draw the law through the final spreads, and its name; fix the limits.

    Return the update that keeps the name as small as the axes are.
    """
    finals = np.array([spread[-1] for spread in spreads])
    known = np.isfinite(finals)
    if not known.any():
        ax.set_ylim(0.1, 1.0)
        return lambda step: None
    constant = np.exp(np.mean(np.log(finals[known] * np.sqrt(sizes[known]))))
    ends = np.array(ax.get_xlim())
    law = constant / np.sqrt(ends)
    ink = matplotlib.rcParams["axes.edgecolor"]
    ax.plot(ends, law, color=ink, linewidth=1.6, linestyle=(0, (4, 2)), zorder=2)
    low, high = np.minimum(law[1], finals[known].min()), np.maximum(law[0], finals[known].max())
    ax.set_ylim(low / 1.3, high * 1.3)
    above = _is_emptier_above(ax, sizes, spreads)
    x, y = (0.97, 0.93) if above else (0.03, 0.07)
    name = ax.text(x, y, text, transform=ax.transAxes, fontsize=_NAME_PT, color=ink)
    name.set(ha="right" if above else "left", va="top" if above else "bottom")
    width = extent_pt(text, name.get_fontproperties())[0]

    def update(step: int) -> None:
        room = 0.94 * 72.0 * ax.bbox.width / ax.figure.dpi
        name.set_fontsize(_NAME_PT * min(1.0, room / width) if width else _NAME_PT)

    return update


def _is_emptier_above(ax: Axes, sizes: Array, spreads: list[Array]) -> bool:
    """Whether fewer dots of the film lie above the law, at its right, than below, at its left."""
    rows = np.concatenate(
        [[(size, s) for s in each] for size, each in zip(sizes, spreads, strict=True)]
    )
    limits = np.log([ax.get_xlim(), ax.get_ylim()])
    across, up = ((np.log(rows) - limits[:, 0]) / np.diff(limits).T).T
    above = (across > 0.4) & (up > 0.75) & (up < 1.1)
    below = (across < 0.6) & (up > -0.1) & (up < 0.25)
    return int(above.sum()) <= int(below.sum())
