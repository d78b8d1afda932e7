"""The film of lecture_film.py, made with Manim Community: two panels at 30 frames a second.

pip install manim contourpy
manim render --disable_caching --fps 30 -r 1920,1080 benchmarks/export_manim.py Lecture

Points and a line on the left; filled contours with a path, a dot and a text on the right.
"""

from __future__ import annotations

import itertools

import contourpy
import numpy as np
from manim import (
    BLUE_E,
    DOWN,
    LEFT,
    ORANGE,
    RIGHT,
    YELLOW_C,
    Axes,
    Dot,
    Line,
    Scene,
    Text,
    ValueTracker,
    VGroup,
    VMobject,
    always_redraw,
    interpolate_color,
    linear,
)

FRAMES = 150


class Lecture(Scene):
    """Gradient descent on a line, and on the plane of its slope and intercept."""

    def construct(self) -> None:
        """Add what rests and what moves, and let five seconds pass."""
        run = 1 - np.exp(-np.linspace(0, 5, FRAMES))
        slopes, intercepts = -1 + 4 * run, 1 + 7 * run**1.5
        data = Axes(x_range=(0, 1, 0.2), y_range=(0, 12, 2), x_length=6, y_length=6)
        plane = Axes(x_range=(-2, 5, 1), y_range=(0, 10, 2), x_length=6, y_length=6)
        data.to_edge(LEFT)
        plane.to_edge(RIGHT)
        rng = np.random.default_rng(0)
        x = rng.random(500)
        y = 3 * x + 8 + rng.normal(0, 0.3, 500)
        points = VGroup(*[Dot(data.c2p(*at), radius=0.025) for at in zip(x, y, strict=True)])
        self.add(data, plane, numbered(data), numbered(plane), points, contours(plane))

        frame = ValueTracker(0)

        def now() -> int:
            return min(FRAMES - 1, round(frame.get_value()))

        def line() -> Line:
            slope, intercept = slopes[now()], intercepts[now()]
            return Line(data.c2p(0, intercept), data.c2p(1, slope + intercept), color=ORANGE)

        def path() -> VMobject:
            until = max(2, now() + 1)
            corners = plane.c2p(slopes[:until], intercepts[:until]).T
            return VMobject(color=ORANGE).set_points_as_corners(corners)

        def dot() -> Dot:
            return Dot(plane.c2p(slopes[now()], intercepts[now()]), color=ORANGE)

        def text() -> Text:
            label = Text(f"step {now()}, slope {slopes[now()]:.3f}", font_size=20)
            return label.move_to(plane.c2p(-1.8, 9.5), aligned_edge=LEFT)

        for moving in (line, path, dot, text):
            self.add(always_redraw(moving))
        self.play(frame.animate(rate_func=linear).set_value(FRAMES - 1), run_time=FRAMES / 30)


def contours(plane: Axes) -> VGroup:
    """Twenty filled levels of the loss."""
    a, b = np.meshgrid(np.linspace(-2, 5, 100), np.linspace(0, 10, 100))
    loss = (a - 3) ** 2 / 3 + (a - 3) * (b - 8) + (b - 8) ** 2
    levels = np.linspace(loss.min(), loss.max(), 21)
    filled = contourpy.contour_generator(a, b, loss, fill_type="OuterOffset")
    group = VGroup()
    for number, (low, high) in enumerate(itertools.pairwise(levels)):
        shapes, offsets = filled.filled(low, high)
        for corners, starts in zip(shapes, offsets, strict=True):
            shape = VMobject(stroke_width=0, fill_opacity=1)
            shape.set_fill(interpolate_color(BLUE_E, YELLOW_C, number / 19))
            for start, stop in itertools.pairwise(starts):
                outline = plane.c2p(corners[start:stop, 0], corners[start:stop, 1]).T
                shape.append_points(VMobject().set_points_as_corners(outline).points)
            group.add(shape)
    return group


def numbered(axes: Axes) -> VGroup:
    """The numbers of both axes, as text."""
    labels = VGroup()
    for axis, side in ((axes.x_axis, DOWN), (axes.y_axis, LEFT)):
        for value in axis.get_tick_range():
            labels.add(Text(f"{value:g}", font_size=16).next_to(axis.n2p(value), side))
    return labels
