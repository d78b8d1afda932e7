"""Layout engines: a layout that stands is not computed again, and any other is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from render.film.canvas import LayeredCanvas


def curve(k: int) -> np.ndarray:
    return np.sin(np.linspace(0, 6, 50) + k)


def line_moves(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))


def title_counts(fig: Any, ax: Any, k: int) -> None:
    ax.set_title(f"step {k}")


def title_grows(fig: Any, ax: Any, k: int) -> None:
    ax.set_title("step" if k < 4 else "two\nlines")


def title_grows_in_size(fig: Any, ax: Any, k: int) -> None:
    ax.set_title(f"step {k}", fontsize=8 + k // 3)


def figure_titles_count(fig: Any, ax: Any, k: int) -> None:
    fig.suptitle(f"all {k}")
    fig.supylabel(f"y {k // 4}")


def text_leaves_the_axes(fig: Any, ax: Any, k: int) -> None:
    ax.texts[0].set(text=f"at {k}", position=(k / 8, 0.5))


def text_leaves_the_layout(fig: Any, ax: Any, k: int) -> None:
    ax.texts[0].set(text=f"at {k}", position=(0.95, 0.5), in_layout=k % 4 < 2)


def line_is_unclipped(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set(ydata=3 * curve(k), clip_on=k < 4)


def ticks_grow(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    ax.set_ylim(-2, 1e4 if k > 4 else 2)


def grid_changes(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    if k == 4:
        ax.get_gridspec().set_width_ratios([1, 3])


def engine_changes(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    if k == 4:
        fig.get_layout_engine().set(w_pad=0.4)
    if k == 6:
        fig.set_layout_engine("none")


def legend_looks_for_its_place(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    if k == 0:
        ax.legend(["a curve"], loc="best", bbox_to_anchor=(0.5, 0.5, 0.9, 0.9))


def inset_has_a_title(fig: Any, ax: Any, k: int) -> None:
    if k == 0 and not ax.child_axes:
        ax.inset_axes([0.7, 0.6, 0.3, 0.3])
    ax.child_axes[0].set_title(f"inset {10**k}", fontsize=7)


def image_changes(fig: Any, ax: Any, k: int) -> None:
    if k == 0 and not ax.images:
        fig.colorbar(ax.imshow(np.eye(4), extent=(0, 6, -1, 1)), ax=ax)
    ax.images[0].set_data(np.eye(4) * k)


def bar_gets_other_limits(fig: Any, ax: Any, k: int) -> None:
    image_changes(fig, ax, k)
    ax.images[0].set_clim(0, 1 if k < 4 else 1000)


def animated_title_claims_room(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    fig.suptitle("unseen" if k < 4 else "two\nlines").set_animated(True)


def someone_draws(fig: Any, ax: Any, k: int) -> None:
    ax.lines[0].set_ydata(curve(k))
    if k > 3:
        fig.canvas.draw()


def title_grows_after_an_idle_draw(fig: Any, ax: Any, k: int) -> None:
    fig.canvas.draw_idle()
    title_grows(fig, ax, k)


def engine_goes_after_an_idle_draw(fig: Any, ax: Any, k: int) -> None:
    fig.canvas.draw_idle()
    if k == 5:
        fig.set_layout_engine("none")


CHANGES = [
    animated_title_claims_room,
    bar_gets_other_limits,
    engine_changes,
    figure_titles_count,
    grid_changes,
    image_changes,
    inset_has_a_title,
    legend_looks_for_its_place,
    line_is_unclipped,
    line_moves,
    someone_draws,
    text_leaves_the_axes,
    text_leaves_the_layout,
    ticks_grow,
    title_counts,
    title_grows,
    title_grows_in_size,
]


def laid_out(engine: str, change: Callable[..., None]) -> Callable[[], Any]:
    def build() -> Any:
        fig, axs = plt.subplots(1, 2, layout=engine, figsize=(3.2, 1.8))
        for ax in axs:
            ax.plot(np.linspace(0, 6, 50), curve(0))
            ax.text(0.1, 0.5, "text", transform=ax.transAxes, fontsize=8)
        axs[0].set_ylim(-2, 2)

        def update(k: int) -> None:
            change(fig, axs[0], k)
            axs[1].lines[0].set_ydata(curve(k) / 2)

        return fig, update

    return build


CASES = [
    *[("constrained", change, False) for change in CHANGES],
    *[("tight", change, True) for change in (figure_titles_count, title_grows)],
    ("tight", title_grows_after_an_idle_draw, False),
    ("tight", engine_goes_after_an_idle_draw, False),
    ("compressed", figure_titles_count, True),
]


@pytest.mark.parametrize(("engine", "change", "idle"), CASES)
def test_frames_equal_a_full_redraw(
    engine: str, change: Any, idle: bool, assert_exact: Any, with_idle_draws: Any
) -> None:
    build = laid_out(engine, change)
    assert_exact(with_idle_draws(build) if idle else build, (0, 1, 3, 4, 5, 6))


@pytest.mark.parametrize(
    "change",
    [figure_titles_count, image_changes, line_moves, text_leaves_the_axes, title_counts],
)
def test_a_layout_that_stands_is_not_computed_again(change: Any, monkeypatch: Any) -> None:
    computed = []
    fig, update = laid_out("constrained", change)()
    with LayeredCanvas(fig) as canvas:
        for k in range(4):
            update(k)
            canvas.draw()
        monkeypatch.setattr(fig.get_layout_engine(), "execute", computed.append)
        for k in range(4):
            update(k)
            canvas.draw()
    assert computed == []
