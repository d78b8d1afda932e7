"""Lines drawn again from a template give the commands that matplotlib's own drawing gives."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import Normal, SimpleLineShadow, Stroke, withStroke

from render.film.canvas.lines import LineTemplate
from render.film.canvas.recorder import Recorder

LOOKS: list[dict[str, Any]] = [
    {},
    {"linestyle": "--", "color": "C3", "alpha": 0.4},
    {"marker": "o", "markeredgecolor": "w"},
    {"marker": "*", "linestyle": "none", "markersize": 13, "clip_on": False},
    {"marker": ",", "color": (0.1, 0.2, 0.3), "zorder": 7},
    {"linestyle": (0, (4, 2)), "linewidth": 3, "solid_capstyle": "round"},
    {"linestyle": "-.", "path_effects": [withStroke(linewidth=5, foreground="w")]},
    {"path_effects": [Normal(), Stroke(linewidth=1, alpha=0.5), Normal()]},
]


def recorded(look: dict[str, Any]) -> tuple[Line2D, Recorder, LineTemplate]:
    figure = Figure(figsize=(3, 2), dpi=80)
    axes = figure.subplots()
    (line,) = axes.plot([1, 2, 3], [1, 3, 2], **deepcopy(look))
    recorder = Recorder(240, 160, 80)
    template = LineTemplate.of(line, recorder.record(line))
    assert template is not None
    return line, recorder, template


DATA: list[tuple[Any, Any]] = [
    ([1.5], [2]),
    ([], []),
    ([1, np.nan, 3], [np.nan, 2, 3]),
    (np.linspace(1, 3, 500), np.sin(np.arange(500))),
    (np.ma.masked_greater([1, 2, 3], 2), [1, 2, 3]),
    ([-1e9, 1e300, np.inf], [0, 1, 2]),
    (np.arange(3), np.float32([0.1, 0.2, 0.7])),
    (np.arange(9)[::-2], np.uint64([1, 2, 3, 2**64 - 1, 0])),
    (np.array([1.5]), np.arange(3)),
    (np.arange(4.0).reshape(2, 2), np.arange(4)),
    (np.array([True, False]), np.array([1, 2])),
    (np.array([], int), np.array([])),
]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("data", DATA)
def test_other_data_in_the_same_look(
    look: dict[str, Any], data: tuple[Any, Any], alike: Any
) -> None:
    line, recorder, template = recorded(look)
    line.set_data(*data)
    ours = template.again(line, recorder)
    assert ours is not None
    assert not line.stale
    assert alike(ours, recorder.record(line))


def effects(line: Any) -> list[Any]:
    return line.get_path_effects() or []


CHANGES: list[Callable[[Any], object]] = [
    lambda line: line.set_color("r"),
    lambda line: line.set_color(np.array([0.1, 0.2, 0.3])),
    lambda line: line.set_alpha(0.2),
    lambda line: line.set_linewidth(0),
    lambda line: line.set_linestyle("none"),
    lambda line: line.set_dashes([3, 1]),
    lambda line: line._dash_pattern[1].__setitem__(0, 9.0) if line._dash_pattern[1] else None,
    lambda line: line.set_marker("s"),
    lambda line: line.set(marker="o", fillstyle="left"),
    lambda line: line.set_markersize(3),
    lambda line: line._marker._transform.scale(2) if line._marker else None,
    lambda line: setattr(line._marker, "_path", Path.unit_rectangle()),
    lambda line: line.set_markerfacecolor("none"),
    lambda line: line.set_markevery(2),
    lambda line: line.set_drawstyle("steps-mid"),
    lambda line: line.set_gapcolor("y"),
    lambda line: line.set_path_effects([withStroke(linewidth=5)]),
    lambda line: line.set_path_effects([Stroke(linewidth=5, offset=(3, 3)), Normal()]),
    lambda line: [vars(effect).get("_gc", {}).update(linewidth=9) for effect in effects(line)],
    lambda line: [setattr(effect, "_offset", (2, 1)) for effect in effects(line)],
    lambda line: [setattr(effect, "_gc", {"foreground": "r"}) for effect in effects(line)],
    lambda line: line.set_sketch_params(3),
    lambda line: line.set_snap(True),
    lambda line: line.set_antialiased(False),
    lambda line: line.set_clip_on(not line.get_clip_on()),
    lambda line: line.set_clip_path(line.axes.patch.get_path(), line.axes.transAxes),
    lambda line: line.set_visible(False),
    lambda line: line.set_zorder(9),
    lambda line: line.set_transform(line.axes.transAxes),
    lambda line: line.set_agg_filter(lambda pixels, dpi: (pixels, 0, 0)),
    lambda line: line.axes.set_xscale("log"),
    lambda line: line.axes.set_xlim(0, 9),
    lambda line: line.axes.set_position([0.3, 0.3, 0.2, 0.2]),
    lambda line: line._x.__iadd__(0.5),
    lambda line: line.set(data=(np.arange(3000), np.arange(3000))),
    lambda line: setattr(line, "draw", lambda renderer: None),
    lambda line: setattr(line, "get_visible", lambda: False),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("look", LOOKS)
def test_another_look_is_left_to_matplotlib(
    look: dict[str, Any], change: Callable[[Any], object], alike: Any
) -> None:
    line, recorder, template = recorded(look)
    change(line)
    ours = template.again(line, recorder)
    assert ours is None or alike(ours, recorder.record(line))


@pytest.mark.parametrize(
    "look",
    [
        {"color": [0.1, 0.2, 0.3]},  # could be written in place
        {"drawstyle": "steps"},
        {"marker": "o", "fillstyle": "top"},
        {"path_effects": [withStroke(linewidth=5)], "marker": "o"},
        {"path_effects": [withStroke(linewidth=5, offset=(1, 1))]},
        {"path_effects": [withStroke(foreground=[0.1, 0.2, 0.3])]},
        {"path_effects": [SimpleLineShadow(), Normal()]},
        {"visible": False},
    ],
)
def test_only_plain_lines_have_a_template(look: dict[str, Any]) -> None:
    line = Figure().subplots().plot([1, 2, 3], **look)[0]
    recorder = Recorder(240, 160, 80)
    assert LineTemplate.of(line, recorder.record(line)) is None
