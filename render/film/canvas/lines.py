"""Lines drawn again: where only the data changed, the last commands with another path are enough.

Most of a film's moving artists are lines, and matplotlib takes three times as long to draw one as
its new points ask for. A template keeps what a line looked like, and its commands. While it looks
the same, those are recorded that `Line2D.draw` would give, to the last bit.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Self

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.patheffects import Normal, Stroke, withStroke

from render.film.canvas.commands import Command
from render.film.canvas.glyphs import KNOWN
from render.film.canvas.looks import Look, clip_of, dashes_of
from render.film.canvas.recorder import Recorder

_DRAW: Any = Line2D.draw
_NAMES = {*vars(Line2D([], [])), "_x_filled", "zorder"}
_COLORS = ("_color", "_markeredgecolor", "_markerfacecolor", "_markerfacecoloralt")
_PLAIN = {
    "_agg_filter": None,
    "_clippath": None,
    "_drawstyle": "default",
    "_gapcolor": None,
    "_markevery": None,
    "_rasterized": False,
    "_sketch": None,
    "_visible": True,
}
_NUMBERS = "fiu"  # kinds of dtype
_STROKES = {withStroke: 2, Stroke: 1, Normal: 1}  # of each path effect that is known here
_look_of = itemgetter(
    *_PLAIN,
    *_COLORS,
    "_alpha",
    "_antialiased",
    "_clipon",
    "_dashcapstyle",
    "_dashjoinstyle",
    "_linestyle",
    "_linewidth",
    "_marker",
    "_markeredgewidth",
    "_markersize",
    "_snap",
    "_solidcapstyle",
    "_solidjoinstyle",
    "_url",
    "clipbox",
)


class LineTemplate:
    """What a line looks like, and the commands that drew it: its strokes, its markers, or both."""

    def __init__(self, line: Any, strokes: list[Command], markers: list[Command]) -> None:
        self._look = Look(line, _look_of, _state_of)
        self._strokes = strokes
        self._markers = markers

    @classmethod
    def of(cls, artist: Artist, commands: list[Command]) -> Self | None:
        """Return the template of what was just drawn, or None for anything but a plain line."""
        if type(artist) is not Line2D or not _is_plain(artist):
            return None
        strokes = [command for command in commands if command.name == "draw_path"]
        markers = [command for command in commands if command.name == "draw_markers"]
        effects = artist.get_path_effects() or [Normal()]
        known = sum(_STROKES[type(effect)] for effect in effects)
        if (
            len(strokes) not in (0, known)
            or len(markers) > 1
            or len(strokes + markers) < len(commands)
        ):
            return None  # such as a marker's second half
        return cls(artist, strokes, markers)

    def again(self, artist: Artist, recorder: Recorder) -> list[Command] | None:
        """Return what drawing the line gives, or None where the template does not tell."""
        line: Any = artist
        tape = recorder.tape
        if not self._holds(line):
            return None
        if line._invalidx or line._invalidy:
            _recache(line)
        if line._subslice:
            return None
        line.ind_offset = 0
        commands: list[Command] = []
        if line._lineStyles[line._linestyle] != "_draw_nothing":
            path, transform = _where(line, "get_transformed_path_and_affine")
            if len(path.vertices):
                if not self._strokes:
                    return None
                commands += tape.again(self._strokes, path, transform)
        if line._marker and line._markersize > 0:
            path, transform = _where(line, "get_transformed_points_and_affine")
            if len(path.vertices):
                if not self._markers:
                    return None
                commands += tape.again(self._markers, path, transform)
        line.stale = False
        return commands

    def _holds(self, line: Any) -> bool:
        """Whether a line looks as it did."""
        return (
            type(line) is Line2D
            and Line2D.draw is _DRAW
            and vars(line).keys() <= _NAMES
            and self._look.is_of(line)
            and mpl.rcParams["agg.path.chunksize"] == 0
        )


def _is_plain(line: Any) -> bool:
    """Whether nothing is special about a line, and nothing that its look is made of can change."""
    state = vars(line)
    return (
        KNOWN  # the matplotlib whose `Line2D.draw` this follows
        and state.keys() <= _NAMES
        and all(state[name] == value for name, value in _PLAIN.items())
        and all(map(_is_halo, line._path_effects or ()))
        and not (line._path_effects and line._marker and line._markersize > 0)
        and all(isinstance(state[name], (str, tuple, type(None))) for name in _COLORS)
        and type(line._marker) is MarkerStyle
        and not line._subslice
    )


def _is_halo(effect: Any) -> bool:
    """Whether a path effect strokes the very path, in a way that is known."""
    if type(effect) not in _STROKES:
        return False
    offset, *looks = _changeable(effect)
    return offset == (0, 0) and all(isinstance(look, (str, float, int)) for _, look in looks)


def _changeable(effect: Any) -> tuple[Any, ...]:
    """Return a copy of what of a path effect can be written in place: its offset, its looks."""
    return tuple(effect._offset), *getattr(effect, "_gc", {}).items()


def _where(line: Any, method: str) -> tuple[Any, Any]:
    """Return a line's path and the affine transform that places it, from a method of its own.

    Without another transform in between, the path is the line's: no need to keep a second one.
    """
    transform = line.get_transform()
    if line._transformed_path is None and transform.is_affine:
        return line._path, transform.get_affine()
    return getattr(line._get_transformed_path(), method)()  # type: ignore[no-any-return]


def _recache(line: Any) -> None:
    """Do what `Line2D.recache` does, in a third of its time for short arrays of numbers."""
    x, y = line._xorig, line._yorig
    if not (
        line._invalidx
        and line._invalidy
        and type(x) is type(y) is np.ndarray
        and x.dtype.kind in _NUMBERS
        and y.dtype.kind in _NUMBERS
        and x.ndim == 1
        and x.shape == y.shape
        and len(x) <= line._subslice_optim_min_size
    ):
        line.recache()
        return
    line._xy = np.empty((len(x), 2))
    line._x, line._y = line._xy.T
    line._x[:], line._y[:] = x, y
    line._subslice = False
    line._path = Path(line._xy, _interpolation_steps=line._path._interpolation_steps)
    line._transformed_path = None
    line._invalidx = line._invalidy = False


def _state_of(line: Any) -> tuple[Any, ...]:
    """Return those parts of a line's look that can be written in place, as copies."""
    marker = line._marker
    path = marker._path
    return (
        [(effect, *_changeable(effect)) for effect in line._path_effects or ()],
        *dashes_of(line),
        clip_of(line),
        id(path),
        path.vertices.tobytes(),
        None if path.codes is None else path.codes.tobytes(),
        id(marker._alt_path),
        marker._transform.get_matrix().tobytes(),
        marker._joinstyle,
        marker._capstyle,
        marker._snap_threshold,
        marker._filled,
    )
