"""Data that is never to be seen: a line, or all that a panel has, outside the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.collections import Collection, LineCollection, QuadMesh
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from matplotlib.path import Path
from matplotlib.spines import Spine
from matplotlib.transforms import Bbox, IdentityTransform

from render.film.legibility.findings import Finding
from render.film.legibility.lines import is_casing, is_line
from render.film.legibility.pictures import FrameView, children, name_of, name_of_axes

__all__ = ["Unseen"]

Place = tuple[object, ...]


@dataclass
class _Panel:
    """An axes: its data that was in the picture, and that was outside in some still."""

    name: str
    seen: set[Place] = field(default_factory=set)
    outside: dict[Place, str] = field(default_factory=dict)
    lines: set[Place] = field(default_factory=set)


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
                if place in panel.seen or not artist.get_visible() or _is_ground(artist):
                    continue
                reach = _Reach.of(artist)
                if reach.meets(_window(view, artist)):
                    panel.seen.add(place)
                elif reach.has_data and not is_casing(view, artist):
                    panel.outside[place] = name_of(artist)
                    if isinstance(artist, Line2D) and is_line(artist):
                        panel.lines.add(place)

    def findings(self) -> Iterator[Finding]:
        """Yield the panels, and the lines of other panels, of which nothing was to be seen."""
        for place, panel in self._panels.items():
            if panel.outside and not panel.seen:
                yield self._found(panel.name, "has all its data outside the picture in", place)
                continue
            for line in panel.lines - panel.seen:
                artist = f"{panel.outside[line]} of {panel.name}"
                yield self._found(artist, "is outside the picture in", line)

    def _found(self, artist: str, rule: str, place: Place) -> Finding:
        return Finding(
            rule=rule,
            frame=self._frames[0],
            artist=artist,
            value=f"each of {len(self._frames)} stills" if len(self._frames) > 1 else "the still",
            bound="choose limits, a scale or settings that show it",
            place=("unseen", *place),
            badness=0.0,
        )


def _is_ground(artist: Artist) -> bool:
    """Whether an artist is part of the axes, not of what it shows."""
    return isinstance(artist, Spine) or artist is getattr(artist.axes, "patch", None)


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
    missed: bool = True  # whether it is data that should be seen

    @classmethod
    def of(cls, artist: Any) -> _Reach:
        """Return where an artist draws; nowhere when it stands for no data."""
        with np.errstate(all="ignore"):
            if isinstance(artist, Line2D):
                path = artist.get_transform().transform_path(artist.get_path())
                return cls(np.asarray(path.vertices), (path,) if is_line(artist) else ())
            if isinstance(artist, Patch):
                path = artist.get_transform().transform_path(artist.get_path())
                missed = isinstance(artist, StepPatch)
                return cls(np.asarray(path.vertices), (path,), True, missed)
            if isinstance(artist, AxesImage):
                box = Path(artist.get_window_extent().corners()[[0, 1, 3, 2]])
                return cls(np.asarray(box.vertices), (box,), True)
            return cls._of_collection(artist) if isinstance(artist, Collection) else cls()

    @classmethod
    def _of_collection(cls, artist: Any) -> _Reach:
        offsets = artist.get_offset_transform()
        if isinstance(artist, QuadMesh):
            corners: Any = artist.get_coordinates()
            points = np.ma.filled(corners.reshape(-1, 2), np.nan)
            return cls(np.asarray(artist.get_transform().transform(points)))
        if not isinstance(offsets, IdentityTransform):
            points = np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan)
            return cls(np.asarray(offsets.transform(points)))
        paths = [artist.get_transform().transform_path(path) for path in artist.get_paths()]
        points = np.concatenate([np.empty((0, 2)), *(path.vertices for path in paths)])
        return cls(points, tuple(paths), not isinstance(artist, LineCollection))

    @property
    def has_data(self) -> bool:
        """Whether there is anything to see; one point that is NaN stands for nothing."""
        return self.missed and (len(self.points) > 1 or bool(np.isfinite(self.points).any()))

    def meets(self, window: Bbox) -> bool:
        """Whether any of it is in a window."""
        with np.errstate(invalid="ignore"):
            inside = (self.points >= window.min) & (self.points <= window.max)
        return bool(inside.all(axis=1).any()) or any(
            np.size(path.vertices) > 2 and path.intersects_bbox(window, filled=self.filled)
            for path in self.outlines
        )
