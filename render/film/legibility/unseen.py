"""Data that is never to be seen: a line, or all that a panel has, outside the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.collections import Collection, LineCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from matplotlib.path import Path
from matplotlib.transforms import Bbox, IdentityTransform

from render.film.legibility.findings import Finding
from render.film.legibility.lines import is_casing, is_line
from render.film.legibility.pictures import FrameView, children, name_of, name_of_axes

__all__ = ["Unseen"]

Place = tuple[object, ...]


@dataclass
class _Panel:
    """An axes: what of it was in the picture, and what data, and lines, were outside.

    colours: of lines in the picture. A run may be drawn in two parts, of which one stays empty.
    """

    name: str
    seen: set[Place] = field(default_factory=set)
    outside: set[Place] = field(default_factory=set)
    lines: dict[Place, tuple[str, str]] = field(default_factory=dict)
    colours: set[str] = field(default_factory=set)


class Unseen:
    """Watches stills for data of which nothing is in the picture in any of them.

    What has no data yet, such as a line that grows from nothing, is not missed.
    """

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._panels: dict[Place, _Panel] = {}

    def add(self, view: FrameView) -> None:
        """Take a still."""
        self._frames.append(view.frame)
        for axes in view.figure.axes:
            panel = self._panels.setdefault(view.place(axes), _Panel(name_of_axes(axes)))
            for artist in children(axes) if axes.get_visible() else ():
                place = view.place(artist)
                if place in panel.seen or not artist.get_visible():
                    continue
                reach = _Reach.of(artist)
                if reach.meets(_window(view, artist)):
                    panel.seen.add(place)
                    panel.colours.add(_colour(artist))
                elif reach.has_data and not is_casing(view, artist):
                    panel.outside.add(place)
                    if isinstance(artist, Line2D) and is_line(artist):
                        panel.lines[place] = name_of(artist), _colour(artist)

    def findings(self) -> Iterator[Finding]:
        """Yield the panels, and the lines of other panels, of which nothing was to be seen."""
        for place, panel in self._panels.items():
            if panel.outside and not panel.seen:
                yield self._found(panel.name, "shows its data in", place)
                continue
            for line, (name, colour) in panel.lines.items():
                if line not in panel.seen and colour not in panel.colours:
                    yield self._found(f"{name} of {panel.name}", "is seen in", line)

    def _found(self, artist: str, rule: str, place: Place) -> Finding:
        return Finding(
            rule=rule,
            frame=self._frames[0],
            artist=artist,
            value=f"none of {len(self._frames)} stills",
            bound="choose limits, a scale or settings that show it",
            place=("unseen", *place),
            badness=0.0,
        )


def _colour(artist: Artist) -> str:
    """Return the colour of a line, or of an outline that is not filled; "" for anything else."""
    if isinstance(artist, Line2D) and is_line(artist):
        return to_hex(artist.get_color())
    if isinstance(artist, Patch) and not artist.get_fill():
        return to_hex(artist.get_edgecolor())
    return ""


def _window(view: FrameView, artist: Artist) -> Bbox:
    """Where an artist can be seen, in pixels."""
    clip: Any = artist.get_clip_box() if artist.get_clip_on() else None
    return Bbox((view.figure.bbox if clip is None else clip).get_points())


@dataclass(frozen=True)
class _Reach:
    """Where an artist draws, in pixels: at points, and along or within outlines."""

    points: npt.NDArray[Any] = field(default_factory=lambda: np.empty((0, 2)))
    outlines: tuple[Path, ...] = ()
    filled: bool = False
    has_data: bool = False

    @classmethod
    def of(cls, artist: Any) -> _Reach:
        """Return where an artist draws; nowhere when it stands for no data."""
        with np.errstate(all="ignore"):
            if isinstance(artist, Line2D):
                return cls._of_line(artist)
            if isinstance(artist, Patch):
                path = artist.get_transform().transform_path(artist.get_path())
                has_data = isinstance(artist, StepPatch) and np.size(path.vertices) > 0
                return cls(np.asarray(path.vertices), (path,), True, has_data)
            if isinstance(artist, AxesImage):
                box = Path(artist.get_window_extent().corners()[[0, 1, 3, 2]])
                return cls(np.asarray(box.vertices), (box,), True, True)
            return cls._of_collection(artist) if isinstance(artist, Collection) else cls()

    @classmethod
    def _of_line(cls, line: Line2D) -> _Reach:
        """Of a line without markers, one point draws nothing, nor does one among NaN."""
        path = line.get_transform().transform_path(line.get_path())
        points = np.asarray(path.vertices)
        if line.get_marker() in ("None", "none", " ", "", None):
            return cls(outlines=(path,), has_data=len(points) > 1)
        return cls(points, (path,) if is_line(line) else (), has_data=_any_data(points))

    @classmethod
    def _of_collection(cls, artist: Any) -> _Reach:
        offsets = artist.get_offset_transform()
        if isinstance(artist, QuadMesh):
            corners: Any = artist.get_coordinates()
            points = np.ma.filled(corners.reshape(-1, 2), np.nan)
            return cls(np.asarray(artist.get_transform().transform(points)), has_data=True)
        if not isinstance(offsets, IdentityTransform):
            points = np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan)
            return cls(np.asarray(offsets.transform(points)), has_data=_any_data(points))
        if artist.get_paths() is None:  # of triangles in smooth shades: taken to be seen
            return cls(np.array([artist.axes.bbox.get_points().mean(axis=0)]))
        paths = [artist.get_transform().transform_path(path) for path in artist.get_paths()]
        points = np.concatenate([np.empty((0, 2)), *(path.vertices for path in paths)])
        filled = not isinstance(artist, LineCollection)
        return cls(points, tuple(paths), filled, _any_data(points))

    def meets(self, window: Bbox) -> bool:
        """Whether any of it is in a window."""
        with np.errstate(invalid="ignore"):
            inside = (self.points >= window.min) & (self.points <= window.max)
        return bool(inside.all(axis=1).any()) or any(
            _without_nan(np.asarray(part), self.filled).intersects_bbox(window, self.filled)
            for path in self.outlines
            for part in path.to_polygons(closed_only=False)
        )


def _without_nan(points: npt.NDArray[Any], filled: bool) -> Path:
    """Return the outline, or the stretches of a line, between points that are numbers."""
    finite = np.isfinite(points).all(axis=1)
    if filled:
        return Path(points[finite])
    drawn = finite[:-1] & finite[1:]
    ends = np.stack([points[:-1][drawn], points[1:][drawn]], axis=1)
    return Path(ends.reshape(-1, 2), np.tile([Path.MOVETO, Path.LINETO], len(ends)))


def _any_data(points: npt.NDArray[Any]) -> bool:
    """Whether points stand for data; one that is NaN stands for nothing."""
    return len(points) > 1 or bool(np.isfinite(points).any())
