"""The probability field: what a classifier says over the plane of its two features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from contourpy import FillType, LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_whole
from render.film.panels.panel import RunPanel, Update
from render.film.panels.series import row_at
from render.film.styles import next_color

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["ProbabilityField"]

_SHAPES = "os^Dv"
_MARGIN = 0.08  # of the data's extent, on each side
_LEADS = (0.0, 0.25, 0.5, 0.75)  # of the most probable class over the next, in probability
_TINTS = (0.10, 0.36)  # of a class's colour, from unsure to sure: points of it stay visible
_MOST_UNLIKE = 10.0  # features of one scale: with more, the points would lie in a line
_LONG = 1.7  # a panel of more times its other side: a square in it would be a stamp
_MOST_ODDS = 30.0  # a probability beyond is 0 or 1 to float32
_MEMORY_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ProbabilityField(RunPanel):
    """A classifier's most probable class over two features, the paler the less certain.

    The line is where two classes are equally probable: 0.5 for a single logit. The model gives
    one logit a sample (classes 0 and 1, as `losses.nll` takes them) or a logit a class (softmax,
    as `losses.cross_entropy`). Each class has a colour and a shape; filled points are those that
    are learnt from, open ones those of `validation`: anything with x (n, 2) and y (n,).

    Both axes have one scale, unless the panel is much wider than high, or higher than wide, or one
    feature's range is ten times the other's: then the field fills it. grid: points along each side
    at which the model is evaluated. x_label, y_label: the axes' labels. Raises InputError unless
    there is one run, of two features and whole-number classes.
    """

    _: KW_ONLY
    validation: Any = None
    grid: int = 100
    x_label: str = "feature 1"
    y_label: str = "feature 2"
    _computed: dict[int, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the data, and keep the validation samples as arrays."""
        super().__post_init__()
        if len(self.runs) != 1:
            raise InputError(f"ProbabilityField draws one run, not {len(self.runs)}")
        check_whole("ProbabilityField: grid", self.grid, 2)
        samples = [("the run's data", self._only.x, self._only.y)]
        if self.validation is not None:
            kept = _Samples(np.asarray(self.validation.x), np.asarray(self.validation.y))
            object.__setattr__(self, "validation", kept)
            samples.append(("validation", kept.x, kept.y))
        for name, x, y in samples:
            _check_samples(name, x, y)

    def prepare(self, steps: Iterable[int]) -> None:
        """Compute the fields of all steps that will be shown, as many as memory allows."""
        rows = sorted({row_at(self._only, int(step)) for step in steps} - set(self._computed))
        room = _MEMORY_BYTES // self._odds(0).nbytes - len(self._computed)
        if rows and room > 0:
            self._computed.update(zip(rows[:room], self._evaluated(rows[:room]), strict=True))

    def __call__(self, ax: Axes) -> Update:
        """Draw the points; return the update that moves field and boundary."""
        xs, ys = self._axes()
        low, high = sorted(ax.bbox.size)
        is_square = high < _LONG * low and np.isclose(np.ptp(xs), np.ptp(ys))
        aspect = "equal" if is_square else "auto"
        ax.set(xlabel=self.x_label, ylabel=self.y_label, aspect=aspect)
        ax.grid(False)
        ax.locator_params(nbins=6)  # longer numbers would touch
        colors = _class_colors(self._classes)
        x, y = np.meshgrid(xs, ys)
        bands = PathCollection([], facecolors=_tints(colors), linewidths=0, zorder=1)
        ax.add_collection(bands, autolim=False)
        ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
        (line,) = ax.plot([], [], color=matplotlib.rcParams["axes.edgecolor"], linewidth=2.6)
        lost = ax.text(0.5, 0.5, "", transform=ax.transAxes, ha="center", fontsize=15)
        self._draw_samples(ax, colors)
        if self.validation is not None:
            ax.set_title("filled points: train, open points: validation")

        def update(step: int) -> None:
            logits = _logits(self._odds(row_at(self._only, step)))
            finite = bool(np.isfinite(logits).all())
            bands.set_paths(_bands(x, y, logits) if finite else [])
            line.set_data(*_boundary(x, y, logits).T if finite else ([], []))
            lost.set_text("" if finite else "diverged: no prediction")

        return update

    @property
    def _only(self) -> Trajectory:
        return next(iter(self.runs.values()))

    @property
    def _classes(self) -> int:
        return int(self._odds(0).shape[0]) + 1

    def _axes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The values of the two features at which the model is evaluated."""
        x = self._only.x
        if self.validation is not None:
            x = np.concatenate([x, self.validation.x])
        low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
        spans = high - low
        if spans.max() <= _MOST_UNLIKE * spans.min() or not spans.min():
            spans[:] = spans.max() or 1.0
        middle, half = (low + high) / 2, (0.5 + _MARGIN) * spans
        xs, ys = np.linspace(middle - half, middle + half, self.grid, axis=1)
        return xs, ys

    def _odds(self, row: int) -> NDArray[Any]:
        return self._computed[row] if row in self._computed else self._evaluated([row])[0]

    def _evaluated(self, rows: list[int]) -> NDArray[Any]:
        """The log-odds of classes 1 ... K - 1 against class 0: (rows, K - 1, ny, nx), float16."""
        xs, ys = self._axes()
        points = np.stack([side.reshape(-1) for side in np.meshgrid(xs, ys)], axis=1)
        outputs = self._only.predict(points.astype(self._only.x.dtype), rows)
        logits = outputs.reshape(len(rows), len(points), -1)
        if logits.shape[2] > 1:
            logits = logits[:, :, 1:] - logits[:, :, :1]
        odds = np.clip(logits, -_MOST_ODDS, _MOST_ODDS).astype(np.float16)
        return np.moveaxis(odds, 2, 1).reshape(len(rows), -1, len(ys), len(xs))

    def _draw_samples(self, ax: Axes, colors: list[str]) -> None:
        """Draw filled points to learn from, and open ones to validate with, a shape a class."""
        paper = matplotlib.rcParams["axes.facecolor"]
        groups = [(self._only.x, self._only.y, True)]
        if self.validation is not None:
            groups.append((self.validation.x, self.validation.y, False))
        area = float(np.clip(40 * (300 / sum(len(x) for x, _, _ in groups)) ** 0.5, 8, 40))
        for x, y, filled in groups:
            for number, color in enumerate(colors):
                here = y.astype(int) == number
                ax.scatter(
                    x[here, 0],
                    x[here, 1],
                    s=area,
                    marker=_SHAPES[number % len(_SHAPES)],
                    facecolors=color if filled else paper,
                    edgecolors=paper if filled else color,
                    linewidths=0.8 if filled else 1.8,
                    zorder=3 if filled else 4,
                )


@dataclass(frozen=True)
class _Samples:
    """Validation samples, as arrays: a process that only draws needs no torch for them."""

    x: NDArray[Any]
    y: NDArray[Any]


def _check_samples(name: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    if x.ndim != 2 or x.shape[1] != 2:
        raise InputError(
            f"ProbabilityField draws two features; x of {name} has shape {x.shape}, not (n, 2)"
        )
    if y.ndim != 1 or len(y) != len(x) or (y < 0).any() or (y != np.rint(y)).any():
        raise InputError(
            f"ProbabilityField draws classes; y of {name} must be {len(x)} whole numbers from 0"
        )


def _class_colors(classes: int) -> list[str]:
    """The theme's colours from the first that no run has."""
    colors = [style["color"] for style in matplotlib.rcParams["axes.prop_cycle"]]
    first = [to_hex(color) for color in colors].index(next_color())
    return [to_hex(colors[(first + number) % len(colors)]) for number in range(classes)]


def _tints(colors: list[str]) -> list[NDArray[Any]]:
    """The colour of each band, class by class, from pale to certain."""
    paper = np.array(to_rgb(matplotlib.rcParams["axes.facecolor"]))
    ways = [np.array(to_rgb(color)) - paper for color in colors]
    return [paper + tint * way for way in ways for tint in np.linspace(*_TINTS, len(_LEADS))]


def _logits(odds: NDArray[Any]) -> NDArray[Any]:
    """Log-odds with those of class 0, which are zero: (K, ny, nx), float32."""
    return np.concatenate([np.zeros_like(odds[:1]), odds]).astype(np.float32)


def _bands(xs: NDArray[Any], ys: NDArray[Any], logits: NDArray[Any]) -> list[Path]:
    """Where each class leads by at least so much probability, each band over the one before.

    The first is everywhere: where another class leads, that one's bands cover it.
    """
    likely = np.exp(logits - logits.max(axis=0))
    likely /= likely.sum(axis=0)
    paths = []
    for number in range(len(likely)):
        lead = likely[number] - _best_other(likely, number)
        filled = contour_generator(xs, ys, lead, fill_type=FillType.OuterCode)
        paths += [_path(*filled.filled(least, 2.0)) for least in _LEADS]
    (left, *_, right), (low, *_, high) = xs[0], ys[:, 0]
    paths[0] = Path([(left, low), (right, low), (right, high), (left, high)])
    return paths


def _path(points: Any, codes: Any) -> Path:
    """One path of several outlines; of none, a path that fills nothing."""
    if not points:
        return Path(np.zeros((1, 2)))
    return Path(np.concatenate(points), np.concatenate(codes))


def _boundary(xs: NDArray[Any], ys: NDArray[Any], logits: NDArray[Any]) -> NDArray[Any]:
    """Where two classes are equally probable: points (n, 2), with gaps."""
    gap = np.full((1, 2), np.nan)
    pieces = [gap]
    for number in range(1, len(logits)):
        lead = logits[number] - _best_other(logits, number)
        lines = contour_generator(xs, ys, lead, line_type=LineType.Separate)
        for piece in lines.lines(0.0):
            pieces += [np.asarray(piece), gap]
    return np.concatenate(pieces)


def _best_other(values: NDArray[Any], number: int) -> NDArray[Any]:
    return np.asarray(np.delete(values, number, axis=0).max(axis=0))
