"""The readout: step, loss, rate, parameters and metrics as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.text import Text

from render.film.panels.panel import RunPanel, Update
from render.film.panels.series import check_series, row_at, series_of
from render.film.styles import run_styles
from render.film.wrapping import width_pt

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Readout"]

_VALUE_PT = 15.0
_LABELS = 0.16  # of the width, at least, where runs have labels
_GAP_PT = 12.0
_MOST_PARAMETERS = 3


@dataclass(frozen=True)
class Readout(RunPanel):
    """The current numbers of a run, in columns; one row a run when there are several.

    show: names of columns, in order: "step", "loss", "batch loss", "rate", "gradient", a
    parameter's name, or a metric's. By default step, rate, loss, the metrics, and the parameters
    when they are few.
    Raises InputError when there is no such number.
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
        columns = self._columns()
        rows = len(self.runs)
        cells: list[tuple[Text, Callable[[int], str]]] = []
        placed: list[tuple[Text, float]] = []
        for number, name in enumerate(columns):
            place = number / len(columns)
            heading = ax.text(0.0, 1.0, name, transform=ax.transAxes, va="top", alpha=0.8)
            placed.append((heading, place))
            for row, run in enumerate(self.runs.values()):
                text = ax.text(0.0, _height(row, rows), "", fontsize=_VALUE_PT)
                text.set(transform=ax.transAxes, va="center")
                placed.append((text, place))
                cells.append((text, _formatter(run, name)))
        labels = [
            ax.text(0, _height(row, rows), label, transform=ax.transAxes, va="center", color=color)
            for row, (label, color) in enumerate(_colors(self.runs).items())
        ]
        label_pt = max(width_pt(text.get_text(), text.get_fontproperties()) for text in labels)

        def update(step: int) -> None:
            left = _share(ax, label_pt)
            for text, place in placed:
                x = left + (1 - left) * place
                if text.get_position()[0] != x:
                    text.set_x(x)
            for text, formatted in cells:
                text.set_text(formatted(step))

        return update

    def _columns(self) -> tuple[str, ...]:
        if self.show is not None:
            return self.show
        run = next(iter(self.runs.values()))
        few = run.names if len(run.names) <= _MOST_PARAMETERS else ()
        return ("step", "rate", "loss", *run.metrics, *few)


def _height(row: int, rows: int) -> float:
    """Where a run's row is, as a share of the axes' height."""
    return 0.66 * (1 - (row + 0.5) / rows)


def _colors(runs: Mapping[str, Trajectory]) -> dict[str, str]:
    return {label: style["color"] for label, style in run_styles(runs).items()}


def _share(ax: Axes, label_pt: float) -> float:
    """The share of the axes' width that labels of the runs take, which changes with its size."""
    if not label_pt:
        return 0.0
    figure = ax.get_figure(root=True)
    assert figure is not None
    return max(_LABELS, (label_pt + _GAP_PT) * figure.dpi / 72 / ax.get_window_extent().width)


def _formatter(run: Trajectory, name: str) -> Callable[[int], str]:
    """Return the function from step to text, with the same digits in every frame."""
    values = series_of(run, name, "Readout")

    def formatted(step: int) -> str:
        number = float(values[row_at(run, step)])
        if name == "step":
            return f"{number:,.0f}"
        if name == "rate":
            return f"{number:.3g}"
        size = abs(number)
        if size != size or size in (float("inf"),):
            return "diverged"
        return f"{number:.3e}" if size >= 1e5 else f"{number:.4f}".replace("-", "\N{MINUS SIGN}")

    return formatted
