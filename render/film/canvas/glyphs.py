"""Glyphs rendered once: a number that counts up needs the same ten bitmaps in every frame.

A glyph's bitmap depends on the font, its size, the transform, and where in a pixel it starts; by
whole pixels it only moves. matplotlib renders it anew each time, which is most of the cost of a
changing text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Glyphs"]

_SUBPIXELS = 64  # FreeType's positions are in 26.6 fixed point
_MOST_GLYPHS = 4096


@dataclass(frozen=True)
class _Bitmap:
    """What matplotlib reads of a rendered glyph."""

    buffer: np.ndarray
    left: int
    top: int


class Glyphs:
    """Keeps the rendered glyphs of one figure."""

    def __init__(self) -> None:
        self._bitmaps: dict[Any, Any] = {}

    def font(self, font: Any) -> _KeptFont:
        """Return a stand-in for a font, for one glyph of a text."""
        return _KeptFont(font, self)

    def render(self, font: Any, size: tuple[Any, ...], matrix: Any, at: Any, args: Any) -> _Bitmap:
        """Return a glyph's bitmap, rendered or kept."""
        (x, start_x), (y, start_y) = (divmod(int(place), _SUBPIXELS) for place in at)
        key = (id(font), size, matrix.tobytes(), start_x, start_y, args)
        if key not in self._bitmaps:
            if len(self._bitmaps) >= _MOST_GLYPHS:
                self._bitmaps.clear()
            font.set_size(*size)
            font._set_transform(matrix, [start_x, start_y])
            # The font is kept too, so that its id stays its own.
            self._bitmaps[key] = (font, font._render_glyph(*args))
        bitmap = self._bitmaps[key][1]
        # matplotlib scales the bitmap of a text without antialiasing in place.
        return _Bitmap(bitmap.buffer.copy(), bitmap.left + x, bitmap.top + y)


class _KeptFont:
    """Takes the calls that matplotlib's Agg renderer makes of a font to render a glyph."""

    def __init__(self, font: Any, glyphs: Glyphs) -> None:
        self._font = font
        self._glyphs = glyphs

    def set_size(self, *size: Any) -> None:
        self._size = size

    def _set_transform(self, matrix: Any, at: Any) -> None:
        self._matrix, self._at = matrix, at

    def _render_glyph(self, *args: Any) -> _Bitmap:
        return self._glyphs.render(self._font, self._size, self._matrix, self._at, args)
