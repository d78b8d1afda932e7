"""Heights over a plane as filled contours, and marks for their minima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, to_rgb
from numpy.typing import NDArray

from render.errors import InputError
from render.film.colours import contrast
from render.film.panels.labels import keep_labels, traced
from render.film.panels.panel import Update

__all__ = [
    "Levels",
    "Minima",
    "draw_contours",
    "draw_minima",
    "levels_of",
    "shades",
]

Levels = Literal["area", "log", "linear"] | Sequence[float]
Minima = Sequence[Sequence[float]] | Mapping[str, Sequence[float]]

_COUNT = 16
_AREA_POWER = 1.6  # shades take less of the picture towards the minimum, where paths end
_LOG_DECADES = 5
_LEAST_CONTRAST = 2.4  # of a run's colour with the deepest shade; its halo gives the rest
_STEPS_OF_CMAP = 101


def levels_of(heights: NDArray[Any], levels: Levels = "area") -> NDArray[np.float64]:
    """Return the heights at which contours are drawn, rising.

    "area" gives each shade a fixed share of the picture, smaller towards the minimum: a narrow
    valley shows beside walls of any height. "log" puts them at ratios above the lowest height,
    "linear" at equal distances. Raises InputError for anything else.
    """
    finite = np.asarray(heights, dtype=np.float64)[np.isfinite(heights)]
    if not finite.size:
        raise InputError(
            "no height in the picture is finite; choose another x_range or y_range, or a loss "
            "that gives finite numbers"
        )
    low, high = float(finite.min()), float(finite.max())
    if not high > low:
        return np.array([low, low + (abs(low) or 1.0)])
    if not isinstance(levels, str):
        return _given(levels)
    if levels == "area":
        chosen = np.quantile(finite, np.linspace(0.0, 1.0, _COUNT) ** _AREA_POWER)
    elif levels == "log":
        ratios = np.logspace(-_LOG_DECADES, 0, _COUNT - 1)
        chosen = low + (high - low) * np.concatenate([[0.0], ratios])
    elif levels == "linear":
        chosen = np.linspace(low, high, _COUNT)
    else:
        raise InputError(
            f"levels={levels!r} is none of {', '.join(map(repr, get_args(get_args(Levels)[0])))}, "
            "nor a sequence of heights"
        )
    return np.unique(chosen)


def _given(levels: Sequence[float]) -> NDArray[np.float64]:
    chosen = np.asarray(levels, dtype=np.float64)
    if chosen.ndim != 1 or len(chosen) < 2 or not (np.diff(chosen) > 0).all():
        raise InputError(f"levels={levels!r}: give at least two heights, each above the last")
    return chosen


def draw_contours(
    ax: Axes, xs: NDArray[Any], ys: NDArray[Any], heights: NDArray[Any], levels: Levels = "area"
) -> None:
    """Fill the axes with contours of heights of shape (len(ys), len(xs)), lowest darkest."""
    at = levels_of(heights, levels)
    masked = np.ma.masked_invalid(heights)
    cmap = LinearSegmentedColormap.from_list("heights", shades(_COUNT)[::-1])
    norm = BoundaryNorm(at, cmap.N)
    ax.contourf(xs, ys, masked, levels=at, cmap=cmap, norm=norm, extend="both")
    paper = matplotlib.rcParams["axes.facecolor"]
    ax.contour(
        xs, ys, masked, levels=at, colors=[paper], linewidths=0.7, linestyles="solid", alpha=0.6
    )


def shades(count: int) -> list[Any]:
    """Return colours from the paper's end of the theme's colour map to the deepest one allowed.

    That is the last one on the way from which the colour of every run still stands out.
    """
    rc = matplotlib.rcParams
    cmap = matplotlib.colormaps[rc["image.cmap"]]
    colors = cmap(np.linspace(0.0, 1.0, _STEPS_OF_CMAP))
    to_paper = contrast(colors[:, :3], to_rgb(rc["axes.facecolor"]))
    if to_paper[0] > to_paper[-1]:
        colors = colors[::-1]
    runs = [to_rgb(style["color"]) for style in rc["axes.prop_cycle"]]
    least = np.min([contrast(colors[:, :3], run) for run in runs], axis=0)
    faint = least < _LEAST_CONTRAST
    last = max(int(np.argmax(faint)) if faint.any() else _STEPS_OF_CMAP, _STEPS_OF_CMAP // 4)
    return list(colors[np.linspace(0.1 * last, last - 1, count).astype(int)])


def draw_minima(
    ax: Axes, minima: Minima, paths: Sequence[NDArray[Any]] = (), label: str = "minimum"
) -> Update:
    """Mark points with a star and a label in ink, each label where it meets the fewest paths.

    Return the update that places the labels again once the layout has given the axes another size.
    minima: points, all called `label`, or a mapping from labels to points; "" is not written.
    paths: (n, 2) each, the lines that labels keep away from. The axes' limits are set already.
    """
    named = list(minima.items()) if isinstance(minima, Mapping) else [(label, p) for p in minima]
    if not named:
        return lambda step: None
    ink, paper = matplotlib.rcParams["axes.edgecolor"], matplotlib.rcParams["axes.facecolor"]
    points = np.array([point for _, point in named], dtype=float).reshape(-1, 2)
    ax.plot(
        *points.T,
        marker="*",
        markersize=13,
        linestyle="none",
        color=ink,
        markeredgecolor=paper,
        zorder=2.2,
    )
    places = _in_axes(ax, points)
    data = [traced(_in_axes(ax, path)) for path in paths]
    marks = [(text, place) for (text, _), place in zip(named, places, strict=True) if text]
    return keep_labels(ax, marks, np.concatenate([places, *data]))


def _in_axes(ax: Axes, points: NDArray[Any]) -> NDArray[np.float64]:
    """Points as parts of the axes' width and height."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    span = np.array([right - left, top - bottom])
    return np.asarray((np.asarray(points, dtype=float) - [left, bottom]) / span)
