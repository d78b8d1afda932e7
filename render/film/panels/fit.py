"""The fit: the data, and the model's curve as it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_range
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.series import row_at
from render.film.styles import next_color, run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Fit", "sigmoid"]

_MARKER_AREA_PT2 = 8.0  # the lecture's marker, up to some hundred points
_CURVE_POINTS = 192  # a multiple of 16: batched and single predictions then agree to the bit
_MANY_POINTS = 1000
_MOST_TICKS = 6  # along x: longer numbers would touch in a narrow panel
_FAR = 3.0  # times the data's height, or its distance from zero: a curve beyond starts far away


def sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    """Return the probability 1 / (1 + exp(-logit)), without overflow; for `Fit(link=…)`."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


@dataclass(frozen=True)
class Fit(RunPanel):
    """The data as points and the model's prediction over them as a curve; one feature.

    Of several runs the points are the first one's data.
    validation: samples that are not learnt from, anything with x and y; drawn as open points.
    residuals: draw the distance from each point to the (first) curve.
    batch: highlight the points of the current minibatch of the first run that has one.
    link: applied to the model's output before it is drawn, such as `sigmoid` for logits.
    marker_area: of a data point, in pt^2; by default smaller the more points there are.
    y_limits: of the y axis; by default room for the data and for where the curves start.
    x_label, y_label: the axes' labels.
    """

    _: KW_ONLY
    validation: Any = None
    residuals: bool = False
    batch: bool = True
    link: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    marker_area: float | None = None
    y_limits: tuple[float, float] | None = None
    x_label: str = "x"
    y_label: str = "y"
    _computed: dict[tuple[str, int], NDArray[Any]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _fitted: dict[int, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise InputError when the data cannot be drawn as points of y over x."""
        super().__post_init__()
        check_range("Fit: y_limits", self.y_limits)
        for label, run in self.runs.items():
            if run.x.ndim > 1 and run.x[0].size != 1:
                raise InputError(
                    f"Fit draws one feature along x; the data of run {label!r} have "
                    f"{run.x[0].size} features"
                )
            if run.y.size != len(run.x):
                raise InputError(
                    f"Fit draws one number a sample; the targets of run {label!r} have shape "
                    f"{run.y.shape}"
                )
        if self.validation is not None:  # as an array, which takes no torch to draw
            points = [np.asarray(side).reshape(-1) for side in _sides(self.validation)]
            if len(points[0]) != len(points[1]):
                raise InputError(
                    f"Fit draws one feature along x; validation has {len(points[0])} numbers in x "
                    f"and {len(points[1])} in y"
                )
            object.__setattr__(self, "validation", np.stack(points))

    def prepare(self, steps: Iterable[int]) -> None:
        """Compute the curves and residuals of all steps that will be shown, together."""
        shown = [int(step) for step in steps]
        for place, (label, run) in enumerate(self.runs.items()):
            wanted = {row_at(run, step) for step in shown}
            rows = sorted(row for row in wanted if (label, row) not in self._computed)
            if rows:
                curves = self._predict(run, self._grid(run), rows)
                self._computed.update({(label, r): c for r, c in zip(rows, curves, strict=True)})
            rows = sorted(wanted - set(self._fitted))
            if self.residuals and place == 0 and rows:
                self._fitted.update(zip(rows, self._predict(run, run.x, rows), strict=True))

    def __call__(self, ax: Axes) -> Update:
        """Draw the data; return the update that moves curve, residuals and batch."""
        ax.set(xlabel=self.x_label, ylabel=self.y_label)
        data = next(iter(self.runs.values()))
        x, y = data.x.reshape(-1), data.y.reshape(-1)
        ax.locator_params(axis="x", nbins=_MOST_TICKS)
        self._draw_points(ax, x, y)
        if self.validation is not None:
            self._draw_validation(ax)
        ax.set_title(", ".join(self._keys()))
        ax.set_ylim(*(self._y_limits(y) if self.y_limits is None else self.y_limits))
        if x.min() == x.max() and self.validation is None:
            ax.set_xlim(*self._x_range(data))
        movers = [self._draw_curve(ax, label, run) for label, run in self.runs.items()]
        if self.residuals:
            movers.append(self._draw_residuals(ax, x, y))
        if self._with_batch:
            movers.append(self._draw_batch(ax, self._with_batch[0]))
        return together(movers)

    @property
    def _with_batch(self) -> list[Trajectory]:
        """The runs whose batches may be shown."""
        return [run for run in self.runs.values() if self.batch and run.batch is not None]

    def _keys(self) -> list[str]:
        """What marks mean, where there are several."""
        keys = ["filled points: train", "open points: validation"]
        return keys * (self.validation is not None) + ["rings: the step's batch"] * bool(
            self._with_batch
        )

    def _draw_points(self, ax: Axes, x: NDArray[Any], y: NDArray[Any]) -> None:
        few = len(x) <= _MANY_POINTS
        ax.scatter(
            x,
            y,
            s=self._area(len(x)),
            color=matplotlib.rcParams["axes.edgecolor"],
            alpha=0.75 if few else 0.25,
            linewidths=0,
            zorder=1.5,
        )

    def _draw_validation(self, ax: Axes) -> None:
        ax.scatter(
            self.validation[0],
            self.validation[1],
            s=self._area(len(self.validation[0])),
            facecolors=matplotlib.rcParams["axes.facecolor"],
            edgecolors=matplotlib.rcParams["axes.edgecolor"],
            linewidths=1.1,
            zorder=1.4,
        )

    def _area(self, points: int) -> float:
        if self.marker_area is not None:
            return self.marker_area
        return float(np.clip(30 * (50 / max(points, 1)) ** 0.4, _MARKER_AREA_PT2 / 2, 30))

    def _draw_curve(self, ax: Axes, label: str, run: Trajectory) -> Update:
        style = run_styles(self.runs)[label]
        grid = self._grid(run)
        (line,) = ax.plot([], [], label=label, linewidth=3, zorder=3, **style)

        def move(step: int) -> None:
            line.set_data(grid.reshape(-1), self._curve(label, run, step))

        return move

    def _draw_residuals(self, ax: Axes, x: NDArray[Any], y: NDArray[Any]) -> Update:
        label, run = next(iter(self.runs.items()))
        sticks = LineCollection(
            [], linewidths=1.2, alpha=0.85, zorder=2, colors=run_styles(self.runs)[label]["color"]
        )
        ax.add_collection(sticks, autolim=False)

        def move(step: int) -> None:
            row = row_at(run, step)
            if row not in self._fitted:
                self._fitted[row] = self._predict(run, run.x, [row])[0]
            fitted = self._fitted[row]
            sticks.set_segments(list(np.stack([np.c_[x, y], np.c_[x, fitted]], axis=1)))

        return move

    def _draw_batch(self, ax: Axes, run: Trajectory) -> Update:
        x, y = run.x.reshape(-1), run.y.reshape(-1)
        rings = ax.scatter(
            [],
            [],
            s=4 * max(self._area(len(x)), _MARKER_AREA_PT2),
            facecolors="none",
            edgecolors=next_color(),
            linewidths=2,
            zorder=4,
        )

        def move(step: int) -> None:
            assert run.batch is not None
            rows = run.batch[row_at(run, step)]
            rows = rows[rows >= 0]
            rings.set_offsets(np.c_[x[rows], y[rows]])

        return move

    def _y_limits(self, y: NDArray[Any]) -> tuple[float, float]:
        """Room for the data and for each first curve, unless that starts very far away."""
        if self.validation is not None:
            y = np.concatenate([y, self.validation[1]])
        low, high = float(y.min()), float(y.max())
        far = _FAR * (max(high - low, abs(low), abs(high)) or 1.0)
        for label, run in self.runs.items():
            first = self._curve(label, run, 0)
            near = first[np.isfinite(first) & (first > low - far) & (first < high + far)]
            low, high = min([low, *near]), max([high, *near])
        margin = 0.05 * ((high - low) or 1.0)
        return low - margin, high + margin

    def _grid(self, run: Trajectory) -> NDArray[Any]:
        """Where the curve is evaluated: across the data, in the shape of the data's x."""
        grid = np.linspace(*self._x_range(run), _CURVE_POINTS, dtype=run.x.dtype)
        return grid.reshape(-1, *run.x.shape[1:])

    def _x_range(self, run: Trajectory) -> tuple[float, float]:
        """From the first point to the last; around a single one, as far as half of its x."""
        x = run.x if self.validation is None else np.append(run.x, self.validation[0])
        low, high = x.min(), x.max()
        around = 0.0 if low < high else 0.5 * (abs(float(low)) or 1.0)
        return low - around, high + around

    def _curve(self, label: str, run: Trajectory, step: int) -> NDArray[Any]:
        key = (label, row_at(run, step))
        if key not in self._computed:
            self._computed[key] = self._predict(run, self._grid(run), [key[1]])[0]
        return self._computed[key]

    def _predict(self, run: Trajectory, x: NDArray[Any], rows: list[int]) -> NDArray[Any]:
        """What is drawn at x for some rows, shape (len(rows), len(x))."""
        outputs = run.predict(x, rows)
        if outputs.size != len(rows) * len(x):
            raise InputError(
                f"Fit draws one number a sample; the model gives {outputs.size // len(rows)} for "
                f"{len(x)} samples; draw one of them with a panel of your own"
            )
        outputs = outputs.reshape(len(rows), len(x))
        return outputs if self.link is None else self.link(outputs)


def _sides(samples: Any) -> tuple[Any, Any]:
    """The x and y of a dataset, or of a panel's own array when it is built anew from its fields."""
    return tuple(samples) if isinstance(samples, np.ndarray) else (samples.x, samples.y)
