"""Numbers at the ticks of axes: so many and so written that the back row reads all of them."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import Locator, LogFormatter, LogFormatterSciNotation, MaxNLocator

from render.film.wrapping import width_pt

__all__ = ["FittingLocator", "PlainLogFormatter", "write_plainly"]

_PLAIN = (1e-4, 1e5)  # numbers between these have few digits
_BETWEEN = {1.0, 2.0, 3.0, 5.0, 7.0, 10.0}  # of a decade: about evenly spread, and round
_APART_PT = 3.0


class FittingLocator(Locator):
    """Places ticks as another locator does, but fewer where their numbers would touch."""

    def __init__(self, inner: MaxNLocator) -> None:
        self._inner: Any = inner

    def set_axis(self, axis: Any) -> None:
        """Take the axis, for the other locator too."""
        super().set_axis(axis)
        self._inner.set_axis(axis)

    def __call__(self) -> Any:
        """Return where ticks are."""
        return self.tick_values(*self._axis.get_view_interval())

    @property
    def _axis(self) -> Axis:
        return self.axis  # type: ignore[return-value]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return where ticks are between two values."""
        given = self._inner._nbins
        ticks = self._inner.tick_values(vmin, vmax)
        try:
            for fewer in range(len(ticks) - 2, 0, -1):
                if self._apart(ticks, vmin, vmax):
                    break
                self._inner.set_params(nbins=fewer)
                ticks = self._inner.tick_values(vmin, vmax)
        finally:
            self._inner.set_params(nbins=given)
        return ticks

    def view_limits(self, vmin: float, vmax: float) -> Any:
        """Return the limits that the other locator chooses."""
        return self._inner.view_limits(vmin, vmax)

    def set_params(self, **params: Any) -> None:
        """Set what the other locator has."""
        self._inner.set_params(**params)

    def _apart(self, ticks: Any, vmin: float, vmax: float) -> bool:
        """Whether the numbers at those ticks that show have room beside each other."""
        low, high = sorted((vmin, vmax))
        span = high - low
        shown = [tick for tick in ticks if low - 1e-9 * span <= tick <= high + 1e-9 * span]
        font = FontProperties(size=matplotlib.rcParams["xtick.labelsize"])
        axes = self._axis.axes
        across = self._axis is axes.xaxis
        if across:
            words = self._axis.get_major_formatter().format_ticks(shown)
            sizes = [width_pt(word, font) for word in words]
        else:
            sizes = [font.get_size_in_points()] * len(shown)
        room = np.add(sizes[1:], sizes[:-1]) / 2 + (_APART_PT if across else 0.0)
        side = axes.bbox.width if across else axes.bbox.height
        pt = 72.0 * side / axes.figure.dpi / (span or 1.0)
        return bool((np.diff(shown) * pt >= room).all())


class PlainLogFormatter(LogFormatter):
    """Writes 0.01, 100 and 1e\N{MINUS SIGN}7: no exponent that is smaller than the other digits."""

    def set_locs(self, locs: Any = None) -> None:
        """Choose which ticks have numbers: as matplotlib, but rounder ones between decades."""
        super().set_locs(locs)
        own: Any = self
        if own._sublabels is not None and 1 < len(own._sublabels) < own._base - 1:
            own._sublabels = _BETWEEN

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the words at a tick, or none where matplotlib would write none."""
        if not super().__call__(x, pos):
            return ""
        low, high = _PLAIN
        if x == 0 or low <= abs(x) < high:
            words = f"{x:g}"
        else:
            digits, _, exponent = f"{x:.3e}".partition("e")
            words = f"{float(digits):g}e{int(exponent)}"
        return words.replace("-", "\N{MINUS SIGN}")


def write_plainly(figure: Figure) -> None:
    """Give each logarithmic axis the plain numbers, unless its panel chose a formatter.

    And each linear axis a number of ticks that it is long enough for.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            locator = axis.get_major_locator()
            if isinstance(locator, MaxNLocator) and axes.name == "rectilinear":
                axis.set_major_locator(FittingLocator(locator))
            for name in ("major", "minor"):
                given = getattr(axis, f"get_{name}_formatter")()
                chosen = not getattr(axis, f"isDefault_{name[:3]}fmt")
                if chosen or not isinstance(given, LogFormatterSciNotation):
                    continue
                own: Any = given
                plain = PlainLogFormatter(
                    base=own._base,
                    labelOnlyBase=own.labelOnlyBase,
                    minor_thresholds=own.minor_thresholds,
                )
                getattr(axis, f"set_{name}_formatter")(plain)
