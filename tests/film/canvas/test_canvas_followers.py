"""What follows something elsewhere: other axes, legends, code in disguise, the canvas itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import get_named_colors_mapping
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.offsetbox import AnnotationBbox, TextArea
from matplotlib.patches import ConnectionPatch
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator

from render.film.canvas import LayeredCanvas

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
STATES = (0, 0, 1, 2, 3, 3, 5, 6)


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


@scene
def axes_that_share_a_locator() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    locator = MaxNLocator(5)
    left.xaxis.set_major_locator(locator)
    right.xaxis.set_major_locator(locator)  # whose view it follows from now on
    left.set_xlim(0, 10)
    return fig, lambda k: right.set_xlim(0, 10 + 7 * k)


@scene
def axes_that_share_a_date_formatter() -> Animated:
    fig, (left, right) = plt.subplots(2, 1)
    locator = AutoDateLocator()
    for ax in (left, right):
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        ax.set_xlim(0, 400)
    return fig, lambda k: right.set_xlim(0, 400 / (k + 1) ** 3)


@scene
def boxes_that_point_at_other_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    right.set_ylabel("label")
    for parent in (fig, left, right):
        for target in (right.yaxis.label, right.set_title("title")):
            box = AnnotationBbox(
                TextArea("see"),
                (0, 0.5),
                xycoords=target,
                xybox=(0.3, 0.3),
                boxcoords="figure fraction",
                arrowprops={"arrowstyle": "->"},
                annotation_clip=False,
            )
            parent.add_artist(box)

    def update(k: int) -> None:
        right.set_ylim(0, 10.0 ** (k % 4))
        right.xaxis.set_ticks_position("top" if k > 4 else "bottom")

    return fig, update


@scene
def arrows_that_point_at_axes_in_space() -> Animated:
    fig = plt.figure()
    flat, space = fig.add_subplot(1, 2, 1), fig.add_subplot(1, 2, 2, projection="3d")
    ends = {"axesA": flat, "axesB": space, "arrowstyle": "->"}
    for parent in (fig, flat):
        parent.add_artist(ConnectionPatch((0, 0), (1, 1), "data", "axes fraction", **ends))
    flat.annotate("there", (0.5, 0.5), (0.2, 0.2), space, flat.transAxes, annotation_clip=False)

    def update(k: int) -> None:
        space.set_position((0.5 + k // 2 / 30, 0.1, 0.4, 0.8))

    return fig, update


@scene
def what_stands_where_a_legend_goes() -> Animated:
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = ax.plot([0, 1], [0.9, 0.95], label="q")
    legend = ax.legend(loc="best")
    place = {"xybox": (0.5, 0.5), "boxcoords": "figure fraction"}
    fig.add_artist(AnnotationBbox(TextArea("see"), (0, 0), xycoords=legend, **place))
    image = BboxImage(legend.get_window_extent, zorder=0)
    image.set_data(np.arange(4.0).reshape(2, 2))
    ax.add_artist(image)
    ways = [([0.9, 1], [0.9, 0.99]), ([0, 1], [0.9, 0.95]), ([0, 0.1], [0.1, 0.05])]
    return fig, lambda k: line.set_data(*ways[k % 3])


@scene
def a_legend_drawn_after_nested_axes() -> Animated:
    """They part it from the lines that it keeps away from: some are drawn before, some after."""
    fig, (left, right) = plt.subplots(1, 2)
    lines = []
    for axes, zorder in ((left, 2), (right, 9)):
        axes.set(xlim=(0, 1), ylim=(0, 1))
        lines += axes.plot([0, 1], [0.9, 0.95], label="q", zorder=zorder)
        axes.inset_axes([0.4, 0.4, 0.2, 0.2], zorder=5)
        axes.legend(loc="best")
    ways = [([0.9, 1], [0.9, 0.99]), ([0, 1], [0.9, 0.95]), ([0, 0.1], [0.1, 0.05])]
    return fig, lambda k: plt.setp(lines, data=ways[k % 3])


def shared_margins(projection: str | None, **settings: Any) -> Callable[[], Animated]:
    """Limits that two axes share follow the margins of the one that is drawn first."""

    def build() -> Animated:
        fig = plt.figure()
        one = fig.add_subplot(1, 2, 1, projection=projection)
        other = fig.add_subplot(1, 2, 2, projection=projection, sharex=one)
        for axes in (one, other):
            axes.plot(*[[0, 1]] * (3 if projection else 2))
        one.set(**settings)
        return fig, lambda k: other.set_xmargin(k / 10)

    return build


SCENES += [
    shared_margins("3d"),
    shared_margins(None, zorder=1),
    shared_margins(None, rasterization_zorder=0),
    shared_margins(None, zorder=1, aspect="equal"),
]


@scene
def margins_of_polar_axes_that_are_drawn_last() -> Animated:
    fig = plt.figure()
    one = fig.add_subplot(1, 2, 1, projection="polar", zorder=1)
    other = fig.add_subplot(1, 2, 2, projection="polar", sharey=one)
    for axes in (one, other):
        axes.plot([0, 1], [0.5, 1])
    return fig, lambda k: other.set_ymargin(k / 10)


def margins_read_out_of_order(arrange: Callable[[Figure, Any], Any]) -> Callable[[], Animated]:
    """Of two axes that share limits, the second's are read first, or are not the first's."""

    def build() -> Animated:
        fig, axs = plt.subplots(1, 3)
        axs[2].sharey(axs[1])
        for axes in axs:
            axes.plot([0, 1], [0.5, 1])
            axes.set(xlabel="x", title="title")
        axs[2].xaxis.tick_top()
        arrange(fig, axs)
        return fig, lambda k: axs[2].set_ymargin(k / 10)

    return build


SCENES += [
    margins_read_out_of_order(lambda fig, axs: fig.align_xlabels(axs[::2])),
    margins_read_out_of_order(lambda fig, axs: fig.align_titles(axs[::2])),
    margins_read_out_of_order(lambda fig, axs: axs[1].set_animated(True)),
]


@scene
def margins_of_axes_in_hidden_ones() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    inset = left.inset_axes((0.1, 0.1, 0.5, 0.5))
    inset.sharex(right)
    for axes in (inset, right):
        axes.plot([0, 1])
    left.set_visible(False)
    return fig, lambda k: right.set_xmargin(k / 10)


@scene
def three_dimensional_axes_that_move() -> Animated:
    fig = plt.figure()
    ax = fig.add_subplot(projection="3d", facecolor="gold")
    fig.text(0, 0, "corner", transform=ax.transAxes, zorder=0)
    return fig, lambda k: ax.set_position((0.1, 0.2, 0.3 + k // 3 / 9, 0.5))


@scene
def data_added_to_axes_that_are_hidden() -> Animated:
    fig, (_, ax) = plt.subplots(1, 2)
    ax.set_visible(False)

    def update(k: int) -> None:
        if k == 3:
            ax.plot([0, 9])
        if k == 4:
            ax.autoscale(False)  # before their limits were found
        if k == 5:
            ax.set_visible(True)

    return fig, update


@scene
def ticks_that_follow_the_least_positive_of_the_data() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([1, 10], [0, 1])
    ax.set_xlim(-1, 100)
    ax.xaxis.set_major_locator(LogLocator())

    def update(k: int) -> None:
        line.set_xdata([10.0**-k, 10])
        ax.relim()

    return fig, update


@scene
def code_in_disguise() -> Animated:
    fig, axes = plt.subplots(1, 3)
    state = {"k": 0}

    class Label(str):
        def __new__(cls, x: float, pos: int) -> Any:
            return str.__new__(cls, f"{x:.0f}/{state['k']}")

    @wraps(EngFormatter.__call__)
    def wrapped(x: float, pos: Any = None) -> str:
        return f"{x:.0f}+{state['k']}"

    ufunc = np.frompyfunc(lambda x, pos: f"{x:.0f}-{state['k']}", 2, 1)
    for ax, function in zip(axes, (Label, wrapped, ufunc), strict=True):
        ax.xaxis.set_major_formatter(FuncFormatter(function))
    return fig, lambda k: state.update(k=k)


@scene
def images_composed_from_some_frame_on() -> Animated:
    fig, ax = plt.subplots()
    for left in range(3):
        ax.imshow(np.arange(9.0).reshape(3, 3), extent=(left, left + 3, 0, 3), alpha=0.6)
    return fig, lambda k: setattr(fig, "suppressComposite", False if k > 3 else None)


@scene
def many_polygons_whose_colours_change() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    rng = np.random.default_rng(0)
    corners = rng.random((60, 1, 2)) + rng.random((60, 5, 2)) / 9
    polygons = [
        ax.add_collection(PolyCollection(corners, array=rng.random(60))) for ax in (left, right)
    ]

    def update(k: int) -> None:
        for one in polygons:
            one.set_array(np.roll(one.get_array(), k))
        if k in (3, 6):
            polygons[1].get_paths()[7].vertices[:] += 0.1  # in place
        if k == 5:
            polygons[0].set_verts(corners[:40] + 0.05)

    return fig, update


@scene
def a_handler_that_paints() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], animated=True)

    def paint(event: Any) -> None:
        fig.canvas.copy_from_bbox(fig.bbox)
        fig.draw_artist(line)

    fig.canvas.mpl_connect("draw_event", paint)
    return fig, lambda k: line.set_ydata([0, k / 9])


@scene
def a_canvas_made_on_the_way() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])

    def update(k: int) -> None:
        line.set_ydata([k % 3, 1])
        if k == 4:
            FigureCanvasAgg(fig).draw()

    return fig, update


@pytest.mark.parametrize("start", [0, 3])
def test_a_drawing_that_is_wrapped(start: int, assert_exact: Any) -> None:
    def build() -> Animated:
        fig, ax = plt.subplots()
        (line,) = ax.plot([0, 1])
        draw = fig.draw

        def update(k: int) -> None:
            line.set_ydata([k % 3, 1])
            if k >= start:
                fig.draw = lambda renderer: draw(renderer)

        return fig, update

    assert_exact(build, STATES)


def test_a_colour_whose_name_gets_another_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    names = get_named_colors_mapping()
    fig, ax = plt.subplots()
    monkeypatch.setitem(names, "mine", "#ff0000")
    ax.plot([0, 1], color="mine", linewidth=9)
    seen = []
    with LayeredCanvas(fig) as canvas:
        for value in ("#ff0000", "#ff0000", "#ff0000", "#0000ff", "#0000ff"):
            monkeypatch.setitem(names, "mine", value)
            picture = canvas.draw()
            seen.append(bool((picture == [0, 0, 255, 255]).all(axis=-1).any()))
    assert seen == [False, False, False, True, True]


@scene
def labels_in_the_middle_of_bars() -> Animated:
    fig, ax = plt.subplots()
    bars = ax.bar([0, 1], [1, 2])
    ax.bar_label(bars, label_type="center")
    ax.set_ylim(0, 10)

    def update(k: int) -> None:
        for place, bar in enumerate(bars):
            bar.set_height(1 + place * min(k, 5) * (k != 3))

    return fig, update


@scene
def colours_told_to_what_is_drawn_before() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    title = left.set_title("")
    image = right.imshow(np.eye(3))
    image.norm.callbacks.connect("changed", lambda: title.set_text(str(image.norm.vmax)))
    frames = count()

    def update(k: int) -> None:
        if next(frames) % 4 == 1:
            image.norm._vmax = None  # found while the image is drawn
            image.set_data(np.eye(3) * (k + 2))

    return fig, update


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build, STATES)


def test_a_canvas_that_someone_gave_the_figure_stays() -> None:
    fig, _ = plt.subplots()
    with LayeredCanvas(fig) as canvas:
        canvas.draw()
        given = FigureCanvasAgg(fig)
        canvas.draw()
    assert fig.canvas is given
    assert "draw_idle" not in vars(given)
