"""The pixels a drawing command may touch: a bound, found from its arguments without drawing.

Each bound is the extent of the vertices, or of the control points of curves, widened by what Agg
can add to it: up to one line width beside the line, ten at the tip of a sharp mitred corner (its
limit), a pixel for snapping and one for antialiasing. Nearly straight lines may reach anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import ceil, cos, floor, hypot, isfinite, radians, sin
from typing import Any

import numpy as np
from matplotlib.path import Path

from render.film.canvas.boxes import EMPTY, Box, common
from render.film.canvas.needles import may_have_needles

_BESIDE = 1.0  # line widths beyond the vertices: half, or its diagonal at a projecting cap
_TIP = 10.3  # at a mitred corner
_ROUNDING_PX = 3
_FAR = 1e6
_FEW = 16
_CLOSEPOLY = int(Path.CLOSEPOLY)

Span = tuple[float, float, float, float]
_NOWHERE: Span = (np.inf, np.inf, -np.inf, -np.inf)
_ANYWHERE: Span = (-_FAR, -_FAR, _FAR, _FAR)


def clip_box(rectangle: np.ndarray | None, width: int, height: int) -> Box:
    """Return the pixels a clip rectangle lets through (the whole frame without one)."""
    frame = (0, 0, width, height)
    if rectangle is None or not rectangle.any():  # Agg takes all zeros as no clipping
        return frame
    (x0, y0), (x1, y1) = rectangle
    return common(_outward((x0, y0, x1, y1), 1, height), frame)


def extent(name: str, args: tuple[Any, ...], clip: Box, height: int, dpi: float) -> Box:
    """Return a box that holds every pixel the call may change."""
    span, pad = _SPANS[name](args, height, dpi / 72)
    if span[0] > span[2]:
        return EMPTY
    return common(_outward(span, pad, height), clip)


def _outward(span: Span, pad: float, height: int) -> Box:
    x0, y0, x1, y1 = span
    if not (x0 >= -_FAR and y0 >= -_FAR and x1 <= _FAR and y1 <= _FAR):  # or NaN
        x0, y0, x1, y1 = [max(-_FAR, min(_FAR, v)) if isfinite(v) else v for v in span]
        if not all(map(isfinite, (x0, y0, x1, y1))):
            x0, y0, x1, y1 = -_FAR, -_FAR, _FAR, _FAR
    return (
        floor(x0 - pad),
        floor(height - y1 - pad),
        ceil(x1 + pad),
        ceil(height - y0 + pad),
    )


def _points_span(points: np.ndarray) -> Span:
    """Return the extent of the finite rows of an (n, 2) array."""
    points = np.asarray(points, float).reshape(-1, 2)
    if not len(points):
        return _NOWHERE
    if len(points) <= _FEW:  # quicker without numpy
        finite = [(x, y) for x, y in points.tolist() if isfinite(x) and isfinite(y)]
        if not finite:
            return _NOWHERE
        xs, ys = zip(*finite, strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    columns = np.ascontiguousarray(points.T)  # along rows of two, numpy takes ten times as long
    low, high = _least(columns), _greatest(columns)
    if not all(map(isfinite, low + high)):
        columns = columns[:, np.isfinite(columns[0]) & np.isfinite(columns[1])]
        if not columns.size:
            return _NOWHERE
        low, high = _least(columns), _greatest(columns)
    return low[0], low[1], high[0], high[1]


def _least(columns: np.ndarray) -> list[float]:
    return np.minimum.reduce(columns, axis=1).tolist()  # type: ignore[no-any-return]


def _greatest(columns: np.ndarray) -> list[float]:
    return np.maximum.reduce(columns, axis=1).tolist()  # type: ignore[no-any-return]


def _path_span(path: Path) -> Span:
    vertices = np.asarray(path.vertices)
    if path.codes is not None:  # the vertex of CLOSEPOLY is not drawn
        drawn = np.asarray(path.codes) != _CLOSEPOLY
        if not drawn.all():
            vertices = vertices[drawn]
    return _points_span(vertices)


def _paths_span(paths: Any) -> Span:
    if len(paths) <= _FEW:
        return _union(_path_span(path) for path in paths)
    return _points_span(np.concatenate([path.vertices for path in paths]))


def _transformed(span: Span, matrix: np.ndarray | None) -> Span:
    """Return the extent of a span's corners after an affine transform."""
    if matrix is None or span[0] > span[2]:
        return span
    (a, c, e), (b, d, f) = matrix[:2].tolist()
    x0, y0, x1, y1 = span
    if b == c == 0:
        xs, ys = [a * x0 + e, a * x1 + e], [d * y0 + f, d * y1 + f]
    else:
        xs = [a * x + c * y + e for x in (x0, x1) for y in (y0, y1)]
        ys = [b * x + d * y + f for x in (x0, x1) for y in (y0, y1)]
    return min(xs), min(ys), max(xs), max(ys)


def _union(spans: Iterable[Span]) -> Span:
    x0, y0, x1, y1 = _NOWHERE
    for span in spans:
        x0, y0 = min(x0, span[0]), min(y0, span[1])
        x1, y1 = max(x1, span[2]), max(y1, span[3])
    return x0, y0, x1, y1


def _sum(a: Span, b: Span) -> Span:
    if a[0] > a[2] or b[0] > b[2]:
        return _NOWHERE
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


def _pad(gc: Any, scale: float, vertices: int = 3) -> float:
    """Return how far in pixels a stroke reaches beyond its vertices."""
    sketch = gc.get_sketch_params()
    wobble = 0.0 if sketch is None else 2.0 * float(sketch[0])
    return _widths(gc, vertices) * float(gc.get_linewidth()) * scale + wobble + _ROUNDING_PX


def _widths(gc: Any, vertices: int = 3) -> float:
    return _TIP if gc.get_joinstyle() == "miter" and vertices > 2 else _BESIDE


def _path(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    gc, path, matrix, *face = args
    span = _transformed(_path_span(path), matrix)
    # Agg itself merges what is nearly straight of long lines, unless they are filled.
    is_merged = path.should_simplify and face in ([], [None]) and gc.get_hatch() is None
    is_round = _is_stroked_round(gc, gc.get_linewidth())
    if is_round and not is_merged and may_have_needles(path, matrix, span):
        span = _ANYWHERE
    return span, _pad(gc, scale, len(path.vertices))


def _is_stroked_round(gc: Any, width: float) -> bool:
    return width > 0 and gc.get_joinstyle() != "miter"


def _markers(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    gc, marker, marker_matrix, path, matrix = args[:5]
    is_stroked_round = _is_stroked_round(gc, gc.get_linewidth())
    shape = _marker_span(marker, marker_matrix.tobytes(), is_stroked_round)
    places = _transformed(_path_span(path), matrix)
    return _sum(places, shape), _pad(gc, scale)


@lru_cache(maxsize=64)
def _marker_span(marker: Path, matrix: bytes, is_stroked_round: bool) -> Span:
    to_pixels = np.frombuffer(matrix).reshape(3, 3)
    span = _transformed(_path_span(marker), to_pixels)
    needles = is_stroked_round and may_have_needles(marker, to_pixels, span)
    return _ANYWHERE if needles else span


def _collection(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    gc, master, paths, transforms, offsets, offset_matrix = args[:6]
    shapes = _paths_span(paths)
    if len(transforms):
        shapes = _union(_transformed(shapes, np.asarray(matrix)) for matrix in _extreme(transforms))
    shapes = _transformed(shapes, master)
    widths = np.asarray(args[8], float)
    widest = float(widths.max()) if widths.size else 0.0
    pad = _pad(gc, scale) + _widths(gc) * widest * scale
    span = shapes
    if len(offsets):
        span = _sum(shapes, _transformed(_points_span(np.ma.getdata(offsets)), offset_matrix))
    if len(args[7]) and _is_stroked_round(gc, widest):
        matrix = master @ np.asarray(transforms[0]) if len(transforms) else master
        if _have_needles(tuple(paths), matrix.tobytes(), span):
            span = _ANYWHERE
    return span, pad


@lru_cache(maxsize=4)  # colours may change while the paths stay
def _have_needles(paths: tuple[Any, ...], matrix: bytes, span: Span) -> bool:
    if all(len(path.vertices) < 3 for path in paths):
        return False
    whole = paths[0] if len(paths) == 1 else Path.make_compound_path(*paths)
    return may_have_needles(whole, np.frombuffer(matrix).reshape(3, 3), span)


def _extreme(transforms: Any) -> Any:
    """Return matrices whose images of a box bound those of all `transforms`."""
    stack = np.asarray(transforms, float)
    if len(stack) <= 8:
        return stack
    low, high = stack.min(axis=0), stack.max(axis=0)
    diagonal_only = not (low[0, 1] or high[0, 1] or low[1, 0] or high[1, 0])
    if not diagonal_only:
        return stack
    corners = []
    for x in (low, high):
        for y in (low, high):
            for shift in (low, high):
                matrix = np.eye(3)
                matrix[0, 0], matrix[1, 1], matrix[:2, 2] = x[0, 0], y[1, 1], shift[:2, 2]
                corners.append(matrix)
    return corners


def _mesh(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    gc, master, _, _, coordinates, offsets, offset_matrix = args[:7]
    shape = _transformed(_points_span(coordinates), master)
    if not len(offsets):
        return shape, _pad(gc, scale)
    places = _transformed(_points_span(np.ma.getdata(offsets)), offset_matrix)
    return _sum(shape, places), _pad(gc, scale)


def _triangles(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    gc, points = args[:2]
    matrix = args[3] if len(args) > 3 else None
    return _transformed(_points_span(points), matrix), _pad(gc, scale)


def _image(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    _, x, y, image = args[:4]
    rows, columns = image.shape[:2]
    return (float(x), float(y), float(x) + columns, float(y) + rows), 2.0


def _glyph(args: tuple[Any, ...], height: int, scale: float) -> tuple[Span, float]:
    image, x, y, angle = args[:4]
    rows, columns = image.shape[:2]
    if not image.size:
        return _NOWHERE, 0.0
    y = height - y  # this call's y points down
    if angle:
        turn = radians(angle)
        corners = [
            (x + u * cos(turn) - v * sin(turn), y + u * sin(turn) + v * cos(turn))
            for u in (0, columns)
            for v in (0, rows)
        ]
        return _points_span(np.array(corners)), 2.0 + 0.01 * hypot(rows, columns)
    return (float(x), float(y), float(x) + columns, float(y) + rows), 2.0


_SPANS = {
    "draw_path": _path,
    "draw_markers": _markers,
    "draw_path_collection": _collection,
    "draw_quad_mesh": _mesh,
    "draw_gouraud_triangles": _triangles,
    "draw_image": _image,
    "draw_text_image": _glyph,
}
