"""Texts: their glyphs are rendered once and their layouts kept, to the pixel as matplotlib's."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.patheffects import withStroke

from render.film.canvas.glyphs import KNOWN
from render.film.canvas.recorder import Recorder

Animated = tuple[Figure, Callable[[int], Any]]
LETTERS = string.printable[:95] + "éÅüß§¡ÿÆαΩλπ\N{MINUS SIGN}\N{MINUS SIGN}\N{EN DASH}…"
FONTS = sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf"))


def counters() -> Animated:
    fig, ax = plt.subplots()
    formula, turned = ax.text(0.1, 0.5, "", fontsize=14), ax.text(0.5, 0.1, "", rotation=30)
    rough, wrapped = ax.text(0.1, 0.8, "", antialiased=False), fig.text(0.1, 0.9, "", wrap=True)

    def update(k: int) -> None:
        formula.set_text(rf"$\frac{{{k}}}{{\sqrt{{{k + 1}}}}}$ of $x_{{{k}}}$")
        turned.set_text(f"turned {k}\nsecond")
        rough.set_text(f"rough {k}")
        wrapped.set_text("wrapped words " * (k + 1))
        if k == 4:
            turned.set(rotation=77, fontweight="bold", family="monospace")
        if k == 5:
            rough.set(fontstyle="italic", family="serif")
        if k == 6:
            mpl.rcParams["text.hinting"] = "none"
        if k == 7:
            formula.set_math_fontfamily("stix")
            rough.set_antialiased(True)

    return fig, update


def moving() -> Animated:
    fig, ax = plt.subplots()
    plain = ax.text(0.1, 0.5, "moving AVfi")
    boxed = ax.text(0.5, 0.5, "", bbox={"fc": "c", "alpha": 0.5}, ha="center", va="center")
    edged = ax.text(0.3, 0.2, "", path_effects=[withStroke(linewidth=3, foreground="r")], size=20)
    foreign, clipped = ax.text(0, 0.9, ""), ax.text(0.8, 0.9, "", clip_on=True)

    def update(k: int) -> None:
        plain.set_position((0.1 + k * 0.0137, 0.5 + k * 0.011))
        boxed.set(text=f"n={k * 1.1:.3f}", rotation=k * 7)
        edged.set_text(f"e{k}")
        foreign.set_text(f"éΩ{k}\u0301fi")
        clipped.set_text(f"clip me please {k}")
        if k == 3:
            plain.set(alpha=0.3, color="r")

    return fig, update


def other_words() -> Animated:
    fig, ax = plt.subplots()
    plain, turned = ax.text(0.1, 0.5, "one"), ax.text(0.5, 0.2, "one", rotation=30, ha="right")
    beside = ax.annotate("one", (0.3, 0.3), xytext=(5, 5), textcoords="offset points")
    words = ["two", "2 lines\nof it", "$x^2$ in it", "", "back", r"a \$ sign", "at last 7", "8"]

    def update(k: int) -> None:
        for text in (plain, turned, beside):
            text.set_text(words[k])
        beside.xy = (0.1 * k, 0.3)
        plain.set_position((0.05 * k, 0.5))

    return fig, update


@pytest.mark.parametrize("build", [counters, moving, other_words])
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)


def test_a_font_that_is_added_is_used(monkeypatch: pytest.MonkeyPatch, assert_exact: Any) -> None:
    path = findfont("DejaVu Serif")
    others = [font for font in fontManager.ttflist if font.name != "DejaVu Serif"]

    def build() -> Animated:
        monkeypatch.setattr(fontManager, "ttflist", others.copy())
        fontManager._findfont_cached.cache_clear()  # type: ignore[attr-defined]
        fig = plt.figure()
        fig.text(0.1, 0.5, "text", family="DejaVu Serif")
        return fig, lambda k: fontManager.addfont(path) if k == 5 else None

    assert_exact(build)


def drawn(renderer: Any, write: Callable[[Any], None]) -> bytes:
    write(renderer)
    if isinstance(renderer, Recorder):
        for command in renderer.tape.commands:
            command.play(renderer.agg)
        return np.asarray(renderer.agg).tobytes()
    return bytes(renderer.buffer_rgba())


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
@pytest.mark.parametrize("hinting", ["default", "no_autohint", "force_autohint", "no_hinting"])
def test_texts_are_measured_and_drawn_as_by_matplotlib(hinting: str) -> None:
    rng = random.Random(0)
    ours, theirs = Recorder(200, 60, 100), RendererAgg(200, 60, 100)
    for font in FONTS:
        for _ in range(3):
            prop = FontProperties(fname=font, size=rng.choice([5, 7.3, 10, 12.5, 31]))
            text = "".join(rng.choices(LETTERS, k=rng.randint(1, 12)))
            x, y, angle = rng.uniform(-5, 90), rng.uniform(0, 60), rng.choice([0, 0, 90, 33.3])

            def write(renderer: Any) -> None:
                gc = renderer.new_gc()
                gc.set_antialiased(angle != 90)  # noqa: B023
                renderer.draw_text(gc, x, y, text, prop, angle)  # noqa: B023

            with mpl.rc_context({"text.hinting": hinting}):
                sizes = [r.get_text_width_height_descent(text, prop, False) for r in (ours, theirs)]
                assert sizes[0] == sizes[1], (font, text)
                theirs.clear()
                ours.agg.clear()
                ours.tape.commands = []
                assert drawn(ours, write) == drawn(theirs, write), (font, text)


@pytest.mark.skipif(not KNOWN, reason="this matplotlib draws texts in another way")
@pytest.mark.parametrize("antialiased", [True, False])
def test_slanted_extended_and_boxed_glyphs_are_drawn_as_by_matplotlib(antialiased: bool) -> None:
    font = get_font(str(FONTS[0]))
    index = font.get_char_index(ord("g"))
    for angle in (0, 30):
        for shift in (0, 0.3, 17.77):

            def write(renderer: Any) -> None:
                gc = renderer.new_gc()
                gc.set_antialiased(antialiased)
                glyphs = [
                    (font, size, index, slant, extend, 11.3 * place + shift, 0.4)  # noqa: B023
                    for place, (size, slant, extend) in enumerate(
                        [(10, 0, 1), (10, 0.2, 1), (20, 0, 1.3), (20, -0.1, 0.8), (10, 0, 1)]
                    )
                ]
                boxes = [(0, 0, 30, 0.4), (5, 3, 4, 4)]
                renderer._draw_text_glyphs_and_boxes(gc, 20.4, 50.2, angle, glyphs, boxes)  # noqa: B023

            expected = drawn(RendererAgg(100, 80, 100), write)
            recorder = Recorder(100, 80, 100)
            assert drawn(recorder, write) == expected
            recorder.agg.clear()
            recorder.tape.commands = []
            assert drawn(recorder, write) == expected  # from kept glyphs
