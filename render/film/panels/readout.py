"""The readout: step, loss, rate, parameters and metrics as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.text import Text

from render.film.panels.panel import RunPanel, Update
from render.film.panels.series import check_series, row_at, series_of
from render.film.styles import run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Readout"]

_VALUE_PT = 15.0
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
        left = 0.16 if any(self.runs) else 0.0
        rows = len(self.runs)
        cells: list[tuple[Text, Callable[[int], str]]] = []
        for place, name in enumerate(columns):
            x = left + (1 - left) * place / len(columns)
            ax.text(x, 1.0, name, transform=ax.transAxes, va="top", alpha=0.8)
            for row, run in enumerate(self.runs.values()):
                y = 0.55 * (1 - row / rows)
                text = ax.text(x, y, "", transform=ax.transAxes, va="top", fontsize=_VALUE_PT)
                cells.append((text, _formatter(run, name)))
        for row, (label, style) in enumerate(run_styles(self.runs).items()):
            y = 0.55 * (1 - row / rows)
            ax.text(0, y, label, transform=ax.transAxes, va="top", color=style["color"])

        def update(step: int) -> None:
            for text, formatted in cells:
                text.set_text(formatted(step))

        return update

    def _columns(self) -> tuple[str, ...]:
        if self.show is not None:
            return self.show
        run = next(iter(self.runs.values()))
        few = run.names if len(run.names) <= _MOST_PARAMETERS else ()
        return ("step", "rate", "loss", *run.metrics, *few)


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
