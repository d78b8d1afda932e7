"""Patience stops where a loop that waits would stop."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from render import Keep, datasets, losses, models, panels, record
from render.errors import InputError


def waited(values, patience):
    """Best and stop of a loop that compares as training would."""
    best, least, since = 0, math.inf, 0
    for row, value in enumerate(values):
        if value < least:
            best, least, since = row, value, 0
        else:
            since += row > 0
        if since == patience:
            return best, row
    return best, None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("patience", [1, 2, 5, 40])
def test_stopping_is_that_of_a_loop_that_waits(seed, patience):
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 50, size=30).astype(float)
    values[draw.random(30) < 0.1 * (seed % 3)] = draw.choice([np.nan, np.inf])
    stop = panels.stopping(values, patience)
    assert (stop.best, stop.at) == waited(values, patience)
    assert stop.lowest is (not (values < np.nan_to_num(values, nan=np.inf)[stop.best]).any())


def overfit(**options):
    """A run whose validation loss has its minimum in the middle."""
    return record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20, seed=1),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=30,
        metrics={"away": lambda prediction, target: (prediction[0] - 6.0).abs()},
        **options,
    )


@pytest.mark.parametrize("every", [1, 3])
def test_the_wait_is_marked_from_the_best_step_once_it_is_over(ax, every):
    run = overfit(keep=Keep(every=every))
    best = int(run.metrics["away"].argmin()) * every
    assert 0 < best < 24
    update = panels.Patience(run, "away", patience=6)(ax)
    (wait,) = ax.patches
    for step, shown in ((best + 5, False), (best + 6, True), (0, False), (30, True)):
        update(step)
        assert wait.get_visible() is ax._left_title.get_visible() is shown
    assert ax.get_title(loc="left") == f"stopped at step {best + 6}: lowest at {best}"
    assert (wait.get_x(), wait.get_width()) == (best, 6)
    assert panels.Patience(run, "away", patience=30).stop().at is None


def test_of_several_runs_the_longest_is_waited_for(ax):
    run = overfit()
    short = record(
        models.Line(-1.0, 1.0),
        datasets.line(20, seed=1),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=2,
        metrics={"away": lambda prediction, target: prediction[0]},
    )
    both = panels.Patience({"short": short, "long": run}, "away", patience=6)
    assert both.stop() == panels.stopping(run.metrics["away"], 6)


@pytest.mark.parametrize("patience", [0, -3, 1.5, "long", None, True])
def test_patience_is_a_whole_number_of_steps(patience):
    with pytest.raises(InputError, match=r"patience=.* is not a whole number of steps, at least 1"):
        panels.stopping([1.0], patience)
    with pytest.raises(InputError, match="patience="):
        panels.Patience(overfit(), "away", patience=patience)


@pytest.mark.parametrize("values", [[], 3.0, [[1.0]]])
def test_stopping_needs_a_row_of_values(values):
    with pytest.raises(InputError, match="stopping: values have shape"):
        panels.stopping(values, 3)
