"""Which step each frame shows."""

import numpy as np
import pytest

from render import Timeline
from render.errors import InputError


class Run:
    """A run whose parameters move at a known speed."""

    def __init__(self, params, loss, every=1):
        self.every = every
        self.params = np.asarray(params, float).reshape(len(loss), -1)
        self.loss = np.asarray(loss, float)
        self.steps = len(loss) - 1


def test_linear_gives_every_step_the_same_time():
    assert Timeline().steps(100, 5, 30).tolist() == [0, 25, 50, 75, 100]


def test_every_shows_each_nth_step_and_stops_at_the_last():
    assert Timeline(every=30).steps(100, 6, 10).tolist() == [0, 30, 60, 90, 100, 100]


def test_log_lingers_on_the_first_steps():
    steps = Timeline("log").steps(10_000, 200, 30)
    assert (steps[0], steps[-1]) == (0, 10_000)
    strides = np.diff(steps)
    assert (strides[0], strides.min()) == (1, 1)
    ratio = (strides[-1] / strides[99]) ** (1 / 99)
    assert strides[99:] == pytest.approx(strides[99] * ratio ** np.arange(100), rel=0.1)
    assert ratio == pytest.approx(1.03, abs=0.01)


def test_even_moves_the_picture_by_the_same_amount_each_frame():
    position = 1 - 0.99 ** np.arange(1001)
    run = Run(position, np.ones(1001))
    steps = Timeline("even").steps(1000, 21, 30, [run])
    assert np.diff(position[steps]) == pytest.approx(np.full(20, 0.05), abs=0.01)


def test_even_knows_how_far_apart_kept_steps_are():
    position = 1 - 0.99 ** np.arange(1001)
    run = Run(position[::10], np.ones(101), every=10)
    steps = Timeline("even").steps(1000, 21, 30, [run])
    assert np.diff(position[steps]) == pytest.approx(np.full(20, 0.05), abs=0.01)


def test_even_shows_no_step_for_two_frames():
    run = Run(1 - 0.9 ** np.arange(1001), np.ones(1001))
    assert (np.diff(Timeline("even").steps(1000, 301, 30, [run])) >= 1).all()


def test_even_without_change_or_with_non_finite_values_is_still_a_timeline():
    flat = Run(np.zeros(11), np.ones(11))
    assert Timeline("even").steps(10, 3, 30, [flat]).tolist() == [0, 5, 10]
    broken = Run([0, 1, np.inf, np.nan, np.nan], [1, 2, np.inf, np.nan, np.nan])
    steps = Timeline("even").steps(4, 5, 30, [broken])
    assert (steps[0], steps[-1]) == (0, 4)
    nowhere = Run(np.zeros(11), np.full(11, np.nan))
    assert Timeline("even").steps(10, 3, 30, [nowhere]).tolist() == [0, 5, 10]


@pytest.mark.parametrize("pace", ["linear", "log", "even"])
@pytest.mark.parametrize("frames", [1, 2, 7, 100])
@pytest.mark.parametrize("last", [0, 1, 6, 1000])
def test_every_pace_rises_from_the_first_step_to_the_last(pace, frames, last):
    run = Run(np.random.default_rng(0).normal(size=(last + 1, 2)), np.ones(last + 1))
    steps = Timeline(pace).steps(last, frames, 30, [run])
    assert len(steps) == frames
    assert (np.diff(steps) >= 0).all()
    assert steps[-1] == last
    assert steps[0] == 0 or frames == 1


def test_holds_repeat_the_first_and_the_last_step():
    steps = Timeline(hold_start=0.2, hold_end=0.3).steps(100, 10, 10)
    assert steps.tolist() == [0, 0, 0, 25, 50, 75, 100, 100, 100, 100]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Timeline("slow"), "pace='slow' is not one of linear, log, even"),
        (lambda: Timeline(every="a"), "every='a' is not a positive number of steps"),
        (lambda: Timeline(every=1.5), "every=1.5 is not a positive number of steps"),
        (lambda: Timeline(hold_start=None), "hold_start=None is not a number of seconds"),
        (lambda: Timeline(every=0), "every=0 is not a positive number of steps"),
        (lambda: Timeline(hold_end=-1), "hold_end=-1 is not a number of seconds"),
        (lambda: Timeline(hold_end=9).steps(10, 30, 10), "fill the whole film of 3 s"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
