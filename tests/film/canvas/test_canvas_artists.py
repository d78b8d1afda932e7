"""Kinds of artists: lines, patches, collections, images, texts, boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import EllipseCollection, LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredText, AnnotationBbox, OffsetImage, TextArea
from matplotlib.patches import (
    Arc,
    Circle,
    FancyArrowPatch,
    FancyBboxPatch,
    Polygon,
    Rectangle,
    Wedge,
)

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def contours_redrawn() -> Animated:
    fig, ax = plt.subplots()
    x = np.linspace(-1, 1, 20)
    held = [ax.contour(x, x, np.add.outer(x, x**2))]
    ax.clabel(held[0])

    def update(k: int) -> None:
        held[0].remove()
        held[0] = ax.contour(x, x, np.add.outer(x * (k + 1), x**2), colors="k")

    return fig, update


@scene
def images_adjacent() -> Animated:
    fig, ax = plt.subplots()
    a = ax.imshow(data(20), extent=(0, 1, 0, 1), alpha=0.6)
    ax.imshow(data(20, 1), extent=(0.5, 1.5, 0, 1), alpha=0.6)
    ax.set(xlim=(0, 1.5), ylim=(0, 1))

    def update(k: int) -> None:
        a.set_data(data(20, k))
        if k == 4:
            a.set_interpolation("bilinear")
        if k == 6:
            a.set_extent((0.1, 0.8, 0, 0.5))

    return fig, update


@scene
def images_composited() -> Animated:
    fig, ax = plt.subplots()
    fig.suppressComposite = False
    a = ax.imshow(data(20), extent=(0, 1, 0, 1), alpha=0.6)
    ax.imshow(data(20, 1), extent=(0.5, 1.5, 0, 1), alpha=0.6)
    ax.set(xlim=(0, 1.5), ylim=(0, 1))
    return fig, lambda k: a.set_data(data(20, k))


@scene
def image_in_place_and_figimage() -> Animated:
    fig, ax = plt.subplots()
    image = ax.imshow(np.zeros((6, 6)), vmin=0, vmax=1)
    fig.figimage(data(10), 5, 5)

    def update(k: int) -> None:
        image.get_array()[k % 6, :] = 1
        image.changed()

    return fig, update


@scene
def outside_the_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    (line,) = left.plot([0, 1], [0, 1], clip_on=False, lw=5)
    left.set(xlim=(0, 1), ylim=(0, 1))
    text = left.text(1.1, 0.5, "out", fontsize=20)
    right.plot([0, 1])

    def update(k: int) -> None:
        line.set_data([0, 1 + k / 8], [0.5, np.sin(k)])
        text.set_position((1 + k / 10, 0.2 * (k % 4)))
        text.set_rotation(20 * k)

    return fig, update


@scene
def figure_level_artists() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])
    line = fig.add_artist(Line2D([0, 1], [0, 1], color="r", lw=3))
    patch = fig.add_artist(Rectangle((0.1, 0.1), 0.2, 0.2, alpha=0.5, transform=fig.transFigure))
    text = fig.text(0.5, 0.5, "x")

    def update(k: int) -> None:
        line.set_data([0, 1], [k / 10, 0.5])
        patch.set_xy((k / 12, 0.2))
        text.set_text("x" * k)
        if k == 5:
            line.set_zorder(-1)
        if k == 7:
            fig.patch.set_facecolor("c")

    return fig, update


@scene
def patches_of_all_kinds() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 10), ylim=(0, 10))
    arrow = ax.add_patch(FancyArrowPatch((1, 1), (5, 5), mutation_scale=20))
    box = ax.add_patch(FancyBboxPatch((5, 1), 2, 1))
    wedge = ax.add_patch(Wedge((3, 7), 2, 10, 80, width=0.5))
    arc = ax.add_patch(Arc((7, 7), 3, 2, theta2=200, lw=2))
    poly = ax.add_patch(Polygon([(8, 8), (9, 9), (8.5, 5)], lw=8, joinstyle="miter"))

    def update(k: int) -> None:
        arrow.set_positions((1, 1), (5 + k / 4, 5))
        box.set_boxstyle("round", pad=0.1 + k / 10)
        wedge.set_theta2(80 + 20 * k)
        arc.angle = 10 * k
        poly.set_xy([(8, 8), (9, 9 - k / 2), (8.5, 5)])

    return fig, update


@scene
def collections_of_all_kinds() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    lines = ax.add_collection(LineCollection([data(5), data(5, 1)], lw=6, capstyle="projecting"))
    ellipses = ax.add_collection(
        EllipseCollection(
            [9, 20, 5],
            [5, 8, 9],
            [0, 30, 60],
            units="points",
            offsets=data(3),
            offset_transform=ax.transData,
        )
    )
    band = ax.fill_between([0, 0.5, 1], [0.1, 0.2, 0.1], [0.3, 0.5, 0.4], alpha=0.4, hatch="x")
    patches = ax.add_collection(
        PatchCollection([Circle(p, 0.05) for p in data(4)], match_original=False)
    )
    stars = ax.scatter(*data(9, 3).T, marker="*", s=range(20, 200, 20), c=range(9))
    hexes = ax.hexbin(*data(200, 4).T, gridsize=6, alpha=0.3)

    def update(k: int) -> None:
        lines.set_segments([data(5, k), data(5, 1)])
        ellipses.set_angles([k * 10, 0, 0])
        patches.set_edgecolor(["r", "g", "b"][k % 3])
        stars.set_array(np.arange(9) * k)
        stars.set_urls(["x"])
        if k % 4 == 3:
            band.set_data([0, 0.5, 1], [0.1, 0.2, 0.1], [0.3, 0.1 * k, 0.4])
            hexes.set_alpha(0.05 * k)

    return fig, update


@scene
def quiver_and_stream() -> Animated:
    fig, ax = plt.subplots()
    x, y = np.meshgrid(np.arange(5), np.arange(5))
    arrows = ax.quiver(x, y, np.cos(x), np.sin(y))
    ax.quiverkey(arrows, 0.9, 1.05, 1, "one")
    ax.barbs(x, y, 10 * x, 10 * y, length=4)
    ax.streamplot(x, y, np.cos(x), np.sin(y), linewidth=0.5)
    return fig, lambda k: arrows.set_UVC(np.cos(x + k), np.sin(y))


@scene
def gouraud_and_tripcolor() -> Animated:
    fig, ax = plt.subplots()
    x, y = data(20).T
    mesh = ax.tripcolor(x, y, x * y, shading="gouraud")
    quad = ax.pcolormesh(
        np.linspace(0, 1, 5), np.linspace(1, 2, 5), data(25)[:, 0].reshape(5, 5), shading="gouraud"
    )

    def update(k: int) -> None:
        mesh.set_array(x * y + np.sin(x * k))
        quad.set_array(data(25, k)[:, 0].reshape(5, 5))

    return fig, update


@scene
def bars_and_errorbars() -> Animated:
    fig, ax = plt.subplots()
    bars = ax.bar(["a", "b", "c"], [1, 2, 3], yerr=0.3)
    ax.bar_label(bars)
    stem = ax.stem([0, 1, 2], [3, 1, 2])

    def update(k: int) -> None:
        for i, bar in enumerate(bars):
            bar.set_height(abs(np.sin(k + i)) * 3)
        stem.markerline.set_ydata([k % 3, 1, 2])

    return fig, update


@scene
def text_of_all_kinds() -> Animated:
    fig, ax = plt.subplots()
    wrapped = ax.text(0.1, 0.8, "a long text " * 5, wrap=True)
    maths = ax.text(0.1, 0.3, "$x^2$", fontsize=16, bbox={"boxstyle": "round", "fc": "w"})
    turned = ax.text(0.7, 0.3, "turn", rotation=30, rotation_mode="anchor", clip_on=True)
    anchored = ax.add_artist(AnchoredText("corner", loc="lower right"))
    properties = turned.get_fontproperties()

    def update(k: int) -> None:
        maths.set_text(rf"$\frac{{{k}}}{{2}}$")
        turned.set_fontsize(8 + k)
        if k % 3 == 1:
            properties.set_weight("bold" if k % 2 else "normal")
        if k == 5:
            wrapped.set_text("short")
        if k == 6:
            anchored.txt.set_text("moved")

    return fig, update


@scene
def table_and_offset_boxes() -> Animated:
    fig, ax = plt.subplots()
    table = ax.table([["1", "2"], ["3", "4"]], loc="center")
    picture = OffsetImage(data(8), zoom=2)
    box = ax.add_artist(AnnotationBbox(picture, (0.2, 0.8)))
    ax.add_artist(AnnotationBbox(TextArea("t"), (0.8, 0.8)))

    def update(k: int) -> None:
        table[0, 0].get_text().set_text(str(k))
        picture.set_data(data(8, k // 2))
        if k == 5:
            box.xybox = (0.5, 0.5)
        if k == 6:
            table[1, 1].set_facecolor("r")

    return fig, update


@scene
def infinite_lines() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])
    level = ax.axhline(0.5)
    span = ax.axvspan(0.1, 0.2, alpha=0.5)
    slope = ax.axline((0, 0), slope=1)

    def update(k: int) -> None:
        level.set_ydata([k / 10] * 2)
        span.set_x(k / 12)
        slope.set_slope(k / 5)

    return fig, update


@scene
def unclipped_markers_at_edges() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    (dots,) = ax.plot([], [], "o", ms=15, clip_on=False)
    scatter = ax.scatter([0], [0], s=300, clip_on=False, marker="^", linewidths=4)

    def update(k: int) -> None:
        dots.set_data([0, 1, k / 10], [1, 0, 1.1])
        scatter.set_offsets([(1, k / 10), (-0.1, 0.5)])

    return fig, update


@scene
def nan_and_empty() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1, 2], [0, np.nan, 1], "o-")
    points = ax.scatter([], [])

    def update(k: int) -> None:
        line.set_ydata([np.nan if k % 3 == 0 else k, 1, np.inf if k % 4 == 0 else 0])
        points.set_offsets(np.full((k % 3, 2), np.nan if k % 2 else 0.5))

    return fig, update


@scene
def huge_coordinates() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig, lambda k: line.set_data([-(10**k), 0.5, 10**k], [0, 0.5, 10**k])


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
