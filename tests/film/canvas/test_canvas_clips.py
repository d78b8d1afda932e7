"""Artists clipped to shapes: the mask depends on the command for which Agg rendered it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def wheel(ax: Any) -> Any:
    """Fill a polar axes with a mesh, which snaps, and with it the mask of what follows."""
    angles, radii = np.linspace(0, 6.28, 13), np.linspace(0, 1, 5)
    mesh = ax.pcolormesh(angles, radii, np.arange(48).reshape(4, 12))
    ax.set_rmax(1)
    return mesh


@scene
def meshes_in_two_polar_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2, subplot_kw={"projection": "polar"})
    wheel(left)
    wheel(right)
    (line,) = left.plot([], [], lw=6, color="r")
    return fig, lambda k: line.set_data(np.linspace(0, 6, 50) + k, np.linspace(0, 1.3, 50))


@scene
def a_mask_that_the_drawing_before_left() -> Animated:
    fig, ax = plt.subplots(subplot_kw={"projection": "polar"})
    wheel(ax)
    logo = ax.add_artist(Rectangle((0, 0), 60, 40, transform=None, zorder=0.5))
    logo.set_clip_path(Circle((20, 20), 20, transform=None))
    (line,) = ax.plot([], [], lw=6, color="r")
    first = ax.add_patch(Rectangle((0, 0), 6, 1.2, color="y", zorder=0.1, snap=False))
    first.set_clip_path(ax.patch)
    return fig, lambda k: line.set_data(np.linspace(0, 6, 50) + k, np.linspace(0, 1.3, 50))


@scene
def the_first_in_a_rim_that_each_drawing_makes_anew() -> Animated:
    fig, ax = plt.subplots(subplot_kw={"projection": "polar"})
    ax.axis("off")
    (dot,) = ax.plot([], [], "s")
    ax.plot(np.linspace(0, 20, 200), np.linspace(0, 1.4, 200), lw=4, color="r")
    ax.set_rmax(1)
    return fig, lambda k: dot.set_data([1] if k > 3 else [], [0.5] if k > 3 else [])


@scene
def beyond_the_rectangle_of_another() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    circle = Circle((1, 0.5), 0.4, transform=ax.transData)
    disc = ax.add_patch(Rectangle((0, 0), 1.5, 1, fc="y"))
    (line,) = ax.plot([0, 1.4], [0.5, 0.5], lw=20, zorder=1.1)
    last = ax.add_patch(Rectangle((0, 0), 1, 1, fc="g", zorder=1.2))
    for artist in (disc, line):
        artist.set_clip_path(circle)
    line.set_clip_box(None)
    last.set_clip_path(Circle((0.1, 0.1), 0.1, transform=ax.transData))
    return fig, lambda k: line.set_ydata([k / 10, 1 - k / 10])


@scene
def equal_paths_snapped_or_not() -> Animated:
    fig, ax = plt.subplots()
    corners = [[0.1, 0.13], [0.833, 0.17], [0.5, 0.877]]
    box = ax.add_patch(Rectangle((0, 0), 1, 1, fc="y", snap=True))
    (line,) = ax.plot([0, 1], [0.5, 0.5], lw=60)
    for artist in (box, line):
        artist.set_clip_path(Polygon(corners, transform=ax.transData))
    return fig, lambda k: line.set_ydata([k / 10, 1 - k / 10])


@scene
def images_and_markers_over_meshes() -> Animated:
    random = np.random.default_rng(0)
    fig, axs = plt.subplots(1, 2)
    images, dots = [], []
    for ax in axs:
        circle = Circle((5, 5), 4.3, transform=ax.transData)
        mesh = ax.pcolormesh(random.random((10, 10)))
        image = ax.imshow(random.random((10, 10)), extent=(0, 10, 0, 10), alpha=0.6, zorder=3)
        dots += ax.plot([2, 9], [2, 9], "o", markersize=30, zorder=4)
        for artist in (mesh, image, dots[-1]):
            artist.set_clip_path(circle)
        images.append(image)

    def update(k: int) -> None:
        images[0].set_data(np.eye(10) * k)
        dots[1].set_ydata([k, 9])

    return fig, update


@scene
def clips_that_grow_and_change_hands() -> Animated:
    fig, ax = plt.subplots()
    circle, other = (Circle((x, 0.5), 0.3, transform=ax.transData) for x in (0.3, 0.7))
    boxes = [Rectangle((0, 0), 1, 1, fc=color, alpha=0.5) for color in "yrb"]
    for box in boxes:
        ax.add_patch(box).set_clip_path(circle)
    boxes[1].set_snap(True)

    def update(k: int) -> None:
        circle.set_radius(0.2 + k / 40)
        boxes[k % 3].set_clip_path(other if k % 2 else circle)
        boxes[2].set_zorder(k % 4)

    return fig, update


@pytest.mark.parametrize("build", SCENES, ids=lambda build: build.__name__)
@pytest.mark.parametrize("idle", [False, True], ids=["", "idle"])
def test_clipped_artists_are_drawn_exactly(build, idle, assert_exact, with_idle_draws):
    assert_exact(with_idle_draws(build) if idle else build)
