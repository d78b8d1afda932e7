"""Words fit: lines break at spaces, titles and legends keep within narrow pictures."""

import itertools

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
        ("it costs $5 an hour", 60, ["it costs", r"\$5 an", "hour"]),
        ("$5, $6 or $7", 40, [r"\$5, \$6", r"or \$7"]),
        (r"for \$5 the sum $x + y$", 60, [r"for \$5 the", "sum $x + y$"]),
        (r"pay $\$5 + x$.", 40, ["pay", r"$\$5$", "${}+ x$."]),
        ("$(a + b)^2 - c$", 50, ["$(a + b)^2$", "${}- c$"]),
        (r"$-x^{1+2} + \left(y - z\right)$", 40, ["$-x^{1+2}$", r"${}+ \left(y - z\right)$"]),
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


def test_a_title_keeps_off_the_numbers_of_a_higher_panel_beside_it():
    def low(ax):
        ax.set(title="a b " * 40, box_aspect=0.4)
        return lambda step: None

    def high(ax):
        ax.set(ylim=(0, 1e6), yticks=range(0, 1_000_000, 20_000))
        return lambda step: None

    figure = Drawing(Film({"A": low, "B": high}, mosaic="AB", size=(960, 540))).figure
    title = figure.axes[0]._left_title.get_window_extent()
    assert title.x1 < figure.axes[1].yaxis.get_tightbbox().x0


def test_a_long_y_label_is_broken_to_the_height_of_its_axes():
    def panel(ax):
        ax.set_ylabel("a label that tells at length and in many words what the axis shows")
        return lambda step: None

    figure = Drawing(Film({"A": panel, "B": lambda ax: lambda step: None}, mosaic="A\nB")).figure
    label = figure.axes[0].yaxis.label
    assert label.get_window_extent().height < 1.3 * figure.axes[0].bbox.height
    assert label.get_window_extent().x0 >= 0


@pytest.mark.parametrize("width", [1.2, 3.0])
@pytest.mark.parametrize("limits", [(-0.8, 0.1), (9990.0, 10010.0), (0.0, 1e5)])
def test_numbers_of_an_x_axis_stand_apart(width, limits):
    figure = Figure(figsize=(width, 3))
    axes = figure.add_axes((0.0, 0.2, 1.0, 0.7))
    axes.locator_params(nbins=8)
    axes.set_xlim(limits)
    write_plainly(figure)
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for tick, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        if limits[0] <= tick <= limits[1]
    ]
    assert len(boxes) >= 2 - (width < 2)
    for left, right in itertools.pairwise(boxes):
        assert left.x1 < right.x0


def test_numbers_of_a_low_y_axis_stand_apart():
    figure = Figure(figsize=(4, 1))
    axes = figure.add_axes((0.2, 0.3, 0.8, 0.4))
    axes.locator_params(nbins=8)
    axes.set_ylim(-5, 6)
    write_plainly(figure)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.get_yticklabels()][1:-1]
    for lower, upper in itertools.pairwise(boxes):
        assert lower.y1 <= upper.y0 + 2


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
    assert [float(label) for label in minor if label] == [0.2, 0.3, 0.5, 0.7]


@pytest.mark.parametrize(
    "title", ["Down the gradient: where a run starts decides where it ends", "mi " * 60]
)
def test_titles_in_small_pictures_are_not_cut_off(title):
    film = Film([lambda ax: lambda step: None], size=(640, 480), title=title)
    figure = film.figure(0)
    assert figure._suptitle.get_window_extent().x1 <= 640
