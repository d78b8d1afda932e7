"""A caption: words and formulas beside the other panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.text import Annotation

from render.film.checks import expect, is_number
from render.film.panels.panel import Update
from render.film.wrapping import extent_pt, wrapped

__all__ = ["Caption"]

_LINE = 1.5  # from a line to the next, in sizes of the letters
_ABOVE = 1.0  # of it, above the line that letters stand on
_CLEAR = 0.1  # between formulas that are higher than letters


@dataclass(frozen=True)
class Caption:
    """Text in the place of a panel; formulas between dollar signs, as matplotlib's mathtext has.

    Lines that are wider than the panel are broken at spaces.

    text: what is written, or a function from a step to it. size_pt: of the letters, for a picture
    5.4 inches high. steps: the last step that a function of steps can show; by default the other
    panels say how long the film is.
    """

    text: str | Callable[[int], str]
    _: KW_ONLY
    size_pt: float = 14.0
    steps: int | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        written = isinstance(self.text, str) or callable(self.text)
        expect("Caption: text", self.text, written, "text, or a function from a step to text")
        large = is_number(self.size_pt) and self.size_pt > 0
        expect("Caption: size_pt", self.size_pt, large, "a size in points above 0")

    def __call__(self, ax: Axes) -> Update:
        """Write the text; return the update that changes it."""
        ax.set_axis_off()
        # The layout keeps room for the height alone: axes beside need not be as wide as words.
        room = ax.text(0.0, 1.0, "", transform=ax.transAxes, fontsize=self.size_pt, va="top")
        font = room.get_fontproperties()
        lines: list[Annotation] = []
        written: list[str] = []

        def update(step: int) -> None:
            text = self.text(step) if callable(self.text) else self.text
            words = wrapped(text, 72.0 * ax.bbox.width / ax.figure.dpi, font).split("\n")
            if words == written:
                return
            written[:] = words
            lines.extend(_new_line(ax, font) for _ in words[len(lines) :])
            down = 0.0
            for line in lines[len(words) :]:
                line.set_text("")
            for line, row in zip(lines, words, strict=False):
                above, below = _sides_pt(row, font)
                line.set_text(row)
                line.xyann = (0.0, -down - above)
                down += above + below
            room.set_text("\n".join(" " for _ in words))
            room.set_linespacing(down / (len(words) * self.size_pt))

        return update


def _new_line(ax: Axes, font: FontProperties) -> Annotation:
    """One line of its own: matplotlib spaces the lines of one text by what is written in them."""
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    line = ax.annotate("", (0.0, 1.0), (0.0, 0.0), annotation_clip=False, font=font, **place)
    line.set_in_layout(False)
    return line


def _sides_pt(words: str, font: FontProperties) -> tuple[float, float]:
    """Return the room above and below the line that letters stand on, in points."""
    size = float(font.get_size_in_points())
    _, above, below = extent_pt(words, font)
    return (
        max(_ABOVE * size, above + _CLEAR * size),
        max((_LINE - _ABOVE) * size, below + _CLEAR * size),
    )
