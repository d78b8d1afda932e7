"""Letters that a font lacks: an empty box stands for each on the picture."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from matplotlib.cbook import is_math_text
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.mathtext import MathTextParser

from render.film.legibility.findings import Finding
from render.film.legibility.pictures import FrameView, name_of

__all__ = ["check_glyphs", "formula_glyphs", "told_by_finding"]

_FORMULAS: Any = MathTextParser("path")
_DUMMY = "\N{CURRENCY SIGN}"  # what a formula has in place of a letter that its font lacks


def check_glyphs(view: FrameView) -> Iterator[Finding]:
    """Yield the texts of a frame of which some letters are in none of their fonts."""
    for text in view.texts:
        font = text.get_fontproperties()
        lacking = "".join(
            _lacking(line, font, bool(text.get_parse_math() and is_math_text(line)))
            for line in text.get_text().split("\n")
        )
        if lacking:
            yield Finding(
                rule=f"the font {', '.join(font.get_family())} lacks",
                frame=view.frame,
                artist=name_of(text),
                value=" ".join(dict.fromkeys(lacking)),
                bound="write it otherwise, or name a font that has it as font.family in a theme",
                place=("glyphs", *view.place(text)),
                badness=len(set(lacking)),
            )


@contextmanager
def told_by_finding() -> Iterator[None]:
    """Keep matplotlib from telling, with every drawing anew, which letters a font lacks."""
    formulas = logging.getLogger("matplotlib.mathtext")
    formulas.addFilter(_is_not_of_glyphs)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
            yield
    finally:
        formulas.removeFilter(_is_not_of_glyphs)


def _is_not_of_glyphs(record: logging.LogRecord) -> bool:
    return "does not have a glyph" not in record.getMessage()


def formula_glyphs(line: str, font: FontProperties) -> list[tuple[float, str]]:
    """Return size, in points, and letter of each glyph of a line with formulas."""
    _, _, _, glyphs, _ = _FORMULAS.parse(line, 72, font)
    return [(float(size), chr(code)) for _, size, code, *_ in glyphs]


@lru_cache(maxsize=4096)
def _lacking(line: str, font: FontProperties, formula: bool) -> str:
    """Return the letters of a line that none of the font's families has."""
    if formula:
        dummies = any(letter == _DUMMY for _, letter in formula_glyphs(line, font))
        return _missing(line, font) if dummies and _DUMMY not in line else ""
    return _missing(line, font)


def _missing(line: str, font: FontProperties) -> str:
    fonts = [get_font(path) for path in _paths(font)]
    return "".join(
        letter
        for letter in line
        if letter.isprintable()
        and not letter.isspace()
        and not any(one.get_char_index(ord(letter)) for one in fonts)
    )


def _paths(font: FontProperties) -> list[str]:
    """Return the files of a font's families, in the order in which letters are looked for."""
    paths = []
    for family in font.get_family():
        single = font.copy()
        single.set_family(family)
        try:
            paths.append(str(findfont(single, fallback_to_default=False)))
        except ValueError:  # one of the families is not installed
            continue
    return paths or [str(findfont(font))]
