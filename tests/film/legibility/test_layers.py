"""What is left out of a picture is drawn nowhere in it, and moves nothing else."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from render.film.legibility.layers import _Recorded, _Redrawn, layers


class Reads(Line2D):
    """A line that looks at the picture below it."""

    def draw(self, renderer):
        renderer.buffer_rgba()
        super().draw(renderer)


@pytest.fixture
def figure():
    figure = Figure((3, 2), layout="constrained")
    axes = figure.add_subplot(title="title", xlabel="below")
    axes.plot([0, 1], [0, 1], lw=4, label="line")
    axes.annotate("here", (0.5, 0.5), (0.1, 0.8), arrowprops={"arrowstyle": "->"})
    axes.annotate("", (0.5, 0.5), (0.9, 0.1), arrowprops={"arrowstyle": "->"})
    axes.legend(loc="lower right")
    figure.draw_without_rendering()
    return figure


def test_one_drawing_gives_the_pictures_that_many_give(figure):
    (axes,) = figure.axes
    line, legend = axes.lines[0], axes.get_legend()
    recorded, redrawn = _Recorded(figure, [line, legend, line]), _Redrawn(figure)
    assert [text.get_text() for text in recorded.texts] == [
        text.get_text() for text in redrawn.texts
    ]
    assert {"title", "below", "here", "line"} < {text.get_text() for text in recorded.texts}
    groups = [line], [legend], recorded.texts, [line, line], []
    for chosen in itertools.chain(groups, itertools.combinations([line, legend, axes.title], 2)):
        np.testing.assert_array_equal(recorded.without(chosen), redrawn.without(chosen))


def test_only_what_is_left_out_is_gone(figure):
    (axes,) = figure.axes
    drawn = _Recorded(figure, axes.lines)
    gone = (drawn.without(axes.lines) != drawn.without([])).any(axis=-1)
    box = axes.get_window_extent()
    columns = np.nonzero(gone)[1]
    assert gone.sum() > 100 and columns.min() >= box.x0 and columns.max() <= box.x1
    assert "draw" not in vars(axes.lines[0])


def test_what_a_filter_draws_is_left_out_too(figure):
    (axes,) = figure.axes
    axes.set_agg_filter(lambda image, dpi: (image, 0, 0))
    drawn = layers(figure, [])
    assert (drawn.without(drawn.texts) != drawn.without([])).any(axis=-1).sum() > 100


def test_what_reads_the_picture_is_drawn_anew(figure):
    (axes,) = figure.axes
    reading = axes.add_line(Reads([0, 1], [1, 0], lw=3))
    drawn = layers(figure, [reading])
    assert isinstance(drawn, _Redrawn) and "title" in {text.get_text() for text in drawn.texts}
    assert (drawn.without([reading]) != drawn.without([])).any()
