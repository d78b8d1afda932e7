"""Each run of a film has its own colour and dash."""

import pytest
from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure

from render import Film
from render.film.styles import draw_legend, run_styles, shared_labels
from render.film.theme import rc_params


@pytest.mark.parametrize(
    "cycle",
    [
        None,
        cycler(color=["r", "g", "b"]),
        cycler(color=["r"]),
        cycler(color=["r", "g"]) + cycler(linestyle=["-", ":"]) + cycler(marker=["o", "s"]),
    ],
)
def test_runs_differ_as_often_as_there_are_colours_and_dashes(cycle):
    own = {} if cycle is None else {"axes.prop_cycle": cycle}
    with rc_context(rc_params(own)):
        styles = run_styles([f"run {number}" for number in range(4)])
    looks = [(style["color"], str(style["linestyle"])) for style in styles.values()]
    assert len(set(looks)) == 4


def test_ten_runs_have_ten_looks_and_the_first_those_of_the_theme():
    with rc_context(rc_params("dark")):
        labels = [f"run {number}" for number in range(10)]
        styles = run_styles(labels)
        cycle = list(rc_params("dark")["axes.prop_cycle"])
        with shared_labels(labels):
            assert run_styles(["run 7"]) == {"run 7": styles["run 7"]}
    assert list(styles.values())[: len(cycle)] == cycle
    assert len({(s["color"], str(s["linestyle"])) for s in styles.values()}) == 10


def test_a_run_without_a_label_takes_no_style_from_those_of_the_legend():
    cycle = list(rc_params("light")["axes.prop_cycle"])
    with rc_context(rc_params("light")):
        with shared_labels(["", "train", "validation"]):
            assert list(run_styles(["train", "validation", ""]).values()) == cycle[:3]
        with shared_labels(["", "train", "validation"], "validation"):
            assert run_styles([""]) == {"": cycle[1]}


def test_a_run_has_the_style_of_its_label_in_panels_without_labels():
    class Shown:
        def __init__(self, **runs):
            self.runs = {label.replace("_", ""): run for label, run in runs.items()}

        def __call__(self, ax):
            for style in run_styles(self.runs).values():
                ax.plot([0, 1], **style)
            return lambda step: None

    one, other = object(), object()
    film = Film([Shown(_=other), Shown(one=one, other=other)], seconds=1, size=(200, 100))
    alone, both = film.figure(0).axes
    assert [line.get_color() for line in alone.lines] == [both.lines[1].get_color()]
    assert both.lines[0].get_color() == rc_params("light")["axes.prop_cycle"].by_key()["color"][0]


@pytest.mark.parametrize(("labels", "columns"), [(3, 3), (5, 3), (6, 3), (7, 4), (8, 4)])
def test_the_rows_of_a_legend_are_full_but_for_the_last_column(labels, columns):
    with rc_context(rc_params("light")), shared_labels(f"Adam, seed {n}" for n in range(labels)):
        figure = Figure(figsize=(7.2, 5.4))
        draw_legend(figure)
    assert figure.legends[0]._ncols == columns
