"""Themes are complete, legible, and leave matplotlib's settings alone."""

import itertools
from pathlib import Path

import matplotlib
import pytest
from cycler import cycler
from matplotlib.colors import to_rgb

from render.errors import InputError
from render.film.theme import SHORTER_SIDE_IN, rc_params


def luminance(color):
    """Relative luminance, WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_text_and_lines_stand_out_from_the_paper(theme):
    rc = rc_params(theme)
    paper = rc["figure.facecolor"]
    for key in ("text.color", "axes.labelcolor", "xtick.color"):
        assert contrast(rc[key], paper) >= 4.5
    for style in rc["axes.prop_cycle"]:
        assert contrast(style["color"], paper) >= 3


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_no_text_is_smaller_than_a_fortieth_of_the_height(theme):
    rc = rc_params(theme)
    sizes = ["font.size", "axes.labelsize", "legend.fontsize", "xtick.labelsize", "ytick.labelsize"]
    assert min(rc[key] for key in sizes) / 72 / SHORTER_SIDE_IN >= 0.025


def test_runs_differ_in_dash_as_well_as_colour():
    dashes = [str(style["linestyle"]) for style in rc_params("light")["axes.prop_cycle"]]
    assert all(a != b for a, b in itertools.combinations(dashes, 2))


def test_a_theme_does_not_depend_on_the_users_settings():
    before = rc_params("light")
    matplotlib.rcParams.update({"lines.linewidth": 9, "font.size": 30})
    assert rc_params("light") == before


def test_a_style_file_and_a_mapping_lie_over_the_light_theme(tmp_path):
    style = tmp_path / "mine.mplstyle"
    style.write_text("lines.linewidth: 7\nfigure.facecolor: ffeedd\n")
    for theme in (style, str(style), {"lines.linewidth": 7, "figure.facecolor": "#ffeedd"}):
        rc = rc_params(theme)
        assert rc["lines.linewidth"] == 7
        assert to_rgb(rc["figure.facecolor"]) == pytest.approx(to_rgb("#ffeedd"))
        assert rc["axes.labelcolor"] == rc_params("light")["axes.labelcolor"]


def test_a_cycle_of_markers_has_the_light_themes_colours():
    cycle = list(rc_params({"axes.prop_cycle": cycler(marker=["o", "s"])})["axes.prop_cycle"])
    light = list(rc_params("light")["axes.prop_cycle"])
    assert [style["color"] for style in cycle] == [style["color"] for style in light]
    assert [style["marker"] for style in cycle] == ["o", "s"] * 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("axes.facecolor: nocolour", r"line 2 \('axes.facecolor: nocolour'\): Key axes.facecolor"),
        ("foo.bar: 3", r"Bad key foo.bar in file .*line 2 .*; write lines KEY: VALUE"),
        ("lines.linewidth 3", "Missing colon in file .*line 2"),
        ("font.size: 20", "Duplicate key in file .*line 2"),
        ("font.family: \xff", "mine.mplstyle: is not text in UTF-8; name a matplotlib style"),
    ],
)
def test_a_style_file_with_a_line_that_says_nothing_is_refused(tmp_path, caplog, line, message):
    style = tmp_path / "mine.mplstyle"
    style.write_bytes(f"font.size: 12\n{line}\n".encode("latin-1"))
    with pytest.raises(InputError, match=message):
        rc_params(style)
    assert not caplog.records


def test_matplotlibs_own_styles_are_themes():
    for style in Path(matplotlib.get_data_path(), "stylelib").glob("*.mplstyle"):
        assert rc_params(style)


def test_a_theme_that_needs_latex_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert not rc_params({"text.usetex": False})["text.usetex"]
    with pytest.raises(InputError, match=r"theme .*: text\.usetex needs LaTeX.* or leave"):
        rc_params({"text.usetex": True})


@pytest.mark.parametrize(
    ("theme", "message"),
    [
        (None, "theme None is neither"),
        (5, "theme 5 is neither"),
        ("drak", "theme 'drak' is neither 'light' nor 'dark' nor 'print' nor the path"),
        ({"lines.width": 2}, "theme .*lines.width"),
        ({"lines.linewidth": "wide"}, "theme .*wide"),
    ],
)
def test_an_unknown_theme_is_refused(theme, message):
    with pytest.raises(InputError, match=message):
        rc_params(theme)
