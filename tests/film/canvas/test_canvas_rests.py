"""Artists that rest for some frames and change then: nothing that is only watched is missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import Normal, SimpleLineShadow
from matplotlib.transforms import Affine2D, Bbox
from matplotlib.widgets import Button, CheckButtons, RadioButtons, Slider

from render.film.canvas import LayeredCanvas, layered
from render.film.canvas.arrays import WatchedArray, owner
from render.film.canvas.private import is_as_known

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
STATES = (0, 0, 0, 1, 1, 1, 2, 4, 4, 5, 7, 3)


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def data(n: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2))


@scene
def widgets() -> Animated:
    fig = plt.figure()
    slider = Slider(fig.add_axes((0.4, 0.1, 0.5, 0.08)), "v", 0, 10)
    button = Button(fig.add_axes((0.05, 0.1, 0.2, 0.1)), "go")
    checks = CheckButtons(fig.add_axes((0.02, 0.4, 0.25, 0.25)), ["a", "b"], [True, False])
    radio = RadioButtons(fig.add_axes((0.02, 0.7, 0.25, 0.25)), ["x", "y"])

    def update(k: int) -> None:
        slider.set_val(k)
        button.label.set_text(f"go{k // 2}")
        if k % 3 == 1:
            checks.set_active(k % 2)
        if k == 5:
            radio.set_active(1)

    return fig, update


@scene
def norms_and_maps() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    image = left.imshow(data(8))
    fig.colorbar(image)
    mesh = right.pcolormesh(data(8))

    def update(k: int) -> None:
        if k == 3:
            image.norm = mpl.colors.LogNorm(0.01, 1)
        if k == 5:
            image.set_cmap("magma")
            mesh.set_edgecolor("w")
        if k == 6:
            mesh.set_clim(0, 2)
        mesh.set_array(data(8, k // 3))

    return fig, update


@scene
def clip_paths() -> Animated:
    fig, ax = plt.subplots()
    image = ax.imshow(data(9))
    circle = Circle((4, 1), 2, transform=ax.transData)
    image.set_clip_path(circle)
    (line,) = ax.plot([0, 2], [0, 9], lw=9)
    box = Rectangle((0, 0), 3, 3, transform=ax.transData)
    line.set_clip_path(box)
    points = ax.scatter(*data().T * 3)

    def update(k: int) -> None:
        circle.set_center((k / 4, 1))
        box.set_width(1 + k / 3)
        if k == 5:
            points.set_clip_path(Circle((4, 1), 2, transform=ax.transData))
        if k == 6:
            image.set_clip_path(None)
            points.set_clip_box(Bbox([[30, 30], [90, 90]]))

    return fig, update


@scene
def numbers_of_things_change() -> Animated:
    fig, ax = plt.subplots()
    segments = ax.add_collection(LineCollection([], lw=2, cmap="jet"))
    points = ax.scatter([], [])
    ax.set(xlim=(0, 1), ylim=(0, 1))

    def update(k: int) -> None:
        segments.set_segments([data(2 + i % 3, i) for i in range(k)])
        segments.set_array(np.arange(k))
        points.set_offsets(data(k + 1))
        points.set_sizes(np.arange(k + 1) * 9.0)
        points.set_color(mpl.colormaps["jet"](np.linspace(0, 1, k + 1)))
        if k == 6:
            segments.set(linestyles=["--", ":"], capstyle="round")

    return fig, update


@scene
def nothing_then_something() -> Animated:
    fig, ax = plt.subplots()
    effects = [SimpleLineShadow(), Normal()]
    (line,) = ax.plot([], [], "o-", markevery=2, path_effects=effects)
    points, image = ax.scatter([], []), ax.imshow(np.full((3, 3), np.nan))
    ax.set(xlim=(-1, 9), ylim=(-1, 9))

    def update(k: int) -> None:
        x = np.arange(k * 2.0)
        x[k // 2 : k // 2 + 1] = np.nan
        line.set_data(x, x[::-1])
        line.set_markevery([None, 2, 3, 0.1][k % 4])
        points.set_offsets(np.c_[x, x * np.nan] if k % 2 else np.empty((0, 2)))
        values = np.full((3, 3), np.nan)
        values[: k % 3] = k
        image.set_data(values)
        image.set_clim(0, 8)

    return fig, update


@scene
def statistics_are_updated() -> Animated:
    fig, (left, middle, right) = plt.subplots(1, 3)
    heights, edges, bars = left.hist(data()[:, 0], bins=8)
    steps = middle.stairs(heights, edges, fill=True)
    line, caps, (whiskers,) = right.errorbar([1, 2, 3], [1, 2, 3], yerr=0.3, capsize=3)
    plt.setp([left, middle], ylim=(0, 20))

    def update(k: int) -> None:
        heights, _ = np.histogram(data(60, k)[:, 0], edges)
        for bar, height in zip(bars, heights, strict=True):
            bar.set_height(height)
        steps.set_data(heights, edges, baseline=k % 2)
        y = np.array([1, 2, 3]) + np.sin(k)
        line.set_ydata(y)
        caps[0].set_ydata(y - 0.3)
        whiskers.set_segments([[(x, v - 0.3), (x, v)] for x, v in zip([1, 2, 3], y, strict=True)])

    return fig, update


@scene
def tables_and_races() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    table = left.table([["1", "2"], ["3", "4"]], loc="center")
    bars = right.barh(["a", "b", "c"], [1, 2, 3])
    labels = right.bar_label(bars)
    right.set_xlim(0, 12)

    def update(k: int) -> None:
        table[0, 0].get_text().set_text(f"n{k}")
        if k == 5:
            table.add_cell(2, 0, 0.3, 0.1, text="new")
        order = np.argsort([np.sin(k), np.cos(k), 0.1])
        for bar, label, place in zip(bars, labels, order, strict=True):
            bar.set(width=place + k / 3, y=place - 0.4)
            label.set_text(f"{place + k / 3:.1f}")
            label.xy = (place + k / 3, place)
        right.set_yticks([0, 1, 2], ["ABC"[i] for i in order])

    return fig, update


@scene
def one_transform_in_two_axes() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    shift, scale = Affine2D(), Affine2D()
    for ax in (left, right):
        ax.add_patch(Rectangle((0.1, 0.1), 0.3, 0.3, transform=shift + ax.transAxes))
    fig.add_artist(Circle((0.5, 0.5), 0.05, transform=scale + fig.transFigure))

    def update(k: int) -> None:
        if k % 2:
            shift.clear().translate(k / 20, k / 30)
        if k % 3 == 0:
            scale.clear().scale(1 + k / 20)
        if k == 6:
            shift.set_matrix(np.diag([2.0, 1, 1]))

    return fig, update


@scene
def settings_and_sizes() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    hatched = ax.fill([0, 1, 1], [0, 0, 1], hatch="//", fill=False)[0]

    def update(k: int) -> None:
        line.set_ydata([0, k])
        mpl.rcParams["savefig.facecolor"] = ["auto", "y"][k // 4 % 2]
        mpl.rcParams["savefig.transparent"] = k == 7
        if k == 3:
            mpl.rcParams["hatch.linewidth"] = 3
        if k == 4:
            fig.set_dpi(60)
        if k == 5:
            hatched.set_hatch("xx")
            line._color = "r"
        if k == 6:
            fig.set_size_inches(2, 2)

    return fig, update


@pytest.mark.filterwarnings("ignore:All-NaN")
@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build, STATES)


@pytest.mark.parametrize("view", [lambda a: a, lambda a: a.T, lambda a: a[::2], lambda a: a[:, 1]])
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "?", "c16"])
@pytest.mark.parametrize("rows", [3, 1000, 200_000])
def test_a_write_into_an_array_is_seen(rows: int, dtype: str, view: Any) -> None:
    array = view(np.zeros((rows, 3), dtype))
    watched = WatchedArray(array)
    assert not watched.changed()
    for place in (0, array.size // 3, array.size - 1):
        array.flat[place] = 1
        assert watched.changed()
        array.flat[place] = 0
        assert not watched.changed()


def test_arrays_are_compared_bit_by_bit() -> None:
    array = np.full(50_000, np.nan)
    watched = WatchedArray(array)
    assert not watched.changed()
    array[40_000] = -0.0
    assert watched.changed()
    array[40_000] = np.nan
    assert not watched.changed()
    array.resize((50_000, 1), refcheck=False)
    assert watched.changed()


def test_a_view_is_watched_with_all_of_its_array_unless_it_is_a_small_part_of_it() -> None:
    array = np.zeros((1000, 4))
    assert owner(array[:, 1:]) is array
    assert owner(array[:, 1].T) is not array
    assert owner(array[:200]).size == 800


def test_an_unknown_matplotlib_draws_every_frame_in_full(
    monkeypatch: pytest.MonkeyPatch, assert_exact: Any
) -> None:
    assert is_as_known(Figure())
    assert not is_as_known(object())  # type: ignore[arg-type]
    monkeypatch.setattr(layered, "is_as_known", lambda _: False)
    assert_exact(norms_and_maps)
    with LayeredCanvas(plt.figure()) as canvas:
        canvas.draw()
        canvas.draw()
        assert canvas.damage == ((0, 0, 192, 144),)
