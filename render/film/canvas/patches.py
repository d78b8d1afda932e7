"""Patches drawn again: where only the path or its place changed, the last command is enough.

Bars that grow and outlines that move look the same in every frame. A template keeps how a patch
looked and the command that drew it. While it looks the same, the command is recorded that
`Patch.draw` would give, to the last bit.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Self

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.patches import Patch

from render.film.canvas.commands import Command
from render.film.canvas.glyphs import KNOWN
from render.film.canvas.looks import Look, clip_of, dashes_of
from render.film.canvas.recorder import Recorder

_DRAWS: Any = (Patch.draw, Patch._draw_paths_with_artist_properties)  # type: ignore[attr-defined]
_METHODS = {name for name in dir(Patch) if callable(getattr(Patch, name))}
_PLAIN = {
    "_agg_filter": None,
    "_clippath": None,
    "_gapcolor": None,
    "_hatch": None,
    "_rasterized": False,
    "_sketch": None,
    "_visible": True,
}
_look_of = itemgetter(
    *_PLAIN,
    "_alpha",
    "_antialiased",
    "_capstyle",
    "_clipon",
    "_edgecolor",
    "_facecolor",
    "_joinstyle",
    "_linestyle",
    "_linewidth",
    "_snap",
    "_url",
    "clipbox",
)


class PatchTemplate:
    """What a patch looks like, and the command that drew it."""

    def __init__(self, patch: Any, command: Command) -> None:
        self._look = Look(patch, _look_of, _state_of)
        self._command = command

    @classmethod
    def of(cls, artist: Artist, commands: list[Command]) -> Self | None:
        """Return the template of what was just drawn, or None for anything but a plain patch."""
        if not isinstance(artist, Patch) or len(commands) != 1 or not _is_plain(artist):
            return None
        return cls(artist, commands[0])

    def again(self, artist: Artist, recorder: Recorder) -> list[Command] | None:
        """Return what drawing the patch gives, or None where the template does not tell."""
        patch: Any = artist
        if not self._holds(patch):
            return None
        path, transform = patch.get_path(), patch.get_transform()
        flat = transform.transform_path_non_affine(path)
        commands = list(recorder.tape.again([self._command], flat, transform.get_affine()))
        patch.stale = False
        return commands

    def _holds(self, patch: Any) -> bool:
        """Whether a patch looks as it did."""
        return (
            _is_drawn_plainly(patch)
            and self._look.is_of(patch)
            and mpl.rcParams["agg.path.chunksize"] == 0
        )


def _is_plain(patch: Any) -> bool:
    """Whether nothing is special about a patch, and nothing that its look is made of can change."""
    state = vars(patch)
    return (
        KNOWN  # the matplotlib whose `Patch.draw` this follows
        and _is_drawn_plainly(patch)
        and all(state[name] == value for name, value in _PLAIN.items())
        and type(state["_facecolor"]) is type(state["_edgecolor"]) is tuple
    )


def _is_drawn_plainly(patch: Any) -> bool:
    """Whether matplotlib's own drawing draws it, and that alone."""
    kind = type(patch)
    return (
        kind.__module__ == Patch.__module__
        and (kind.draw, kind._draw_paths_with_artist_properties) == _DRAWS
        and vars(patch).keys().isdisjoint(_METHODS)
        and not patch._path_effects
    )


def _state_of(patch: Any) -> tuple[Any, ...]:
    """Return those parts of a patch's look that can be written in place, as copies."""
    return *dashes_of(patch), clip_of(patch)
