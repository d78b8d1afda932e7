"""The check finds what cannot be read, names it, and lets good films pass."""

import matplotlib
import matplotlib.patheffects as halo
import numpy as np
import pytest
from matplotlib.offsetbox import AnchoredText

from render import Film
from render.film.legibility import check
from render.film.legibility.findings import told_apart
from render.film.legibility.pictures import FrameView

ENDS = {"transform_rotates_text": True, "rotation_mode": "anchor", "ha": "center", "va": "bottom"}


def test_a_plain_film_passes(found, still):
    assert found(still(lambda ax: (ax.plot([0, 1], [0, 1]), ax.set(xlabel="x", ylabel="y")))) == []


@pytest.mark.parametrize(
    ("points", "words"), [(9.5, ["letters are 2.4% of the width"]), (10.5, [])]
)
def test_letters_of_an_upright_picture_are_measured_by_its_width(found, still, points, words):
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
        (lambda ax: ax.plot([0, 1], [0, 1], color="0.7"), "Line2D of axes 0: has a contrast of 2."),
        (
            lambda ax: ax.plot([0.5, 0.51], [0.5, 0.5], "0.7"),
            "Line2D of axes 0: has a contrast of 2.",
        ),
        (
            lambda ax: ax.plot([0, 1], [0, 1], "k", alpha=0.2, label="run"),
            "Line2D 'run' of axes 0: has a contrast of",
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
        (
            lambda ax: (ax.set_facecolor("#1b2733"), ax.grid(False), ax.text(0.3, 0.5, "no light")),
            "text 'no light': has a contrast of 1.0 to 1",
        ),
        (
            lambda ax: (ax.text(0.4, 0.5, "below"), ax.bar([0.5], [0.9], width=0.5, zorder=5)),
            "text 'below': is hidden by what is drawn on it, 100% of it",
        ),
        (
            lambda ax: ax.figure.text(0.4, -0.04, "one\ntwo\nthree\nfour\nlost", in_layout=False),
            "text 'one two three four lost': is cut off by",
        ),
        (
            lambda ax: (
                ax.set_facecolor("navy"),
                ax.text(
                    0.4, 0.5, "pale", path_effects=[halo.withStroke(foreground="w", alpha=0.1)]
                ),
            ),
            "text 'pale': has a contrast of",
        ),
        (
            lambda ax: (
                ax.plot([0.2, 0.95], [0.2, 0.93]),
                ax.add_artist(AnchoredText("rate\n0.1", loc="upper right")),
            ),
            "box 'rate 0.1': hides data",
        ),
        (
            lambda ax: (
                ax.bar([0.9], [0.95], width=0.1, label="loss"),
                ax.legend(loc="upper right"),
            ),
            "legend 'loss': hides data",
        ),
        (
            lambda ax: ax.stairs([0.2, 0.5], [0, 0.5, 1], color="0.9", lw=2),
            "StepPatch of axes 0: has a contrast of 1.",
        ),
        (
            lambda ax: ax.hlines([0.3, 0.6], 0.1, 0.9, colors=["0.8", "black"], lw=3),
            "LineCollection of axes 0: has a contrast of 1.",
        ),
        (
            lambda ax: [
                ax.plot([at, at + 0.1], [0.2, 0.4], "o", color="C0", label=f"run {at}")
                for at in (0.1, 0.5)
            ],
            "points 'run 0.1' and 'run 0.5': have the same dash and marker, and",
        ),
        (
            lambda ax: [
                ax.errorbar(
                    [at, at + 0.1], [0.2, 0.4], 0.05, fmt="-", color="C0", label=f"run {at}"
                )
                for at in (0.1, 0.5)
            ],
            "lines 'run 0.1' and 'run 0.5': have the same dash and marker, and",
        ),
        (
            lambda ax: ax.legend(
                ax.plot([0, 0.5], [[0.1, 0.2], [0.3, 0.4]], "C0-"), ["a", "b"], loc="upper right"
            ),
            "lines 'a' and 'b': have the same dash and marker, and",
        ),
        (
            lambda ax: [
                ax.inset_axes((0.1, 0.5, 0.4, 0.4)).plot([0, 1], [0, 1], "0.8"),
                ax.child_axes[0].spines[:].set_color("0.8"),
            ],
            "axes inset_axes, left spine: has a contrast of",
        ),
    ],
)
def test_what_cannot_be_read_is_named(found, still, draw, words):
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
        lambda ax: ax.text(0.1, 0.5, "not yet", alpha=0),
        lambda ax: ax.text(0.5, np.nan, "of a run that diverged"),
        lambda ax: ax.annotate("outside, so not drawn", (0.5, 3), xytext=(0.5, 3)),
        lambda ax: ax.set_xticks(
            np.linspace(0, 1, 16), [f"epoch {n}" for n in range(16)], rotation=45, ha="right"
        ),
        lambda ax: (ax.plot([0, 1], [0, 1]), ax.text(0.5, 0.58, "flow", rotation=45, **ENDS)),
        lambda ax: (
            ax.grid(False),
            ax.axvspan(0.5, 1, color="black"),
            ax.hlines([0.3, 0.6], [0.02, 0.52], [0.48, 0.98], colors=["black", "white"], lw=3),
        ),
        lambda ax: (
            ax.plot([0, 1], [0, 1], "C0", label="a"),
            ax.plot([0, 1], [1, 0], "C0", label="b", visible=False),
        ),
    ],
)
def test_what_can_be_read_or_is_not_drawn_passes(found, still, draw):
    assert found(still(draw)) == []


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (["a clean label"], {}, []),
        (["first", "second"], {}, ["overlaps text 'second'"]),
        (["faint"], {"color": "0.8"}, ["has a contrast of 1."]),
    ],
)
def test_texts_in_space_are_measured_where_they_are_seen(found, words, settings, told):
    def panel(ax):
        ax.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1))
        for word in words:
            ax.text(0.2, 0.8, 0.9, word, **settings)
        return lambda step: None

    panel.projection = "3d"
    findings = found(panel, size=(1280, 720))
    assert len(findings) == len(told) and all(map(str.__contains__, findings, told)), findings


def test_a_text_that_changes_is_told_once_where_it_is_worst(found):
    def panel(ax):
        ax.text(0.1, 0.5, "label")
        number = ax.text(0.1, 0.51, "")
        return lambda step: (number.set_text(f"{step}"), number.set_y(0.51 - 0.001 * step))

    (finding,) = found(panel)
    assert "frame 9: text 'label': overlaps text '9' by" in finding
    assert finding.endswith("set them apart (the worst of 3 of 3 stills)")


def test_texts_drawn_anew_are_told_by_their_place(found):
    def panel(ax):
        return lambda step: (ax.clear(), ax.text(0.1, 0.5, f"step {step}", fontsize=5))

    (finding,) = found(panel)
    assert "text 'step 0': letters are 1.3%" in finding and "3 of 3 stills" in finding


def test_of_many_of_a_kind_a_few_are_told_and_the_others_counted(found, still):
    findings = found(still(lambda ax: [ax.text(0.1, y / 9, "a", fontsize=5) for y in range(8)]))
    assert len(findings) == 5 and findings[-1].endswith("; and 3 more like this")


def test_each_text_is_drawn_alone_at_most_once(found, still, monkeypatch):
    draws = []
    draw = FrameView._draw_alone
    monkeypatch.setattr(
        FrameView,
        "_draw_alone",
        lambda view, text: (draws.append((view, text)), draw(view, text))[1],
    )
    found(still(lambda ax: [ax.text(0.1, 0.5, f"text {number}") for number in range(9)]))
    assert len(draws) == len(set(draws)) > 3 * 9


@pytest.mark.parametrize("words", ["\u65e5\u672c x", "$x^2$ \u65e5\u672c"])
def test_letters_that_the_font_lacks_are_one_finding_and_no_warning(found, still, words, caplog):
    (finding,) = found(still(lambda ax: ax.text(0.1, 0.5, words, fontsize=14)))
    assert f"text '{words}': the font DejaVu Sans lacks \u65e5 \u672c" in finding
    assert not caplog.records


def test_a_text_that_runs_into_the_next_panel_is_named(still):
    words = "words that are wider than the rest of it"
    wide = still(lambda ax: ax.text(0.5, 0.5, words, in_layout=False))
    film = Film([wide, still(lambda ax: None)], seconds=1, fps=10, size=(640, 360))
    (finding,) = check(film, stills=3)
    assert f"text '{words}': runs into axes 1 by" in str(finding)


def test_the_tip_of_a_marker_may_touch_its_label(found, still):
    def draw(ax):
        ax.plot(0.5, 0.5, "*", color="k", markersize=13)
        place = {"xytext": (0, -5), "textcoords": "offset points", "ha": "center", "va": "top"}
        ax.annotate("minimum", (0.5, 0.5), fontsize=10.5, **place)

    assert found(still(draw), size=(1920, 1080), seconds=0.1) == []


def test_a_value_next_to_its_bound_has_the_digits_that_tell_them_apart():
    assert told_apart(0.0281, 0.0278, "%") == ("2.81%", "2.78%")
    assert told_apart(2.1, 4.5) == ("2.1", "4.5")
    assert told_apart(1.0, 1.0)[0].startswith("1.0")


def test_a_check_changes_nothing(still):
    before = dict(matplotlib.rcParams)
    film = Film([still(lambda ax: ax.plot([0, 1]))], seconds=0.2, fps=10, size=(160, 90))
    assert check(film) == check(film)
    assert dict(matplotlib.rcParams) == before
