"""How many faces a surface is drawn with: as few as follow it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["coarser"]

Array = NDArray[Any]

_SIDES = (28, 48)  # faces along a side: they look smooth, and are drawn in some milliseconds
_OFF = 0.02  # how far faces may be from a surface over a floor 2 wide: some pixels


def coarser(heights: Array) -> Array:
    """Return a surface (ny, nx) at fewer points, a face between each two: few, but near it.

    It covers the same floor. A surface of no more points than that stays as it is.
    """
    if min(heights.shape) <= _SIDES[-1] + 1:
        return heights
    for faces in _SIDES:
        fewer = _at(heights, (faces + 1, faces + 1))
        if np.abs(_at(fewer, heights.shape) - heights).max() <= _OFF:
            break
    return fewer


def _at(heights: Array, shape: tuple[int, ...]) -> Array:
    """Return a surface at a grid of another shape over the same floor, bilinear in between."""
    for axis, count in enumerate(shape):
        place = np.linspace(0, heights.shape[axis] - 1, count)
        low = np.minimum(place.astype(int), heights.shape[axis] - 2)
        share = np.expand_dims(place - low, 1 - axis)
        before, after = heights.take(low, axis), heights.take(low + 1, axis)
        heights = before * (1 - share) + after * share
    return heights
