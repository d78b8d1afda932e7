"""Fit draws the data, and the model's curve at the step."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from render import datasets, losses, models, panels, record
from render.errors import InputError


def line_fit(**options):
    return record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=6,
        **options,
    )


@pytest.fixture(scope="module")
def run():
    return line_fit()


def test_the_curve_is_the_models_at_the_step(run, ax):
    panel = panels.Fit(run)
    panel.prepare(range(7))
    update = panel(ax)
    for step in (6, 0):
        update(step)
        x, y = ax.lines[0].get_data()
        slope, intercept = run.params[step]
        assert y == pytest.approx(slope * x + intercept, rel=1e-5)
    assert (x.min(), x.max()) == (run.x.min(), run.x.max())
    assert np.array_equal(ax.collections[0].get_offsets(), np.c_[run.x, run.y])


def test_validation_points_are_open_and_the_curve_reaches_them(run, ax):
    validation = datasets.of([-1.0, 0.5, 2.0], [0.0, 30.0, 2.0])
    panels.Fit(run, validation=validation)(ax)(6)
    train, open_points = ax.collections
    assert np.array_equal(open_points.get_offsets(), [[-1, 0], [0.5, 30], [2, 2]])
    assert not np.array_equal(open_points.get_facecolor(), train.get_facecolor())
    assert ax.lines[0].get_xdata()[[0, -1]].tolist() == [-1.0, 2.0]
    assert ax.get_ylim()[1] > 30
    assert "open points: validation" in ax.get_title(loc="left")


def test_y_limits_are_those_given(run, ax):
    panels.Fit(run, y_limits=(-3, 40))(ax)(6)
    assert ax.get_ylim() == (-3, 40)


def test_the_start_is_in_the_picture_even_where_the_data_span_little(ax):
    run = record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(5, slope=3.0, intercept=8.0),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    panels.Fit(run)(ax)(0)
    low, high = ax.get_ylim()
    y = ax.lines[0].get_ydata()
    assert low < y.min() and y.max() < run.y.min() and run.y.max() < high


def test_a_single_point_has_a_curve_around_it(ax):
    run = record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.of([2.0], [-3.0]),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    panels.Fit(run)(ax)(0)
    x, y = ax.lines[0].get_data()
    assert x[0] < 2 < x[-1] and ax.get_xlim() == (x[0], x[-1])
    assert y == pytest.approx(1 - x)


def test_residuals_join_each_point_to_the_curve(run, ax):
    panels.Fit(run, residuals=True)(ax)(3)
    sticks = np.array(ax.collections[1].get_segments())
    slope, intercept = run.params[3]
    assert sticks[:, 0] == pytest.approx(np.c_[run.x, run.y])
    assert sticks[:, 1] == pytest.approx(np.c_[run.x, slope * run.x + intercept], rel=1e-5)


def test_rings_mark_the_batch_of_the_step(ax):
    run = line_fit(batch_size=4)
    update = panels.Fit(run)(ax)
    for step in (5, 1):
        update(step)
        rows = run.batch[step]
        assert np.array_equal(ax.collections[-1].get_offsets(), np.c_[run.x, run.y][rows])
    assert ax.get_title(loc="left") == "rings: the step's batch"


def test_what_cannot_be_drawn_is_named(run):
    two = record(
        models.MLP((2, 1)),
        datasets.moons(5),
        loss=losses.nll,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    with pytest.raises(InputError, match="have 2 features"):
        panels.Fit(two)
    with pytest.raises(InputError, match="10 numbers in x and 5 in y"):
        panels.Fit(run, validation=datasets.moons(5))


def test_what_is_prepared_is_not_computed_again(run, ax, monkeypatch):
    panel = panels.Fit(run, residuals=True)
    panel.prepare(range(7))
    panel = pickle.loads(pickle.dumps(panel))
    monkeypatch.setattr(type(run), "predict", lambda *_: pytest.fail("computed again"))
    panel.prepare(range(7))
    panel(ax)(4)
    assert len(ax.lines[0].get_xdata())


def test_a_model_of_two_numbers_a_sample_is_refused(ax):
    twice = datasets.of(torch.rand(9, 1), torch.rand(9, 2))
    sgd = torch.optim.SGD
    run = record(torch.nn.Linear(1, 2), twice, loss=losses.mse, optimizer=sgd, steps=1)
    with pytest.raises(InputError, match="Fit draws one number a sample; the targets"):
        panels.Fit(run)

    def likelihood(prediction, target):
        return ((prediction[:, 0] - target) ** 2).mean()

    once = datasets.of(torch.rand(9, 1), torch.rand(9))
    run = record(torch.nn.Linear(1, 2), once, loss=likelihood, optimizer=sgd, steps=1)
    with pytest.raises(InputError, match="Fit draws one number a sample; the model gives"):
        panels.Fit(run)(ax)
