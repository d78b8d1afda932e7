"""Panels stand where the mosaic has them, or in a column where they would be narrow strips."""

import numpy as np
import pytest

from render import Film
from render.errors import InputError


def bars(ax):
    """A lecturer's own panel: five lines of matplotlib."""
    (line,) = ax.plot([], [])
    ax.set(xlim=(0, 10), ylim=(0, 100))
    return lambda step: line.set_data([0, step], [0, step**2])


def places(mosaic, size, **layout):
    """Where panels stand, by their names."""
    names = sorted({letter for row in mosaic for letter in row if letter.isalpha()})
    figure = Film(dict.fromkeys(names, bars), mosaic=mosaic, size=size, **layout).figure(0)
    return {name: ax.get_position() for name, ax in zip(names, figure.axes, strict=True)}


def test_the_mosaic_lays_out_named_panels():
    film = Film({"A": bars, "B": bars}, mosaic="AAB", size=(300, 100))
    left, right = film.figure(0).axes
    assert left.get_position().width > 1.5 * right.get_position().width


@pytest.mark.parametrize(
    ("layout", "in_a_column"),
    [
        ({}, True),
        ({"mosaic": "AAB"}, True),
        ({"mosaic": "AB", "width_ratios": (2, 1)}, True),
        ({"mosaic": [["A", "B"]]}, False),
        ({"mosaic": "AB\n.."}, False),
        ({"mosaic": "AB;.."}, False),
    ],
)
def test_a_row_becomes_a_column_in_an_upright_picture(layout, in_a_column):
    def both(*size):
        figure = Film({"A": bars, "B": bars}, size=size, **layout).figure(0)
        return [ax.get_position() for ax in figure.axes]

    first, second = both(270, 480)
    assert (first.y0 > second.y1) == in_a_column
    assert (first.x1 < second.x0) != in_a_column
    if in_a_column and layout:
        assert first.height > 1.5 * second.height
    first, second = both(480, 270)
    assert first.x1 < second.x0


def test_the_ratios_of_a_column_in_an_upright_picture_may_be_given_as_heights():
    first, second = Film([bars, bars], size=(270, 480), height_ratios=(2, 1)).figure(0).axes
    assert first.get_position().height > 1.5 * second.get_position().height


@pytest.mark.parametrize(
    ("mosaic", "layout", "shares"),
    [
        ("AB\nCB", {}, {"A": 1, "B": 2, "C": 1}),
        ("AB;CC", {"height_ratios": (4, 1)}, {"A": 2, "B": 2, "C": 1}),
        ("AB\nAC", {"width_ratios": (3, 1)}, {"A": 6, "B": 1, "C": 1}),
        ("ABC\nDDD", {"height_ratios": (1, 2)}, {"A": 1, "B": 1, "C": 1, "D": 6}),
    ],
)
def test_panels_that_would_be_strips_keep_their_shares_in_a_column(mosaic, layout, shares):
    column = places(mosaic, (450, 800), **layout)
    heights = np.array([column[name].height for name in shares])
    assert heights / heights.sum() == pytest.approx(
        np.array([*shares.values()]) / sum(shares.values()), abs=0.04
    )
    tops = [column[name].y1 for name in shares]
    assert sorted(tops, reverse=True) == tops and len({*tops}) == len(tops)
    assert len({round(place.width, 2) for place in column.values()}) == 1
    wide = places(mosaic, (800, 450), **layout)
    assert wide["A"].x1 < wide["B"].x0


@pytest.mark.parametrize(
    ("mosaic", "layout", "message"),
    [
        ("AB\nBA", {}, "specifies a non-rectangular"),
        ("AB\nC", {}, "must be the same length"),
        ("ABC", {"width_ratios": (1, 2)}, "number of width ratios to match"),
    ],
)
def test_what_is_no_mosaic_is_none_in_an_upright_picture_either(mosaic, layout, message):
    for size in (480, 270), (270, 480):
        with pytest.raises(InputError, match=message):
            places(mosaic, size, **layout)


@pytest.mark.parametrize(
    ("mosaic", "size"),
    [
        ("AB\nCD", (450, 800)),  # nearer to squares than four in a column
        ("AB\nCB", (600, 600)),
        ("AB", (700, 720)),  # hardly upright
        ("ABC;DEF;GHI", (450, 800)),  # nine would be strips in a column too
        ("AB\nA.", (450, 800)),
        ([["A", "B"], ["C", "B"]], (450, 800)),
    ],
)
def test_other_layouts_stand_as_they_were_given(mosaic, size):
    stand = places(mosaic, size)
    assert stand["A"].x1 < stand["B"].x0
    assert stand["A"].y1 == pytest.approx(stand["B"].y1)
