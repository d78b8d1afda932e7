"""Labels of marks: placed where they meet the fewest paths, again once the axes' size is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from render.film.panels.panel import Update

__all__ = ["keep_labels", "text_width_pt", "traced"]

Array = NDArray[Any]
Spot = tuple[Array, bool]
"""The middle of a label, and whether it is beside its mark and so needs no line to it."""

_LABEL_PT = 10.5
_LINE = 1.3  # the height of a label, in sizes of its letters
_REACHES = (0.6, 2.0)  # from a mark to its label, in heights of the label
_BESIDE = (0.35, 2.0)  # heights from the mark: where a label without a line to it may stay
_TRACE = 0.01  # of the axes' width or height: how close points along a path are
_CELLS = 200  # points in the same cell of so many across the axes count as one
_ELSEWHERE = 25  # places across the axes that are tried where those around the mark are taken
_APART = (0.25, 0.5)  # from a label to a path, in its heights: around the mark, and elsewhere
_AROUND = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])


def keep_labels(ax: Axes, marks: Sequence[tuple[str, Array]], taken: Array) -> Update:
    """Write the labels of marks; return the update that places them anew in axes of another size.

    marks: label and place of each. taken: points (n, 2) that labels keep away from, all as parts
    of the axes' width and height. The places depend on the size before the layout and on the
    current one alone; those found first are kept where they are still right.
    """
    drawn = [_draw(ax, text, place) for text, place in marks]
    size_pt = _size_pt(ax)
    first: list[Spot] = []
    others = [taken]
    for (text, place), label in zip(marks, drawn, strict=True):
        size = _label_size(text, size_pt)
        # One height across the axes too: their shape is not known yet.
        first.append(_beside(place, np.concatenate(others), size, np.full(2, size[1])))
        label.put(first[-1])
        others.append(_corners(first[-1][0], size))

    def update(step: int) -> None:
        nonlocal size_pt
        if np.allclose(size_pt, now_pt := _size_pt(ax), rtol=1e-6):
            return
        size_pt = now_pt
        others = [taken]
        for (text, place), label, spot in zip(marks, drawn, first, strict=True):
            size = _label_size(text, size_pt)
            line = _LINE * _LABEL_PT / size_pt
            found = _again(spot, place, np.concatenate(others), size, line)
            label.put(found)
            others.append(_corners(found[0], size))

    return update


class _Label:
    """A text beside a mark, with a line to it where it is further away."""

    def __init__(self, text: Annotation) -> None:
        self._text = text
        self._line = (text.arrowprops, text.arrow_patch)

    def put(self, spot: Spot) -> None:
        """Move the text, and show or hide the line."""
        middle, beside = spot
        self._text.set_position((middle[0], middle[1]))
        self._text.arrowprops, self._text.arrow_patch = (None, None) if beside else self._line


def _draw(ax: Axes, text: str, place: Array) -> _Label:
    ink, paper = matplotlib.rcParams["axes.edgecolor"], matplotlib.rcParams["axes.facecolor"]
    halo = [withStroke(linewidth=3, foreground=paper)]
    label = ax.annotate(
        text,
        (place[0], place[1]),
        xytext=(place[0], place[1]),
        xycoords="axes fraction",
        textcoords="axes fraction",
        ha="center",
        va="center",
        fontsize=_LABEL_PT,
        color=ink,
        path_effects=halo,
        arrowprops={"arrowstyle": "-", "color": ink, "shrinkB": 8, "path_effects": halo},
        zorder=2.2,
        annotation_clip=True,
    )
    return _Label(label)


def traced(path: Array) -> Array:
    """Return points close to each other along a path in the axes, given by its corners (n, 2)."""
    if len(path) < 2:
        return path
    with np.errstate(invalid="ignore"):
        lengths = np.abs(np.diff(path, axis=0)).max(axis=1)
    counts = np.clip(np.nan_to_num(lengths) / _TRACE, 1, 1000).astype(int)
    parts = np.concatenate([np.arange(count) / count for count in counts])[:, None]
    start = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(path[start] + parts * (path[start + 1] - path[start]))


def text_width_pt(text: str, size_pt: float) -> float:
    """Return the width of a text, in points, in the theme's font."""
    rc = matplotlib.rcParams
    fonts = tuple(str(rc[name]) for name in rc if name.startswith(("font.", "mathtext.")))
    return _width_pt(text, size_pt, fonts) if text else 0.0


@lru_cache(maxsize=256)
def _width_pt(text: str, size_pt: float, fonts: tuple[str, ...]) -> float:
    return float(TextPath((0, 0), text, size=size_pt).get_extents().width)


def _size_pt(ax: Axes) -> Array:
    return np.asarray(72.0 * np.asarray(ax.bbox.size) / ax.figure.dpi)


def _label_size(text: str, axes_pt: Array) -> Array:
    """How wide and high a label is, as parts of axes of a size."""
    return np.asarray([text_width_pt(text, _LABEL_PT) + 4.0, _LINE * _LABEL_PT] / axes_pt)


def _corners(spot: Array, size: Array) -> Array:
    return traced(spot + size * np.array([(x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]))


def _cost(spot: Array, taken: Array, size: Array, apart: Array) -> float:
    """How many points a label would cover; outside the axes it must not be at all."""
    half = size / 2
    outside = (np.abs(spot - 0.5) > 0.5 - half).any()
    with np.errstate(invalid="ignore"):
        covered = (np.abs(taken - spot) < half + apart).all(axis=1).sum()
    return float(covered + 1e6 * outside)


def _beside(place: Array, taken: Array, size: Array, line: Array) -> Spot:
    """The spot around a mark where its label covers the fewest points.

    line: the height of a label as a part of the axes' width, and of their height.
    """
    spots = [
        (place + side * (reach * line + size / 2), reach == _REACHES[0])
        for reach in _REACHES
        for side in _AROUND
    ]
    return min(spots, key=lambda spot: _cost(spot[0], taken, size, _APART[0] * line))


def _again(first: Spot, place: Array, taken: Array, size: Array, line: Array) -> Spot:
    """The first spot where it still is free, or else another around the mark, or the nearest."""
    gap = float(((np.abs(first[0] - place) - size / 2) / line).max())
    right = not first[1] or _BESIDE[0] <= gap <= _BESIDE[1]
    if right and _cost(first[0], taken, size, _APART[0] * line) == 0:
        return first
    around = _beside(place, taken, size, line)
    if _cost(around[0], taken, size, _APART[0] * line) == 0:
        return around
    taken = np.unique(np.rint(_CELLS * taken[np.isfinite(taken).all(axis=1)]), axis=0) / _CELLS
    low, high = np.minimum(size / 2, 0.5), np.maximum(1 - size / 2, 0.5)
    sides = np.linspace(low, high, _ELSEWHERE).T
    elsewhere = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)

    def worth(spot: Array) -> tuple[float, float]:
        away = float(np.linalg.norm((spot - place) / line))
        return _cost(spot, taken, size, _APART[1] * line), away

    best = min([around[0], *elsewhere], key=worth)
    return around if best is around[0] else (best, False)
