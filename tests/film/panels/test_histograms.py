"""Histograms count each layer's weights; ByLayer draws one number for each layer."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from render import Film, datasets, losses, models, record
from render.errors import InputError
from render.film.panels.histograms import ByLayer, Histograms


def trained(lr=0.1, steps=6, seed=0):
    return record(
        models.MLP((2, 5, 4, 1), seed=seed),
        datasets.moons(20),
        loss=lambda prediction, target: ((prediction - target) ** 2).mean(),
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
    )


@pytest.fixture(scope="module")
def run():
    return trained()


@pytest.fixture(scope="module")
def diverged():
    run = trained(lr=1e25)
    assert run.diverged_at is not None
    return run


def heights(ax, rows, bins):
    """What a line of outlines draws: the height of each bin above its row's baseline."""
    y = ax.lines[0].get_ydata().reshape(rows, 2 * bins + 3)[:, 1:-2:2]
    return y - np.arange(rows)[:, None]


def test_the_area_under_an_outline_is_the_share_of_the_weights(run, ax):
    panel = Histograms(run, bins=9)
    panel.prepare(range(7))
    update = panel(ax)
    edges = np.linspace(*ax.get_xlim(), 10)
    columns = [slice(0, 10), slice(15, 35), slice(39, 43)]
    for step in (6, 0):
        update(step)
        drawn = heights(ax, 3, 9)
        expected = [
            np.histogram(run.params[step, c], edges)[0] / (c.stop - c.start) for c in columns
        ]
        scale = drawn.max() / np.max(expected)
        assert drawn == pytest.approx(scale * np.array(expected))
    assert np.abs(run.params[0, :10]).max() <= edges[-1]


@pytest.mark.parametrize(("largest", "end"), [(1.234, 1.3), (0.0499, 0.05), (98.7, 99), (0, 1)])
def test_bins_cover_the_weights_up_to_a_round_number(run, ax, largest, end):
    """Rounding on another processor changes a largest weight, and must not move every bin."""
    params = np.zeros(run.params.shape)
    for weight in (largest, -largest * (1 - 1e-6)):
        params[-1, 0] = weight
        Histograms(replace(run, params=params))(ax)
        assert ax.get_xlim() == pytest.approx((-end, end), rel=1e-12)


def test_rows_are_named_after_their_layers(run, ax):
    Histograms(run, tensors=("layers.2.weight", "layers.4.weight", "layers.4.bias"))(ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["layer 2", "layer 3", "layers.4.bias"]
    Histograms(run, tensors=("layers.2.weight",), names=("middle",))(ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["middle"]


def test_the_highest_bin_of_the_film_stays_within_its_row(run):
    film = Film({"H": Histograms(run)}, seconds=1, title="")
    tallest = []
    for frame in range(0, 30, 5):
        (ax,) = film.figure(frame).axes
        tallest.append(heights(ax, 3, 45).max())
    assert 0.5 < max(tallest) <= 0.93


def test_a_run_that_diverges_leaves_the_histograms(diverged, ax):
    update = Histograms({"a": diverged})(ax)
    update(0)
    assert len(ax.lines[0].get_xdata())
    update(6)
    assert not len(ax.lines[0].get_xdata())
    assert not ax.collections[0].get_paths()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tensors": ("layers.1.weight",)}, "no tensor is called 'layers.1.weight'"),
        ({"bins": 1}, "bins=1 is not a whole"),
        ({"names": ("one",)}, "give 3 names"),
    ],
)
def test_wrong_histograms_are_named(run, settings, message):
    with pytest.raises(InputError, match=message):
        Histograms(run, **settings)


def test_a_model_without_matrices_has_nothing_to_count():
    line = record(
        models.Line(slope=1.0, intercept=1.0),
        datasets.line(5),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    with pytest.raises(InputError, match="no tensor of two or more axes"):
        Histograms(line)


def test_by_layer_draws_the_values_at_the_step(run, ax):
    values = np.random.default_rng(0).uniform(1e-3, 10, (7, 3))
    update = ByLayer({"a": run, "b": run}, {"a": values, "b": 2 * values}, y_label="norm")(ax)
    for step in (6, 2):
        update(step)
        for line, factor in zip(ax.lines, (1, 2), strict=True):
            assert line.get_xdata().tolist() == [1, 2, 3]
            assert line.get_ydata() == pytest.approx(factor * values[step])
    low, high = ax.get_ylim()
    assert low < values.min() and high > 2 * values.max()
    assert ax.get_title(loc="left") == ""


def test_zeros_lie_at_the_lower_edge_of_a_logarithmic_axis(run, ax):
    values = np.array([[1.0, 0.0, 0.01]] * (run.steps + 1))
    ByLayer({"a": run}, {"a": values})(ax)(3)
    low = ax.get_ylim()[0]
    assert ax.lines[0].get_ydata().tolist() == [1.0, low, 0.01] and 0 < low < 0.01


def test_by_layer_says_which_runs_have_diverged(run, diverged, ax):
    values = np.ones((7, 2))
    values[diverged.diverged_at :] = np.nan
    gone = {"one": diverged, "two": diverged}
    update = ByLayer({"fine": run} | gone, {name: values for name in ("fine", *gone)})(ax)
    update(0)
    assert ax.get_title(loc="left").strip() == ""
    update(6)
    assert ax.get_title(loc="left") == "diverged: one, two"
    ax.clear()
    ByLayer({"one": diverged}, {"one": values})(ax)(6)
    assert ax.get_title(loc="left") == f"one diverged at step {diverged.diverged_at}"
    ax.clear()
    ByLayer({"one": replace(diverged, every=10)}, {"one": values})(ax)(60)
    among = f"{10 * diverged.diverged_at - 9}\N{EN DASH}{10 * diverged.diverged_at}"
    assert ax.get_title(loc="left") == f"one diverged at step {among}"


@pytest.mark.parametrize("size", [(640, 480), (1080, 1920)])
def test_what_has_diverged_is_said_in_lines_that_fit(diverged, size):
    panel = ByLayer({"a run of some name": diverged}, {"a run of some name": np.ones((7, 2))})
    figure = Film([panel] * 3, size=size, title="").figure(-1)
    figure.draw_without_rendering()
    for title in (ax._left_title for ax in figure.axes):
        assert "diverged at step" in " ".join(title.get_text().split("\n"))
        box = title.get_window_extent()
        assert box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"b": np.ones((7, 2))},
            "no values for the run 'a'; values has those of 'b'; a single run",
        ),
        ({"a": np.ones((6, 2))}, r"shape \(6, 2\); they must be \(7, layers\)"),
        ({"a": np.ones(7)}, r"shape \(7,\)"),
    ],
)
def test_values_that_do_not_fit_are_named(run, values, message):
    with pytest.raises(InputError, match=message):
        ByLayer({"a": run}, values)


def test_a_scale_that_there_is_not_is_refused(run):
    with pytest.raises(InputError, match="scale='bogus' is not one of linear, log"):
        ByLayer({"a": run}, {"a": np.ones((7, 2))}, scale="bogus")
