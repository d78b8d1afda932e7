"""Texts as one command each, of glyphs rendered once: a counter needs the same ten bitmaps always.

A glyph's bitmap depends on the font, its size, the transform, and where in a pixel it starts; by
whole pixels it only moves. matplotlib renders it anew each time, which is most of the cost of a
changing text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import cos, radians, sin
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np

from render.film.canvas.boxes import EMPTY, Box, common, hull_of
from render.film.canvas.commands import Command, same, unlike

KNOWN = mpl.__version_info__[:2] == (3, 11)  # the matplotlib whose steps we take
_ROUNDING_PX = 2
_SUBPIXELS = 64  # FreeType's positions are in 26.6 fixed point
_MOST_GLYPHS = 1024
_MOST_STYLES = 16


class Glyph(NamedTuple):
    """A bitmap, where its bottom left corner goes (y points down), and the pixels it touches."""

    bitmap: np.ndarray
    x: int
    y: int
    box: Box


class TextCommand(Command):
    """The glyphs of one text."""

    __slots__ = ("_glyphs",)

    def __init__(self, gc: Any, glyphs: list[Glyph], clip: Box) -> None:
        super().__init__("draw_text_image", (gc,), {}, EMPTY, clip)
        self._glyphs = [glyph._replace(box=common(glyph.box, clip)) for glyph in glyphs]
        self.box = hull_of(glyph.box for glyph in self._glyphs)

    def play(self, agg: Any) -> None:
        """Draw the glyphs."""
        draw = agg.draw_text_image
        for bitmap, x, y, _ in self._glyphs:
            draw(bitmap, x, y, 0, self.gc)

    def damage(self, other: Command) -> list[Box]:
        """Return boxes that hold every pixel in which the two may differ, glyph by glyph."""
        if not (isinstance(other, TextCommand) and same(self.gc, other.gc)):
            return [self.box, other.box]
        return [glyph.box for glyph in unlike(self._glyphs, other._glyphs, _same_glyph)]

    @property
    def vertices(self) -> int:
        """How many numbers there are in its bitmaps: a measure of its cost."""
        return sum(glyph.bitmap.size for glyph in self._glyphs)


def _same_glyph(a: Glyph, b: Glyph) -> bool:
    return a.bitmap is b.bitmap and a.x == b.x and a.y == b.y


class Glyphs:
    """Renders and keeps the glyphs of one figure, `height` pixels high."""

    def __init__(self, height: float, dpi: float) -> None:
        self._height = height
        self._dpi = dpi
        self._styles: dict[Any, dict[Any, Any]] = {}

    def place(
        self, x: float, y: float, angle: float, glyphs: Iterable[Any], flags: Any, mode: Any
    ) -> list[Glyph]:
        """Return a text's glyphs at the places where matplotlib's Agg renderer puts them.

        `glyphs` are (font, size, index, slant, extend, dx, dy); `flags` and `mode` are FreeType's.
        The arithmetic is that of `RendererAgg._draw_text_glyphs_and_boxes`, to the last digit.
        """
        turn = cos(radians(angle)), sin(radians(angle))
        c, s = turn
        placed = []
        kept: dict[Any, Any] = {}
        shear = sized = None
        for font, size, index, slant, extend, dx, dy in glyphs:
            if (slant, extend) != shear:
                shear = slant, extend
                matrix = _matrix(turn, shear)
                kept = self._kept((matrix.tobytes(), flags, mode))
            px, start_x = divmod(round(0x40 * (x + dx * c - dy * s)), _SUBPIXELS)
            py, start_y = divmod(round(0x40 * (self._height - y + dx * s + dy * c)), _SUBPIXELS)
            key = font, size, index, start_x, start_y
            if key not in kept:
                if len(kept) >= _MOST_GLYPHS:
                    kept.clear()
                if sized != (font, size):  # a size costs as much as a glyph
                    font.set_size(size, self._dpi)
                    sized = font, size
                font._set_transform(matrix, [start_x, start_y])
                kept[key] = _rendered(font, index, flags, mode)
            bitmap, left, top = kept[key]
            rows, columns = bitmap.shape
            left, bottom = left + px, int(self._height) - (top + py) + rows
            placed.append(Glyph(bitmap, left, bottom, _around(left, bottom, columns, rows)))
        return placed

    def _kept(self, style: Any) -> dict[Any, Any]:
        if style not in self._styles:
            if len(self._styles) >= _MOST_STYLES:
                self._styles.clear()
            self._styles[style] = {}
        return self._styles[style]


@lru_cache(maxsize=64)
def _matrix(turn: tuple[float, float], shear: tuple[float, float]) -> np.ndarray:
    (c, s), (slant, extend) = turn, shear
    turned = 0x10000 * np.array([[c, -s], [s, c]])
    result: np.ndarray = (turned @ [[extend, extend * slant], [0, 1]]).round().astype(int)
    return result


def _rendered(font: Any, index: Any, flags: Any, mode: Any) -> tuple[np.ndarray, int, int]:
    bitmap = font._render_glyph(index, flags, mode)
    buffer = bitmap.buffer
    if mode.name == "MONO":
        buffer *= 0xFF
    return buffer, bitmap.left, bitmap.top


def _around(left: int, bottom: int, columns: int, rows: int) -> Box:
    if not (columns and rows):
        return EMPTY
    return (
        left - _ROUNDING_PX,
        bottom - rows - _ROUNDING_PX,
        left + columns + _ROUNDING_PX,
        bottom + _ROUNDING_PX,
    )
