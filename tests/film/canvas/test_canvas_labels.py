"""Texts drawn again from a template give the commands that matplotlib's own drawing gives."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, Bbox

from render.film.canvas.commands import Command
from render.film.canvas.recorder import Recorder
from render.film.canvas.texts import TextTemplate

LOOKS: list[dict[str, Any]] = [
    {},
    {"ha": "center", "va": "center", "rotation": 37, "color": (0.1, 0.2, 0.3, 0.5)},
    {
        "ha": "right",
        "va": "top",
        "rotation": 90,
        "rotation_mode": "anchor",
        "clip_on": True,
        "antialiased": False,
    },
    {"linespacing": 1.7, "ma": "right", "va": "baseline", "alpha": 0.3, "path_effects": []},
]
NOTES: list[dict[str, Any]] = [
    {"xytext": (7.3, -4.0), "textcoords": "offset points"},
    {"xycoords": "axes fraction"},
    {"xytext": (0.1, 0.2), "textcoords": ("data", "axes fraction"), "annotation_clip": True},
]
PLACES = [(1.5, 2.0), (1, 2), (0.3, 0.7), (-4.0, 0.2), (np.float64(1.234567), 1.0)]


def drawn(look: dict[str, Any], note: dict[str, Any] | None) -> tuple[Any, Recorder, Any]:
    axes = Figure(figsize=(3, 2), dpi=80).add_axes((0.2, 0.2, 0.7, 0.7))
    axes.set(xlim=(0, 2), ylim=(0, 3))
    words = "one 2\ntwo AV" if "linespacing" in look else "-1.5 fiÄ"
    if note is None:
        text = axes.text(1.0, 1.0, words, **deepcopy(look))
    else:
        text = axes.annotate(words, (0.5, 1.0), **note, **deepcopy(look))
    recorder = Recorder(240, 160, 80)
    return text, recorder, TextTemplate.of(text, recorder.record(text))


def pixels(commands: list[Command], recorder: Recorder) -> bytes:
    recorder.agg.clear()
    for command in commands:
        command.play(recorder.agg)
    return np.asarray(recorder.agg).tobytes()


def assert_alike(ours: list[Command], theirs: list[Command], recorder: Recorder) -> None:
    assert [(c.box, c.clip) for c in ours] == [(c.box, c.clip) for c in theirs]
    assert not any(one.damage(other) for one, other in zip(ours, theirs, strict=True))
    assert pixels(ours, recorder) == pixels(theirs, recorder)


@pytest.mark.parametrize("note", [None, *NOTES])
@pytest.mark.parametrize("look", LOOKS)
def test_another_place_in_the_same_look(look: dict[str, Any], note: dict[str, Any] | None) -> None:
    text, recorder, template = drawn(look, note)
    frames = set()
    for place in PLACES:
        setattr(text, *(("xy", place) if note else ("_x", place[0])))
        text.set_y(place[1])
        ours = template.again(text, recorder)
        assert ours is not None
        assert not (ours and text.stale)
        assert_alike(ours, recorder.record(text), recorder)
        frames.add(pixels(ours, recorder))
    assert len(frames) > 2
    text.axes.set(xlim=(-3, 9), ylim=(5, -1))
    if not text.get_clip_on():
        text.axes.figure.set_size_inches(2, 2)
    assert_alike(template.again(text, recorder), recorder.record(text), recorder)


CHANGES: list[Callable[[Any], object]] = [
    lambda text: text.set_text("other"),
    lambda text: text.set_text(""),
    lambda text: text.set_text("$x^2$"),
    lambda text: text.set_color("r"),
    lambda text: text.set_color(np.array([0.1, 0.2, 0.3])),
    lambda text: text.set_alpha(0.2),
    lambda text: text.set_fontsize(17),
    lambda text: text._fontproperties.set_weight("bold"),
    lambda text: text.set_family("serif"),
    lambda text: text.set_rotation(12),
    lambda text: text.set_rotation_mode("xtick"),
    lambda text: text.set(rotation=30, transform_rotates_text=True),
    lambda text: text.set_ha("left" if text.get_ha() != "left" else "right"),
    lambda text: text.set_va("bottom"),
    lambda text: text.set_multialignment("center"),
    lambda text: text.set_linespacing(3),
    lambda text: text.set_wrap(True),
    lambda text: text.set_bbox({"facecolor": "y"}),
    lambda text: text.set_path_effects([withStroke(linewidth=5)]),
    lambda text: text.get_path_effects().append(withStroke(linewidth=5)),
    lambda text: text.set_antialiased(not text.get_antialiased()),
    lambda text: text.set_snap(True),
    lambda text: text.set_url("https://example.org"),
    lambda text: text.set_clip_on(not text.get_clip_on()),
    lambda text: text.set_clip_box(Bbox([[50, 50], [90, 70]])),
    lambda text: text.set(clip_path=text.axes.patch, clip_on=True),
    lambda text: text.set_visible(False),
    lambda text: text.set_x(np.nan),
    lambda text: text.set_x(np.ma.masked),
    lambda text: text.set_x(np.datetime64("1970-01-02")),
    lambda text: text.set_transform(Affine2D().translate(20, 30)),
    lambda text: text.set_parse_math(False),
    lambda text: text.set_fontfeatures(["-kern"]),
    lambda text: text.set_language("en"),
    lambda text: text.set_agg_filter(lambda pixels, dpi: (pixels, 0, 0)),
    lambda text: text.axes.set_xscale("log"),
    lambda text: setattr(text, "draw", lambda renderer: None),
    lambda text: setattr(text, "get_rotation", lambda: 45),
    lambda text: setattr(text, "arrowprops", {"arrowstyle": "->"}),
]


@pytest.mark.parametrize("note", [None, NOTES[0]])
@pytest.mark.parametrize("change", CHANGES)
def test_another_look_is_left_to_matplotlib(
    change: Callable[[Any], object], note: dict[str, Any] | None
) -> None:
    text, recorder, template = drawn(LOOKS[-1], note)
    change(text)
    ours = template.again(text, recorder)
    if ours is not None:
        assert_alike(ours, recorder.record(text), recorder)


@pytest.mark.parametrize(
    "look",
    [
        {"color": [0.1, 0.2, 0.3]},  # could be written in place
        {"bbox": {"facecolor": "y"}},
        {"path_effects": [withStroke(linewidth=5)]},
        {"wrap": True},
        {"arrowprops": {"arrowstyle": "->"}, "xytext": (9, 9), "textcoords": "offset points"},
        {"text": "$x$"},
        {"text": "a\n\nb"},
        {"text": "한"},
        {"visible": False},
    ],
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_only_plain_texts_have_a_template(look: dict[str, Any]) -> None:
    axes = Figure().subplots()
    text = axes.annotate(**{"text": "a", "xy": (0.5, 0.5)} | look)
    recorder = Recorder(240, 160, 80)
    assert TextTemplate.of(text, recorder.record(text)) is None
