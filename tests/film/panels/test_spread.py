from dataclasses import replace

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from render import datasets, losses, models, record, sweep
from render.errors import InputError
from render.film.panels.spread import Cloud, Spread, spread_of


def runs_of(sizes, steps=60):
    return sweep(
        models.Line(3.0, 8.0, dtype=torch.float64),
        datasets.line(200, seed=1, dtype=torch.float64),
        loss=losses.mse,
        optimizer=lambda params: torch.optim.SGD(params, lr=0.2),
        steps=steps,
        batch_size=sizes,
    )


@pytest.fixture(scope="module")
def runs():
    return runs_of([4, 16])


@pytest.mark.parametrize("row", [1, 7, 19, 20, 60])
def test_the_spread_is_the_root_mean_squared_distance_from_the_mean(runs, row):
    run = runs["batch 4"]
    window = run.params[max(0, row - 19) : row + 1]
    expected = np.sqrt(((window - window.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert spread_of(run, 20)[row] == pytest.approx(expected, rel=1e-9)


def test_a_run_from_far_has_the_spread_of_where_it_is(runs):
    run = runs["batch 4"]
    noise = 1e-9 * np.random.default_rng(0).standard_normal((200, 2))
    way = np.exp(-np.arange(200.0))[:, None] * 1e4 + noise
    came = replace(run, params=way, loss=np.ones(200))
    for row in (99, 120, 199):
        window = way[row - 19 : row + 1]
        expected = np.sqrt(((window - window.mean(axis=0)) ** 2).sum(axis=1).mean())
        assert spread_of(came, 20)[row] == pytest.approx(expected, rel=1e-4)


def test_one_row_has_no_spread(runs):
    assert np.isnan(spread_of(runs["batch 4"], 20)[0])


def test_dots_stand_at_batch_size_and_spread(runs):
    axes = Figure().add_subplot()
    update = Spread(runs, last=20)(axes)
    (dots,) = axes.collections
    for step in (60, 5, 30):
        update(step)
        expected = [(size, spread_of(runs[f"batch {size}"], 20)[step]) for size in (4, 16)]
        assert dots.get_offsets().tolist() == [list(pair) for pair in expected]


def test_the_law_falls_by_half_where_the_batch_is_four_times_as_large(runs):
    axes = Figure().add_subplot()
    Spread(runs, last=20)(axes)
    (line,) = axes.lines
    sizes, law = line.get_data()
    assert law[1] / law[0] == pytest.approx((sizes[0] / sizes[1]) ** 0.5)
    finals = [spread_of(runs[f"batch {size}"], 20)[-1] * size**0.5 for size in (4, 16)]
    assert law[0] * sizes[0] ** 0.5 == pytest.approx(np.prod(finals) ** 0.5)


@pytest.mark.parametrize("from_far", [False, True])
def test_the_laws_name_is_where_the_fewest_dots_pass(runs, from_far):
    """Runs that begin at rest are below the law at first, and runs from far above it."""
    decay = 1 + from_far * 4 * np.exp(-np.arange(61.0) / 20)[:, None]
    shown = {label: replace(run, params=run.params * decay) for label, run in runs.items()}
    axes = Figure().add_subplot()
    Spread(shown, last=20)(axes)
    (name,) = axes.texts
    assert name.get_position() == ((0.03, 0.07) if from_far else (0.97, 0.93))


def test_the_laws_name_is_no_wider_than_the_axes(runs):
    figure = Figure(figsize=(1.2, 2))
    axes = figure.add_axes((0, 0, 1, 1))
    Spread(runs, last=20)(axes)(10)
    assert axes.texts[0].get_window_extent().width < axes.bbox.width


def test_limits_rest_and_hold_all_final_dots(runs):
    axes = Figure().add_subplot()
    update = Spread(runs, last=20)(axes)
    before = axes.get_xlim(), axes.get_ylim()
    update(2)
    assert (axes.get_xlim(), axes.get_ylim()) == before
    for size in (4, 16):
        assert before[1][0] < spread_of(runs[f"batch {size}"], 20)[-1] < before[1][1]


def test_points_are_the_last_states_and_the_circle_is_their_spread(runs):
    axes = Figure().add_subplot()
    update = Cloud(runs, last=20, grid=11)(axes)
    with matplotlib.rc_context():
        update(3)
        update(50)
    points, circle, dot = axes.lines[:3]
    run = runs["batch 4"]
    assert points.get_xydata() == pytest.approx(run.params[31:51])
    assert dot.get_xydata() == pytest.approx(run.params[50:51])
    away = circle.get_xydata() - run.params[31:51].mean(axis=0)
    assert np.hypot(*away.T) == pytest.approx(spread_of(run, 20)[50])


def test_a_circle_is_as_wide_as_the_points_that_are_seen():
    run = record(
        models.MLP((1, 2, 1), seed=0),
        datasets.line(40, seed=1),
        loss=losses.mse,
        optimizer=lambda params: torch.optim.SGD(params, lr=0.1),
        steps=30,
        batch_size=4,
    )
    axes = Figure().add_subplot()
    Cloud(run, last=20, grid=5, parameters=(3, 1))(axes)(30)
    points, circle, _ = axes.lines[:3]
    seen = points.get_xydata() - points.get_xydata().mean(axis=0)
    away = circle.get_xydata() - points.get_xydata().mean(axis=0)
    assert np.hypot(*away.T) == pytest.approx(np.sqrt((seen**2).sum(axis=1).mean()), rel=1e-4)


def test_the_axis_counts_steps_where_few_of_them_are_kept(runs):
    axes = Figure().add_subplot()
    Spread({label: replace(run, every=10) for label, run in runs.items()}, last=20)(axes)
    assert axes.get_ylabel() == "spread of the last 200 steps"


def test_a_run_without_batches_is_an_error(runs):
    whole = record(
        models.Line(3.0, 8.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=lambda params: torch.optim.SGD(params, lr=0.1),
        steps=3,
    )
    with pytest.raises(InputError, match="'all' has no batches; record it with batch_size="):
        Spread({**runs, "all": whole})
    with pytest.raises(InputError, match="last=1 is not a whole number of at least 2"):
        Spread(runs, last=1)


def test_runs_that_diverge_leave_no_dot():
    wild = sweep(
        models.Line(3.0, 8.0),
        datasets.line(200),
        loss=losses.mse,
        optimizer=lambda params: torch.optim.SGD(params, lr=50.0),
        steps=120,
        batch_size=[4, 16],
    )
    axes = Figure().add_subplot()
    update = Spread(wild, last=20)(axes)
    update(120)
    (dots,) = axes.collections
    assert np.ma.getdata(dots.get_offsets())[:, 1] == pytest.approx([np.nan] * 2, nan_ok=True)
