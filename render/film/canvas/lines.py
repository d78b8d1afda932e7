"""Lines drawn again: where only the data changed, the last commands with another path are enough.

Most of a film's moving artists are lines, and matplotlib takes three times as long to draw one as
its new points ask for. A template keeps what a line looked like, and its commands. While it looks
the same, those are recorded that `Line2D.draw` would give, to the last bit.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Self

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle

from render.film.canvas.commands import Command
from render.film.canvas.glyphs import KNOWN
from render.film.canvas.tape import Tape

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
    """What a line looks like, and the commands that drew it: its stroke, its markers, or both."""

    def __init__(self, line: Any, stroke: Command | None, markers: Command | None) -> None:
        self._look = _look_of(vars(line))
        self._state = _state_of(line)
        self._stroke = stroke
        self._markers = markers

    @classmethod
    def of(cls, artist: Artist, commands: list[Command]) -> Self | None:
        """Return the template of what was just drawn, or None for anything but a plain line."""
        if type(artist) is not Line2D or not commands or not _is_plain(artist):
            return None
        by_name = {command.name: command for command in commands}
        if len(by_name) < len(commands):  # such as a marker's second half
            return None
        return cls(artist, by_name.get("draw_path"), by_name.get("draw_markers"))

    def again(self, artist: Artist, tape: Tape) -> list[Command] | None:
        """Return what drawing the line gives, or None where the template does not tell."""
        line: Any = artist
        state = vars(line)
        if (
            type(artist) is not Line2D
            or Line2D.draw is not _DRAW
            or not state.keys() <= _NAMES
            or _look_of(state) != self._look
            or _state_of(line) != self._state
            or mpl.rcParams["agg.path.chunksize"] > 0
        ):
            return None
        if line._invalidx or line._invalidy:
            line.recache()
        if line._subslice:
            return None
        line.ind_offset = 0
        commands = []
        where = line._get_transformed_path()
        if line._lineStyles[line._linestyle] != "_draw_nothing":
            path, transform = where.get_transformed_path_and_affine()
            if len(path.vertices):
                if self._stroke is None:
                    return None
                commands.append(tape.again(self._stroke, path, transform))
        if line._marker and line._markersize > 0:
            path, transform = where.get_transformed_points_and_affine()
            if len(path.vertices):
                if self._markers is None:
                    return None
                commands.append(tape.again(self._markers, path, transform))
        line.stale = False
        return commands


def _is_plain(line: Any) -> bool:
    """Whether nothing is special about a line, and nothing that its look is made of can change."""
    state = vars(line)
    return (
        KNOWN  # the matplotlib whose `Line2D.draw` this follows
        and state.keys() <= _NAMES
        and all(state[name] == value for name, value in _PLAIN.items())
        and not line._path_effects
        and all(isinstance(state[name], (str, tuple, type(None))) for name in _COLORS)
        and type(line._marker) is MarkerStyle
        and not line._subslice
    )


def _state_of(line: Any) -> tuple[Any, ...]:
    """Return those parts of a line's look that can be written in place, as copies."""
    offset, dashes = line._dash_pattern
    box = line.clipbox
    marker = line._marker
    path = marker._path
    return (
        tuple(line._path_effects or ()),
        offset,
        None if dashes is None else tuple(dashes),
        None if box is None else box.get_points().tobytes(),
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
