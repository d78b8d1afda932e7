"""A caption: words and formulas beside the other panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from matplotlib.axes import Axes

from render.film.panels.panel import Update
from render.film.wrapping import wrapped

__all__ = ["Caption"]


@dataclass(frozen=True)
class Caption:
    """Text in the place of a panel; formulas between dollar signs, as matplotlib's mathtext has.

    Lines that are wider than the panel are broken at spaces.

    text: what is written, or a function from a step to it. size_pt: of the letters, for a picture
    5.4 inches high. steps: the last step that a function of steps can show.
    """

    text: str | Callable[[int], str]
    _: KW_ONLY
    size_pt: float = 14.0
    steps: int = 0

    def __call__(self, ax: Axes) -> Update:
        """Write the text; return the update that changes it."""
        ax.set_axis_off()
        place: dict[str, Any] = {"transform": ax.transAxes, "va": "top", "linespacing": 1.5}
        words = ax.text(0.0, 1.0, "", fontsize=self.size_pt, **place)
        # The layout keeps room for the height alone: axes beside need not be as wide as words.
        room = ax.text(0.0, 1.0, "", fontsize=self.size_pt, **place)
        words.set_in_layout(False)

        def update(step: int) -> None:
            text = self.text(step) if callable(self.text) else self.text
            room_pt = 72.0 * ax.bbox.width / ax.figure.dpi
            words.set_text(wrapped(text, room_pt, words.get_fontproperties()))
            room.set_text("\n".join(" " for _ in words.get_text().split("\n")))

        return update
