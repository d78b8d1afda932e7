"""Limits that change in one axes: it is drawn again as a whole, and with it what depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axis import XAxis
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from mpl_toolkits.axes_grid1 import make_axes_locatable

from render.film.canvas import LayeredCanvas, own_pixels

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
STATES = (0, 0, 1, 2, 4, 4, 5, 6, 3)


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def other_axes_point_there() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    (line,) = left.plot([0, 1])
    ends = {"axesA": left, "axesB": right, "arrowstyle": "->"}
    fig.add_artist(ConnectionPatch((0.5, 0.5), (0.5, 0.5), "data", "data", **ends))
    right.add_artist(ConnectionPatch((0.1, 0.5), (0.5, 0.5), "data", "axes fraction", **ends))
    right.annotate(
        "there", (0.5, 0.5), (5, 5), left.transData, "offset points", annotation_clip=False
    )
    fig.text(0.5, 0.5, "T", transform=left.transData)

    def update(k: int) -> None:
        left.set_xlim(-k / 10, 1 + k / 10)
        line.set_ydata([0, k / 9])

    return fig, update


@scene
def shared_and_aligned() -> Animated:
    fig, axes = plt.subplots(3, 2, sharex="col")
    (line,) = axes[0, 0].plot([0, 1])
    fig.align_ylabels(axes[:, 0])
    fig.align_ylabels(axes[:, 1])
    plt.setp(axes, ylabel="y")

    def update(k: int) -> None:
        line.set_data([0, k], [0, 10 ** (k % 4)])
        axes[0, 0].relim()
        axes[0, 0].autoscale_view()
        axes[1, 1].set_ylim(0, 10.0 ** (k // 2))

    return fig, update


@scene
def twins_and_titles() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    twin, across = left.twinx(), left.twiny()
    hidden = right.twinx()
    hidden.set_visible(False)
    left.set_title("left")
    title = right.set_title("right")
    right.xaxis.tick_top()
    right.legend(right.plot(data()), ["a", "b"], loc="best")

    def update(k: int) -> None:
        right.set_ylim(0, 1 + k)
        title.set_text(f"right {k // 2}")
        if k > 3:
            twin.set_ylim(0, 10 ** (k % 5))
            across.set_xlim(0, k + 1)
        if k == 6:
            hidden.set_visible(True)

    return fig, update


@scene
def insets_and_secondary_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    inset = left.inset_axes([0.2, 0.2, 0.5, 0.5], transform=left.transData)
    inset.plot([1, 0])
    left.indicate_inset_zoom(inset)
    right.secondary_xaxis("top")

    def update(k: int) -> None:
        left.set_xlim(0, 1 + k / 3)
        right.set_xlim(0, 1 + k / 9)
        if k == 5:
            inset.set_xlim(0, 3)

    return fig, update


@scene
def aspects() -> Animated:
    fig, (left, middle, right) = plt.subplots(1, 3)
    left.set_aspect("equal")
    middle.set(aspect="equal", adjustable="datalim", autoscale_on=True)
    right.imshow(data())

    def update(k: int) -> None:
        left.set_xlim(0, 1 + k / 3)
        middle.plot([0, k], [1, 2])
        right.set_xlim(0, 1 + k % 4)

    return fig, update


@scene
def colour_bars_beside() -> Animated:
    fig, (left, middle, right) = plt.subplots(1, 3)
    image = left.imshow(data())
    fig.colorbar(image, ax=left)
    place = make_axes_locatable(middle).append_axes("right", "10%", pad=0.05)
    fig.colorbar(middle.pcolormesh(data()), cax=place)
    (line,) = right.plot([0, 1])

    def update(k: int) -> None:
        right.set_ylim(0, 1 + k)
        line.set_ydata([0, k])
        if k % 3 == 2:
            image.set_clim(0, k)
        if k > 5:
            middle.set_xlim(0, k / 3)

    return fig, update


@scene
def overlapping() -> Animated:
    fig = plt.figure()
    below, above = fig.add_axes([0.1, 0.1, 0.6, 0.6]), fig.add_axes([0.4, 0.4, 0.5, 0.5])
    below.plot([0, 1], lw=9)
    above.plot([1, 0], lw=9, alpha=0.5)
    above.patch.set_alpha(0.4)

    def update(k: int) -> None:
        below.set_ylim(0, 1 + k / 5)
        if k > 4:
            above.set_xlim(0, k)
        if k == 6:
            above.set_zorder(-3)

    return fig, update


@scene
def subfigures_and_polar() -> Animated:
    fig = plt.figure()
    left, right = fig.subfigures(1, 2)
    (line,) = left.subplots().plot([0, 1])
    right.suptitle("s")
    polar = right.add_subplot(projection="polar")
    polar.plot([0, 1, 2], [1, 2, 3])

    def update(k: int) -> None:
        line.axes.set_ylim(0, 1 + k)
        if k % 3 == 0:
            polar.set_rmax(2 + k / 2)

    return fig, update


@scene
def formatter_and_artist_read_other_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    right.xaxis.set_major_formatter(lambda x, pos: f"{x + left.get_xlim()[1]:.1f}")

    class Bar(Artist):
        def draw(self, renderer: Any) -> None:
            gc = renderer.new_gc()
            path = right.patch.get_path()
            end = right.patch.get_transform().frozen().scale(left.get_xlim()[1] / 20)
            renderer.draw_path(gc, path, end)

    right.add_artist(Bar())
    return fig, lambda k: left.set_xlim(0, 1 + k)


@scene
def looks_of_an_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    (line,) = right.plot([0, 1])

    def update(k: int) -> None:
        left.set_position((0.1, 0.1, 0.3 + k / 50, 0.8))
        left.set_facecolor((k / 9, 1, 1))
        left.set_frame_on(k % 3 != 1)
        line.set_ydata([0, k / 9])
        if k == 5:
            left.set_axis_off()
        if k > 5:
            left.set_visible(k == 7)

    return fig, update


@scene
def after_tight_layout() -> Animated:
    fig, (left, right) = plt.subplots(1, 2, subplot_kw={"projection": "3d"})
    flat = fig.add_subplot(3, 3, 5)
    (line,) = flat.plot([0, 1])
    fig.tight_layout()

    def update(k: int) -> None:
        line.set_ydata([0, k / 9])
        left.view_init(20, 10 * (k // 2))
        if k == 4:
            flat.set_title("title\n")
            fig.tight_layout()
        if k == 6:
            right.set_facecolor("y")
            fig.set_layout_engine("tight")

    return fig, update


@scene
def limits_told_to_what_is_drawn_before() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    text = left.text(0.1, 0.5, "")
    (line,) = right.plot([0, 1])

    def tell(axes: Any) -> None:
        text.set_text(f"{axes.get_ylim()[1]:.1f}")
        left.set_xlabel(text.get_text())

    right.callbacks.connect("ylim_changed", tell)

    def update(k: int) -> None:
        line.set_ydata([0, k])
        right.relim()
        right.autoscale()  # found while the axes on the right is drawn

    return fig, update


@scene
def limits_told_once_in_a_while() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    title = left.set_title("")
    points = right.scatter([0, 1], [0, 1])
    right.callbacks.connect("xlim_changed", lambda _: title.set_text(f"{right.get_xlim()[1]:.1f}"))

    def update(k: int) -> None:
        points.set_offsets([(0, 0), (k // 3, 1)])
        if k % 3 == 0:
            right.relim()
            right.autoscale()

    return fig, update


@pytest.mark.filterwarnings("ignore:.*(tight|Tight|layout):UserWarning")
@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build, STATES)


@pytest.mark.parametrize(
    "build", [limits_told_to_what_is_drawn_before, limits_told_once_in_a_while]
)
def test_after_an_idle_draw_limits_are_those_of_a_second_drawing(
    build: Callable[[], Animated], assert_exact: Any, with_idle_draws: Any
) -> None:
    assert_exact(with_idle_draws(build), STATES)


def test_closing_a_canvas_that_drew_nothing_finds_no_limits() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    LayeredCanvas(figure).close()
    assert axes._stale_viewlims["x"]  # type: ignore[attr-defined]


def test_an_axes_whose_limits_change_is_the_only_one_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([0, 1])
    right.plot([0, 1])
    drawn = []
    with LayeredCanvas(figure) as canvas:
        for k in range(4):
            left.set_xlim(0, 1 + k)
            canvas.draw()
        draw = XAxis.draw
        monkeypatch.setattr(
            XAxis, "draw", lambda self, *args: drawn.append(self.axes) or draw(self, *args)
        )
        left.set_xlim(0, 9)
        canvas.draw()
    assert drawn == [left]


def test_after_tight_layout_only_what_changed_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, axes = plt.subplots()
    (line,) = axes.plot([0, 1])
    figure.tight_layout()
    engine = figure.get_layout_engine()
    with LayeredCanvas(figure) as canvas:
        for k in range(4):
            line.set_ydata([0, k / 9])
            canvas.draw()
        monkeypatch.setattr(own_pixels, "draw_nothing", lambda *_: pytest.fail("all was drawn"))
        figure.canvas.draw_idle()
        line.set_ydata([0, 0.5])
        canvas.draw()
    assert figure.get_layout_engine() is engine
