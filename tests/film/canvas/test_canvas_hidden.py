"""Changes that nothing announces: written in place, swapped for equals, made while drawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
STATES = (0, 0, 1, 2, 3, 3, 5, 6)


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def large_arrays() -> Animated:
    fig, (left, middle, right) = plt.subplots(1, 3)
    points = left.scatter(*data(4_000).T, s=1)
    image = middle.imshow(np.zeros((100, 200)), vmin=0, vmax=1)
    (line,) = right.plot(np.zeros(4_001), np.arange(4_001) / 4_000)
    (dot,) = left.plot([0.5], [0.5], "ro")
    left.legend(["a", "b"], loc="best", fontsize=4)

    def update(k: int) -> None:
        dot.set_xdata([k / 7])
        if k == 3:
            points.get_offsets()[3_000:3_100] = 1.02
        if k == 4:
            image.get_array()[80:84, 40:120] = 0.8
        if k == 5:
            line._xy[2_000:2_200, 0] = 0.05
        if k == 6:
            points.get_offsets().mask[:2_000] = True

    return fig, update


@scene
def masks_set_item_by_item() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    image = left.imshow(np.ma.array(data(9)))
    mesh = right.pcolormesh(np.ma.array(data(8)))

    def update(k: int) -> None:
        if k == 2:
            image.get_array()[3, 1] = np.ma.masked
        if k == 4:
            mesh.get_array()[3, 1] = np.ma.masked
        if k == 6:
            image.get_array().mask = np.ma.nomask

    return fig, update


@scene
def one_of_many_paths_and_cells() -> Animated:
    fig, ax = plt.subplots()
    corners = [[(x, y), (x + 0.02, y), (x, y + 0.02)] for x, y in data(1100)]
    triangles = ax.add_collection(PolyCollection(corners))

    def update(k: int) -> None:
        if k == 3:
            triangles.get_paths()[1050].vertices[:] += 0.05
        if k == 5:
            triangles.get_paths()[20].vertices[:, 0] = 0.05

    return fig, update


@scene
def lines_of_ticks() -> Animated:
    fig, ax = plt.subplots()
    ax.grid(True)

    def update(k: int) -> None:
        ticks: list[Any] = ax.xaxis.get_major_ticks()
        if k == 3:
            ticks[2].gridline._color = "r"
        if k == 5:
            ticks[2].gridline._xy[1, 1] = 0.5
        if k == 6:
            ticks[1].tick1line._markersize = 20

    return fig, update


@scene
def data_of_tick_lines() -> Animated:
    fig, ax = plt.subplots()
    ax.grid(True)

    def update(k: int) -> None:
        if k > 3:
            ax.get_xgridlines()[2].set_ydata([0, k / 10])
        if k > 5:
            ax.yaxis.get_major_ticks()[1].tick1line.set_xdata([k / 10])

    return fig, update


@scene
def groups_of_labels() -> Animated:
    fig, axes = plt.subplots(2, 2)
    plt.setp(axes, xlabel="x", ylabel="y", title="t")
    axes[0, 0].plot([0, 1e6])
    axes[0, 1].xaxis.tick_top()

    def update(k: int) -> None:
        if k == 3:
            fig.align_ylabels()
        if k == 5:
            fig.align_titles()

    return fig, update


@scene
def lists_of_settings() -> Animated:
    fig, ax = plt.subplots()
    ax.text(0.5, 0.5, "Tgq")
    families = mpl.rcParams["font.sans-serif"] = [*mpl.rcParams["font.sans-serif"]]

    def update(k: int) -> None:
        if k == 3:
            mpl.rcParams["font.sans-serif"].insert(0, "DejaVu Serif")
        if k == 6:
            mpl.rcParams["font.sans-serif"][:] = families[1:]

    return fig, update


@scene
def equals_swapped_then_written_to() -> Animated:
    fig, ax = plt.subplots()
    points = ax.scatter([0.5], [0.5])
    text = ax.text(0.5, 0.5, "t")
    lines = ax.add_collection(LineCollection([[(0, 0), (1, 1)]]))

    def update(k: int) -> None:
        if k == 1:
            points._sizes = points._sizes.copy()
            points._linewidths = list(points._linewidths)
            text._fontproperties = text._fontproperties.copy()
            lines._paths = list(lines._paths)
        if k == 3:
            points._sizes[:] = 300
        if k == 4:
            text._fontproperties.set_size(20)
        if k == 5:
            lines._paths[0] = Path([(0, 0.2), (1, 0.2)])
        if k == 6:
            points._linewidths[0] = 9
            points._edgecolors = np.array([[0.0, 0.0, 0.0, 1.0]])

    return fig, update


@scene
def labels_from_bound_methods_and_lists() -> Animated:
    fig, ax = plt.subplots()
    ax.set_xticks([0, 0.5])
    labels = {0.0: "a", 0.5: "b"}
    ax.xaxis.set_major_formatter(FuncFormatter(labels.get))
    names = ["p", "q", "r"]
    ax.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    ax.yaxis.set_major_formatter(FixedFormatter(names))

    def update(k: int) -> None:
        if k % 2:
            labels[0.5] = "b" * k
        else:
            names[1] = "q" * k

    return fig, update


@scene
def code_without_a_module() -> Animated:
    names: dict[str, Any] = {}
    code = """
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
figure, ax = plt.subplots()
state = {"k": 0}
def label(x, pos): return f"{x + state['k']:.1f}"
ax.xaxis.set_major_formatter(label)
class Own(Line2D):
    def draw(self, renderer):
        self._ydata = [0, state["k"] / 8]
        self.set_ydata(self._ydata)
        super().draw(renderer)
ax.add_line(Own([0, 1], [0, 1]))
class Labels:
    def __call__(self, x, pos): return f"v{state['k']}"
ax.yaxis.set_major_formatter(Labels())
"""
    exec(code, names)
    return names["figure"], lambda k: names["state"].update(k=k)


@scene
def axes_get_a_draw_of_their_own() -> Animated:
    fig, (left, _) = plt.subplots(1, 2)
    (line,) = left.plot([0, 1])
    state = {"k": 0}

    def draw(renderer: Any) -> None:
        line.set_linewidth(1 + state["k"])
        type(left).draw(left, renderer)

    def update(k: int) -> None:
        state["k"] = k
        if k == 3:
            left.draw = draw

    return fig, update


@scene
def artists_that_change_others_while_drawn() -> Animated:
    fig, ax = plt.subplots()
    below, above = ax.plot([0, 1], zorder=2)[0], ax.plot([1, 0], zorder=6)[0]
    state = {"k": 0}

    class Mover(Artist):
        def draw(self, renderer: Any) -> None:
            below.set_ydata([0, state["k"] / 8])
            above.set_ydata([state["k"] / 8, 0])
            ax.set_xlim(0, 1 + state["k"] // 2)

    mover = Mover()
    mover.set_zorder(4)
    ax.add_artist(mover)
    return fig, lambda k: state.update(k=k)


@scene
def annotations_of_what_is_drawn_later() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    right.set_ylabel("label")
    title = right.set_title("title")
    for target in (right.yaxis.label, title):
        left.annotate(
            "n", (0, 0.5), (-30, 10), target, "offset points", {"width": 1}, annotation_clip=False
        )

    def update(k: int) -> None:
        right.set_ylim(0, 10 ** (k % 4))
        if k == 2:
            right.xaxis.tick_top()
        if k == 6:
            title.set_text("title\n")

    return fig, update


@scene
def pixels_read_after_a_drawing() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    text = fig.text(0.1, 0.9, "")

    def update(k: int) -> None:
        line.set_ydata([0, k])
        fig.canvas.draw()
        text.set_text(str(np.asarray(fig.canvas.buffer_rgba()).astype(int).sum()))

    return fig, update


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build, STATES)


@pytest.mark.parametrize(
    "build", [artists_that_change_others_while_drawn, annotations_of_what_is_drawn_later]
)
def test_the_first_idle_draw_leaves_behind_what_it_changed(
    build: Callable[[], Animated], assert_exact: Any, with_idle_draws: Any
) -> None:
    assert_exact(with_idle_draws(build), (0, 0))
