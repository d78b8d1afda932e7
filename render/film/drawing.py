"""One figure of a film, and how it is moved from frame to frame."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render.errors import InputError
from render.film.blank import pyplot_watched
from render.film.canvas import LayeredCanvas
from render.film.fault import Origin, blame_artists, is_never_run, origin
from render.film.insets import every_axes
from render.film.layout import align_labels, arrange, settle
from render.film.mosaic import mosaic_of
from render.film.panels.panel import Update
from render.film.styles import draw_legend, shared_labels
from render.film.theme import rc_params
from render.film.themed import ThemedFigure, in_theme
from render.film.ticks import write_plainly
from render.film.wrapping import wrap_title, wrap_titles
from render.scene import blame

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["Drawing"]

_MOST_WRAPS = 3  # words that take more lines leave less room for others


class Drawing:
    """A figure with the film's panels on it, to be moved to any frame.

    The layout is computed once, on the film's last frame, where labels and numbers are at their
    longest, and then kept: axes never move between frames.
    """

    def __init__(self, film: Film) -> None:
        self._updates: list[tuple[str, Update, Origin]] = []
        self._owners: dict[Axes, tuple[str, Origin]] = {}
        self._steps = film.shown_steps
        self._shown: int | None = None  # the step that was moved to since the layout stands
        self.figure = _new_figure(film)
        self.figure.around = partial(blame_artists, self._owners)
        self._inches = self.figure.get_size_inches()
        with self.theme(), shared_labels(film.labels, _other_label(film)):
            axes = _new_axes(film, self.figure)
            if film.title:
                with blame(f"title {film.title!r}", ""):
                    title = wrap_title(self.figure, film.title)
                self.figure.suptitle(title, x=0.015, ha="left")
            with blame(f"the legend of the runs {', '.join(map(repr, film.labels))}", ""):
                draw_legend(self.figure)
            film.prepare()
            with pyplot_watched(axes):
                self._add_panels(film, axes)
                self.moving_axes = [
                    moving
                    for moving, (name, _) in self._owners.items()
                    if getattr(film.panels_by_name[name], "moves_axes", False)
                ]
                write_plainly(self.figure)
                standing = self.figure.axes  # a panel may put others in the place of its own
                align_labels(self.figure, [ax for ax in axes.values() if ax in standing])
                self._lay_out(film.frames - 1)
            # Not "none": that leaves an engine in place, for which savefig draws once more.
            self.figure.set_layout_engine(None)

    @cached_property
    def canvas(self) -> LayeredCanvas:
        """The canvas that draws the figure, within `theme()`.

        It stays: one that has drawn a few frames knows what rests.
        """
        return LayeredCanvas(self.figure)

    def _add_panels(self, film: Film, axes: dict[str, Axes]) -> None:
        """Let each panel draw its axes, and those that it adds, such as a colour bar's."""
        panels = film.panels_by_name
        self._owners |= {axes[name]: (name, origin(panel)) for name, panel in panels.items()}
        for name, panel in panels.items():
            with blame(f"panel {name}", *origin(panel)):
                update = _checked_update(name, panel(axes[name]))
            self._updates.append((name, update, origin(update)))
            for added in every_axes(self.figure):
                self._owners.setdefault(added, (name, origin(panel)))

    def _lay_out(self, frame: int) -> None:
        """Place everything; again where words turn out to need other lines than expected.

        And until axes of a fixed shape have come to rest: their labels move as they shrink.
        """
        step = int(self._steps[frame])
        self._move(step)
        arrange(self.figure)
        for _ in range(_MOST_WRAPS):
            words = _words(self.figure)
            self._move(step)
            if not wrap_titles(self.figure) and _words(self.figure) == words:
                break
            arrange(self.figure)
        settle(self.figure)

    def theme(self) -> AbstractContextManager[None]:
        """Give the context in which the figure is moved and drawn: the theme's rcParams.

        Raises SceneError, naming the panel, when something in it cannot be drawn.
        """
        return self.figure.theme()

    def show(self, frame: int) -> bool:
        """Move every panel to a frame, within `theme()`; return whether its step was another.

        The picture depends on the step alone, so nothing moves where the step stays.
        """
        step = int(self._steps[frame])
        if step == self._shown:
            return False
        self._shown = None  # half of the panels may have moved when one of them fails
        self._move(step)
        self._shown = step
        return True

    def moved(self, numbers: range) -> int:
        """Return how many of these frames, shown one after another, have another step."""
        return 1 + int(np.count_nonzero(np.diff(self._steps[list(numbers)])))

    def _move(self, step: int) -> None:
        for name, update, place in self._updates:
            with blame(f"panel {name}, step {step}", *place):
                update(step)
        if not np.array_equal(self.figure.get_size_inches(), self._inches):
            self.figure.set_size_inches(*self._inches)  # a film has one


def _other_label(film: Film) -> str:
    """Return the label that a run without one has in another panel; "" where it has none."""
    every = [getattr(panel, "runs", {}) for panel in film.panels_by_name.values()]
    pairs = [pair for runs in every for pair in runs.items()]
    unlabelled = next((run for label, run in pairs if not label), None)
    return next((label for label, run in pairs if label and run is unlabelled), "")


def _new_figure(film: Film) -> ThemedFigure:
    dpi = film.dots_per_inch
    width, height = film.size
    theme = rc_params(film.theme)
    with in_theme(theme):
        figure = ThemedFigure(
            theme, figsize=(width / dpi, height / dpi), dpi=dpi, layout="constrained"
        )
    FigureCanvasAgg(figure)
    return figure


def _new_axes(film: Film, figure: Figure) -> dict[str, Axes]:
    """Lay the axes out. Raises InputError when the layout and the panels do not match."""
    panels = film.panels_by_name
    mosaic, width_ratios, height_ratios = mosaic_of(film)
    projections = {
        name: {"projection": panel.projection}
        for name, panel in panels.items()
        if hasattr(panel, "projection")
    }
    try:
        axes: dict[str, Axes] = figure.subplot_mosaic(
            mosaic,
            width_ratios=width_ratios,
            height_ratios=height_ratios,
            per_subplot_kw=projections,  # type: ignore[arg-type]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"mosaic {mosaic!r}: {' '.join(str(error).split())}") from error
    if set(axes) != set(panels):
        raise InputError(
            f"the mosaic has places for {', '.join(sorted(map(str, axes)))}, "
            f"the panels are {', '.join(sorted(panels))}; name each panel once"
        )
    return axes


def _words(figure: Figure) -> list[str]:
    """What is written within the axes, and above them."""
    return [
        text.get_text()
        for axes in figure.axes
        for text in (*axes.texts, axes.title, axes._left_title)  # type: ignore[attr-defined]
    ]


def _checked_update(name: str, update: Any) -> Update:
    if not callable(update):
        raise InputError(
            f"panel {name} returned {type(update).__name__!r}; "
            "a panel must return its function update(step)"
        )
    if is_never_run(update):
        raise InputError(
            f"panel {name} returned a function that only a loop would run; its update(step) must "
            "be a plain function: without yield, await or async"
        )
    return update  # type: ignore[no-any-return]
