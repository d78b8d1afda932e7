"""Lines: of good contrast; those of different runs stay apart, in colour and in dash."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from render.film.colours import VISIONS, contrast, difference, over
from render.film.legibility.findings import Finding, told_apart
from render.film.legibility.pictures import FrameView, name_of
from render.film.legibility.texts import halo_of

__all__ = ["check_lines", "check_runs", "check_spines", "is_casing", "is_line"]

_LEAST_CONTRAST = 3.0
_POOR_SHARE = 0.1  # of a line's length, the poorest that is let pass
_POOR_SPOT = 0.01  # of the picture's height, let pass too: a tick that it begins on
_LEAST_DIFFERENCE = 10.0  # Delta E: four times what is just noticeable
_MOST_SAMPLES = 4000


def check_lines(view: FrameView) -> Iterator[Finding]:
    """Yield the lines of a frame whose contrast with what is behind them is below 3 to 1."""
    for artist in view.data:
        if isinstance(artist, Line2D) and is_line(artist):
            path = artist.get_transform().transform_path(artist.get_path())
            paths, colours = [path], [to_rgba(artist.get_color(), artist.get_alpha())]
        elif isinstance(artist, LineCollection):
            transform = artist.get_transform()
            paths = [transform.transform_path(path) for path in artist.get_paths()]
            colours = list(to_rgba_array(artist.get_colors()))
        else:
            continue
        if is_casing(view, artist):
            continue
        behind = _behind(view, artist, paths)
        if not behind.size or not colours:
            continue
        halo = halo_of(artist.get_path_effects()) or _casing(view, artist)
        backgrounds = behind if halo is None else over(halo, behind)
        ratios = [contrast(over(colour, backgrounds), backgrounds) for colour in colours]
        spot = _POOR_SPOT * view.background.shape[0] / len(behind)
        let_pass = min(max(_POOR_SHARE, spot), 1.0)
        poorest = min(float(np.quantile(ratio, let_pass)) for ratio in ratios)
        if poorest < _LEAST_CONTRAST:
            yield _faint(view, name_of(artist), poorest, ("faint line", *view.place(artist)))


def check_spines(view: FrameView) -> Iterator[Finding]:
    """Yield the axes whose spines, where there are any, are fainter than 3 to 1.

    One in the very colour of the paper is meant to be none.
    """
    paper = to_rgba(view.figure.get_facecolor())[:3]
    for number, axes in enumerate(view.figure.axes):
        if not (axes.get_visible() and axes.axison):
            continue
        ratios = {
            side: float(contrast(over(to_rgba(spine.get_edgecolor()), paper), paper))
            for side, spine in axes.spines.items()
            if spine.get_visible() and spine.get_linewidth() > 0
        }
        faint = {side: ratio for side, ratio in ratios.items() if 1.01 < ratio < _LEAST_CONTRAST}
        if faint:
            side = min(faint, key=lambda side: faint[side])
            name = f"axes {axes.get_label() or number}, {side} spine"
            yield _faint(view, name, faint[side], ("faint spine", *view.place(axes)))


def _faint(view: FrameView, name: str, ratio: float, place: tuple[object, ...]) -> Finding:
    value, bound = told_apart(ratio, _LEAST_CONTRAST)
    return Finding(
        rule="has a contrast of",
        frame=view.frame,
        artist=name,
        value=f"{value} to 1",
        bound=f"at least {bound} to 1",
        place=place,
        badness=-ratio,
    )


def is_line(line: Line2D) -> bool:
    """Whether a line joins its points; others are markers alone."""
    return line.get_linestyle() not in ("None", "none", " ", "") and line.get_linewidth() > 0


def _casing(view: FrameView, line: Any) -> Any:
    """Return the colour of a wider line that lies under this one as its halo, or None."""
    for other in view.data:
        if _encases(other, line):
            return to_rgba(other.get_color(), other.get_alpha())  # type: ignore[attr-defined]
    return None


def is_casing(view: FrameView, line: Any) -> bool:
    """Whether a line lies under another one as its halo."""
    return any(_encases(line, other) for other in view.data)


def _encases(wide: Any, narrow: Any) -> bool:
    """Whether one line runs under another along all of its length, and is wider."""
    return (
        isinstance(wide, Line2D)
        and isinstance(narrow, Line2D)
        and wide.axes is narrow.axes
        and wide.get_zorder() <= narrow.get_zorder()
        and wide.get_linewidth() > narrow.get_linewidth()
        and np.array_equal(wide.get_xydata(), narrow.get_xydata(), equal_nan=True)
    )


def _behind(view: FrameView, artist: Any, paths: Sequence[Path]) -> npt.NDArray[Any]:
    """Return the colours behind a line, along its length, where it can be seen."""
    points = [_samples(path) for path in paths]
    every = np.concatenate(points) if points else np.empty((0, 2))
    height, width = view.background.shape[:2]
    inside = (every >= 0).all(axis=1) & (every < [width, height]).all(axis=1)
    clip = artist.get_clip_box() if artist.get_clip_on() else None
    if clip is not None:
        inside &= (every >= clip.min).all(axis=1) & (every <= clip.max).all(axis=1)
    every = every[inside]
    every = every[:: max(1, len(every) // _MOST_SAMPLES)]
    columns, rows = np.clip(every.astype(int), 0, [width - 1, height - 1]).T
    return np.asarray(view.background[height - 1 - rows, columns] / 255)


def _samples(path: Path) -> npt.NDArray[Any]:
    """Return points along a path in pixels, one every pixel or so, without far jumps."""
    parts = []
    for outline in path.to_polygons(closed_only=False):
        corners = np.asarray(outline)
        corners = corners[np.isfinite(corners).all(axis=1)]
        corners = np.clip(corners, -1e5, 1e5)
        lengths = np.hypot(*np.diff(corners, axis=0).T) if len(corners) > 1 else np.empty(0)
        if lengths.size:
            way = np.concatenate([[0.0], np.cumsum(lengths)])
            at = np.linspace(0, way[-1], min(_MOST_SAMPLES, int(way[-1]) + 2))
            parts.append(np.column_stack([np.interp(at, way, side) for side in corners.T]))
    return np.concatenate(parts) if parts else np.empty((0, 2))


def check_runs(view: FrameView) -> Iterator[Finding]:
    """Yield pairs of labelled lines, or points, that look alike: to some eyes, or in shape."""
    yield from _alike("lines", _labelled_lines(view.figure), view.frame)
    yield from _alike("points", _labelled_points(view.figure), view.frame)


@dataclass(frozen=True)
class _Style:
    """What tells one run from another, and the word for its pattern."""

    colour: Any
    pattern: tuple[Any, ...]
    name: str


def _labelled_lines(figure: Figure) -> dict[str, _Style]:
    return {
        str(line.get_label()): _Style(
            to_rgba(line.get_color())[:3], _pattern(line), str(line.get_linestyle())
        )
        for axes in figure.axes
        for line in axes.get_lines()
        if is_line(line) and _has_label(line)
    }


def _labelled_points(figure: Figure) -> dict[str, _Style]:
    styles = {}
    for axes in figure.axes:
        for points in axes.collections:
            colours = np.unique(to_rgba_array(points.get_facecolor()), axis=0)
            if isinstance(points, PathCollection) and _has_label(points) and len(colours) == 1:
                shapes = tuple(np.asarray(path.vertices).tobytes() for path in points.get_paths())
                styles[str(points.get_label())] = _Style(colours[0, :3], shapes, "the same shape")
    return styles


def _has_label(artist: Artist) -> bool:
    label = str(artist.get_label() or "")
    return label != "" and not label.startswith("_")


def _alike(kind: str, styles: dict[str, _Style], frame: int) -> Iterator[Finding]:
    for (one, first), (other, second) in itertools.combinations(styles.items(), 2):
        apart, vision = min(
            ((difference(first.colour, second.colour, vision), vision) for vision in VISIONS),
            key=lambda seen: seen[0],
        )
        told = _told(first, second, apart, vision, _way(len(styles)))
        if told is not None:
            rule, value, bound = told
            yield Finding(
                rule=rule,
                frame=frame,
                artist=f"{kind} {one!r} and {other!r}",
                value=value,
                bound=bound,
                place=("alike", kind, one, other),
                badness=-apart,
            )


def _way(count: int) -> str:
    """The way out where some of so many look alike: runs have the styles of the theme."""
    styles = len(matplotlib.rcParams["axes.prop_cycle"])
    if count <= styles:
        return "give each a colour and a dash or marker of its own"
    return f"show at most {styles} runs, or set a longer axes.prop_cycle in a theme of your own"


def _told(
    one: _Style, other: _Style, apart: float, vision: str, way: str
) -> tuple[str, str, str] | None:
    """Return rule, value and bound of two styles that look alike, or None."""
    same = one.pattern == other.pattern
    if apart >= _LEAST_DIFFERENCE:
        return ("have the same dash and marker,", one.name, way) if same else None
    value, least = told_apart(apart, _LEAST_DIFFERENCE)
    rule = f"with {vision}, their colours differ by"
    if same:
        rule = f"have the same dash and marker, and {rule}"
    return rule, f"Delta E {value}", f"at least {least}; {way}"


def _pattern(line: Line2D) -> tuple[Any, ...]:
    dashes = getattr(line, "_unscaled_dash_pattern", (0, None))
    return (str(line.get_marker()), dashes[0], tuple(dashes[1] or ()))
