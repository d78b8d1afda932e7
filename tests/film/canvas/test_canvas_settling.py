"""Figures that settle after some drawings: idle draws are gone through for what they leave."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, TextArea
from matplotlib.text import Text

from render.film.canvas import LayeredCanvas

Animated = tuple[Figure, Callable[[int], Any]]
SCENES: list[Callable[[], Animated]] = []
DPI = 131  # not the figure's: what an idle draw leaves is of another size


def scene(build: Callable[[], Animated]) -> Callable[[], Animated]:
    """Enter an animation, a figure and what moves it to state k, in the table."""
    SCENES.append(build)
    return build


@scene
def arrow_to_the_box_of_a_text() -> Animated:
    fig, ax = plt.subplots()
    box = ax.text(0.5, 0.5, "hi", bbox={"boxstyle": "round"}, zorder=4, ha="center")
    arrow = {"arrowstyle": "->", "patchB": box.get_bbox_patch()}
    ax.annotate("", xy=(0.5, 0.5), xytext=(0.1, 0.52), arrowprops=arrow)
    return fig, lambda k: box.set_text("hi" * (k % 5 + 1))


@scene
def annotation_of_a_box_drawn_later() -> Animated:
    fig, ax = plt.subplots()
    target = AnnotationBbox(TextArea("target"), (0.5, 0.5), zorder=9)
    ax.add_artist(target)
    ax.annotate(
        "see",
        xy=(0, 0),
        xycoords=target.offsetbox,
        xytext=(0.1, 0.9),
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "->"},
    )

    def update(k: int) -> None:
        target.xy = target.xybox = (0.2 + k / 20, 0.6)

    return fig, update


@scene
def annotation_of_the_title_beside() -> Animated:
    fig, (left, right) = plt.subplots(1, 2)
    title = right.set_title("B")
    right.xaxis.tick_top()
    left.annotate(
        "x",
        xy=(0, 0),
        xycoords=title,
        xytext=(0.1, 0.9),
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "->"},
        annotation_clip=False,
    )
    return fig, lambda k: right.tick_params(labelsize=4 + k)


@scene
def insets_in_insets() -> Animated:
    fig, ax = plt.subplots()
    outer = ax.inset_axes([0.4, 0.4, 0.5, 0.5])
    outer.indicate_inset_zoom(outer.inset_axes([0.5, 0.5, 0.5, 0.5]))
    return fig, lambda k: ax.set_position([0.1, 0.1, 0.8 - k / 40, 0.8])


@scene
def a_table_whose_words_grow() -> Animated:
    fig, ax = plt.subplots()
    ax.axis("off")
    table = ax.table([["a", "b"], ["c", "d"]], loc="center")
    return fig, lambda k: table[1, 0].get_text().set_text("word " * (k % 7))


@scene
def told_of_drawings() -> Animated:
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1])
    text = fig.text(0.02, 0.02, "")
    fig.canvas.mpl_connect("draw_event", lambda _: text.set_text(f"{ax.get_ylim()[1]:.2f}"))

    def update(k: int) -> None:
        line.set_ydata([0, k])
        ax.relim()
        ax.autoscale_view()

    return fig, update


@scene
def a_norm_that_drawing_scales() -> Animated:
    random = np.random.default_rng(0)
    fig, (cax, ax) = plt.subplots(1, 2)
    image = ax.imshow(random.random((6, 6)))
    fig.colorbar(image, cax=cax)

    def update(k: int) -> None:
        image.set_data(np.random.default_rng(k).random((6, 6)) * (k + 1))
        with image.norm.callbacks.blocked():
            image.norm.vmin = image.norm.vmax = None

    return fig, update


@scene
def a_key_below_its_quiver() -> Animated:
    fig, ax = plt.subplots()
    quiver = ax.quiver([0, 1], [0, 1], [1, 1], [1, 0])
    ax.quiverkey(quiver, 0.8, 0.9, 1, "1", zorder=0)

    def update(k: int) -> None:
        quiver.set_UVC([k, 1], [1, k])
        quiver.scale = None if k else quiver.scale

    return fig, update


class Below(Text):
    """Stands below another text, as that was drawn last."""

    of: Text

    def draw(self, renderer: Any) -> None:
        self.set_y(self.of._drawn_y - 0.2)
        super().draw(renderer)


class Noting(Text):
    """Notes where it is drawn."""

    _drawn_y = 0.5

    def draw(self, renderer: Any) -> None:
        self._drawn_y = self.get_position()[1]
        super().draw(renderer)


@scene
def artists_of_ones_own() -> Animated:
    fig, ax = plt.subplots()
    below = ax.add_artist(Below(0.5, 0.5, "below", zorder=3))
    below.of = ax.add_artist(Noting(0.5, 0.5, "above", zorder=4))
    return fig, lambda k: below.of.set_y(0.9 - k / 20)


@pytest.mark.parametrize("build", SCENES, ids=lambda build: build.__name__)
def test_what_an_idle_draw_leaves_is_there(build):
    """As `Animation.save` goes: update, draw idly, save, at a size that is not the figure's."""
    expected = []
    figure, update = build()
    for k in range(8):
        update(k)
        figure.canvas.draw_idle()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="rgba", dpi=DPI)
        expected.append(buffer.getvalue())
    figure, update = build()
    with LayeredCanvas(figure, dpi=DPI) as canvas:
        for k in range(8):
            update(k)
            figure.canvas.draw_idle()
            assert canvas.draw().tobytes() == expected[k], f"state {k}"
