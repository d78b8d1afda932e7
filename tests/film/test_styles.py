"""Each run of a film has its own colour and dash."""

import pytest
from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure

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


@pytest.mark.parametrize(("labels", "columns"), [(3, 3), (5, 3), (6, 3), (7, 4), (8, 4)])
def test_the_rows_of_a_legend_are_full_but_for_the_last_column(labels, columns):
    with rc_context(rc_params("light")), shared_labels(f"Adam, seed {n}" for n in range(labels)):
        figure = Figure(figsize=(7.2, 5.4))
        draw_legend(figure)
    assert figure.legends[0]._ncols == columns
