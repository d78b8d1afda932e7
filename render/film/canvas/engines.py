"""Layout engines: those that compute, and the one that does nothing.

`tight_layout()` leaves an engine behind that only keeps its place. `savefig` goes through a whole
drawing before the real one for any engine, so for this one too; where nothing moved, in vain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine


def computes(figure: Figure) -> bool:
    """Whether a layout engine may move any artist while the figure is drawn."""
    engine = figure.get_layout_engine()
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)


@contextmanager
def engine_set_aside(figure: Figure, *, keep: bool) -> Iterator[bool]:
    """Take a figure's engine from it for a while, unless it is to compute; yield whether one was.

    Not through its setter, which may refuse the engine when it is given back.
    """
    engine = figure.get_layout_engine()
    if keep or engine is None:
        yield False
        return
    figure._layout_engine = None  # type: ignore[attr-defined]
    try:
        yield True
    finally:
        figure._layout_engine = engine  # type: ignore[attr-defined]


def draw_nothing(artist: Artist, renderer: Any) -> None:
    """Go through a drawing for what it does to the artist, without a picture."""
    with renderer._draw_disabled():
        artist.draw(renderer)
