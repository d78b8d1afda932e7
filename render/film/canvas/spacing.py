"""How far letters stand apart: known from texts that were laid out, a new text needs no layout.

A counter says something new in each frame, with letters that stood side by side before. Laying a
text out takes longer than drawing it. In the fonts that come with matplotlib, a letter's distance
from the one before depends on these two letters alone, wherever they stand, unless scripts mix. Of
other fonts that is not known, and matplotlib lays their texts out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl

__all__ = ["Spacing"]

_MOST_PAIRS = 4096
_SUBPIXELS = 64  # of these, distances are whole numbers: then sums of them have no rounding error
_is_of_one_script = re.compile("[^\u0391-\u03c9]*").fullmatch  # no Greek: Latin alone
_units = re.compile("f[fijl]+|.", re.DOTALL).findall  # letters; what may be a ligature, as a whole
_Glyphs = list[tuple[str, int]]
"""Of each glyph, its letter, or letters, and its index in the font."""


class Spacing:
    """The letters of one font at one size: the glyph of each, and the distances between them."""

    def __init__(self, font: Any) -> None:
        self._font = font
        self._is_known = Path(font.fname).is_relative_to(mpl.get_data_path())
        self._glyphs: dict[str, _Glyphs] = {}  # of each unit
        self._steps: dict[tuple[str, str], float] = {}

    def places(self, text: str) -> list[tuple[Any, int, float, float]] | None:
        """Return each glyph's font, index, x and y, or None if letters did not stand so before."""
        if not _is_of_one_script(text):
            return None
        try:
            glyphs = list(chain.from_iterable([self._glyphs[unit] for unit in _units(text)]))
            steps = [self._steps[one[0], other[0]] for one, other in pairwise(glyphs)]
        except KeyError:
            return None
        xs = accumulate(steps, initial=0.0)
        return [(self._font, index, x, 0.0) for (_, index), x in zip(glyphs, xs, strict=True)]

    def learn(self, text: str, items: Sequence[Any]) -> None:
        """Note how the letters of a text stand, as matplotlib laid it out."""
        if not (
            self._is_known
            and _is_of_one_script(text)
            and all(item.ft_object is self._font and item.y == 0 for item in items)
            and all((item.x * _SUBPIXELS).is_integer() for item in items)
            and items[0].x == 0
        ):
            return
        units = _split([(item.char, item.glyph_index) for item in items], _units(text))
        if units is None:
            return
        if len(self._steps) > _MOST_PAIRS:
            self._steps.clear()
        self._glyphs.update(units)
        for one, other in pairwise(items):
            self._steps[one.char, other.char] = other.x - one.x


def _split(glyphs: _Glyphs, units: Sequence[str]) -> dict[str, _Glyphs] | None:
    """Return the glyphs of each unit, or None where a glyph stands for more than that."""
    found, start = {}, 0
    for unit in units:
        end, letters = start, ""
        while len(letters) < len(unit) and end < len(glyphs):
            letters += glyphs[end][0]
            end += 1
        if letters != unit:
            return None
        found[unit] = glyphs[start:end]
        start = end
    return found if start == len(glyphs) else None
