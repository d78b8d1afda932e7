"""One figure of a film, and how it is moved from frame to frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, BboxBase

from render.errors import InputError
from render.film.blank import pyplot_watched
from render.film.canvas import LayeredCanvas
from render.film.fault import Origin, blame_artists, origin
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
_MOST_LAYOUTS = 4  # axes of a fixed shape come to rest in a few
_MOVED = 2e-4  # of the picture's side: less is no other layout


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
                    axes[name]
                    for name, panel in film.panels_by_name.items()
                    if getattr(panel, "moves_axes", False)
                ]
                write_plainly(self.figure)
                standing = self.figure.axes  # a panel may put others in the place of its own
                _align_labels(self.figure, [ax for ax in axes.values() if ax in standing])
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
            for added in self.figure.axes:
                self._owners.setdefault(added, (name, origin(panel)))

    def _lay_out(self, frame: int) -> None:
        """Place everything; again where words turn out to need other lines than expected.

        And until axes of a fixed shape have come to rest: their labels move as they shrink.
        """
        step = int(self._steps[frame])
        self._move(step)
        _arrange(self.figure)
        for _ in range(_MOST_WRAPS):
            words = _words(self.figure)
            self._move(step)
            if not wrap_titles(self.figure) and _words(self.figure) == words:
                break
            _arrange(self.figure)
        for _ in range(_MOST_LAYOUTS):
            before = _places(self.figure)
            if _is_settled(self.figure):
                break
            _arrange(self.figure)
            if np.allclose(_places(self.figure), before, atol=_MOVED):
                break

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


def _align_labels(figure: Figure, axes: Iterable[Axes]) -> None:
    """Align the labels of each row and column; those of axes of a fixed shape stay near them.

    Rows and columns are counted anew in each grid: a layout within a layout is one of its own.
    """
    grids: dict[Any, list[Axes]] = {}
    for ax in axes:
        place = ax.get_subplotspec()
        if ax.get_aspect() == "auto" and place is not None:
            grids.setdefault(place.get_gridspec(), []).append(ax)
    for within in grids.values():
        figure.align_labels(within)


def _arrange(figure: Figure) -> None:
    """Move axes to where the layout has them, and those of a fixed shape to where they fit there.

    That is what a drawing begins with; with the rest of it, films took a third longer to lay out.
    """
    engine = figure.get_layout_engine()
    if engine is not None:  # as a panel may leave it
        engine.execute(figure)
    canvas: Any = figure.canvas
    for ax in figure.axes:
        locate: Any = ax.get_axes_locator()
        ax.apply_aspect(locate(ax, canvas.get_renderer()) if locate else None)


def _places(figure: Figure) -> list[tuple[float, ...]]:
    return [ax.get_position().bounds for ax in figure.axes]


def _is_settled(figure: Figure) -> bool:
    """Whether axes of a fixed shape have come to rest: all is in the picture, nothing overlaps.

    The layout moves them by what is beside them at their size of before. A pixel is let pass.
    """
    if all(ax.get_aspect() == "auto" and ax.get_box_aspect() is None for ax in figure.axes):
        return True
    tight = {ax: _tight_box(ax) for ax in figure.axes}
    boxes = {ax: box for ax, box in tight.items() if box is not None}
    placed = [ax for ax in boxes if ax.get_subplotspec() is not None]
    pairs = itertools.combinations(placed, 2)
    neighbours = [(one, other) for one, other in pairs if not _overlap(one.bbox, other.bbox)]
    around = [each.get_window_extent() for each in (*figure.texts, *figure.legends)]
    within = figure.bbox.padded(1.0)
    return (
        all(within.contains(*corner) for box in boxes.values() for corner in (box.min, box.max))
        and not any(_overlap(boxes[one], boxes[other]) for one, other in neighbours)
        and not any(_overlap(boxes[ax], other) for ax in placed for other in around)
    )


def _tight_box(ax: Axes) -> BboxBase | None:
    """Return what the layout keeps free for axes; those of mpl_toolkits tell only the whole."""
    try:
        return ax.get_tightbbox(for_layout_only=True)
    except TypeError:
        return ax.get_tightbbox()


def _overlap(box: BboxBase, other: BboxBase) -> bool:
    """Whether two boxes share more than a pixel, across and down."""
    shared = Bbox.intersection(box, other)
    return shared is not None and min(shared.width, shared.height) > 1.0


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
    return update  # type: ignore[no-any-return]
