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
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.path import Path

from render.film.colours import VISIONS, contrast, difference, over
from render.film.insets import every_axes
from render.film.legibility.findings import Finding, told_apart
from render.film.legibility.pictures import FrameView, name_of, name_of_axes
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
        if is_casing(view, artist):
            continue
        halo = halo_of(artist.get_path_effects()) or _casing(view, artist)
        poorest = min(
            (_poorest(view, artist, *stroke, halo) for stroke in _strokes(artist)), default=np.inf
        )
        if poorest < _LEAST_CONTRAST:
            name = f"{name_of(artist)} of {name_of_axes(artist.axes)}"
            yield _faint(view, name, poorest, ("faint line", *view.place(artist)))


def _strokes(artist: Any) -> Iterator[tuple[Any, Sequence[Path]]]:
    """Yield each colour that an artist draws lines in, and these, in pixels."""
    transform = artist.get_transform()
    if isinstance(artist, Line2D) and is_line(artist):
        paths = [transform.transform_path(artist.get_path())]
        yield to_rgba(artist.get_color(), artist.get_alpha()), paths
    elif isinstance(artist, StepPatch) and not artist.get_fill() and artist.get_linewidth() > 0:
        yield to_rgba(artist.get_edgecolor()), [transform.transform_path(artist.get_path())]
    elif isinstance(artist, LineCollection) and len(artist.get_colors()):
        colours = to_rgba_array(artist.get_colors())
        paths = [transform.transform_path(path) for path in artist.get_paths()]
        different, number = np.unique(colours, axis=0, return_inverse=True)
        for at, colour in enumerate(different):
            own = [path for n, path in enumerate(paths) if number[n % len(colours)] == at]
            if own:
                yield colour, own


def _poorest(
    view: FrameView, artist: Artist, colour: Any, paths: Sequence[Path], halo: Any
) -> float:
    """Return the contrast of lines with what is behind them, but for the poorest spots."""
    behind = _behind(view, artist, paths)
    if not behind.size:
        return np.inf
    backgrounds = behind if halo is None else over(halo, behind)
    spot = _POOR_SPOT * view.background.shape[0] / len(behind)
    ratios = contrast(over(colour, backgrounds), backgrounds)
    return float(np.quantile(ratios, min(max(_POOR_SHARE, spot), 1.0)))


def check_spines(view: FrameView) -> Iterator[Finding]:
    """Yield the axes whose spines, where there are any, are fainter than 3 to 1.

    One in the very colour of the paper is meant to be none.
    """
    paper = over(to_rgba(view.figure.get_facecolor()), np.ones(3))
    for number, axes in enumerate(every_axes(view.figure)):
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
    for labelled in _labelled(view.figure):
        styles = [(label, _style(artist)) for label, artist in labelled]
        for kind in ("lines", "points"):
            own = {
                (label, style.colour, style.pattern): (label, style)
                for label, style in styles
                if style is not None and style.kind == kind
            }
            yield from _alike(kind, list(own.values()), view.frame)


def _labelled(figure: Figure) -> Iterator[list[tuple[str, Any]]]:
    """Yield, for each place where runs are seen together, their labels and who is drawn for them.

    A place is a legend of the figure, or an axes with those that lie on it.
    """
    for legend in figure.legends:
        yield list(_entries(legend))
    axes = [axes for axes in every_axes(figure) if axes.get_visible()]
    boxes = [each.get_window_extent() for each in axes]
    for at, box in enumerate(boxes):
        together = [each for each, other in zip(axes, boxes, strict=True) if box.overlaps(other)]
        if together[0] is axes[at]:
            yield [entry for each in together for entry in _drawn(each)]


def _entries(legend: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a legend says, and the sample beside it."""
    handles = legend.legend_handles
    for handle, text in zip(handles, legend.get_texts(), strict=False):
        yield text.get_text(), handle


def _drawn(axes: Axes) -> Iterator[tuple[str, Any]]:
    """Yield the labels of what an axes draws, and those that its legend gives."""
    artists: list[Any] = [*axes.get_lines(), *axes.collections]
    bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
    named = [(each, each) for each in artists] + [(each, each.lines[0]) for each in bars]
    for holder, artist in named:
        label = str(holder.get_label() or "")
        if artist is not None and artist.get_visible() and label and not label.startswith("_"):
            yield label, artist
    if axes.get_legend() is not None:
        yield from _entries(axes.get_legend())


@dataclass(frozen=True)
class _Style:
    """What tells one run from another, and the word for its pattern.

    kind: "lines", or "points" that nothing joins.
    """

    kind: str
    colour: tuple[float, ...]
    pattern: tuple[Any, ...]
    name: str


def _style(artist: Any) -> _Style | None:
    """Return how a line, or points of one colour, look; None for anything else."""
    if isinstance(artist, Line2D) and is_line(artist):
        colour = to_rgba(artist.get_color())[:3]
        return _Style("lines", colour, _pattern(artist), str(artist.get_linestyle()))
    if isinstance(artist, Line2D) and _marker(artist):
        colour = to_rgba(artist.get_markerfacecolor())[:3]
        return _Style("points", colour, (_marker(artist),), "the same shape")
    if isinstance(artist, PathCollection):
        colours = np.unique(to_rgba_array(artist.get_facecolor()), axis=0)
        if len(colours) == 1:
            shapes = tuple(np.asarray(path.vertices).tobytes() for path in artist.get_paths())
            return _Style("points", tuple(colours[0, :3]), shapes, "the same shape")
    return None


def _alike(kind: str, styles: list[tuple[str, _Style]], frame: int) -> Iterator[Finding]:
    for (one, first), (other, second) in itertools.combinations(styles, 2):
        if one == other:
            continue
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
    return (_marker(line), tuple(dashes[1] or ()))


def _marker(line: Line2D) -> str:
    """Return a line's marker, "" for none."""
    marker = str(line.get_marker())
    return "" if marker in ("None", "none", " ") else marker
