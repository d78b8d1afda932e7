"""Numbers at the ticks of logarithmic axes, written so that the back row reads all of them."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, LogFormatterSciNotation

__all__ = ["PlainLogFormatter", "write_plainly"]

_PLAIN = (1e-4, 1e5)  # numbers between these have few digits


class PlainLogFormatter(LogFormatter):
    """Writes 0.01, 100 and 1e\N{MINUS SIGN}7: no exponent that is smaller than the other digits."""

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
    """Give each logarithmic axis the plain numbers, unless its panel chose a formatter."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
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
