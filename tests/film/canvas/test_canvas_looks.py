"""How artists look: transparency, clipping, effects, filters, styles of lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.patheffects as pe
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, Rectangle
from matplotlib.path import Path

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def alpha_and_clip_paths() -> Animated:
    fig, ax = plt.subplots()
    image = ax.imshow(data(20), alpha=0.5)
    circle = Circle((0.5, 10), 5, transform=ax.transData)
    image.set_clip_path(circle)
    (line,) = ax.plot([0, 1], [0, 19], lw=10, alpha=0.5)
    line.set_clip_path(Path([(0, 0), (1, 5), (1, 19), (0, 19)]), ax.transData)

    def update(k: int) -> None:
        line.set_alpha(0.1 * (k % 8))
        circle.set_radius(2 + k)
        if k == 6:
            image.set_alpha(0.9)

    return fig, update


@scene
def path_effects() -> Animated:
    fig, ax = plt.subplots()
    text = ax.text(0.1, 0.5, "glow", fontsize=24)
    text.set_path_effects([pe.withStroke(linewidth=6, foreground="y"), pe.Normal()])
    (line,) = ax.plot([0, 1], path_effects=[pe.SimpleLineShadow(offset=(8, -8)), pe.Normal()])

    def update(k: int) -> None:
        text.set_position((0.05 * k, 0.5))
        line.set_ydata([0, k % 4])
        if k == 5:
            text.set_path_effects([pe.withSimplePatchShadow((k, -k))])

    return fig, update


@scene
def rasterized() -> Animated:
    fig, ax = plt.subplots()
    (a,) = ax.plot([0, 1], lw=8, rasterized=True)
    (b,) = ax.plot([1, 0], lw=4, zorder=-1)
    ax.set_rasterization_zorder(0)

    def update(k: int) -> None:
        a.set_ydata([0, k])
        b.set_ydata([k, 0])

    return fig, update


@scene
def agg_filter() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], lw=8)
    (shadow,) = ax.plot([0, 1], lw=8, color="0.5", zorder=1)
    ax.text(0.5, 0.5, "t").set_agg_filter(lambda image, dpi: (image[..., ::-1], 0, 0))
    shadow.set_agg_filter(lambda image, dpi: (image * 0.5, 5, -5))

    def update(k: int) -> None:
        line.set_ydata([0, k])
        shadow.set_ydata([0, k])

    return fig, update


@scene
def agg_filter_on_axes() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], lw=8)
    ax.set_agg_filter(lambda image, dpi: (image * 0.9, 3, 3))
    return fig, lambda k: line.set_ydata([0, k % 5])


@scene
def sketch_and_snap() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], lw=3)
    line.set_sketch_params(4, 30, 5)
    patch = ax.add_patch(Rectangle((0.2, 0.2), 0.3, 0.3, snap=True, hatch="//", fill=False))

    def update(k: int) -> None:
        line.set_ydata([0, k % 4])
        patch.set_x(k / 15)
        if k == 6:
            patch.set_hatch("o")

    return fig, update


@scene
def xkcd() -> Animated:
    with plt.xkcd():
        fig, ax = plt.subplots()
        (line,) = ax.plot([0, 1])
        ax.set_title("x")
    return fig, lambda k: line.set_ydata([0, k % 4 / 4])


@scene
def line_styles() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 10), ylim=(0, 10))
    lines = [ax.plot([1, 9, 2], [i, i + 0.5, i + 3], lw=4)[0] for i in range(5)]
    lines[0].set(solid_joinstyle="miter", lw=10)
    lines[1].set(marker="o", markevery=2, markersize=12, markeredgewidth=5)
    lines[2].set(drawstyle="steps-mid", ls="--", gapcolor="y")
    lines[3].set(marker="$f$", fillstyle="left", ms=20)
    lines[4].set(antialiased=False, dash_capstyle="projecting", ls=":")

    def update(k: int) -> None:
        for i, line in enumerate(lines):
            line.set_xdata([1, 9 - k / 2, 2 + (i + k) % 3])

    return fig, update


@scene
def ellipse_growing() -> Animated:
    fig, ax = plt.subplots()
    ellipse = ax.add_patch(Ellipse((0.5, 0.5), 0.1, 0.1, fc="none", ec="r", lw=0.3))
    (under,) = ax.plot([0, 1], [1, 0], "0.5", zorder=0.2)

    def update(k: int) -> None:
        ellipse.set(width=k / 4, height=k / 6, angle=k * 10)
        under.set_ydata([1, k / 10])

    return fig, update


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
