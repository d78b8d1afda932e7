"""Patches drawn again from a template give the commands that matplotlib's own drawing gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import (
    Arc,
    Circle,
    Ellipse,
    FancyBboxPatch,
    Patch,
    PathPatch,
    Polygon,
    Rectangle,
    Shadow,
    Wedge,
)
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from render.film.canvas.patches import PatchTemplate
from render.film.canvas.recorder import Recorder

PATH = Path([(0.2, 0.1), (1.0, 0.9), (1.7, 0.3), (0.2, 0.1)])
CURVE = Path([(0, 0), (1, 2), (2, 0), (0, 0)], [1, 3, 3, 79])
PATCHES: list[Callable[[], Patch]] = [
    lambda: Rectangle((0.2, 0.3), 0.5, 1.1),
    lambda: Rectangle((0.2, 0.3), 0.5, 1.1, angle=20, color="C3", alpha=0.4),
    lambda: PathPatch(PATH, fill=False, linewidth=3, linestyle="--", edgecolor="g"),
    lambda: PathPatch(CURVE, facecolor=(0.1, 0.2, 0.3), edgecolor="none"),
    lambda: Circle((1, 1), 0.4, linestyle=(0, (3, 1)), clip_on=False),
    lambda: Ellipse((1, 1), 0.4, 0.9, angle=30, antialiased=False),
    lambda: Polygon([(0, 0), (1, 0), (1, 1)], joinstyle="round", zorder=7),
    lambda: Wedge((1, 1), 0.8, 20, 260, width=0.3),
    lambda: FancyBboxPatch((0.3, 0.3), 0.9, 0.5, boxstyle="round,pad=0.1", mutation_aspect=2),
]


def drawn(make: Callable[[], Patch]) -> tuple[Any, Recorder, PatchTemplate | None]:
    axes = Figure(figsize=(3, 2), dpi=80).subplots()
    axes.set(xlim=(0, 2), ylim=(0, 2))
    patch = axes.add_patch(make())
    recorder = Recorder(240, 160, 80)
    return patch, recorder, PatchTemplate.of(patch, recorder.record(patch))


def moves(patch: Any) -> list[Callable[[], object]]:
    """Ways to another shape or place, for the kinds of patches that have them."""
    setters = {
        "set_xy": np.array([(0.3, 0.1), (1.5, 1.0), (0.2, 1.9)])
        if isinstance(patch, Polygon)
        else (0.7, -0.2),
        "set_width": 0.25,
        "set_height": np.float64(1.7),
        "set_angle": 33,
        "set_center": (0.4, 1.2),
        "set_radius": 0.9,
        "set_theta2": 300,
        "set_path": Path([(0, 0), (np.nan, 1), (2, 2), (1e9, np.inf)]),
        "set_mutation_scale": 2.0,
    }
    found = [
        (getattr(patch, name), value) for name, value in setters.items() if hasattr(patch, name)
    ]
    return [lambda method=method, value=value: method(value) for method, value in found]


@pytest.mark.parametrize("make", PATCHES)
def test_another_shape_in_the_same_look(make: Callable[[], Patch], alike: Any) -> None:
    patch, recorder, template = drawn(make)
    assert template is not None
    assert len(moves(patch)) > 0
    before = recorder.record(patch)
    for move in moves(patch):
        move()
        ours = template.again(patch, recorder)
        assert ours is not None
        assert not patch.stale
        assert alike(ours, recorder.record(patch))
        assert not alike(ours, before)
        before = ours


CHANGES: list[Callable[[Any], object]] = [
    lambda patch: patch.set_facecolor("r"),
    lambda patch: patch.set_edgecolor((0.1, 0.2, 0.3, 0.4)),
    lambda patch: setattr(patch, "_facecolor", np.array([0.1, 0.2, 0.3, 1.0])),
    lambda patch: patch.set_color("y"),
    lambda patch: patch.set_fill(not patch.get_fill()),
    lambda patch: patch.set_alpha(0.2),
    lambda patch: patch.set_linewidth(0),
    lambda patch: patch.set_linestyle(":"),
    lambda patch: patch.set_linestyle("none"),
    lambda patch: setattr(patch, "_dash_pattern", (2.0, (5.0, 1.0))),
    lambda patch: patch.set(linestyle="--", edgegapcolor="orange"),
    lambda patch: patch.set_hatch("//"),
    lambda patch: patch.set_capstyle("round"),
    lambda patch: patch.set_joinstyle("bevel"),
    lambda patch: patch.set_antialiased(not patch.get_antialiased()),
    lambda patch: patch.set_snap(True),
    lambda patch: patch.set_sketch_params(3),
    lambda patch: patch.set_path_effects([withStroke(linewidth=5)]),
    lambda patch: patch.set_url("https://example.org"),
    lambda patch: patch.set_clip_on(not patch.get_clip_on()),
    lambda patch: patch.set_clip_path(patch.axes.patch.get_path(), patch.axes.transAxes),
    lambda patch: patch.clipbox._bbox.set_points(np.array([[0.2, 0.2], [0.4, 0.9]])),
    lambda patch: patch.set_visible(False),
    lambda patch: patch.set_zorder(9),
    lambda patch: patch.set_transform(patch.axes.transAxes),
    lambda patch: patch.set_agg_filter(lambda pixels, dpi: (pixels, 0, 0)),
    lambda patch: patch.axes.set_xscale("symlog"),
    lambda patch: patch.axes.set_xlim(-1, 9),
    lambda patch: setattr(patch, "draw", lambda renderer: None),
    lambda patch: setattr(patch, "get_path", lambda: CURVE),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("make", PATCHES)
def test_another_look_is_left_to_matplotlib(
    make: Callable[[], Patch], change: Callable[[Any], object], alike: Any
) -> None:
    patch, recorder, template = drawn(make)
    assert template is not None
    change(patch)
    ours = template.again(patch, recorder)
    assert ours is None or alike(ours, recorder.record(patch))


class Own(Rectangle):
    """A patch that draws in a way of its own."""

    def draw(self, renderer: Any) -> None:
        self.set_width(self.get_width() + 1)
        super().draw(renderer)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Own((0, 0), 1, 1),
        lambda: Arc((1, 1), 1, 1),
        lambda: Shadow(Rectangle((0, 0), 1, 1), 0.1, 0.1),
        lambda: Rectangle((0, 0), 1, 1, hatch="x"),
        lambda: Rectangle((0, 0), 1, 1, visible=False),
        lambda: Rectangle((0, 0), 1, 1, path_effects=[withStroke(linewidth=5)]),
        lambda: Rectangle((0, 0), 1, 1, sketch_params=3),
    ],
)
def test_only_plain_patches_have_a_template(make: Callable[[], Patch]) -> None:
    assert drawn(make)[2] is None
