"""Curves draw a run's series up to the current step, on axes that stay."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from render import Keep, datasets, losses, models, panels, record, surfaces
from render.errors import InputError


def line_fit(steps=12, lr=0.1, **options):
    return record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
        **options,
    )


@pytest.fixture(scope="module")
def run():
    return line_fit()


@pytest.mark.parametrize(
    ("values", "expected", "label"),
    [
        ("loss", lambda run: run.loss, "loss"),
        ("rate", lambda run: run.lr, "rate"),
        ("gradient", lambda run: run.grad_norm, "gradient"),
        ("slope", lambda run: run.params[:, 0], "slope"),
        ("step", lambda run: np.arange(13), "step"),
        (lambda run: run.params.sum(axis=1), lambda run: run.params.sum(axis=1), ""),
    ],
)
def test_a_curve_is_the_series_up_to_the_step(run, ax, values, expected, label):
    update = panels.Curve(run, values)(ax)
    for step in (7, 0, 12):
        update(step)
        curve, dot = ax.lines
        assert curve.get_xdata().tolist() == list(range(step + 1))
        assert np.array_equal(curve.get_ydata(), expected(run)[: step + 1])
        assert dot.get_xydata().tolist() == [[step, expected(run)[step]]]
    assert ax.get_ylabel() == label


def test_two_series_of_one_run_share_an_axes(run, ax):
    curve = panels.Curve({"a": run, "b": run}, {"a": "slope", "b": "intercept"})
    curve(ax)(12)
    assert np.array_equal(ax.lines[0].get_ydata(), run.params[:, 0])
    assert np.array_equal(ax.lines[2].get_ydata(), run.params[:, 1])
    assert [ax.lines[0].get_label(), ax.lines[2].get_label()] == ["a", "b"]
    assert ax.get_ylabel() == ""


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (("loss", "val_loss"), "loss"),
        (("val_loss", "val_loss"), "validation loss"),
        (("batch loss", "loss"), "loss"),
        (("slope", "loss"), ""),
        (("loss", lambda run: run.loss), ""),
    ],
)
def test_several_series_are_called_by_the_words_they_end_in(ax, names, label):
    validation = datasets.line(5, seed=1)
    run = line_fit(validation=validation)
    panels.Curve({"a": run, "b": run}, dict(zip("ab", names, strict=True)))(ax)
    assert ax.get_ylabel() == label


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_what_is_rounding_leaves_a_logarithmic_axis_at_its_lower_edge(run, ax, precision):
    tiny = np.finfo(precision).smallest_subnormal
    values = np.array([1e8, 1e4, 1, 1e-3, tiny, 0, -1, *[0] * 6], dtype=precision)
    update = panels.Curve(run, lambda run: values, scale="log")(ax)
    low, high = ax.get_ylim()
    assert 1e-5 < low < 1e-3 and 1e8 < high < 1e10
    for step in (4, 5, 6, 12):
        update(step)
        curve, dot = ax.lines
        assert (curve.get_ydata()[4:] > 0).all() and (curve.get_ydata()[4:] < low).all()
        assert dot.get_ydata().tolist() == [low]


def test_what_is_no_rounding_is_not_drawn_level(run, ax):
    values = 0.01 ** np.arange(13)  # exact far below the rounding of numbers about 1
    update = panels.Curve(run, lambda run: values.astype(np.float32), scale="log")(ax)
    update(12)
    curve, dot = ax.lines
    assert curve.get_ydata() == pytest.approx(values)
    assert dot.get_ydata().tolist() == [ax.get_ylim()[0]]


def test_a_logarithmic_axis_leaves_room_for_a_fall_to_zero(run, ax):
    panels.Curve(run, lambda run: np.array([2.0] + [0.0] * 12), scale="log")(ax)
    assert ax.get_ylim()[0] == pytest.approx(0.2)


def test_a_logarithmic_axis_of_nothing_positive_is_refused(run, ax):
    panel = panels.Curve(run, lambda run: -run.loss, scale="log")
    with pytest.raises(InputError, match=r'no value is above 0.*give scale="linear"'):
        panel(ax)


def test_steps_are_whole_numbers(ax):
    panels.Curve(line_fit(steps=2))(ax)
    assert ax.get_xticks().tolist() == [0, 1, 2]


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_an_axis_of_one_step_ends_with_it(ax, steps, scale):
    panels.Curve(line_fit(steps=steps), step_scale=scale)(ax)
    assert (ax.get_xlim(), list(ax.get_xticks())) == ((0, 1), [0, 1])


def test_limits_hold_every_value_of_the_film(run, ax):
    update = panels.Curve(run, "loss", scale="log")(ax)
    before = ax.get_xlim(), ax.get_ylim()
    update(12)
    assert (ax.get_xlim(), ax.get_ylim()) == before
    low, high = before[1]
    assert low < run.loss.min() and run.loss.max() < high


def test_a_run_that_diverges_leaves_the_others_their_room(ax):
    calm, wild = line_fit(), line_fit(lr=30.0, steps=60)
    assert wild.loss[-1] > 1e10 * wild.loss[0] or wild.diverged_at is not None
    panels.Curve({"calm": calm, "wild": wild}, "loss")(ax)(60)
    low, high = ax.get_ylim()
    assert calm.loss.max() < high < 20 * calm.loss.max() and low <= 0


def test_a_run_that_leaves_at_once_has_room_to_be_seen_rising(ax):
    run = line_fit(lr=1e3, steps=60)
    panels.Curve(run, "loss")(ax)(60)
    assert ax.get_ylim()[1] > 5 * run.loss[0]


def test_a_run_of_every_third_step_is_drawn_at_its_steps(ax):
    run = line_fit(keep=Keep(every=3))
    panel = panels.Curve(run, "loss")
    update = panel(ax)
    assert panel.steps == 12
    for step, shown in ((0, [0]), (5, [0, 3]), (12, [0, 3, 6, 9, 12])):
        update(step)
        assert ax.lines[0].get_xdata().tolist() == shown


def test_batch_loss_and_data_loss_differ():
    run = line_fit(batch_size=4)
    figure, (left, right) = plt.subplots(1, 2)
    panels.Curve(run, "batch loss")(left)(12)
    panels.Curve(run, "loss")(right)(12)
    assert np.array_equal(left.lines[0].get_ydata(), run.loss)
    assert np.array_equal(right.lines[0].get_ydata(), run.data_loss)
    plt.close(figure)


def test_distance_is_that_to_the_nearest_point(ax):
    surface = surfaces.himmelblau
    run = record(
        models.Point(*surface.start), surface, optimizer=partial(torch.optim.SGD, lr=0.01), steps=9
    )
    panels.Curve(run, panels.distance_to(surface.minima), y_label="distance")(ax)(9)
    nearest = [min(np.hypot(*(p - m)) for m in np.array(surface.minima)) for p in run.params]
    assert ax.lines[0].get_ydata() == pytest.approx(nearest)
    assert ax.get_ylabel() == "distance"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda run: panels.Curve(run, "speed"), "Curve: nothing is called 'speed'; there are: "),
        (lambda run: panels.Curve({"a": run}, {"b": "loss"}), "no series for the run 'a'"),
        (lambda run: panels.Curve(run, lambda run: run.loss[:3]), r"of shape \(3,\); it must be"),
        (lambda run: panels.Curve(run, scale="bogus"), "scale='bogus' is not one of linear, log"),
        (lambda run: panels.Curve(run, step_scale=None), "step_scale=None is not one of"),
        (lambda run: panels.Curve({}), "needs at least one run"),
        (lambda run: panels.Curve("loss"), "'str' is not a run"),
        (lambda run: panels.distance_to([]), "give points of shape"),
    ],
)
def test_what_is_not_there_is_refused(run, make, words):
    with pytest.raises(InputError, match=words):
        make(run)


def test_a_logarithmic_step_axis_keeps_step_0(run, ax):
    update = panels.Curve(run, step_scale="log")(ax)
    update(0)
    curve, dot = ax.lines
    assert dot.get_xdata().tolist() == [0]
    places = ax.transData.transform([(step, 1.0) for step in (0, 1, 10)])[:, 0]
    assert places[0] < places[1] < places[2]
    update(12)
    assert curve.get_xdata().tolist() == list(range(13))


def test_negative_values_are_gaps_on_a_logarithmic_axis(run, ax):
    values = np.array([-1.0, 0.0, -1e-9, 0.5, 2.0, *np.ones(8)])
    update = panels.Curve(run, lambda run: values, scale="log")(ax)
    update(12)
    line, dot = ax.lines
    low = ax.get_ylim()[0]
    assert np.isnan(line.get_ydata()[0]) and line.get_ydata()[3:5].tolist() == [0.5, 2.0]
    assert all(0 < y < low for y in line.get_ydata()[1:3])
    update(0)
    assert not len(dot.get_ydata())
