"""Around the data: ticks, titles, labels, legends, colour bars, spines, layout engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import matplotlib.ticker as mticker
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
def ticks_change() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])

    def update(k: int) -> None:
        if k % 2:
            ax.set_xticks([0, 0.5, 1], labels=["a", f"b{k}", "c"])
        elif k % 5 == 2:
            ax.tick_params(color="r", labelcolor="g", length=k + 2)

    return fig, update


@scene
def tick_label_written_to() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])

    def update(k: int) -> None:
        ax.get_xticklabels()[0].set_color(["k", "r"][k % 2])
        ax.yaxis.get_major_ticks()[1].tick1line.set_markersize(3 + k)

    return fig, update


@scene
def formatter_reads_outside() -> Animated:
    fig, ax = plt.subplots()
    ax.plot([0, 1])
    state = {"k": 0}
    ax.xaxis.set_major_formatter(lambda x, pos: f"{x + state['k']:.1f}")
    return fig, lambda k: state.update(k=k // 2)


@scene
def titles_change() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    left.plot([0, 1e6])
    (line,) = right.plot([0, 1])
    right.xaxis.tick_top()
    left.set_title("y", loc="right")
    fig.suptitle("all")

    def update(k: int) -> None:
        left.set_title(f"step {k}\ntwo" if k % 3 else f"gp {k}")
        right.set_title("right", fontsize=8 + k % 4)
        line.set_ydata([0, np.cos(k)])
        if k > 5:
            fig.suptitle(f"all {k}")

    return fig, update


@scene
def titles_keep_clear_of_ticks_that_change() -> Animated:
    fig, axs = plt.subplots(1, 3)
    fig.subplots_adjust(top=0.6)
    axs[0].xaxis.tick_top()
    twin = axs[1].twinx()
    twin.plot([0, 3e6])
    axs[2].plot([0, 1e7])

    def update(k: int) -> None:
        for ax in axs:
            ax.set_title(f"title {k}")
        if k == 3:
            axs[0].tick_params(axis="x", pad=12, labelsize=12)
        if k == 6:
            twin.yaxis.offsetText.set_fontsize(14)
        if k == 5:
            axs[2].yaxis.offsetText.set_visible(False)

    return fig, update


@scene
def titles_in_line() -> Animated:
    fig, axs = plt.subplots(1, 2)
    fig.subplots_adjust(top=0.6)
    axs[1].xaxis.tick_top()
    fig.align_titles()

    def update(k: int) -> None:
        axs[0].set_title(f"title {k}")
        axs[1].set_title("two\nlines" if k > 4 else "one")
        if k == 3:
            axs[1].tick_params(axis="x", pad=12)

    return fig, update


@scene
def axis_labels_change() -> Animated:
    fig, axs = plt.subplots(2, 1)
    axs[0].plot([0, 1000])
    fig.align_labels()

    def update(k: int) -> None:
        axs[0].set_ylabel(f"y {k}")
        axs[1].set_xlabel("x" * (k % 4))

    return fig, update


@scene
def legend_best() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1], label="a")
    ax.plot([0, 1], [0.5, 0.4], label="b")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    return fig, lambda k: line.set_data([0, 1], [(k % 3) / 2, 1 - (k % 2)])


@scene
def legend_fixed() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1], label="a")
    legend = ax.legend(loc="upper left")
    fig.legend(loc="lower right")

    def update(k: int) -> None:
        line.set_ydata([k, 0])
        if k == 3:
            legend.get_texts()[0].set_text("now")
        if k == 5:
            legend.legend_handles[0].set_color("r")
        if k == 7:
            legend.set_alpha(0.3)

    return fig, update


@scene
def colorbar_follows() -> Animated:
    fig, ax = plt.subplots()
    mesh = ax.pcolormesh(data(8) @ data(8, 1).T)
    bar = fig.colorbar(mesh)

    def update(k: int) -> None:
        mesh.set_array((data(8) @ data(8, 1).T) * (1 + k % 4))
        if k % 3 == 1:
            mesh.set_clim(0, k)
        if k == 6:
            bar.set_label("value")

    return fig, update


@scene
def contour_colorbar() -> Animated:
    fig, ax = plt.subplots()
    x = np.linspace(-1, 1, 20)
    filled = ax.contourf(x, x, np.add.outer(x, x**2))
    fig.colorbar(filled)
    (dot,) = ax.plot([0], [0], "wo")

    def update(k: int) -> None:
        dot.set_data([k / 12], [0])
        if k % 4 == 2:
            filled.set_alpha(1 / k)

    return fig, update


@scene
def spines_and_frames() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([-1, 1])

    def update(k: int) -> None:
        line.set_ydata([-1, k])
        if k == 3:
            ax.spines["left"].set_position("zero")
        if k == 4:
            ax.spines[["top", "right"]].set_visible(False)
        if k == 6:
            ax.set_axis_off()
        if k == 7:
            ax.set_axis_on()
            ax.set_axisbelow(True)
            ax.grid(True)

    return fig, update


@scene
def dates_and_offsets() -> Animated:
    fig, ax = plt.subplots()
    start = np.datetime64("2024-01-01")
    days = start + np.arange(10)
    (line,) = ax.plot(days, np.arange(10) * 1e6)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(ax.xaxis.get_major_locator()))
    ax.yaxis.set_minor_locator(mticker.AutoMinorLocator())

    def update(k: int) -> None:
        line.set_ydata((np.arange(10) + k) * 1e6)
        if k % 4 == 3:
            ax.autoscale_view()
            ax.relim()

    return fig, update


def _laid_out(engine: str) -> Animated:
    fig, (left, right) = plt.subplots(1, 2, layout=engine)
    (line,) = left.plot([0, 1])
    right.plot([0, 1], label="r")
    fig.legend(loc="outside upper right") if engine == "constrained" else None

    def update(k: int) -> None:
        line.set_ydata([0, 0.1 * k])
        if k % 3 == 2:
            left.set_ylabel("y\n" * (k % 5))
        if k == 7:
            right.set_title("tall\ntitle")

    return fig, update


@scene
def layout_tight() -> Animated:
    return _laid_out("tight")


@scene
def layout_constrained() -> Animated:
    return _laid_out("constrained")


@scene
def layout_compressed_images() -> Animated:
    fig, axs = plt.subplots(1, 2, layout="compressed")
    images = [ax.imshow(data(5)) for ax in axs]
    fig.colorbar(images[0], ax=axs)
    return fig, lambda k: images[0].set_data(data(5, k))


@scene
def tight_layout_called() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])

    def update(k: int) -> None:
        ax.set_ylabel("long\n" * (k % 3))
        line.set_ydata([0, k])
        fig.tight_layout()

    return fig, update


@pytest.mark.parametrize("build", SCENES)
def test_frames_equal_a_full_redraw(build: Callable[[], Animated], assert_exact: Any) -> None:
    assert_exact(build)
