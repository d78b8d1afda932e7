"""Kinds of axes: twin, inset, overlapping, polar, geographic, 3D, of other toolkits; subfigures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def twin_axes() -> Animated:
    fig, ax = plt.subplots()
    twin = ax.twinx()
    (a,) = ax.plot([0, 1], "b")
    (b,) = twin.plot([0, 10], "r")
    twin.set_ylim(0, 20)
    ax.set_title("twins")

    def update(k: int) -> None:
        a.set_ydata([k / 10, 1])
        b.set_ydata([0, k])
        if k == 5:
            twin.set_ylim(0, 30)

    return fig, update


@scene
def inset_axes() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot(np.sin(np.arange(50)))
    inset = ax.inset_axes([0.5, 0.5, 0.4, 0.4])
    (zoom,) = inset.plot(np.sin(np.arange(50)))
    inset.set_xlim(5, 15)
    ax.indicate_inset_zoom(inset)

    def update(k: int) -> None:
        line.set_ydata(np.sin(np.arange(50) + k))
        zoom.set_ydata(np.sin(np.arange(50) + k))
        if k == 6:
            inset.set_xlim(5, 25)

    return fig, update


@scene
def overlapping_axes() -> Animated:
    fig = plt.figure()
    low = fig.add_axes((0.1, 0.1, 0.6, 0.6))
    high = fig.add_axes((0.4, 0.4, 0.5, 0.5), facecolor=(1, 1, 0, 0.5))
    (a,) = low.plot([0, 1])
    (b,) = high.plot([0, 1], "r")

    def update(k: int) -> None:
        a.set_ydata([k / 5, 1])
        b.set_ydata([0, k / 12])
        if k == 6:
            low.set_zorder(2)

    return fig, update


@scene
def polar_axes() -> Animated:
    fig, ax = plt.subplots(subplot_kw={"projection": "polar"})
    (line,) = ax.plot(np.linspace(0, 6, 50), np.linspace(0, 1, 50))
    bars = ax.bar([0, 1, 2], [0.5, 0.7, 0.9], alpha=0.5)
    ax.set_title("polar")

    def update(k: int) -> None:
        line.set_ydata(np.linspace(0, 1, 50) * np.cos(k) ** 2)
        bars[1].set_height(0.1 * (k % 8))
        if k == 6:
            ax.set_rmax(2)

    return fig, update


@scene
def geo_axes() -> Animated:
    fig, ax = plt.subplots(subplot_kw={"projection": "mollweide"})
    (line,) = ax.plot([-1, 1], [0.5, 0])
    ax.grid(True)
    return fig, lambda k: line.set_ydata([np.sin(k), 0])


@scene
def axes_3d() -> Animated:
    fig = plt.figure()
    ax = fig.add_subplot(1, 2, 1, projection="3d")
    x = np.linspace(-1, 1, 8)
    ax.plot_surface(*np.meshgrid(x, x), np.add.outer(x, x**2), cmap="viridis")
    (line,) = ax.plot([0, 1], [0, 1], [0, 1])
    flat = fig.add_subplot(1, 2, 2)
    (dot,) = flat.plot([0, 1], [0, 1], "o")

    def update(k: int) -> None:
        dot.set_ydata([k % 3, 1])
        if k % 4 == 1:
            ax.view_init(20 + 3 * k, 10 * k)
        if k % 5 == 2:
            line.set_data_3d([0, 1], [0, k], [0, 1])

    return fig, update


@scene
def subfigures() -> Animated:
    fig = plt.figure()
    left, right = fig.subfigures(1, 2)
    left.set_facecolor("0.9")
    (a,) = left.subplots().plot([0, 1])
    (b,) = right.subplots().plot([0, 1])
    title = right.suptitle("r")

    def update(k: int) -> None:
        a.set_ydata([0, np.sin(k)])
        b.set_ydata([0, np.cos(k)])
        if k % 3 == 2:
            title.set_text(f"r {k}")
        if k == 7:
            left.set_facecolor("y")

    return fig, update


@scene
def parasite_axes() -> Animated:
    from mpl_toolkits.axes_grid1 import host_subplot

    fig = plt.figure()
    host = host_subplot(111, figure=fig)
    guest = host.twinx()
    (a,) = host.plot([0, 1])
    (b,) = guest.plot([0, 5], "r")

    def update(k: int) -> None:
        a.set_ydata([0, k / 10])
        b.set_ydata([k, 5])

    return fig, update


@scene
def divided_axes() -> Animated:
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    fig, ax = plt.subplots()
    image = ax.imshow(data(10))
    cax = make_axes_locatable(ax).append_axes("right", "5%", pad=0.1)
    fig.colorbar(image, cax=cax)

    def update(k: int) -> None:
        image.set_data(data(10, k) * (1 + k % 2))
        if k % 3 == 2:
            image.autoscale()

    return fig, update


@scene
def custom_axes() -> Animated:
    class Axes2(mpl.axes.Axes):
        def draw(self, renderer):
            self.patch.set_facecolor(str(0.5 + self.lines[0].get_ydata()[1] / 30))
            super().draw(renderer)

    fig = plt.figure()
    ax = fig.add_axes(Axes2(fig, (0.1, 0.1, 0.8, 0.8)))
    (line,) = ax.plot([0, 1])
    return fig, lambda k: line.set_ydata([0, k])


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
