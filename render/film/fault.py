"""Whose fault it is that a figure cannot be drawn: which panel, which of its texts or artists."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.text import Text

from render.errors import RenderError
from render.scene import blame

__all__ = ["Origin", "blame_artists", "is_never_run", "origin"]

Origin = tuple[str, int | None]
"""The file and the line where a function begins."""


def origin(function: Callable[..., Any]) -> Origin:
    """Return where a function, or a callable object's class, is written."""
    while isinstance(function, partial):
        function = function.func
    code = getattr(function, "__code__", None)
    code = code or getattr(type(function).__call__, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", None)


def is_never_run(function: Any) -> bool:
    """Whether a call gives but a generator or a coroutine, and runs nothing of the function."""
    called = [function, vars(type(function)).get("__call__")]
    kinds = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(kind(each) for kind in kinds for each in called)


@contextmanager
def blame_artists(owners: Mapping[Axes, tuple[str, Origin]]) -> Iterator[None]:
    """Turn an artist's failure into one line that names its panel, what is drawn, and the script.

    `owners`: the name and the origin of the panel that an axes belongs to. What fails outside of
    any artist is left as it is.
    """
    try:
        yield
    except RenderError:
        raise
    except Exception as error:
        artists = _artists(error)
        if not artists:
            raise
        name, place = _owner(artists, owners)
        with blame(f"{name}drawing {_described(artists)}", *place):
            raise


def _artists(error: Exception) -> list[Artist]:
    """The artists whose methods were running, the innermost last."""
    owners = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
    return [owner for owner in owners if isinstance(owner, Artist)]


def _owner(artists: list[Artist], owners: Mapping[Axes, tuple[str, Origin]]) -> tuple[str, Origin]:
    """The panel that drew the innermost artist which is in an axes; none for the film's own."""
    for artist in reversed(artists):
        axes = artist if isinstance(artist, Axes) else getattr(artist, "axes", None)
        if isinstance(axes, Axes) and axes in owners:
            name, place = owners[axes]
            return f"panel {name}, ", place
    return "", ("", None)


def _described(artists: list[Artist]) -> str:
    texts = [artist.get_text() for artist in artists if isinstance(artist, Text)]
    return f"the text {texts[-1]!r}" if texts else f"its {type(artists[-1]).__name__}"
