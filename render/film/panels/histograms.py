"""A network layer by layer: how its weights are spread, and one number for each layer."""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_choice, check_range, check_whole
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.series import Scale, limits_of, row_at, step_told
from render.film.styles import run_styles
from render.film.wrapping import room_pt, wrapped

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["ByLayer", "Histograms"]

_HIGHEST = 0.92  # of the distance between two layers' baselines
_FAR = 10.0  # values of a run that diverges are shown up to so many times those it began with
_TWO_DIGITS = decimal.Context(prec=2, rounding=decimal.ROUND_UP)
_FILL = 0.16  # alpha of the areas of all runs together, which outlines must stand out from


@dataclass(frozen=True)
class Histograms(RunPanel):
    """Histograms of each run's weights, a row for each layer, the first layer at the bottom.

    Bins and heights are the same for the whole film: the area under an outline is the share of
    the weights within the picture. tensors: names of the parameter tensors to show, from bottom
    to top; by default all with two or more axes. names: of the rows; by default "layer 1" and so
    on, counted over all tensors with two or more axes. bins: how many. x_range: what they cover;
    by default all weights at the start and at the end, rounded up to two digits. x_label: the
    axis's label. A run that diverges leaves the picture.
    Raises InputError when a run has no such tensor.
    """

    _: KW_ONLY
    tensors: Sequence[str] | None = None
    names: Sequence[str] | None = None
    bins: int = 45
    x_range: tuple[float, float] | None = None
    x_label: str = "weight"
    _computed: dict[tuple[str, int], NDArray[Any]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Check that every run has the tensors."""
        super().__post_init__()
        check_whole("Histograms: bins", self.bins, 2)
        check_range("Histograms: x_range", self.x_range)
        for run in self.runs.values():
            known = dict(run.layout)
            for name in self._shown():
                if name not in known:
                    raise InputError(
                        f"Histograms: no tensor is called {name!r}; there are: {', '.join(known)}"
                    )
        if not self._shown():
            raise InputError("Histograms: the run has no tensor of two or more axes; name tensors=")
        if self.names is not None and len(self.names) != len(self._shown()):
            raise InputError(f"Histograms: give {len(self._shown())} names, one for each row")

    def prepare(self, steps: Iterable[int]) -> None:
        """Count the weights of all steps that will be shown."""
        shown = [int(step) for step in steps]
        for label, run in self.runs.items():
            for row in sorted({row_at(run, step) for step in shown}):
                if (label, row) not in self._computed:
                    self._computed[label, row] = self._shares(run, row)

    def __call__(self, ax: Axes) -> Update:
        """Draw the rows' names; return the update that moves the outlines."""
        edges = self._edges()
        count = len(self._shown())
        ax.set(xlabel=self.x_label, xlim=(edges[0], edges[-1]), ylim=(-0.03, count))
        ax.set_yticks(np.arange(count), self._row_names(), va="bottom")
        ax.tick_params(axis="y", length=0)
        styles = run_styles(self.runs)
        scale = _HIGHEST / self._highest()
        movers = [
            self._draw_run(ax, label, run, styles[label] | {"label": label}, scale)
            for label, run in self.runs.items()
        ]
        return together(movers)

    def _draw_run(
        self, ax: Axes, label: str, run: Trajectory, style: dict[str, Any], scale: float
    ) -> Update:
        """One line with a gap after each row, so that a run is one artist, and one for its fill."""
        x = np.repeat(self._edges(), 2)
        baselines = np.arange(len(self._shown()))[:, None]
        gap = np.full((len(baselines), 1), np.nan)
        xs = np.hstack([np.tile(x, (len(baselines), 1)), gap]).reshape(-1)
        fill = PolyCollection(
            [],
            facecolors=style["color"],
            alpha=_FILL / len(self.runs),
            linewidths=0,
            zorder=1.5,
        )
        ax.add_collection(fill, autolim=False)
        (line,) = ax.plot([], [], solid_joinstyle="miter", **(style | {"linewidth": 1.8}))

        def move(step: int) -> None:
            row = row_at(run, step)
            if run.diverged_at is not None and row >= run.diverged_at:
                line.set_data([], [])
                fill.set_verts([])
                return
            shares = self._shares(run, row, label)
            heights = np.pad(np.repeat(shares, 2, axis=1), ((0, 0), (1, 1)))
            ys = baselines + scale * heights
            line.set_data(xs, np.hstack([ys, gap]).reshape(-1))
            fill.set_verts([np.column_stack([x, y]) for y in ys])

        return move

    def _shown(self) -> Sequence[str]:
        return self.tensors if self.tensors is not None else self._matrices()

    def _matrices(self) -> list[str]:
        layout = next(iter(self.runs.values())).layout
        return [name for name, shape in layout if len(shape) > 1]

    def _row_names(self) -> list[str]:
        if self.names is not None:
            return list(self.names)
        every = self._matrices()
        return [
            f"layer {every.index(name) + 1}" if name in every else name for name in self._shown()
        ]

    def _edges(self) -> NDArray[Any]:
        """The bins' edges: around zero, for all runs and the whole film."""
        if self.x_range is not None:
            return np.linspace(*self.x_range, self.bins + 1)
        largest = 0.0
        for run in self.runs.values():
            ends = [0] if run.diverged_at is not None else [0, -1]
            values = np.concatenate([v for row in ends for v in self._weights(run, row)])
            largest = max(largest, float(np.abs(values[np.isfinite(values)]).max(initial=0.0)))
        # Rounded up, for a last digit that differs on another processor would move every bin.
        end = float(_TWO_DIGITS.create_decimal(largest or 1.0))
        return np.linspace(-end, end, self.bins + 1)

    def _weights(self, run: Trajectory, row: int) -> list[NDArray[Any]]:
        columns, start = {}, 0
        for name, shape in run.layout:
            columns[name] = slice(start, start + math.prod(shape))
            start = columns[name].stop
        return [run.params[row, columns[name]] for name in self._shown()]

    def _shares(self, run: Trajectory, row: int, label: str | None = None) -> NDArray[Any]:
        """The share of each tensor's weights in each bin, (tensors, bins)."""
        if label is not None and (label, row) in self._computed:
            return self._computed[label, row]
        edges = self._edges()
        counted = [
            np.histogram(values[np.isfinite(values)], edges)[0] / values.size
            for values in self._weights(run, row)
        ]
        return np.stack(counted)

    def _highest(self) -> float:
        """The highest bin of the film."""
        if not self._computed:
            self.prepare((0, self.steps))
        return max(float(shares.max()) for shares in self._computed.values()) or 1.0


@dataclass(frozen=True)
class ByLayer(RunPanel):
    """One number for each layer of each run, as a line over the layers that moves with the step.

    values: by the runs' labels ("" for a single run without one), arrays (T, layers), a row for
    each row of the run: the norm of the gradient in each layer, for example. Of a run that
    diverges the panel says so.
    scale: of the value axis; zeros lie at the lower edge of a logarithmic one. x_label, y_label:
    the axes' labels.
    Raises InputError when an array does not fit its run.
    """

    values: Mapping[str, NDArray[Any]]
    _: KW_ONLY
    scale: Scale = "log"
    x_label: str = "layer"
    y_label: str = ""

    def __post_init__(self) -> None:
        """Check that every run has its values."""
        super().__post_init__()
        check_choice("scale", self.scale, Scale)
        for label, run in self.runs.items():
            if label not in self.values:
                raise InputError(
                    f"ByLayer: there are no values for the run {label!r}; values has those of "
                    f"{', '.join(map(repr, self.values)) or 'none'}; a single run is called '', "
                    'and {"a label": run} gives it a label'
                )
            shape = np.shape(self.values[label])
            if len(shape) != 2 or shape[0] != run.steps + 1:
                raise InputError(
                    f"ByLayer: the values of {label!r} have shape {shape}; they must be "
                    f"({run.steps + 1}, layers), a row for each row of the run"
                )

    def __call__(self, ax: Axes) -> Update:
        """Draw the axes; return the update that moves the lines."""
        layers = max(np.shape(self.values[label])[1] for label in self.runs)
        ax.set(xlabel=self.x_label, ylabel=self.y_label, xlim=(0.7, layers + 0.3))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.set_yscale(self.scale)
        ax.set_ylim(*self._limits())
        low = ax.get_ylim()[0] if self.scale == "log" else -np.inf
        styles = run_styles(self.runs)
        movers = []
        for label, run in self.runs.items():
            values = np.asarray(self.values[label], dtype=float)
            values = np.where((values >= 0) & (values < low), low, values)
            movers.append(_draw_layers(ax, run, values, styles[label] | {"label": label}))
        movers.append(self._draw_words(ax))
        return together(movers)

    def _draw_words(self, ax: Axes) -> Update:
        """Name the runs that have diverged, above the axes."""
        ends = {k: run.diverged_at for k, run in self.runs.items() if run.diverged_at is not None}
        if not ends:
            return lambda step: None
        title = ax.set_title(" ")

        def move(step: int) -> None:
            gone = {k: end for k, end in ends.items() if row_at(self.runs[k], step) >= end}
            words = wrapped(_told(gone, self.runs), room_pt(ax), title.get_fontproperties())
            title.set_text(words or " ")

        return move

    def _limits(self) -> tuple[float, float]:
        """Room for all values, and for those of a diverging run near where it began."""
        shown = []
        for label, run in self.runs.items():
            values = np.asarray(self.values[label], dtype=float)
            start = np.abs(values[0]).max()
            if run.diverged_at is not None and np.isfinite(start):
                values = values[: run.diverged_at]
                values = values[np.abs(values) <= _FAR * start]
            shown.append(values.reshape(-1))
        nothing = (0.1, 1.0) if self.scale == "log" else (0.0, 1.0)
        return limits_of(np.concatenate(shown), self.scale) or nothing


def _told(gone: dict[str, int], runs: Mapping[str, Trajectory]) -> str:
    """Say which runs have diverged, and of a single one at which step."""
    if len(gone) > 1:
        return f"diverged: {', '.join(gone)}"
    return "".join(
        f"{label} diverged at step {step_told(runs[label], row)}".lstrip()
        for label, row in gone.items()
    )


def _draw_layers(ax: Axes, run: Trajectory, values: NDArray[Any], style: dict[str, Any]) -> Update:
    paper = matplotlib.rcParams["axes.facecolor"]
    layers = np.arange(1, values.shape[1] + 1)
    (line,) = ax.plot([], [], marker="o", markeredgecolor=paper, **style)

    def move(step: int) -> None:
        line.set_data(layers, values[row_at(run, step)])

    return move
