"""Scenes that the export is measured with."""

from __future__ import annotations

import numpy as np
from lecture_film import lecture_panels

from render import Film, scene


@scene
def moving() -> Film:
    """Twelve panels whose limits and ticks change in every frame."""
    x = np.linspace(0, 10, 500)

    def panel(ax):
        ax.plot(x, np.sin(x))
        ax.set(xlabel="x", ylabel="sin x")

        def update(step):
            ax.set(xlim=(-0.01 * step, 10 + 0.01 * step), ylim=(-1 - 0.01 * step, 1 + 0.01 * step))

        return update

    return Film(dict.fromkeys("abcdefghijkl", panel), mosaic="abcd;efgh;ijkl", seconds=20, fps=30)


@scene
def lecture() -> Film:
    """Two panels: points and a line, contours and a path."""
    return Film(lecture_panels(), size=(1920, 1080), fps=30, seconds=5)
