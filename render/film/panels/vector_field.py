"""The field of the negative gradient over two parameters, and the paths that follow it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from render.film.checks import check_whole
from render.film.panels.loss_surface import LossSurface
from render.film.panels.panel import Update

__all__ = ["VectorField"]

Array = NDArray[Any]

_FEWEST = 3
_SHIFT = 0.004  # of a range: where the differences are taken; float32 keeps 4 digits of them
_STENCIL = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # exact up to the fourth power
_LONGEST = 0.86  # of the distance between arrows
_WIDTH_PT = 1.2
_LENGTH_POWER = 0.35  # lengths grow slower than gradients, or most arrows would be dots
_ROOM_PT = 5.0  # around words, which no arrow crosses


@dataclass(frozen=True)
class VectorField(LossSurface):
    """Arrows down the slope: the negative gradient of the loss over two parameters.

    They lie on a `LossSurface`, whose settings and paths it has. An arrow stands in the middle of
    where its gradient is taken, and is longer the steeper it is, but slower: ten times the slope
    gives 2.2 times the length. Minima have names only where they are given as a mapping.

    arrows: along the longer side of the axes; fewer across a panel that is much wider than high,
    or higher than wide. The gradient is that of the loss over all the data, from central
    differences of fourth order. Raises InputError as `LossSurface` does.
    """

    _: KW_ONLY
    arrows: int = 17

    _each_minimum: ClassVar[str] = ""  # a word at each star would cover arrows and tell little

    def __post_init__(self) -> None:
        """Check the number of arrows too."""
        super().__post_init__()
        check_whole("VectorField: arrows", self.arrows, _FEWEST)

    def prepare(self, steps: Any) -> None:
        """Compute the surface and the gradients."""
        super().prepare(steps)
        if "gradient" not in self._computed:
            xs, ys = self._places()
            self._computed["gradient"] = self._gradient(xs, ys)

    def __call__(self, ax: Axes) -> Update:
        """Draw contours and arrows; return the update that draws the paths up to a step."""
        update = super().__call__(ax)
        xs, ys = self._places()
        columns, rows = (1, 1) if self.equal else _every(ax, len(xs), len(ys))
        some = np.ix_(_spread(len(ys), rows), _spread(len(xs), columns))
        middles = np.stack(np.meshgrid(xs, ys), axis=-1)[some].reshape(-1, 2)
        spacing = np.array([columns * (xs[1] - xs[0]), rows * (ys[1] - ys[0])])
        arrows = _arrows(self._computed["gradient"][some].reshape(-1, 2), spacing)
        drawn = arrows.any(axis=1) & ~_under_words(ax, middles, arrows)
        ax.quiver(
            *middles[drawn].T,
            *arrows[drawn].T,
            angles="xy",
            scale_units="xy",
            scale=1.0,
            pivot="middle",
            units="dots",
            width=_WIDTH_PT * ax.figure.dpi / 72,
            headwidth=4.0,
            headlength=4.0,
            headaxislength=3.6,
            minshaft=1.5,
            color=matplotlib.rcParams["axes.edgecolor"],
            alpha=0.72,
            zorder=2.1,
        )
        return update

    def _places(self) -> tuple[Array, Array]:
        """Where arrows stand: in the middle of equal cells, square ones where axes are equal."""
        (x_low, *_, x_high), (y_low, *_, y_high) = self._axes()
        spans = np.array([x_high - x_low, y_high - y_low])
        shares = spans / spans.max() if self.equal else np.ones(2)
        counts = np.maximum(np.rint(shares * self.arrows).astype(int), _FEWEST)
        x_edges = np.linspace(x_low, x_high, counts[0] + 1)
        y_edges = np.linspace(y_low, y_high, counts[1] + 1)
        return (x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2

    def _gradient(self, xs: Array, ys: Array) -> Array:
        """The gradient of the loss by the two parameters, shape (len(ys), len(xs), 2)."""
        slopes = []
        for side, grid in enumerate(self._axes()):
            shift = _SHIFT * float(grid[-1] - grid[0])
            total, rounding = np.zeros((len(ys), len(xs))), 0.0
            for steps, weight in _STENCIL.items():
                by = steps * shift
                moved = self._losses(xs + by * (side == 0), ys + by * (side == 1))
                total += weight * moved.astype(np.float64)
                rounding = np.maximum(rounding, np.finfo(moved.dtype).eps * np.abs(moved))
            slopes.append(np.where(np.abs(total) <= rounding, 0.0, total) / shift)
        return np.stack(slopes, axis=-1)


def _every(ax: Axes, columns: int, rows: int) -> tuple[int, int]:
    """Which columns and rows have arrows, such that these are about as far apart in both ways."""
    width, height = ax.bbox.size
    ratio = (width / columns) / (height / rows)
    every = (max(round(1 / ratio), 1), max(round(ratio), 1))
    return min(every[0], columns // _FEWEST), min(every[1], rows // _FEWEST)


def _spread(count: int, every: int) -> Array:
    """Numbers below count at equal distances, as far from its start as from its end."""
    return np.arange((count - 1) % every // 2, count, every)


def _arrows(gradient: Array, spacing: Array) -> Array:
    """Arrows (n, 2), in the axes' units, down gradients (n, 2); zero where there is no slope."""
    size = np.linalg.norm(gradient, axis=1)
    finite = size[np.isfinite(size)]
    largest = float(finite.max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (size / largest) ** _LENGTH_POWER
        ways = -gradient / spacing
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        arrows = ways * (_LONGEST * share)[:, None] * spacing
    return np.asarray(np.nan_to_num(arrows, nan=0.0, posinf=0.0, neginf=0.0))


def _under_words(ax: Axes, middles: Array, arrows: Array) -> Array:
    """Which arrows would cross a text that is in the axes, (n,)."""
    ax.apply_aspect()
    to_pixels = ax.transData.transform
    ends = [to_pixels(middles + part * arrows) for part in (-0.5, -0.25, 0.0, 0.25, 0.5)]
    room = _ROOM_PT * ax.figure.dpi / 72
    crossed = np.zeros(len(middles), dtype=bool)
    for text in ax.texts:
        if not text.get_text():
            continue
        box = text.get_window_extent()
        # The layout is not final: the axes may still become smaller around the same letters.
        margin = 0.15 * np.asarray(box.size) + room
        low, high = np.asarray(box.min) - margin, np.asarray(box.max) + margin
        for end in ends:
            crossed |= ((end > low) & (end < high)).all(axis=1)
    return crossed
