"""Ticks found once a frame: matplotlib asks three times or more for those of each axis.

An axis looks for its ticks to draw them, to place its label, and again to measure its spine; and
for those of all axes that its label is lined up with. All axes have their places and limits before
the first is drawn, so while an axis is drawn the first answer is kept for the others. A layout asks
as often, twice or more before that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, Locator

from render.film.canvas.glyphs import KNOWN

_FIND: Any = Axis._update_ticks  # type: ignore[attr-defined]
_MEASURE: Any = Axis._get_ticklabel_bboxes  # type: ignore[attr-defined]
_METHODS = ("_update_ticks", "_get_ticklabel_bboxes")
_KNOWN_MODULES = ("matplotlib.", "render.film.")


class TicksOnce:
    """The ticks of one figure's axes, and the boxes around their labels, as found in one frame."""

    def __init__(self) -> None:
        self.keeps = False  # while an axis is drawn
        self._known: list[Any] | None = None  # the XAxis and YAxis for which it can
        self._ticks: dict[Any, list[Any]] = {}
        self._boxes: dict[Any, tuple[list[Any], Any]] = {}

    def begin(self) -> None:
        """Forget the frame before."""
        self.stop()
        self._known = None

    def stop(self) -> None:
        """Keep nothing more in this frame: code of others ran, which may have moved any tick."""
        self.keeps = False
        self._known = []
        self._ticks.clear()
        self._boxes.clear()

    @contextmanager
    def kept(self, figure: Figure) -> Iterator[None]:
        """Let the axes of a figure ask here for their ticks."""
        if self._known is None:
            self._known = _known_axes(figure)
        known = self._known
        for axis in known:
            axis._update_ticks = partial(self._find, axis)
            axis._get_ticklabel_bboxes = partial(self._measure, axis)
        try:
            yield
        finally:
            for axis in known:
                for name in _METHODS:
                    vars(axis).pop(name, None)

    def _find(self, axis: Any) -> list[Any]:
        if not (self.keeps and self._known):
            return _FIND(axis)  # type: ignore[no-any-return]
        if axis not in self._ticks:
            self._ticks[axis] = _FIND(axis)
        return self._ticks[axis]

    def _measure(self, axis: Any, ticks: list[Any], renderer: Any) -> Any:
        if not (self.keeps and self._known):
            return _MEASURE(axis, ticks, renderer)
        measured, boxes = self._boxes.get(axis, (None, None))
        if measured is not ticks:
            boxes = _MEASURE(axis, ticks, renderer)
            self._boxes[axis] = ticks, boxes
        return boxes


class TicksInPlace(TicksOnce):
    """The same while a layout is found, which asks for them again and again and moves axes.

    An answer holds for as long as axes keep their limits and their place, and those too by whose
    length a shared locator goes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keeps = True
        self._places: dict[Any, tuple[float, ...]] = {}

    def _find(self, axis: Any) -> list[Any]:
        asked = [axis, *(ticker.locator.axis for ticker in (axis.major, axis.minor))]
        boxes = (each.axes.bbox.bounds for each in asked if each is not None)
        place = (*axis.get_view_interval(), *chain.from_iterable(boxes))
        if self._places.get(axis) != place:
            self._places[axis] = place
            self._ticks.pop(axis, None)  # and thereby the boxes, which are those of these ticks
        return super()._find(axis)


def _known_axes(figure: Figure) -> list[Any]:
    """Return the x and y axes for whose ticks only matplotlib's code runs, and ours.

    Locators and formatters know the ticks that they were last asked for. So they must serve no
    other axes but those that share them, and thereby the ticks.
    """
    if not KNOWN:
        return []
    every = [axis for axes in all_axes(figure) for axis in axes._axis_map.values()]
    served = defaultdict(set)
    for axis in every:
        for part in _servants(axis):
            served[id(part)].add(id(axis.major))
    return [
        axis
        for axis in every
        if type(axis) in (XAxis, YAxis)
        and not vars(axis).keys() & {*_METHODS}
        and all(len(served[id(part)]) == 1 and _is_known(part) for part in _servants(axis))
    ]


def _servants(axis: Any) -> list[Any]:
    tickers = axis.major, axis.minor
    return [part for ticker in tickers for part in (ticker.locator, ticker.formatter)]


def all_axes(figure: Figure) -> Iterator[Any]:
    """Yield the axes of a figure, and those nested in them."""
    waiting: list[Any] = list(figure.axes)
    while waiting:
        axes = waiting.pop()
        yield axes
        waiting += axes.child_axes


def _is_known(part: Any) -> bool:
    """Whether a locator or formatter runs no code of others."""
    return (
        type(part).__module__.startswith(_KNOWN_MODULES)
        and not isinstance(part, FuncFormatter)
        and all(
            _is_known(value) if isinstance(value, (Locator, Formatter)) else not callable(value)
            for value in vars(part).values()
        )
    )
