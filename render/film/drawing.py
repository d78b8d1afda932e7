"""One figure of a film, and how it is moved from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render.errors import InputError
from render.film.styles import draw_legend, shared_labels
from render.film.theme import rc_params

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["Drawing"]


class ThemedFigure(Figure):
    """A figure that is drawn with its film's rcParams, whoever draws it and when.

    Some settings are read only then: the colour "C1", new ticks, the font of formulas.
    """

    def __init__(self, theme: Mapping[str, Any], **options: Any) -> None:
        self._theme = dict(theme)
        super().__init__(**options)

    def draw(self, renderer: RendererBase) -> None:
        """Draw within the theme."""
        with matplotlib.rc_context(self._theme):  # type: ignore[arg-type]
            super().draw(renderer)


class Drawing:
    """A figure with the film's panels on it, to be moved to any frame.

    The layout is computed once, on the film's last frame, where labels and numbers are at their
    longest, and then kept: axes never move between frames.
    """

    def __init__(self, film: Film) -> None:
        self._steps = film.shown_steps
        self._theme = rc_params(film.theme)
        with self.theme(), shared_labels(film.labels):
            self.figure = _new_figure(film, self._theme)
            axes = _new_axes(film, self.figure)
            if film.title:
                self.figure.suptitle(film.title, x=0.015, ha="left")
            draw_legend(self.figure)
            self._updates = []
            for name, panel in film.panels_by_name.items():
                if hasattr(panel, "prepare"):
                    panel.prepare(self._steps)
                self._updates.append(_checked_update(name, panel(axes[name])))
            self.figure.align_labels()
            self.show(film.frames - 1)
            self.figure.draw_without_rendering()
            self.figure.set_layout_engine("none")

    def theme(self) -> AbstractContextManager[None]:
        """Return the context in which the figure is moved and drawn: the theme's rcParams."""
        return matplotlib.rc_context(self._theme)  # type: ignore[arg-type]

    def show(self, frame: int) -> None:
        """Move every panel to a frame; to be called within `theme()`."""
        for update in self._updates:
            update(int(self._steps[frame]))


def _new_figure(film: Film, theme: Mapping[str, Any]) -> Figure:
    dpi = film.dots_per_inch
    width, height = film.size
    figure = ThemedFigure(theme, figsize=(width / dpi, height / dpi), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _new_axes(film: Film, figure: Figure) -> dict[str, Axes]:
    """Lay the axes out. Raises InputError when the layout and the panels do not match."""
    panels = film.panels_by_name
    mosaic = film.mosaic if film.mosaic is not None else [list(panels)]
    projections = {
        name: {"projection": panel.projection}
        for name, panel in panels.items()
        if hasattr(panel, "projection")
    }
    try:
        axes: dict[str, Axes] = figure.subplot_mosaic(
            mosaic,  # type: ignore[arg-type]
            width_ratios=film.width_ratios,
            height_ratios=film.height_ratios,
            per_subplot_kw=projections,  # type: ignore[arg-type]
        )
    except (ValueError, KeyError) as error:
        raise InputError(f"mosaic {mosaic!r}: {' '.join(str(error).split())}") from error
    if set(axes) != set(panels):
        raise InputError(
            f"the mosaic has places for {', '.join(sorted(map(str, axes)))}, "
            f"the panels are {', '.join(sorted(panels))}; name each panel once"
        )
    return axes


def _checked_update(name: str, update: Any) -> Any:
    if not callable(update):
        raise InputError(
            f"panel {name} returned {type(update).__name__!r}; "
            "a panel must return its function update(step)"
        )
    return update
