"""Words fit: lines break at spaces, titles and legends keep within narrow pictures."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FuncFormatter

from render import Film
from render.film.drawing import Drawing
from render.film.styles import draw_legend, shared_labels
from render.film.ticks import write_plainly
from render.film.wrapping import width_pt, wrapped

FONT = FontProperties(size=12)


def test_a_width_is_that_of_the_drawn_text():
    figure = Figure(dpi=72)
    for words in ("some words", r"$\kappa = L/\mu$ is the condition"):
        drawn = figure.text(0, 0, words, fontproperties=FONT).get_window_extent().width
        assert width_pt(words, FONT) == pytest.approx(drawn, rel=0.03)


@pytest.mark.parametrize(
    ("text", "room_pt", "lines"),
    [
        ("fits", 100, ["fits"]),
        ("keeps  its\ntwo lines", 100, ["keeps  its", "two lines"]),
        ("one two three", 60, ["one two", "three"]),
        ("a formula $x + y$ whole", 75, ["a formula", "$x + y$ whole"]),
        ("where k = 40 holds", 60, ["where", "k = 40", "holds"]),
        ("unbreakable", 10, ["unbreakable"]),
    ],
)
def test_lines_break_at_spaces_alone(text, room_pt, lines):
    assert wrapped(text, room_pt, FONT).split("\n") == lines


@pytest.mark.parametrize("size", [(960, 540), (720, 540), (540, 540)])
def test_titles_and_legend_keep_within_a_picture_of_any_shape(size):
    def panel(ax):
        ax.set_title("a panel's title that tells at length what it shows")
        return lambda step: None

    film = Film([panel, panel], size=size, title="A film's title that is long enough to be cut off")
    figure = Drawing(film).figure
    with shared_labels([f"the run number {k}" for k in range(5)]), figure.theme():
        draw_legend(figure)
    boxes = [title._left_title.get_window_extent() for title in figure.axes]
    assert boxes[0].x1 < boxes[1].x0
    for box in (
        *boxes,
        figure._suptitle.get_window_extent(),
        figure.legends[0].get_window_extent(),
    ):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_numbers_of_log_axes_have_no_small_exponents():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set(xscale="log", xlim=(1e-3, 1e3), yscale="log", ylim=(1e-12, 1))
    write_plainly(figure)
    figure.draw_without_rendering()
    labels = [
        {text.get_text() for text in axis.get_ticklabels()} for axis in (axes.xaxis, axes.yaxis)
    ]
    assert {"0.001", "0.1", "1", "100"} <= labels[0]
    assert "1e\N{MINUS SIGN}10" in labels[1]
    assert not any("$" in label for label in labels[0] | labels[1])


def test_a_formatter_that_a_panel_chose_stays():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_xscale("log")
    chosen = FuncFormatter(lambda value, place: "a")
    axes.xaxis.set_major_formatter(chosen)
    write_plainly(figure)
    assert axes.xaxis.get_major_formatter() is chosen


def test_words_between_decades_are_written_where_matplotlib_writes_them():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set(yscale="log", ylim=(0.2, 0.7))
    write_plainly(figure)
    figure.draw_without_rendering()
    minor = [text.get_text() for text in axes.yaxis.get_ticklabels(minor=True)]
    assert np.isclose([float(label) for label in minor if label], 0.3).any()
