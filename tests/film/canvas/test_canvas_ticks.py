"""Ticks are found once a frame, and stand where matplotlib, which looks three times, has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from render.film.canvas import LayeredCanvas, ticks
from render.film.canvas.glyphs import KNOWN

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
STATES = (0, 0, 1, 2, 3, 4, 5, 5, 2)


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


def grow(axes: Any, k: int) -> None:
    """Change the limits, and how wide the numbers at the ticks are."""
    axes.set(xlim=(-k, 10**k), ylim=(-(7**k), 1 + k))


def labelled(**options: Any) -> tuple[Figure, list[Any]]:
    fig, axs = plt.subplots(2, 2, figsize=(4, 3), **options)
    for number, ax in enumerate(axs.flat):
        ax.set(xlabel=f"x {number}", ylabel=f"y {number}")
    return fig, [*axs.flat]


@scene
def labels_in_line() -> Animated:
    fig, axs = labelled()
    fig.align_labels()
    return fig, lambda k: [grow(ax, (k + number) % 6) for number, ax in enumerate(axs)]


@scene
def shared_axes_in_line() -> Animated:
    fig, axs = labelled(sharex=True, sharey="row")
    fig.align_labels()
    return fig, lambda k: [grow(ax, k) for ax in axs[::3]]


@scene
def formatters_that_serve_two_axes() -> Animated:
    fig, axs = labelled()
    fig.align_labels()
    formatter = ScalarFormatter()
    for ax in axs[::2]:
        ax.yaxis.set_major_formatter(formatter)  # and writes the offset of its last ticks

    def update(k: int) -> None:
        for number, ax in enumerate(axs):
            ax.set_ylim(1e6 * number**k, 1e6 * number**k + k + 1)

    return fig, update


@scene
def a_locator_that_looks_at_another_axis() -> Animated:
    fig, axs = labelled()
    locator = MaxNLocator(4)
    axs[0].xaxis.set_major_locator(locator)
    axs[1].xaxis.set_major_locator(locator)
    axs[1].xaxis.set_major_locator(MaxNLocator(3))
    (line,) = axs[1].plot([0, 1])

    def update(k: int) -> None:
        line.set_data([0, 5**k], [0, 1])
        axs[1].relim()
        axs[1].autoscale_view()
        axs[0].set_xlim(0, 3**k)

    return fig, update


def of_fixed_shape(adjustable: str) -> Animated:
    fig, axs = labelled()
    fig.align_labels()
    for ax in axs[1:3]:
        ax.set(aspect="equal", adjustable=adjustable)

    def update(k: int) -> None:
        for number, ax in enumerate(axs):
            ax.set(xlim=(0, 10 + number), ylim=(0, 10 + (7 * k) % 20 * 10**number))

    return fig, update


@scene
def boxes_of_fixed_shape() -> Animated:
    return of_fixed_shape("box")


@scene
def limits_of_fixed_shape() -> Animated:
    return of_fixed_shape("datalim")


@scene
def axes_upon_axes() -> Animated:
    fig, axs = labelled()
    fig.align_labels()
    inset = axs[3].inset_axes((0.3, 0.3, 0.5, 0.5))
    twin = axs[0].twinx()
    return fig, lambda k: [grow(ax, k) for ax in (*axs, inset, twin)]


class Meddler(Line2D):
    """Chooses other ticks for other axes when it is drawn."""

    others: Any = ()
    k = 0

    def draw(self, renderer: Any) -> None:
        super().draw(renderer)
        for ax in self.others:
            ax.yaxis.set_major_locator(MaxNLocator(self.k + 1))
            ax.tick_params(labelsize=5 + 2 * self.k)


@scene
def ticks_chosen_while_another_axes_is_drawn() -> Animated:
    fig, axs = labelled()
    fig.align_labels()
    meddler = Meddler([0, 1], [0, 1], zorder=3)
    axs[0].add_line(meddler)
    meddler.others = axs[1:]

    def update(k: int) -> None:
        meddler.k = k
        grow(axs[0], k)

    return fig, update


@pytest.mark.parametrize("build", SCENES, ids=lambda build: build.__name__)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build, STATES)


@pytest.mark.skipif(not KNOWN, reason="this matplotlib finds ticks in another way")
@pytest.mark.parametrize("build", [labels_in_line, shared_axes_in_line])
def test_each_axis_looks_for_its_ticks_once_a_frame(
    build: Callable[[], Animated], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[Any] = Counter()
    find = ticks._FIND

    def counted(axis: Any) -> Any:
        asked[axis] += 1
        return find(axis)

    monkeypatch.setattr(ticks, "_FIND", counted)
    fig, update = build()
    with LayeredCanvas(fig) as canvas:
        for k in range(5):
            update(k)
            asked.clear()
            canvas.draw()
            assert {*asked.values()} == {1}, k
            assert len(asked) == 8
    assert all("_update_ticks" not in vars(axis) for axis in asked)
