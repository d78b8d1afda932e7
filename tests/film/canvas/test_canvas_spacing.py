"""Distances between letters: texts made of known ones stand as matplotlib lays them out."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

from render.film.canvas import LayeredCanvas
from render.film.canvas.glyphs import KNOWN
from render.film.canvas.spacing import Spacing

pytestmark = pytest.mark.skipif(not KNOWN, reason="this matplotlib lays texts out in another way")

FONTS = sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf"))
WORDS = [
    "step",
    "1_200",
    "0.0107",
    "-3e-05",
    "\N{MINUS SIGN}1.5",
    "off",
    "fit",
    "AVATAR",
    "Tö",
    "§",
]
LETTERS = "fijl" + string.printable[:95] + "éÅüß§¡ÿÆ\N{MINUS SIGN}\N{EN DASH}…"


def laid_out(font: Any, text: str, flags: LoadFlags) -> list[Any]:
    return font._layout(text, flags=flags, features=None, language=None)  # type: ignore[no-any-return]


def texts(rng: random.Random) -> list[str]:
    """Words side by side, and any letters in any order; some of them twice."""
    few = rng.sample(LETTERS, 6)
    made = [" ".join(rng.choices(WORDS, k=3)) for _ in range(12)]
    made += ["".join(rng.choices(few, k=rng.randint(1, 9))) for _ in range(30)]
    return made + ["".join(rng.choices("0123456789", k=6)) for _ in range(30)]


@pytest.mark.parametrize("flags", [LoadFlags.DEFAULT, LoadFlags.NO_HINTING])
def test_a_text_of_known_letters_stands_as_it_is_laid_out(flags: LoadFlags) -> None:
    rng = random.Random(0)
    known = 0
    for path in FONTS:
        font = get_font(str(path))
        font.set_size(rng.choice([7.3, 10, 12.5, 31]), 100)
        spacing = Spacing(font)
        for text in texts(rng):
            items = laid_out(font, text, flags)
            places = spacing.places(text)
            if places is None:
                spacing.learn(text, items)
            else:
                known += 1
                exact = [(item.ft_object, item.glyph_index, item.x, item.y) for item in items]
                assert places == exact, (path.name, text)
    assert known > 10 * len(FONTS)


@pytest.mark.parametrize(
    "text", ["step \N{GREEK SMALL LETTER ALPHA}", "\N{GREEK CAPITAL LETTER ETA}»W"]
)
def test_where_scripts_mix_nothing_is_known(text: str) -> None:
    font = get_font(findfont(FontProperties(family="STIXGeneral")))
    spacing = Spacing(font)
    spacing.learn(text, laid_out(font, text, LoadFlags.DEFAULT))
    assert spacing.places(text) is None and spacing.places(text[0]) is None


def test_of_other_fonts_nothing_is_known(tmp_path: Path) -> None:
    own = tmp_path / "own.ttf"
    own.write_bytes(FONTS[0].read_bytes())
    font = get_font(str(own))
    spacing = Spacing(font)
    spacing.learn("12", laid_out(font, "12", LoadFlags.DEFAULT))
    assert spacing.places("12") is None


def test_a_text_with_a_letter_of_another_font_is_not_known() -> None:
    font = get_font(str(next(path for path in FONTS if path.name == "cmr10.ttf")))
    spacing = Spacing(font)
    text = "1\N{MINUS SIGN}"
    spacing.learn(text, laid_out(font, text, LoadFlags.DEFAULT))
    assert spacing.places(text) is None


def test_a_counter_is_laid_out_no_longer_once_its_digits_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned: list[str] = []
    learn = Spacing.learn

    def note(self: Spacing, text: str, items: Any) -> None:
        learned.append(text)
        learn(self, text, items)

    monkeypatch.setattr(Spacing, "learn", note)
    fig = plt.figure()
    words = fig.text(0.1, 0.5, "")
    with LayeredCanvas(fig) as canvas:
        for k in range(260):
            if k == 210:
                learned.clear()
            words.set_text(f"step {k}, off the plane")
            canvas.draw()
    assert learned == []
