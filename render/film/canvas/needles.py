"""Needles: what Agg may draw far beyond a line whose vertices lie in one line, or nearly.

Where round or bevelled joints hardly bend, Agg puts one corner where the two edges of the stroke
meet. Of edges that are parallel but for rounding, that is anywhere along them: the corner then ends
a needle without width, of 1 or 2 levels of 255, as long as the frame. Source: calc_join and
calc_intersection in Agg 2.4, agg_math_stroke.h and agg_math.h.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, inf, isfinite, log2
from typing import Any, TypeVar

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from render.film.canvas.arrays import hash_of

__all__ = ["may_have_needles"]

# Edges have rounded coordinates, whose differences are multiplied: where a joint bends by more than
# so many roundings can make up, its corner is known to half a pixel.
_ROUNDINGS = 16 * float(np.finfo(float).eps)
_FEW = 16
_KEPT = 256
_CURVES = (Path.CURVE3, Path.CURVE4)

Span = tuple[float, float, float, float]
Lengths = TypeVar("Lengths", float, NDArray[np.float64])
Points = NDArray[np.float64]
Codes = NDArray[np.uint8]

_known: dict[tuple[Any, ...], bool] = {}


def may_have_needles(path: Path, matrix: Points, span: Span) -> bool:
    """Whether a stroke with round or bevelled joints along a path may have a needle.

    matrix: (3, 3), to pixels. span: the least and greatest x and y of the path, in pixels.
    """
    x0, y0, x1, y1 = sides = list(map(float, span))  # whose products overflow without a warning
    if len(_vertices(path)) < 3 or not x0 <= x1:
        return False
    largest, long = max(map(abs, sides)), (x1 - x0) + (y1 - y0)
    if not isfinite(largest):
        return True
    if path.codes is None:
        (a, c), (b, d) = matrix[:2, :2].tolist()
        if _least_area(path) * abs(a * d - b * c) > _doubt(long, long, largest):
            return False  # in few operations, as for most lines
        return _is_straight_somewhere(_without_repeats(_vertices(path)), matrix, largest)
    return _coded_may_have(path, matrix, 2.0 ** ceil(log2(max(largest, 1.0))))


def _coded_may_have(path: Path, matrix: Points, largest: float) -> bool:
    """Look at a path with codes, unless one like it was looked at before, as often for markers."""
    vertices, codes = _vertices(path), np.asarray(path.codes)
    key = (hash_of(vertices), hash_of(codes), matrix.tobytes(), largest)
    if key not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        if np.isin(codes, _CURVES).any():
            vertices, codes = _flattened(path, matrix)
            matrix = np.eye(3)
        _known[key] = _is_straight_somewhere(_corners(vertices, codes), matrix, largest)
    return _known[key]


@lru_cache(maxsize=16)  # the next command may be another stroke along the same path
def _least_area(path: Path) -> float:
    """Return the least area that two successive steps of a path span, in its own coordinates."""
    points = _vertices(path)
    if len(points) <= _FEW:  # quicker without numpy
        (x0, y0), (x1, y1), *rest = points.tolist()
        least, x, y = inf, x1 - x0, y1 - y0
        for x2, y2 in rest:
            before, x, y = (x, y), x2 - x1, y2 - y1
            least = min(least, abs(before[0] * y - before[1] * x))
            x1, y1 = x2, y2
        return least
    with np.errstate(invalid="ignore", over="ignore"):
        x, y = (points[1:] - points[:-1]).T
        return float(np.abs(x[:-1] * y[1:] - y[:-1] * x[1:]).min())


def _vertices(path: Path) -> Points:
    return np.asarray(path.vertices, float)


def _doubt(before: Lengths, after: Lengths, largest: float) -> Lengths:
    """Return the area, of steps so long, that roundings may make up."""
    return _ROUNDINGS * largest * (before + after) * (1.0 + before)


def _flattened(path: Path, matrix: Points) -> tuple[Points, Codes]:
    """Return the vertices, in pixels, of the lines that Agg draws for curves; and their codes."""
    lines: Any = path.cleaned(transform=Affine2D(matrix), curves=False)
    is_drawn = lines.codes != Path.STOP
    return lines.vertices[is_drawn], lines.codes[is_drawn]


def _is_straight_somewhere(corners: Points, matrix: Points, largest: float) -> bool:
    """Whether some step goes on in the direction of the one before, as far as can be told."""
    with np.errstate(invalid="ignore", over="ignore"):
        steps = corners[1:] - corners[:-1]
        x, y = matrix[:2, :2] @ steps.T
        length = np.abs(x) + np.abs(y)  # up to 1.4 of the true one
        area = np.abs(x[:-1] * y[1:] - y[:-1] * x[1:])
        straight = area <= _doubt(length[:-1], length[1:], largest)
        straight &= x[:-1] * x[1:] + y[:-1] * y[1:] > 0
    if not (matrix[0, 1] or matrix[1, 0]):  # along an axis edges are parallel to the last bit
        along = (steps[:-1] == 0) & (steps[1:] == 0)
        straight &= ~(along[:, 0] | along[:, 1])
    return bool(straight.any())


def _corners(vertices: Points, codes: Codes) -> Points:
    """Return the vertices that Agg joins, with those that follow where a part is closed.

    Parts follow one another as if they were joined, too.
    """
    parts = np.split(vertices, np.flatnonzero(codes == Path.MOVETO))
    closed = np.split(codes == Path.CLOSEPOLY, np.flatnonzero(codes == Path.MOVETO))
    corners = []
    for part, closing in zip(parts, closed, strict=True):
        around = _without_repeats(part[~closing])
        corners.append(np.concatenate([around, around[:2]]) if closing.any() else around)
    return _without_repeats(np.concatenate(corners))


def _without_repeats(points: Points) -> Points:
    """Leave out points that equal the one before, as Agg does."""
    moves = np.ones((len(points), 2), bool)
    moves[1:] = points[1:] != points[:-1]
    return points[moves[:, 0] | moves[:, 1]]
