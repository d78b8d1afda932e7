"""Texts drawn again: where only the place or the words changed, how it looks need not be found.

A label that follows a moving thing says the same in every frame, and a counter says something new
that looks the same. Most of what matplotlib takes to draw them is finding how they look and are
laid out. A template keeps that. While it holds, the commands are recorded that `Text.draw` would
give, to the last bit.
"""

from __future__ import annotations

from math import isfinite
from operator import itemgetter
from typing import Any, Self

from matplotlib.artist import Artist
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Affine2D

from render.film.canvas.commands import Command
from render.film.canvas.glyphs import KNOWN, TextCommand
from render.film.canvas.layouts import Layouts
from render.film.canvas.looks import Look, clip_of
from render.film.canvas.recorder import Recorder

_DRAWS: dict[Any, Any] = {Text: Text.draw, Annotation: Annotation.draw}
_NAMES = {*vars(Annotation("", (0, 0))), "zorder"}
_PLAIN = {
    "_agg_filter": None,
    "_bbox_patch": None,
    "_clippath": None,
    "_features": None,
    "_language": None,
    "_rasterized": False,
    "_transform_rotates_text": False,
    "_usetex": False,
    "_visible": True,
    "_wrap": False,
}
_look_of = itemgetter(
    *_PLAIN,
    "_alpha",
    "_antialiased",
    "_clipon",
    "_color",
    "_horizontalalignment",
    "_linespacing",
    "_multialignment",
    "_rotation",
    "_rotation_mode",
    "_snap",
    "_url",
    "_verticalalignment",
    "clipbox",
)
_Line = tuple[float, float, list[Any]]
"""Where a line starts, from the text's place, in pixels; its glyphs."""


class TextTemplate:
    """What a text looks like, how its words are laid out, and a command that drew some of it."""

    def __init__(self, text: Any, command: Command) -> None:
        self._look = Look(text, _look_of, _state_of)
        self._gc, self._clip = command.gc, command.clip
        self._words = text._text
        self._lines: list[_Line] | None = None  # laid out when first asked for

    @classmethod
    def of(cls, artist: Artist, commands: list[Command]) -> Self | None:
        """Return the template of what was just drawn, or None for anything but a plain text."""
        if type(artist) not in _DRAWS or not commands or not _is_plain(artist):
            return None
        return cls(artist, commands[0])

    def again(self, artist: Artist, recorder: Recorder) -> list[Command] | None:
        """Return what drawing the text gives, or None where the template does not tell."""
        text: Any = artist
        if not self._holds(text):
            return None
        text._renderer = recorder
        if type(artist) is Annotation:
            if not text._check_xy(recorder):
                return []
            _update_position(text, recorder)
        if not (isinstance(text._x, (int, float)) and isinstance(text._y, (int, float))):
            return None  # such as a date, or masked
        x, y = text.get_transform().transform((float(text._x), float(text._y))).tolist()
        if not (isfinite(x) and isfinite(y)):
            return None
        if self._lines is None or self._words != text._text:
            if not _can_be_laid_out(text):
                return None
            self._words = text._text
            self._lines = [
                (*start, recorder.glyphs_of(line, text._fontproperties))
                for line, _, start in text._get_layout(recorder)[1]
            ]
        commands: list[Command] = []
        for right, up, glyphs in self._lines:
            place = right + x, recorder.height - (up + y)
            placed = recorder.place(self._gc, *place, text._rotation, glyphs)
            commands.append(TextCommand(self._gc, placed, self._clip))
        text.stale = False
        return commands

    def _holds(self, text: Any) -> bool:
        """Whether a text looks as it did."""
        return (
            type(text).draw is _DRAWS.get(type(text))
            and vars(text).keys() <= _NAMES
            and self._look.is_of(text)
        )


def _update_position(text: Any, recorder: Recorder) -> None:
    """Do what `Annotation.update_positions` does, in half of its time for points beside data."""
    if (
        text._textcoords == "offset points"
        and text._xycoords == "data"
        and type(text.xy[0]) is type(text.xy[1]) is float
    ):
        x, y = text.axes.transData.transform(text.xy).tolist()
        scale = text.get_figure(root=True).dpi / 72
        text.set_transform(Affine2D([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]]))
    else:
        text.update_positions(recorder)


def _is_plain(text: Any) -> bool:
    """Whether nothing is special about a text, and nothing that its look is made of can change."""
    state = vars(text)
    return (
        KNOWN  # the matplotlib whose `Text.draw` this follows
        and state.keys() <= _NAMES
        and all(state[name] == value for name, value in _PLAIN.items())
        and isinstance(state["_color"], (str, tuple))
        and _can_be_laid_out(text)
        and not _is_adorned(text)
    )


def _can_be_laid_out(text: Any) -> bool:
    """Whether a text is made of plain lines."""
    words = text._text
    return not ("$" in words or "\\" in words) and all(
        line and Layouts.can(line, text) for line in words.split("\n")
    )


def _is_adorned(text: Any) -> bool:
    """Whether there is more to a text than its glyphs."""
    arrow = getattr(text, "arrowprops", None), getattr(text, "arrow_patch", None)
    return bool(text._path_effects) or arrow != (None, None)


def _state_of(text: Any) -> tuple[Any, ...]:
    """Return those parts of a text's look that can be written in place, as copies."""
    return (
        hash(text._fontproperties),  # by which matplotlib compares them
        clip_of(text) if text._clipon else None,
        _is_adorned(text),
    )
