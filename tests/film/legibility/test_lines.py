"""Runs stay apart where they are seen together, and lines from what they lie on."""

import pytest

from render import Film
from render.film.legibility import check


def runs(still, *styles, names="ab"):
    """A panel with a legend of two lines."""
    return still(
        lambda ax: (
            [
                ax.plot([0, 0.5], [0, end], style, label=name)
                for end, style, name in zip((0.4, 0.6), styles, names, strict=False)
            ],
            ax.legend(loc="upper right"),
        )
    )


def test_runs_are_compared_where_they_are_seen_together(still):
    alike, apart = runs(still, "C0-", "C0-"), runs(still, "C0-", "C1--")
    settings = {"seconds": 1, "fps": 10, "size": (640, 360)}
    (finding,) = check(Film([alike, apart], **settings), stills=3)
    assert "lines 'a' and 'b': have the same dash and marker" in str(finding)
    loss, accuracy = runs(still, "C0-", names=["loss"]), runs(still, "C0-", names=["accuracy"])
    assert check(Film([loss, accuracy], **settings), stills=3) == []


def test_a_transparent_film_is_taken_to_lie_on_white(found, still):
    theme = {"figure.facecolor": "none", "axes.facecolor": "none"}
    assert found(still(lambda ax: ax.plot([0, 1], [0, 1])), theme=theme) == []


def test_runs_that_look_alike_are_one_line_a_pair(found, still):
    def draw(ax):
        for label in "ab":
            ax.plot([0, 1], [0, 1 + (label == "a")], "k-", label=label)

    (finding,) = found(still(draw))
    assert "have the same dash and marker, and with full colour vision, their colours" in finding
    assert "differ by Delta E 0.0; at least 10.0; give each a colour and a dash" in finding


def test_more_runs_than_styles_are_told_what_to_do(found, still):
    def draw(ax):
        for number in range(7):
            ax.plot([0, 1], [0, number], f"C{number}", label=str(number))

    (finding, *_) = [finding for finding in found(still(draw)) if "colours differ" in finding]
    assert "; show at most 6 runs, or set a longer axes.prop_cycle in a theme" in finding


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_the_themes_runs_stay_apart(found, theme):
    def panel(ax):
        for run in range(6):
            ax.plot([0, 1], [run, run + 1], label=f"run {run}")
        return lambda step: None

    assert found(panel, theme=theme) == []
