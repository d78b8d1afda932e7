"""What matplotlib does not flag, and what update functions do beside updating."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, ConnectionPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, offset_copy

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def update_draws_the_canvas() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    text = ax.text(0.5, 0.5, "a")

    def update(k: int) -> None:
        line.set_ydata([0, np.sin(k)])
        if k % 3 == 1:
            fig.canvas.draw()
        text.set_text(f"{text.get_window_extent().width:.2f}")
        if k % 4 == 2:
            fig.draw_without_rendering()

    return fig, update


@scene
def axis_objects_in_space() -> Animated:
    fig = plt.figure()
    space: Any = fig.add_subplot(121, projection="3d")
    space.plot([0, 1], [0, 1], [0, 1])
    (line,) = fig.add_subplot(122).plot([0, 1])

    def update(k: int) -> None:
        line.set_ydata([k, 0])
        space.xaxis._axinfo["grid"]["color"] = "r" if k > 5 else "0.6"
        if k > 7:
            space.set_xlabel(f"x {k}")
            space.yaxis.pane.set_facecolor("y")

    return fig, update


@scene
def update_draws_one_artist() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], lw=4)
    fig.canvas.draw()

    def update(k: int) -> None:
        line.set_ydata([0, np.sin(k)])
        line._alpha = 0.1 * (k % 7)
        ax.draw_artist(line)

    return fig, update


@scene
def update_reads_pixels() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    text = fig.text(0.1, 0.9, "")
    fig.canvas.draw()

    def update(k: int) -> None:
        line.set_ydata([0, k])
        fig.canvas.draw_idle()
        text.set_text(str(int(np.asarray(fig.canvas.buffer_rgba())[..., :3].sum())))
        region = fig.canvas.copy_from_bbox(ax.bbox)
        fig.canvas.restore_region(region)

    return fig, update


@scene
def update_measures() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    text = ax.text(0.2, 0.5, "m")
    box = fig.add_artist(Rectangle((0, 0), 1, 1, fill=False, transform=None))

    def update(k: int) -> None:
        text.set_text("m" * (k % 5 + 1))
        extent = text.get_window_extent(fig.canvas.get_renderer())
        box.set_bounds(extent.x0, extent.y0, extent.width, extent.height)
        width, _ = fig.canvas.get_width_height()
        line.set_xdata([0, ax.get_window_extent().width / width])

    return fig, update


@scene
def written_in_place() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0.0, 1.0], [0.0, 1.0])
    points = ax.scatter([0.2, 0.8], [0.5, 0.6])
    patch = ax.add_patch(PathPatch(Path([(0.1, 0.1), (0.3, 0.1), (0.2, 0.4)])))
    poly = ax.add_collection(PolyCollection([[(0.5, 0.1), (0.7, 0.1), (0.6, 0.3)]]))

    def update(k: int) -> None:
        if k % 4 == 0:
            points.get_offsets()[0] = (k / 10, 0.5)
        elif k % 4 == 1:
            patch.get_path().vertices[2, 0] = k / 10
        elif k % 4 == 2:
            poly.get_paths()[0].vertices[1] = (0.9, k / 10)
        else:
            line._path.vertices[1, 1] = k / 10

    return fig, update


@scene
def transforms_turned_in_place() -> Animated:
    fig, ax = plt.subplots()
    turn = Affine2D()
    patch = ax.add_patch(Rectangle((0.3, 0.3), 0.3, 0.2))
    patch.set_transform(turn + ax.transData)
    (line,) = ax.plot([0.5], [0.5], "s", ms=20)
    shift = offset_copy(ax.transData, fig, 5, 5, units="points")
    line.set_transform(shift)

    def update(k: int) -> None:
        if k % 2:
            turn.clear().rotate_deg_around(0.5, 0.5, 10 * k)

    return fig, update


@scene
def shared_norm_and_cmap() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    norm = mpl.colors.Normalize(0, 1)
    cmap = mpl.colormaps["viridis"].copy()
    left.scatter(*data().T, c=data()[:, 0], norm=norm, cmap=cmap)
    right.imshow(data(6), norm=norm, cmap=cmap)

    def update(k: int) -> None:
        if k % 2:
            norm.vmax = 0.5 + k
        elif k == 4:
            norm._vmin = -1
        elif k == 6:
            cmap._rgba_over = (1.0, 0.0, 0.0, 1.0)
            cmap._init()
            norm.vmax = 0.5

    return fig, update


@scene
def annotations_follow() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    dot = left.add_patch(Circle((0.5, 0.5), 0.1))
    left.annotate("here", (0.5, 0.5), xycoords=dot, xytext=(0.1, 0.9), arrowprops={"width": 1})
    note = right.annotate("n", (0.5, 0.5), (0.2, 0.8), arrowprops={"arrowstyle": "->"})
    link = fig.add_artist(
        ConnectionPatch((0.5, 0.5), (0.5, 0.5), "data", "data", axesA=left, axesB=right)
    )

    def update(k: int) -> None:
        dot.set_center((0.3 + k / 30, 0.5))
        note.xy = (k / 12, 0.2)
        if k == 6:
            right.set_xlim(0, 2)
        if k == 7:
            link.xy2 = (0.9, 0.1)

    return fig, update


@scene
def annotation_over_a_hidden_dependency() -> Animated:
    fig, ax = plt.subplots()
    text = ax.text(0.3, 0.5, "target")
    ax.annotate("note", (1, 0.5), xycoords=text, xytext=(20, 20), textcoords="offset points")
    (line,) = ax.plot([0, 1])

    def update(k: int) -> None:
        line.set_ydata([0, k])
        if k % 3 == 0:
            text.set_text("target" + "!" * k)

    return fig, update


@scene
def custom_artist_reads_outside() -> Animated:
    fig, ax = plt.subplots()
    state = {"x": 0.0}

    class Cross(Artist):
        def draw(self, renderer):
            gc = renderer.new_gc()
            gc.set_linewidth(3)
            path = Path([(state["x"], 0), (0.5, 1)])
            renderer.draw_path(gc, path, ax.transData)

    ax.add_artist(Cross())
    return fig, lambda k: state.update(x=(k // 2) / 10)


@scene
def custom_artist_reads_pixels() -> Animated:
    fig, ax = plt.subplots()

    class Negative(Artist):
        def draw(self, renderer):
            region = renderer.copy_from_bbox(self.axes.bbox)
            renderer.restore_region(region)

    (line,) = ax.plot([0, 1])
    ax.add_artist(Negative())
    return fig, lambda k: line.set_ydata([0, k])


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
