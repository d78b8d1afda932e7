"""The readout: step, loss, rate, parameters and metrics as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cbook import is_math_text
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from numpy.typing import NDArray

from render.errors import InputError
from render.film.panels.panel import RunPanel, Update
from render.film.panels.series import check_series, in_words, row_at, series_of
from render.film.styles import run_styles
from render.film.wrapping import width_pt as width_of

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Readout"]

_VALUE_PT = 15.0
_SMALLEST = 0.027  # of the picture's shorter side: letters that the back row reads
_LABELS = 0.16  # of the width, at least, where runs have labels
_MOST_LABELS = 0.4  # where the numbers need the rest
_GAP_PT = 12.0
_ROWS = 0.66  # of the height, where there is room
_LINE = 1.3  # from a line to the next, in sizes of the letters
_MOST_APART = 2.0  # the height that lines are spread over, as a multiple of their own
_MOST_PARAMETERS = 3
_MOST_HIGH = 0.6  # of the picture, for all rows together
_DIVERGED = "diverged"
_LEAST = 5e-5  # nearer to zero, four decimals are all zero
_DOLLAR = re.compile(r"(?<!\\)\$")  # where a formula begins or ends
_MEASURED = 2000  # numbers of a column, at most, to find its widest


@dataclass(frozen=True)
class Readout(RunPanel):
    """The current numbers of a run, in columns; one row a run when there are several.

    show: names of columns, in order: "step", "loss", "batch loss", "rate", "gradient", a
    parameter's name, or a metric's; "val_loss" is headed "validation loss". By default step, rate,
    loss, the metrics, and the parameters when they are few.
    Parameters have four decimals, unless these make them zero at every step; those, and other
    numbers that four decimals make zero, have two digits and an exponent.
    Each column is as wide as its widest number in the film. Letters are smaller where room is
    scarce, down to 2.7% of the picture's shorter side; columns that do not fit even then are left
    out, the last first, and rows take the height they need from the panels above. A label that
    leaves them too little is cut short; the legend has all of it.
    Raises InputError when there is no such number, or when the rows do not fit in the picture.
    """

    _: KW_ONLY
    show: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check that every column is there."""
        super().__post_init__()
        for run in self.runs.values():
            for name in self._columns():
                check_series(run, name, "Readout")

    def __call__(self, ax: Axes) -> Update:
        """Draw the headings; return the update that writes the numbers."""
        ax.set_axis_off()
        self._keep_height(ax)
        table = _Table(
            columns=[_column(ax, name, self.runs.values()) for name in self._columns()],
            labels=[_text(ax, "", color=color) for color in _colors(self.runs).values()],
            names=list(self.runs),
        )
        size: tuple[float, ...] = ()

        def update(step: int) -> None:
            nonlocal size
            if size != (size := (*ax.bbox.size, ax.figure.dpi)):
                width_pt, height_pt = (72.0 * side / ax.figure.dpi for side in ax.bbox.size)
                table.arrange(width_pt, height_pt, _smallest_pt(ax))
            for column in table.columns:
                for text, written in zip(column.values, column.written, strict=True):
                    text.set_text(written(step))

        return update

    def _columns(self) -> tuple[str, ...]:
        if self.show is not None:
            return self.show
        run = next(iter(self.runs.values()))
        few = run.names if len(run.names) <= _MOST_PARAMETERS else ()
        return ("step", "rate", "loss", *run.metrics, *few)

    def _keep_height(self, ax: Axes) -> None:
        """Make the layout keep room for all rows. Raises InputError when they are too many."""
        lines, size = 1 + len(self.runs), _smallest_pt(ax)
        figure_pt, axes_pt = (
            72.0 * box.height / ax.figure.dpi for box in (ax.figure.bbox, ax.bbox)
        )
        if lines * _LINE * size > max(_MOST_HIGH * figure_pt, axes_pt):
            raise InputError(
                f"Readout: {len(self.runs)} rows do not fit in the picture; show fewer runs"
            )
        spacing: dict[str, Any] = {"linespacing": _LINE, "fontsize": size, "va": "top"}
        ax.text(0.0, 1.0, "\n".join([" "] * lines), transform=ax.transAxes, **spacing)


@dataclass(frozen=True)
class _Column:
    """A heading and the numbers below it. heading_pt, value_pt: widths of letters 1 pt high."""

    heading: Text
    values: list[Text]
    written: list[Callable[[int], str]]
    heading_pt: float
    value_pt: float

    def width_pt(self, heading_pt: float, size_pt: float) -> float:
        """Return how wide the column is with letters of a size."""
        return max(self.heading_pt * heading_pt, self.value_pt * size_pt)


@dataclass(frozen=True)
class _Table:
    """The texts of a readout, and where they stand."""

    columns: list[_Column]
    labels: list[Text]
    names: list[str]  # what labels say, where there is room

    def arrange(self, width_pt: float, height_pt: float, smallest_pt: float) -> None:
        """Place all texts in a room, in letters as large as it allows."""
        base = float(matplotlib.rcParams["font.size"])
        sizes = [*np.arange(_VALUE_PT, smallest_pt, -0.5).tolist(), smallest_pt]
        size = next(
            (s for s in sizes if self._fits(min(s, base), s, width_pt, height_pt)), sizes[-1]
        )
        small = min(size, base)
        widths = [column.width_pt(small, size) for column in self.columns]
        most = max(_MOST_LABELS * width_pt, width_pt - _row_pt(widths))
        left = min(self._labels_pt(small, width_pt), most)
        shown = len(widths)
        while shown > 1 and left + _row_pt(widths[:shown]) > width_pt + 1e-6:
            shown -= 1
        places = left + _places(widths[:shown], width_pt - left)
        heights = self._heights(small, size, height_pt)
        for text, name, y in zip(self.labels, self.names, heights, strict=True):
            words = _shortened(name, (left - _GAP_PT) / small, text)
            text.set(x=0.0, y=y, fontsize=small, text=words)
        for number, column in enumerate(self.columns):
            x = float(places[min(number, shown - 1)]) / width_pt
            column.heading.set(x=x, y=1.0, va="top", fontsize=small, visible=number < shown)
            for text, y in zip(column.values, heights, strict=True):
                text.set(x=x, y=y, fontsize=size, visible=number < shown)

    def _fits(self, small: float, size: float, width_pt: float, height_pt: float) -> bool:
        widths = [column.width_pt(small, size) for column in self.columns]
        wide = self._labels_pt(small, width_pt) + _row_pt(widths)
        return wide <= width_pt and _LINE * (small + size * len(self.labels)) <= height_pt

    def _labels_pt(self, small: float, width_pt: float) -> float:
        """The width that labels of the runs take, with the gap beside them."""
        widest = max(map(_width_of_1, self.names, self.labels)) * small
        return max(_LABELS * width_pt, widest + _GAP_PT) if widest else 0.0

    def _heights(self, small: float, size: float, height_pt: float) -> list[float]:
        """Where rows are, as shares of the height: in its lower part, or close together.

        A high panel keeps them near their headings.
        """
        rows, line = len(self.labels), _LINE * size
        lines = _LINE * small + line * rows
        room = min(height_pt, _MOST_APART * lines)
        shares = [_ROWS * (1 - (row + 0.5) / rows) for row in range(rows)]
        apart = _ROWS * room / rows >= line
        if apart and (1 - shares[0]) * room >= _LINE * small + line / 2:
            return [1 - (1 - share) * room / height_pt for share in shares]
        over = max(room - lines, 0.0) / rows
        return [
            1 - (_LINE * small + (row + 0.5) * (line + over)) / height_pt for row in range(rows)
        ]


def _row_pt(widths: Sequence[float]) -> float:
    return sum(widths) + _GAP_PT * (len(widths) - 1)


def _places(widths: Sequence[float], room_pt: float) -> NDArray[Any]:
    """Where columns begin: at equal shares of the room, or else with equal gaps."""
    share = room_pt / len(widths)
    if all(w + _GAP_PT <= share for w in widths[:-1]) and widths[-1] <= share:
        return share * np.arange(len(widths))
    gap = max(room_pt - sum(widths), 0.0) / max(len(widths) - 1, 1)
    return np.cumsum([0.0, *(width + gap for width in widths[:-1])])


def _smallest_pt(ax: Axes) -> float:
    return _SMALLEST * 72.0 * float(min(ax.figure.bbox.size)) / float(ax.figure.dpi)


def _text(ax: Axes, words: str, **style: Any) -> Text:
    text = ax.text(0.0, 0.0, words, transform=ax.transAxes, va="center", **style)
    text.set_in_layout(False)  # `_keep_height` has room for all of them
    return text


def _column(ax: Axes, name: str, runs: Any) -> _Column:
    words = in_words(name)
    heading = _text(ax, words, alpha=0.8)
    series = [series_of(run, name, "Readout") for run in runs]
    values = [_text(ax, "", fontsize=_VALUE_PT) for _ in series]
    # A parameter passes zero, where its digits mean nothing; a loss comes near and keeps its own.
    of_parameter = any(name in run.names for run in runs)
    fixed = of_parameter and any((np.abs(each) >= _LEAST).any() for each in series)
    write = partial(_written, name, fixed=fixed)
    return _Column(
        heading=heading,
        values=values,
        written=[_formatter(run, write, s) for run, s in zip(runs, series, strict=True)],
        heading_pt=_width_of_1(words, heading),
        value_pt=max(_widest_of_1(write, s, heading) for s in series),
    )


def _colors(runs: Mapping[str, Trajectory]) -> dict[str, str]:
    return {label: style["color"] for label, style in run_styles(runs).items()}


def _width_of_1(words: str, text: Text) -> float:
    """The width of words in letters 1 pt high, of the font that a text has."""
    font: FontProperties = text.get_fontproperties().copy()
    font.set_size(100.0)
    return width_of(words, font) / 100.0


def _shortened(words: str, room: float, text: Text) -> str:
    """Return words, without their last letters where they are wider than the room in letters 1 pt.

    A formula stays whole, or goes: a part of one is none.
    """
    if not words or _width_of_1(words, text) <= room + 1e-6:
        return words
    ends = list(range(len(words) - 1, 0, -1))
    if is_math_text(words):
        ends = [end for end in ends if len(_DOLLAR.findall(words[:end])) % 2 == 0]
    shorter = (f"{words[:end].rstrip()}…" for end in ends)
    return next((some for some in shorter if _width_of_1(some, text) <= room), "…")


def _widest_of_1(write: Callable[[float], str], values: NDArray[Any], text: Text) -> float:
    """The width of a column's widest number in the film; digits are as wide as each other."""
    finite = np.sort(values[np.isfinite(values)])
    some = np.linspace(0, len(finite) - 1, min(len(finite), _MEASURED)).astype(int)
    words = {re.sub(r"\d", "0", write(n)) for n in finite[some].tolist()}
    if len(finite) < len(values):
        words.add(_DIVERGED)
    return max(_width_of_1(word, text) for word in words)


def _formatter(
    run: Trajectory, write: Callable[[float], str], values: NDArray[Any]
) -> Callable[[int], str]:
    """Return the function from step to text, with the same digits in every frame."""

    def written(step: int) -> str:
        row = row_at(run, step)
        number = float(values[row])
        if not np.isfinite(number) and run.diverged_at is not None and row >= run.diverged_at:
            return _DIVERGED
        return write(number)

    return written


def _written(name: str, number: float, *, fixed: bool) -> str:
    return _digits(name, number, fixed=fixed).replace("-", "\N{MINUS SIGN}")


def _digits(name: str, number: float, *, fixed: bool) -> str:
    if np.isnan(number):
        return "\N{EN DASH}"  # such as the rate of an optimizer without one
    if np.isinf(number):
        return "\N{INFINITY}" if number > 0 else "-\N{INFINITY}"
    if name == "step":
        return f"{number:,.0f}"
    if abs(number) >= 1e5:
        return f"{number:.3e}"
    if name == "rate":
        return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"
    if 0 < abs(number) < _LEAST and not fixed:
        return f"{number:.1e}"
    return f"{number:z.4f}"  # without a sign where it is rounded to zero
