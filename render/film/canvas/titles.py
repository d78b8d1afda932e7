"""Titles placed by matplotlib, which keeps them clear of ticks and labels that are measured once.

To place a title it measures every tick of its axes, which takes longer than to draw the title. What
it measures stays the same for as long as the axes rests.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.text import Text

_PLACE: Any = Axes._update_title_position  # type: ignore[attr-defined]
_MEASURE: dict[type, Any] = {kind: kind.get_tightbbox for kind in (XAxis, YAxis)}


class TitlePlaces:
    """The boxes around the ticks and labels of axes that rest."""

    def __init__(self) -> None:
        self._boxes: dict[Any, Any] = {}

    def forget(self, axes: Any) -> None:
        """Measure the ticks of an axes anew when they are needed."""
        for axis in getattr(axes, "_axis_map", {}).values():
            self._boxes.pop(axis, None)

    def place(self, axes: Any, resting: Collection[Any], renderer: Any) -> None:
        """Place the titles of an axes as it does itself; nothing moves in the resting ones."""
        known = []
        if type(axes)._update_title_position is _PLACE and not axes.child_axes:
            every = [axis for each in resting for axis in each._axis_map.values()]
            known = [each for each in every if _is_known(each)]
        for axis in known:
            axis.get_tightbbox = partial(self._box, axis)
        try:
            axes._update_title_position(renderer)
        finally:
            for axis in known:
                del axis.get_tightbbox

    def _box(self, axis: Any, renderer: Any) -> Any:
        if axis not in self._boxes:
            self._boxes[axis] = _MEASURE[type(axis)](axis, renderer)
        return self._boxes[axis]


def _is_known(axis: Any) -> bool:
    """Whether it is matplotlib itself that measures an axis."""
    return type(axis) in _MEASURE and "get_tightbbox" not in vars(axis)


def is_title(artist: Artist, parent: Any) -> bool:
    """Whether this is one of an axes' titles, which it places together before it draws them."""
    return isinstance(artist, Text) and any(
        artist is getattr(parent, name, None) for name in ("title", "_left_title", "_right_title")
    )
