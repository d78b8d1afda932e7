"""Heights over a plane as filled contours, and marks for their minima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from render.errors import InputError
from render.film.colours import contrast

__all__ = [
    "Levels",
    "Minima",
    "draw_contours",
    "draw_minima",
    "levels_of",
    "shades",
    "text_width_pt",
]

Levels = Literal["area", "log", "linear"] | Sequence[float]
Minima = Sequence[Sequence[float]] | Mapping[str, Sequence[float]]

_COUNT = 16
_AREA_POWER = 1.6  # shades take less of the picture towards the minimum, where paths end
_LOG_DECADES = 5
_LEAST_CONTRAST = 2.4  # of a run's colour with the deepest shade; its halo gives the rest
_STEPS_OF_CMAP = 101
_LABEL_PT = 10.5
_REACHES = (0.6, 2.0)  # from a mark to its label, in heights of the label
_TRACE = 0.01  # of the axes' width or height: how close points along a path are
_AROUND = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])


def levels_of(heights: NDArray[Any], levels: Levels = "area") -> NDArray[np.float64]:
    """Return the heights at which contours are drawn, rising.

    "area" gives each shade a fixed share of the picture, smaller towards the minimum: a narrow
    valley shows beside walls of any height. "log" puts them at ratios above the lowest height,
    "linear" at equal distances. Raises InputError for anything else.
    """
    finite = np.asarray(heights, dtype=np.float64)[np.isfinite(heights)]
    if not finite.size:
        raise InputError("no height in the picture is finite; choose another x_range, y_range")
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
) -> None:
    """Mark points with a star and a label in ink, each label where it meets the fewest paths.

    minima: points, all called `label`, or a mapping from labels to points; "" is not written.
    paths: (n, 2) each, the lines that labels keep away from. The axes' limits are set already.
    """
    named = list(minima.items()) if isinstance(minima, Mapping) else [(label, p) for p in minima]
    if not named:
        return
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
    taken = [_in_axes(ax, points), *(_traced(_in_axes(ax, path)) for path in paths)]
    for (text, _), place in zip(named, _in_axes(ax, points), strict=True):
        if not text:
            continue
        size = _label_size(ax, text)
        spot, near = _free_spot(place, np.concatenate(taken), size)
        halo = [withStroke(linewidth=3, foreground=paper)]
        leader = {"arrowstyle": "-", "color": ink, "shrinkB": 8, "path_effects": halo}
        ax.annotate(
            text,
            place,
            xytext=(spot[0], spot[1]),
            xycoords="axes fraction",
            textcoords="axes fraction",
            ha="center",
            va="center",
            fontsize=_LABEL_PT,
            color=ink,
            path_effects=halo,
            arrowprops=None if near else leader,
            zorder=2.2,
            annotation_clip=True,
        )
        corners = spot + size * np.array([(x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
        taken.append(_traced(corners))


def _in_axes(ax: Axes, points: NDArray[Any]) -> NDArray[np.float64]:
    """Points as parts of the axes' width and height."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    span = np.array([right - left, top - bottom])
    return np.asarray((np.asarray(points, dtype=float) - [left, bottom]) / span)


def _traced(path: NDArray[Any]) -> NDArray[np.float64]:
    """Points close to each other along a path, of which the ends alone are given."""
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
    return float(TextPath((0, 0), text, size=size_pt).get_extents().width) if text else 0.0


def _label_size(ax: Axes, text: str) -> NDArray[np.float64]:
    """How wide and high a label is, as parts of the axes before they are laid out."""
    axes_pt = 72.0 * np.asarray(ax.bbox.size) / ax.figure.dpi
    return np.asarray([text_width_pt(text, _LABEL_PT) + 4.0, 1.3 * _LABEL_PT] / axes_pt)


def _free_spot(
    place: NDArray[Any], taken: NDArray[Any], size: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """The middle of a label that covers the fewest points, and whether it is beside its mark."""
    half, line = size / 2, size[1]

    def cost(spot: NDArray[np.float64]) -> float:
        outside = (np.abs(spot - 0.5) > 0.5 - half).any()
        with np.errstate(invalid="ignore"):
            covered = (np.abs(taken - spot) < half + line / 4).all(axis=1).sum()
        return float(covered + 1e6 * outside)

    spots = [
        (place + side * (reach * line + half), reach == _REACHES[0])
        for reach in _REACHES
        for side in _AROUND
    ]
    return min(spots, key=lambda spot: cost(spot[0]))
