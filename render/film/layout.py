"""Where axes come to stand: matplotlib's constrained layout, until those of a fixed shape rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, BboxBase

from render.film.canvas.ticks import TicksInPlace

__all__ = ["align_labels", "arrange", "settle"]

_MOST_LAYOUTS = 4  # axes of a fixed shape come to rest in a few
_MOVED = 2e-4  # of the picture's side: less is no other layout


def align_labels(figure: Figure, axes: Iterable[Axes]) -> None:
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


def arrange(figure: Figure) -> None:
    """Move axes to where the layout has them, and those of a fixed shape to where they fit there.

    That is what a drawing begins with; with the rest of it, films took a third longer to lay out.
    """
    with TicksInPlace().kept(figure):
        _arrange(figure)


def settle(figure: Figure) -> None:
    """Arrange axes again until those of a fixed shape rest: their labels move as they shrink."""
    if all(ax.get_aspect() == "auto" and ax.get_box_aspect() is None for ax in figure.axes):
        return
    with TicksInPlace().kept(figure):
        for _ in range(_MOST_LAYOUTS):
            before = _places(figure)
            if _is_settled(figure):
                break
            _arrange(figure)
            if np.allclose(_places(figure), before, atol=_MOVED):
                break


def _arrange(figure: Figure) -> None:
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
