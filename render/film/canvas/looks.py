"""Looks: how an artist looks but for its shape and place, kept to tell whether it still does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

State = tuple[Any, ...]


class Look:
    """How an artist looked at one moment.

    attributes: gives, from its table, the values that are replaced when they change. changeable:
    gives copies of what can be written in place.
    """

    def __init__(
        self,
        artist: Any,
        attributes: Callable[[dict[str, Any]], State],
        changeable: Callable[[Any], State],
    ) -> None:
        self._attributes, self._changeable = attributes, changeable
        self._was = attributes(vars(artist)), changeable(artist)

    def is_of(self, artist: Any) -> bool:
        """Whether an artist looks so."""
        attributes, changeable = self._was
        try:
            return bool(
                self._attributes(vars(artist)) == attributes
                and self._changeable(artist) == changeable
            )
        except ValueError:  # an array, such as a colour, where there was none
            return False


def clip_of(artist: Any) -> bytes | None:
    """Return a copy of the rectangle to which an artist is clipped."""
    box = artist.clipbox
    return None if box is None else box.get_points().tobytes()


def dashes_of(artist: Any) -> State:
    """Return a copy of a line's or an outline's dashes."""
    offset, dashes = artist._dash_pattern
    return offset, None if dashes is None else tuple(dashes)
