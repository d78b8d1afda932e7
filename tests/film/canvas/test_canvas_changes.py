"""What changes between frames: data, limits, order, presence, settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def line_over_scatter() -> Animated:
    fig, ax = plt.subplots()
    ax.scatter(*data().T)
    (line,) = ax.plot([0, 1], [0, 1], "r")
    return fig, lambda k: line.set_data([0, 1], [0, np.sin(k)])


@scene
def scatter_moves_under_grid() -> Animated:
    fig, ax = plt.subplots()
    points = ax.scatter(*data().T)
    ax.grid(True)
    ax.set(xlim=(0, 1), ylim=(0, 1), title="loss")

    def update(k: int) -> None:
        points.set_offsets(data(seed=k % 3))
        points.set_sizes([10 + 5 * k])

    return fig, update


@scene
def two_panels() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    left.scatter(*data().T)
    (line,) = left.plot([0, 1], [0, 1], "r")
    x = np.linspace(-2, 2, 30)
    right.contourf(x, x, np.add.outer(x**2, x), 8)
    (path,) = right.plot([], [], "w")
    (dot,) = right.plot([], [], "o")
    text = right.text(0.05, 0.9, "", transform=right.transAxes)

    def update(k: int) -> None:
        line.set_ydata([0, k / 7])
        t = np.linspace(0, k / 3, 5 * k + 1)
        path.set_data(np.cos(t), np.sin(t))
        dot.set_data([np.cos(t[-1])], [np.sin(t[-1])])
        text.set_text(f"step {k}")

    return fig, update


@scene
def limits_change() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    left.plot(*data().T)
    right.plot(*data(seed=2).T)

    def update(k: int) -> None:
        if k % 3 == 0:
            left.set_xlim(0, 1 + k)
        if k % 4 == 0:
            right.set_ylim(-k, 1)

    return fig, update


@scene
def shared_limits() -> Animated:
    fig, (left, right) = plt.subplots(1, 2, sharey=True)
    (line,) = left.plot([0, 1], [0, 1])
    right.plot([0, 1], [1, 0])

    def update(k: int) -> None:
        line.set_ydata([0, k])
        left.relim()
        left.autoscale_view()

    return fig, update


@scene
def scales_change() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([1, 10, 100], [1, 5, 50])

    def update(k: int) -> None:
        ax.set_yscale(["linear", "log", "symlog"][k % 3])

    return fig, update


@scene
def log_axes_moving_line() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.loglog([1, 10, 100], [1, 5, 50])
    ax.grid(True, which="both")
    return fig, lambda k: line.set_ydata([1, 5 + k, 50 - k])


@scene
def added_and_removed() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 10), ylim=(0, 10))
    held: list[Any] = []

    def update(k: int) -> None:
        held.extend(ax.plot([k, k + 1], [k, 5]))
        if len(held) > 3:
            held.pop(0).remove()

    return fig, update


@scene
def hidden_and_shown() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    lines = [left.plot([0, 1], [i, 3 - i])[0] for i in range(4)]
    right.imshow(data(5))

    def update(k: int) -> None:
        for i, line in enumerate(lines):
            line.set_visible((i + k) % 3 > 0)
        right.set_visible(k % 4 != 2)

    return fig, update


@scene
def hidden_until_another_has_moved() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    image = right.imshow(data(5))

    def update(k: int) -> None:
        image.set_visible(k % 3 == 0)
        left.xaxis.set_visible(k % 4 != 2)

    return fig, update


@scene
def reordered() -> Animated:
    fig, ax = plt.subplots()
    patches = [ax.add_patch(Circle((0.3 + i / 8, 0.5), 0.2, color=f"C{i}")) for i in range(4)]

    def update(k: int) -> None:
        for i, patch in enumerate(patches):
            patch.set_zorder((i * 3 + k) % 5)

    return fig, update


@scene
def cleared_every_frame() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    right.plot([0, 1])

    def update(k: int) -> None:
        left.clear()
        left.plot(np.sin(np.arange(10) + k))
        left.set_title(f"{k}")

    return fig, update


@scene
def figure_cleared() -> Animated:
    fig, _ = plt.subplots()

    def update(k: int) -> None:
        fig.clear()
        fig.add_subplot().plot([0, k])

    return fig, update


@scene
def artist_animation() -> Animated:
    fig, ax = plt.subplots()
    frames = [[ax.imshow(data(5, i)), *ax.plot([0, i])] for i in range(5)]

    def update(k: int) -> None:
        for i, artists in enumerate(frames):
            for artist in artists:
                artist.set_visible(i == k % 5)

    return fig, update


@scene
def animated_flag() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], animated=True)
    fig.add_artist(Line2D([0, 1], [0, 1], animated=True))

    def update(k: int) -> None:
        line.set_ydata([0, k])
        if k == 5:
            line.set_animated(False)

    return fig, update


@scene
def position_and_aspect() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    (line,) = left.plot([0, 1])
    right.set_aspect("equal")
    right.plot([0, 1], [0, 3])

    def update(k: int) -> None:
        line.set_ydata([0, k % 2])
        if k % 4 == 1:
            left.set_position((0.1, 0.1, 0.3, 0.3 + k / 30))
        if k % 4 == 3:
            right.set_aspect(k)
        if k == 6:
            fig.subplots_adjust(bottom=0.3)

    return fig, update


@scene
def settings_change() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot(np.linspace(0, 1, 400), np.sin(np.arange(400)))

    def update(k: int) -> None:
        mpl.rcParams["path.simplify_threshold"] = [0.1, 1.0][k % 2]
        mpl.rcParams["text.hinting"] = ["default", "force_autohint"][k // 3 % 2]
        line.set_alpha(0.5 + k / 30)

    return fig, update


@scene
def size_changes() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])

    def update(k: int) -> None:
        line.set_ydata([0, k])
        if k == 3:
            fig.set_size_inches(4, 2)
        if k == 6:
            fig.set_dpi(80)

    return fig, update


@scene
def nothing_returned_nothing_changed() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])
    return fig, lambda k: None


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
