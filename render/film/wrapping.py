"""Words that have to fit a width: broken at spaces, formulas kept whole where they fit."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import lru_cache

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.textpath import text_to_path

__all__ = ["extent_pt", "room_pt", "width_pt", "wrap_title", "wrap_titles", "wrapped"]

_FORMULA = r"\$(?:\\.|[^$\\])*\$"  # with dollar signs of its own, if any, as \$
_WORD = re.compile(rf"(?: = |{_FORMULA}|\\.|[^ ])+")  # an equation is not torn apart
_ONE_FORMULA = re.compile(rf"({_FORMULA})([^\w$]*)")  # and what ends the sentence
_DOLLAR = re.compile(r"(?<!\\)\$")
_OPENS, _CLOSES = "([{", ")]}"
_BEYOND = 1.25  # of an axes' side: a longer label would reach the title, or another label
_OF_WIDTH = 0.97  # small letters are drawn up to this much wider than they are measured
_EDGE_PT = 8.0  # left free beside the picture's edge, and between neighbours


def width_pt(words: str, font: FontProperties) -> float:
    """Return the width of one line of text, in points."""
    return extent_pt(words, font)[0]


def extent_pt(words: str, font: FontProperties) -> tuple[float, float, float]:
    """Return how far one line of text reaches to the right, above and below its start, in points.

    Above and below are those of the words themselves: of "no" smaller than of "By".
    """
    return _extent_pt(words, findfont(font), font.copy()) if words else (0.0, 0.0, 0.0)


@lru_cache(maxsize=1024)
def _extent_pt(words: str, file: str, font: FontProperties) -> tuple[float, float, float]:
    """Measure once: a caption that changes keeps most of its words. `file`: as settings have it."""
    is_math = is_math_text(words)
    shown = words if is_math else words.replace(r"\$", "$")
    size = text_to_path.get_text_width_height_descent(shown, font, is_math)
    width, height, descent = map(float, size)
    return width, height - descent, descent


def wrapped(text: str, room_pt: float, font: FontProperties) -> str:
    """Return a text with line breaks such that no line is wider than there is room for.

    Lines that fit stay as they are; a word that is wider stands alone on its line, and a formula
    that is wider is broken before a sign outside its brackets.
    """
    return "\n".join(line for whole in text.split("\n") for line in _lines(whole, room_pt, font))


def _lines(whole: str, room_pt: float, font: FontProperties) -> list[str]:
    if width_pt(whole, font) <= room_pt:
        return [whole]
    lines: list[str] = []
    if not is_math_text(whole):  # nor may a part of it become a formula
        whole = _DOLLAR.sub(r"\$", whole)
    words = [_parts(word, room_pt, font) for word in _WORD.findall(whole)]
    for word in itertools.chain.from_iterable(words):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_pt(longer, font) <= room_pt:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _parts(word: str, room_pt: float, font: FontProperties) -> list[str]:
    """Return the terms of a formula that is too wide, each with the sign before it."""
    formula = _ONE_FORMULA.fullmatch(word)
    if formula is None or width_pt(word, font) <= room_pt:
        return [word]
    terms, depth = [""], 0
    for letter in formula[1][1:-1]:
        depth += (letter in _OPENS) - (letter in _CLOSES)
        if letter in "+-=" and depth == 0 and terms[-1].strip():
            terms.append("{}")  # so that the sign keeps the space of one between two terms
        terms[-1] += letter
    terms = [f"${term.strip()}$" for term in terms]
    return [*terms[:-1], terms[-1] + formula[2]]


def wrap_title(figure: Figure, title: str) -> str:
    """Return a film's title, broken where it is wider than the picture."""
    rc = matplotlib.rcParams
    font = FontProperties(size=rc["figure.titlesize"], weight=rc["figure.titleweight"])
    return wrapped(title, _OF_WIDTH * 72.0 * figure.get_figwidth() - 2 * _EDGE_PT, font)


def wrap_titles(figure: Figure) -> bool:
    """Break titles and labels of axes that would run into others; say whether there were any."""
    changed = False
    for axes in figure.axes:
        title = axes.title if axes.title.get_text() else axes._left_title  # type: ignore[attr-defined]
        high_pt = _BEYOND * 72.0 * float(axes.get_window_extent().height) / figure.dpi
        wide_pt = _BEYOND * 72.0 * float(axes.get_window_extent().width) / figure.dpi
        for text, most_pt in (
            (title, _title_room_pt(axes)),
            (axes.yaxis.label, high_pt),
            (axes.xaxis.label, wide_pt),
        ):
            words = text.get_text()
            text.set_text(wrapped(words, most_pt, text.get_fontproperties()))
            changed = changed or text.get_text() != words
    return changed


def room_pt(axes: Axes) -> float:
    """Return the room for words above an axes: from its left edge to the next axes beside it.

    Where there is none, to the edge of the picture.
    """
    return _room_pt(axes, lambda other: float(other.get_window_extent().x0))


def _title_room_pt(axes: Axes) -> float:
    """Return the room for a title, which stays left of the numbers of a higher axes beside it.

    Only for what is laid out once: numbers may change from frame to frame.
    """
    top = axes.get_window_extent().y1

    def left(other: Axes) -> float:
        box = other.get_window_extent()
        numbers = other.yaxis.get_tightbbox() if box.y1 > top + 1 else None
        return float(box.x0 if numbers is None else min(box.x0, numbers.x0))

    return _room_pt(axes, left)


def _room_pt(axes: Axes, left: Callable[[Axes], float]) -> float:
    figure = axes.figure
    here = axes.get_window_extent()
    beside = [
        left(other)
        for other in figure.axes
        for box in [other.get_window_extent()]
        if box.x0 > here.x0 + 1 and box.y0 < here.y1 and box.y1 > here.y0
    ]
    return float(72 * (min(beside, default=figure.bbox.x1) - here.x0) / figure.dpi - _EDGE_PT)
