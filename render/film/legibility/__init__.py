"""Legibility: whether a film can be read from the back row, measured on its frames.

`check(film)` returns what it found, nothing when all is well. The rules are the functions of the
modules beside this one: `texts` (size, overlap, cut off, over data, contrast), `lines` (contrast,
runs that stay apart) and `motion` (flashes, axes that jump).
"""

from render.film.legibility.check import check
from render.film.legibility.findings import Finding

__all__ = ["Finding", "check"]
