"""What a drawing leaves behind that the next one reads: a figure settles after some drawings."""

from __future__ import annotations

from typing import Any

from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.inset import InsetIndicator
from matplotlib.quiver import QuiverKey
from matplotlib.table import Table
from matplotlib.text import Annotation

from render.film.canvas.foreign import is_foreign

__all__ = ["leaves_something"]

_READERS = (InsetIndicator, QuiverKey, Table)  # Table: of its own font, made smaller
_ENDS = ("patchA", "patchB")


def leaves_something(artist: Artist) -> bool:
    """Whether this reads what drawing finds: once all is drawn again, it may come out otherwise.

    So do annotations that follow artists drawn later, colour bars drawn before the data, and
    perhaps what others' code draws.
    """
    if isinstance(artist, Annotation):
        return _follows(artist.xycoords) or _follows(artist.anncoords) or _ends_at_another(artist)
    if isinstance(artist, ScalarMappable):
        return artist.get_array() is not None and not artist.norm.scaled()
    return isinstance(artist, _READERS) or is_foreign(artist)


def _follows(coordinates: Any) -> bool:
    """Whether coordinates are those of an artist, or in part."""
    parts = coordinates if isinstance(coordinates, tuple) else (coordinates,)
    return any(isinstance(part, Artist) or callable(part) for part in parts)


def _ends_at_another(annotation: Annotation) -> bool:
    return any((annotation.arrowprops or {}).get(end) is not None for end in _ENDS)
