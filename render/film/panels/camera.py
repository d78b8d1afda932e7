"""A camera that looks down on a surface: where points appear, and which the surface hides.

The scene is a box: x and y from -1 to 1, z from 0 up. The projection is orthographic: parallel
lines stay parallel, and a height is the same length everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Camera", "Horizon", "visible_order"]

Array = npt.NDArray[Any]

_SAMPLES = 40  # of the surface on the way to the camera
_NEAREST = 0.04  # where a way begins: nearer than that, a point is hidden by its own slope
_FLAT = -1e6  # the slope of a horizon without anything
_GRAZING = 0.01  # how far, as a slope, the surface must stand above a way to hide its end


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera that goes around the box from the first azimuth to the last.

    azimuth: two angles in degrees, counted from the x axis towards the y axis, as matplotlib's
    3D axes count theirs. elevation: the angle above the floor, in degrees.
    """

    azimuth: tuple[float, float]
    elevation: float

    def angle(self, share: float) -> float:
        """The azimuth, in degrees, after a share of the film; it starts and stops softly."""
        eased = share * share * (3.0 - 2.0 * share)
        return self.azimuth[0] + (self.azimuth[1] - self.azimuth[0]) * eased

    def project(self, points: Array, angle: float) -> Array:
        """Return where points (..., 3) appear: (..., 2), to the right and up."""
        return np.asarray(points @ _picture_axes(angle, self.elevation))


@lru_cache(maxsize=8)
def _picture_axes(azimuth: float, elevation: float) -> Array:
    """What points are multiplied by to tell how far right and up they appear, (3, 2)."""
    turn, tilt = radians(azimuth), radians(elevation)
    right = (-sin(turn), cos(turn), 0.0)
    up = (-sin(tilt) * cos(turn), -sin(tilt) * sin(turn), cos(tilt))
    return np.array([right, up]).T


def visible_order(angle: float) -> tuple[slice, slice]:
    """Return how to index a grid (ny, nx) so that what is far from the camera comes first."""
    turn = np.radians(angle)
    forth, back = slice(None), slice(None, None, -1)
    return (forth if np.sin(turn) >= 0 else back), (forth if np.cos(turn) >= 0 else back)


@dataclass(frozen=True, kw_only=True, eq=False)
class Horizon:
    """How steeply the surface rises above points, towards each of some azimuths.

    A camera sees a point when it looks down more steeply than that. angles: (A,), in degrees and
    rising. slopes: (A, n), the tangents of the angles above the floor.
    """

    angles: Array
    slopes: Array

    @classmethod
    def of(cls, points: Array, heights: Array, angles: Array) -> Horizon:
        """Look from points (n, 3) over a surface with heights (ny, nx) over the whole box."""
        slopes = [_steepest(points, heights, np.radians(angle)) for angle in angles]
        return cls(angles=np.asarray(angles), slopes=np.asarray(slopes, dtype=np.float32))

    def hides(self, angle: float, elevation: float) -> Array:
        """Return which points the surface hides from a camera, (n,)."""
        at = float(np.interp(angle, self.angles, np.arange(len(self.angles))))
        low = min(int(at), len(self.angles) - 1)
        high = min(low + 1, len(self.angles) - 1)
        share = np.float32(at - low)
        slopes = (1 - share) * self.slopes[low] + share * self.slopes[high]
        return np.asarray(slopes > np.tan(np.radians(elevation)) + _GRAZING)


def _steepest(points: Array, heights: Array, turn: float) -> Array:
    """The steepest rise from each point (n, 3) to the surface in one direction: (n,)."""
    x, y, z = points.T.astype(np.float32)[:, :, None]
    ways = np.array([np.cos(turn), np.sin(turn)])
    with np.errstate(divide="ignore", invalid="ignore"):
        exits = [(np.sign(way) - side) / way for way, side in zip(ways, (x, y), strict=True)]
        end = np.fmin(*[np.where(np.isfinite(side), side, np.inf) for side in exits])
        way = _NEAREST + (end - _NEAREST) * np.linspace(0, 1, _SAMPLES, dtype=np.float32) ** 1.5
        there = _heights_at(heights, x + way * ways[0], y + way * ways[1])
        rises = np.where((end > _NEAREST) & np.isfinite(there), (there - z) / way, _FLAT)
    return np.asarray(rises.max(axis=1))


def _heights_at(heights: Array, x: Array, y: Array) -> Array:
    """The surface at x and y from -1 to 1, between its grid's points."""
    rows, columns = heights.shape
    across = np.clip(np.nan_to_num((x + 1) / 2 * (columns - 1)), 0, columns - 1.001)
    along = np.clip(np.nan_to_num((y + 1) / 2 * (rows - 1)), 0, rows - 1.001)
    i, j = along.astype(np.int32), across.astype(np.int32)
    u, v = along - i, across - j
    flat, at = heights.reshape(-1), i * columns + j
    low = flat[at] * (1 - v) + flat[at + 1] * v
    high = flat[at + columns] * (1 - v) + flat[at + columns + 1] * v
    return np.asarray(low * (1 - u) + high * u)
