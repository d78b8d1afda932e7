"""The check finds what cannot be read, names it, and lets good films pass."""

import matplotlib
import matplotlib.patheffects as halo
import numpy as np
import pytest
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from render import Film
from render.film.legibility import check
from render.film.legibility.findings import told_apart
from render.film.legibility.pictures import FrameView


def found(panel, **settings):
    """Check a film of one panel; return what was found, as text."""
    settings = {"seconds": 1, "fps": 10, "size": (640, 360)} | settings
    return [str(finding) for finding in check(Film([panel], **settings), stills=3)]


def still(draw):
    """A panel that draws once."""

    def panel(ax):
        ax.set(xlim=(0, 1), ylim=(0, 1))
        draw(ax)
        return lambda step: None

    return panel


def test_a_plain_film_passes():
    assert found(still(lambda ax: (ax.plot([0, 1], [0, 1]), ax.set(xlabel="x", ylabel="y")))) == []


@pytest.mark.parametrize(
    ("points", "words"), [(9.5, ["letters are 2.4% of the width"]), (10.5, [])]
)
def test_letters_of_an_upright_picture_are_measured_by_its_width(points, words):
    panel = still(lambda ax: ax.text(0.1, 0.8, "tiny", fontsize=points))
    findings = found(panel, size=(360, 640))
    assert len(findings) == len(words) and all(map(str.__contains__, findings, words))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda ax: ax.text(0.1, 0.8, "tiny", fontsize=9.5), "text 'tiny': letters are 2.4%"),
        (lambda ax: ax.set_xlabel("x", fontsize=6), "text 'x': letters are 1.5% of the height"),
        (lambda ax: ax.text(0.9, 0.5, "far too long to fit", in_layout=False), "is cut off by"),
        (lambda ax: ax.text(0.5, 1.3, "above the top", in_layout=False), "is cut off by"),
        (
            lambda ax: (ax.text(0.1, 0.5, "first"), ax.text(0.12, 0.52, "second")),
            "text 'first': overlaps text 'second' by",
        ),
        (
            lambda ax: (ax.plot([0, 1], [0.5, 0.5]), ax.text(0.4, 0.49, "on the line")),
            "text 'on the line': is written over data",
        ),
        (
            lambda ax: (
                ax.scatter(np.linspace(0, 1, 99), np.full(99, 0.5)),
                ax.text(0.4, 0.49, "box", bbox={"facecolor": "white"}),
            ),
            "text 'box': hides data",
        ),
        (lambda ax: ax.text(0.1, 0.5, "faint", color="0.55"), "text 'faint': has a contrast of 3."),
        (lambda ax: ax.text(0.1, 0.5, "thin", alpha=0.4), "text 'thin': has a contrast of"),
        (
            lambda ax: (ax.set_facecolor("navy"), ax.text(0.1, 0.5, "dark on dark")),
            "text 'dark on dark': has a contrast of",
        ),
        (lambda ax: ax.plot([0, 1], [0, 1], color="0.7"), "Line2D: has a contrast of 2."),
        (lambda ax: ax.plot([0.5, 0.51], [0.5, 0.5], "0.7"), "Line2D: has a contrast of 2."),
        (
            lambda ax: ax.plot([0, 1], [0, 1], "k", alpha=0.2, label="run"),
            "Line2D 'run': has a contrast of",
        ),
        (
            lambda ax: ax.text(0.1, 0.5, "$10^{-3}$", fontsize=13),
            "text '$10^{-3}$': its smallest letters are 2.3% of the height",
        ),
        (
            lambda ax: (
                ax.plot([0, 1], [0.95, 0.95], label="run"),
                ax.legend(loc="upper right", framealpha=1),
            ),
            "legend 'run': hides data",
        ),
        (
            lambda ax: ax.spines["left"].set_color("0.85"),
            "axes 0, left spine: has a contrast of 1.4",
        ),
        (
            lambda ax: (
                ax.scatter([0.2], [0.2], color="#c8400a", label="a"),
                ax.scatter([0.5], [0.2], color="#0060a8", label="b"),
            ),
            "points 'a' and 'b': have the same dash and marker",
        ),
        (
            lambda ax: (
                ax.plot([0, 1], [0, 1], "-", color="#c8400a", label="a"),
                ax.plot([0, 1], [1, 0], "--", color="#735a00", label="b"),
            ),
            "lines 'a' and 'b': with protanopia, their colours differ by Delta E 1.5",
        ),
        (
            lambda ax: (
                ax.plot([0, 1], [0, 1], "-", color="#c8400a", label="a"),
                ax.plot([0, 1], [1, 0], "-", color="#0060a8", label="b"),
            ),
            "lines 'a' and 'b': have the same dash and marker",
        ),
    ],
)
def test_what_cannot_be_read_is_named(draw, words):
    findings = found(still(draw))
    assert any(words in finding for finding in findings), findings


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ax.text(0.1, 0.8, "large enough", fontsize=9.8),
        lambda ax: ax.text(2, 2, "clipped away", clip_on=True),
        lambda ax: (ax.text(0.1, 0.5, "one"), ax.text(0.3, 0.5, "two")),
        lambda ax: ax.text(0.1, 0.5, r"$\sqrt{x^2}$", fontsize=14),
        lambda ax: (ax.plot([0, 0.4], [0, 0.4], label="run"), ax.legend(loc="upper right")),
        lambda ax: (ax.set(yscale="log", ylim=(1e-9, 1e3)), ax.plot([0, 1], [1e-9, 1e3])),
        lambda ax: (  # a few pixels long, across a tick
            ax.tick_params("y", direction="in", length=8, width=2),
            ax.plot([0.005, 0.005], [0.39, 0.41]),
        ),
        lambda ax: ax.spines["left"].set_color("white"),
        lambda ax: (
            ax.scatter([0.2], [0.2], marker="o", color="#c8400a", label="a"),
            ax.scatter([0.5], [0.2], marker="s", color="#0060a8", label="b"),
        ),
        lambda ax: ax.contourf(np.eye(9), extent=(0, 1, 0, 1), cmap="Pastel1"),
        lambda ax: (
            ax.set_facecolor("navy"),
            ax.text(0.1, 0.5, "halo", path_effects=[halo.withStroke(linewidth=4, foreground="w")]),
        ),
        lambda ax: (
            ax.set_facecolor("0.5"),
            ax.plot([0, 1], [0, 1], "w", linewidth=5),
            ax.plot([0, 1], [0, 1], "k", linewidth=2),
        ),
        lambda ax: (
            ax.plot([0, 1], [0, 1], "-", color="#c8400a", label="a"),
            ax.plot([0, 1], [1, 0], "--", color="#0060a8", label="b"),
        ),
    ],
)
def test_what_can_be_read_passes(draw):
    assert found(still(draw)) == []


def test_a_text_that_changes_is_told_once_where_it_is_worst():
    def panel(ax):
        ax.text(0.1, 0.5, "label")
        number = ax.text(0.1, 0.51, "")
        return lambda step: (number.set_text(f"{step}"), number.set_y(0.51 - 0.001 * step))

    (finding,) = found(panel)
    assert "frame 9: text 'label': overlaps text '9' by" in finding
    assert finding.endswith("set them apart (the worst of 3 of 3 stills)")


def test_texts_drawn_anew_are_told_by_their_place():
    def panel(ax):
        return lambda step: (ax.clear(), ax.text(0.1, 0.5, f"step {step}", fontsize=5))

    (finding,) = found(panel)
    assert "text 'step 0': letters are 1.3%" in finding and "3 of 3 stills" in finding


def test_of_many_of_a_kind_a_few_are_told_and_the_others_counted():
    findings = found(still(lambda ax: [ax.text(0.1, y / 9, "a", fontsize=5) for y in range(8)]))
    assert len(findings) == 5 and findings[-1].endswith("; and 3 more like this")


def test_each_text_is_drawn_alone_at_most_once(monkeypatch):
    draws = []
    draw = FrameView._draw_alone
    monkeypatch.setattr(
        FrameView, "_draw_alone", lambda view, text: (draws.append(text), draw(view, text))[1]
    )
    found(still(lambda ax: [ax.text(0.1, 0.5, f"text {number}") for number in range(9)]))
    assert len(draws) == 3 * 9


def test_runs_that_look_alike_are_one_line_a_pair():
    def draw(ax):
        for label in "ab":
            ax.plot([0, 1], [0, 1 + (label == "a")], "k-", label=label)

    (finding,) = found(still(draw))
    assert "have the same dash and marker, and with full colour vision, their colours" in finding
    assert "differ by Delta E 0.0; at least 10.0; give each a colour and a dash" in finding


def test_more_runs_than_styles_are_told_what_to_do():
    def draw(ax):
        for number in range(7):
            ax.plot([0, 1], [0, number], f"C{number}", label=str(number))

    (finding, *_) = [finding for finding in found(still(draw)) if "colours differ" in finding]
    assert "; show at most 6 runs, or set a longer axes.prop_cycle in a theme" in finding


NOTHING_SEEN = "axes 0: shows its data in none of 3 stills"


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda ax: ax.plot([0, 0.5, 1], [np.nan] * 3), NOTHING_SEEN),
        (lambda ax: ax.plot([0, 0.5, 1], [0.5, np.nan, 0.5]), NOTHING_SEEN),
        (lambda ax: ax.plot([0, 1], [3, 4]), NOTHING_SEEN),
        (lambda ax: (ax.set(yscale="log", ylim=(0.1, 1)), ax.plot([0, 1], [-1, 0])), NOTHING_SEEN),
        (lambda ax: ax.scatter([3, 4], [3, 4]), NOTHING_SEEN),
        (lambda ax: ax.stairs([1, 2], [4, 5, 6]), NOTHING_SEEN),
        (lambda ax: ax.fill_between([-5, 5], -5, -4), NOTHING_SEEN),
        (lambda ax: (ax.imshow(np.eye(3)), ax.set(xlim=(4, 5), ylim=(4, 5))), NOTHING_SEEN),
        (lambda ax: (ax.pcolormesh(np.eye(3)), ax.set(xlim=(4, 5))), NOTHING_SEEN),
        (
            lambda ax: (ax.plot([0, 1], [0, 1]), ax.plot([0, 1], [3, 4], label="far")),
            "Line2D 'far' of axes 0: is seen in none of 3 stills",
        ),
    ],
)
def test_data_that_is_never_seen_is_named(draw, words):
    (finding,) = found(still(draw))
    assert words in finding


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ax.plot([], []),
        lambda ax: ax.plot([np.nan], [np.nan], "o"),
        lambda ax: ax.plot([-5, 5], [0.5, 0.5]),
        lambda ax: ax.scatter([], []),
        lambda ax: ax.fill_between([-5, 5], -5, 5),
        lambda ax: ax.quiver([0.5], [0.5], [1], [1]),
        lambda ax: ax.tripcolor([0, 1, 0], [0, 0, 1], [1, 2, 3.0], shading="gouraud"),
        lambda ax: ax.plot([0, 1], np.array([[np.nan] * 2, [0, 1]]).T, "C1"),
        lambda ax: (
            ax.plot([0, 1], [np.nan] * 2, "C1"),
            ax.add_patch(PathPatch(Path([[0, 0], [1, 1]]), fill=False, edgecolor="C1", alpha=0.5)),
        ),
        lambda ax: ax.inset_axes((0.2, 0.2, 0.5, 0.5)).plot([0, 1], [0, 1]),
    ],
)
def test_data_that_is_seen_or_not_there_yet_passes(draw):
    assert found(still(draw)) == []


def test_a_panel_that_starts_empty_passes():
    def panel(ax):
        (line,) = ax.plot([], [])
        ax.set(xlim=(0, 9), ylim=(0, 9))
        return lambda step: line.set_data(range(step), range(step))

    assert found(panel) == []


@pytest.mark.parametrize("words", ["\u65e5\u672c x", "$x^2$ \u65e5\u672c"])
def test_letters_that_the_font_lacks_are_one_finding_and_no_warning(words, caplog):
    (finding,) = found(still(lambda ax: ax.text(0.1, 0.5, words, fontsize=14)))
    assert f"text '{words}': the font DejaVu Sans lacks \u65e5 \u672c" in finding
    assert not caplog.records


def test_a_text_that_runs_into_the_next_panel_is_named():
    words = "words that are wider than the rest of it"
    wide = still(lambda ax: ax.text(0.5, 0.5, words, in_layout=False))
    film = Film([wide, still(lambda ax: None)], seconds=1, fps=10, size=(640, 360))
    (finding,) = check(film, stills=3)
    assert f"text '{words}': runs into axes 1 by" in str(finding)


def test_the_tip_of_a_marker_may_touch_its_label():
    def draw(ax):
        ax.plot(0.5, 0.5, "*", color="k", markersize=13)
        place = {"xytext": (0, -5), "textcoords": "offset points", "ha": "center", "va": "top"}
        ax.annotate("minimum", (0.5, 0.5), fontsize=10.5, **place)

    assert found(still(draw), size=(1920, 1080), seconds=0.1) == []


def test_a_value_next_to_its_bound_has_the_digits_that_tell_them_apart():
    assert told_apart(0.0281, 0.0278, "%") == ("2.81%", "2.78%")
    assert told_apart(2.1, 4.5) == ("2.1", "4.5")
    assert told_apart(1.0, 1.0)[0].startswith("1.0")


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_the_themes_runs_stay_apart(theme):
    def panel(ax):
        for run in range(6):
            ax.plot([0, 1], [run, run + 1], label=f"run {run}")
        return lambda step: None

    assert found(panel, theme=theme) == []


def test_an_axis_that_jumps_is_named_unless_its_panel_wants_it():
    def panel(ax):
        return lambda step: ax.set_xlim(0, 1 + (step > 4))

    (finding,) = found(panel)
    assert "frame 5: axes" in finding and "jumps by 100% of its axis' length" in finding
    panel.moves_axes = True
    assert found(panel) == []


def test_a_slow_zoom_is_no_jump():
    def panel(ax):
        return lambda step: ax.set_xlim(0, 1.01**step)

    assert found(panel) == []


def test_an_axes_that_moves_is_named():
    def panel(ax):
        return lambda step: ax.set_position((0.1, 0.1 + 0.01 * step, 0.5, 0.5))

    assert any("px on the picture" in finding for finding in found(panel))


@pytest.mark.parametrize(("a_second", "flashes"), [(2, False), (3, False), (4, True), (6, True)])
def test_more_than_three_flashes_a_second_are_named(a_second, flashes):
    def panel(ax):
        ax.set_axis_off()
        (patch,) = ax.bar([0], [1], 4)
        ax.set(xlim=(-1, 1), ylim=(0, 1))
        half = 24 // (2 * a_second)
        return lambda step: patch.set_color("white" if step // half % 2 else "black")

    findings = found(panel, fps=24, seconds=2, size=(160, 90), title="")
    assert any("flashes" in finding for finding in findings) == flashes


def test_a_small_flashing_lamp_is_allowed():
    def panel(ax):
        ax.set_axis_off()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        (patch,) = ax.bar([0.5], [0.1], 0.1)
        return lambda step: patch.set_color("white" if step % 2 else "black")

    assert found(panel, title="") == []


def test_a_check_changes_nothing():
    before = dict(matplotlib.rcParams)
    film = Film([still(lambda ax: ax.plot([0, 1]))], seconds=0.2, fps=10, size=(160, 90))
    assert check(film) == check(film)
    assert dict(matplotlib.rcParams) == before
