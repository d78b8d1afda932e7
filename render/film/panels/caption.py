"""A caption: words and formulas beside the other panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from matplotlib.axes import Axes

from render.film.panels.panel import Update

__all__ = ["Caption"]


@dataclass(frozen=True)
class Caption:
    """Text in the place of a panel; formulas between dollar signs, as matplotlib's mathtext has.

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
        words = ax.text(
            0.0, 1.0, "", transform=ax.transAxes, va="top", fontsize=self.size_pt, linespacing=1.5
        )

        def update(step: int) -> None:
            words.set_text(self.text(step) if callable(self.text) else self.text)

        return update
