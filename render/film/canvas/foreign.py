"""Whose code draws an artist: matplotlib's and ours is known, others' may change anything."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.artist import Artist

from render.film.canvas.trust import homes_of

_KNOWN_DRAWS = ("matplotlib.", "mpl_toolkits.", "render.film.")


def is_foreign(artist: Artist) -> bool:
    """Whether code from outside draws this artist: it may change anything meanwhile."""
    return "draw" in vars(artist) or not _is_known(type(artist).draw)


@lru_cache(maxsize=1024)
def _is_known(draw: Any) -> bool:
    """Whether only matplotlib's code and ours runs in a drawing function."""
    homes = homes_of(draw)  # without a name where `exec` made it
    return all((home or "").startswith(_KNOWN_DRAWS) for home in homes)
