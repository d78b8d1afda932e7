"""Texts laid out once: matplotlib does it to measure a text and again to draw it.

Only for letters that stand alone: ASCII, Western European, Greek, and the minus sign of axes. There
a text is as wide as its last glyph's place and advance, and as high as its glyphs' outlines reach,
which is what `FT2Font.set_text` finds. Without hinting, advances are no whole pixels and are
rounded in more than one way: such a text is measured by matplotlib, and so is one of more glyphs
than letters.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from matplotlib import ft2font

from render.film.canvas.spacing import Spacing

_MOST_TEXTS = 512
_MOST_GLYPHS = 2048
_SUBPIXELS = 64.0
_IS_SIMPLE = re.compile("[ -~¡-¬®-ÿΑ-ΡΣ-Ωα-ω\N{EN DASH}…\N{MINUS SIGN}]+").fullmatch
_HEIGHTS = (
    ("OS/2", "sTypoAscender", "sTypoDescender", "sTypoLineGap"),
    ("hhea", "ascent", "descent", "lineGap"),
)


class Layout(NamedTuple):
    """A text's glyphs, (font, size, index, slant, extend, x, y) each, and its size in pixels.

    The size is the width, the height, and how much of that is below the baseline; None: not known.
    """

    glyphs: list[Any]
    size: tuple[float, float, float] | None


class Layouts:
    """Keeps the last layouts of one figure's texts."""

    def __init__(self) -> None:
        self._layouts: dict[Any, Layout] = {}
        self._shapes: dict[Any, tuple[int, int, int]] = {}
        self._spacings: dict[Any, Spacing] = {}

    @staticmethod
    def can(text: str, mtext: Any) -> bool:
        """Whether a text is one that is laid out here."""
        return _IS_SIMPLE(text) is not None and (
            mtext is None or mtext.get_fontfeatures() is mtext.get_language() is None
        )

    def of(self, font: Any, points: float, text: str, flags: Any) -> Layout:
        """Return the layout of a text in a font that was set to this size."""
        key = font, points, flags, text
        if key not in self._layouts:
            if len(self._layouts) >= _MOST_TEXTS:
                self._layouts.clear()
            self._layouts[key] = self._lay_out(font, points, text, flags)
        return self._layouts[key]

    def _lay_out(self, font: Any, points: float, text: str, flags: Any) -> Layout:
        places = self._places(font, points, text, flags)
        low, high, right = [], [], 0.0
        is_known = not flags & ft2font.LoadFlags.NO_HINTING and len(places) <= len(text)
        glyphs = []
        for owner, index, x, y in places:
            glyphs.append((owner, points, index, 0, 1, x, y))
            bottom, top, advance = self._shape(owner, points, index, flags)
            low.append(bottom + y * _SUBPIXELS)
            high.append(top + y * _SUBPIXELS)
            is_known = is_known and advance % _SUBPIXELS == 0
            right = x * _SUBPIXELS + advance
        if not is_known:
            return Layout(glyphs, None)
        lowest, highest = min(low), max(high)
        below = 0.0 - lowest
        size = right / _SUBPIXELS, (highest - lowest) / _SUBPIXELS, below / _SUBPIXELS
        return Layout(glyphs, size)

    def _places(
        self, font: Any, points: float, text: str, flags: Any
    ) -> list[tuple[Any, int, float, float]]:
        """Return the font, index, x and y of each glyph."""
        key = font, points, flags
        if key not in self._spacings:
            self._spacings[key] = Spacing(font)
        spacing = self._spacings[key]
        places = spacing.places(text)
        if places is None:
            items = font._layout(text, flags=flags, features=None, language=None)
            places = [(item.ft_object, item.glyph_index, item.x, item.y) for item in items]
            spacing.learn(text, items)
        return places

    def _shape(self, font: Any, points: float, index: int, flags: Any) -> tuple[int, int, int]:
        """Return the lowest and highest point of a glyph's outline and its advance."""
        key = font, points, index, flags
        if key not in self._shapes:
            if len(self._shapes) >= _MOST_GLYPHS:
                self._shapes.clear()
            glyph = font.load_glyph(index, flags)
            self._shapes[key] = glyph.bbox[1], glyph.bbox[3], glyph.horiAdvance
        return self._shapes[key]


def line_height(font: Any, points: float, dpi: float) -> tuple[float | None, ...]:
    """Return how far a font's lines reach above and below the baseline, and their gap, in pixels.

    As `Text._get_layout` finds them, to the last digit; None for a font without such tables.
    """
    for name, *keys in _HEIGHTS:
        table = font.get_sfnt_table(name)
        if table is not None:
            scale = 1 / font.get_sfnt_table("head")["unitsPerEm"] * points * dpi / 72
            ascent, descent, gap = (table[key] * scale for key in keys)
            return ascent, -descent, gap
    return None, None, None
