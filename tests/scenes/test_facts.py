"""What the lecture's scenes show is true."""

import numpy as np
import pytest
from matplotlib.text import Text

# Loss at steps 0, 1000, ... 9000 as the lecture's notebook printed it, from its own draw.
LECTURE_LOSS = [89.19, 0.689, 0.120, 0.110, 0.105, 0.102, 0.0988, 0.0966, 0.0950, 0.0937]


def test_line_by_hand_is_the_lectures_film(shipped_film):
    film = shipped_film("line_by_hand")
    assert (film.size, film.frames, film.fps) == ((500, 400), 20, 10)
    assert film.figure(0).get_size_inches().tolist() == [5, 4]
    assert film.shown_steps.tolist() == [30 * frame for frame in range(20)]


def test_line_by_hand_shows_the_line_after_thirty_updates_a_frame(shipped_film):
    """The closed form: the error shrinks by (I - lr H) an update, H the Hessian of the loss."""
    film = shipped_film("line_by_hand")
    (axes,) = film.figure(0).axes
    x, y = axes.collections[0].get_offsets().data.T
    ones = np.ones_like(x)
    basis = np.stack([x, ones], axis=1)
    hessian = 2 * basis.T @ basis / len(x)
    optimum = np.linalg.solve(basis.T @ basis, basis.T @ y)
    start = np.array([-1.0, 1.0])
    for frame in (0, 1, 7, 19):
        shrink = np.linalg.matrix_power(np.eye(2) - 0.01 * hessian, 30 * frame)
        slope, intercept = optimum + shrink @ (start - optimum)
        (axes,) = film.figure(frame).axes
        line = axes.lines[0].get_ydata()
        assert line == pytest.approx([intercept, slope + intercept], rel=1e-4)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("line_by_hand", {"lr": 1.0}, "step 570: both runs diverged"),
        ("line_by_hand", {"lr": 1.0, "steps": 30}, "step 30: both runs diverged"),
        ("early_stopping", {"steps": 30}, "Patience is not used up by step 30"),
        ("linear_regression", {"lr": 1.0, "n": 501}, "At this rate the loss does not fall"),
        (
            "gradient_descent",
            {"lr": 2.0, "n": 9, "steps": 500},
            "At this rate the loss does not fall",
        ),
        ("logistic_regression", {"lr": 100.0, "steps": 9}, "At this rate the loss does not fall"),
        ("decision_boundary", {"lr": 3.0, "steps": 60}, "At this rate the loss does not fall"),
        ("gradient_field", {"lr": 0.1, "steps": 9}, "At this rate not every loss falls"),
        ("minibatch_sgd", {"lr": 1.5, "steps": 60}, "At this rate not every loss falls"),
        ("batch_sizes", {"steps": 20}, "ring: spread of the last 20 steps"),
        ("schedules", {"steps": 20}, "ring: spread of the last 20 steps"),
        ("learning_rates", {"beyond": 1.0001}, "beyond 2/L (0.20002)"),
        ("coordinate_scaling", {"offset": 9.0}, "best rate 0.011"),
        ("batch_sizes", {"lr": 0.78}, "64 times the batch: the noise is divided by 2"),
        ("batch_sizes", {"lr": 1e-9}, "At this rate not every batch's noise can be measured"),
        ("batch_sizes", {"last": 2, "steps": 2}, "64 times the batch: the noise is divided by 8"),
        ("minibatch_sgd", {"n": 513}, "With 513 points the batch of 64 is the noisier"),
        ("optimizer_race", {"steps": 1}, "after 1 step,"),
        (
            "optimizer_race",
            {"surface": "saddle", "steps": 400},
            "SGD:\N{NO-BREAK SPACE}1, momentum\N{NO-BREAK SPACE}0.9:\N{NO-BREAK SPACE}1,",
        ),
        ("momentum", {"condition": 1.1}, "By step 60, no momentum is far ahead"),
        ("momentum", {"condition": 1000.0}, "By step 60, only Nesterov is far ahead"),
        ("momentum", {"condition": 1e7}, "by 2e-05% a step in the long run"),
        (
            "early_stopping",
            {"lr": 1e25, "steps": 9, "patience": 5},
            "Early stopping keeps the weights of the lowest validation loss",
        ),
    ],
)
def test_words_are_those_of_the_settings(shipped_film, name, settings, words):
    figure = shipped_film(name, **settings).resized(640, 360).figure(-1)
    shown = " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))
    assert words in shown


def test_gradients_by_hand_equal_autograd_to_rounding(shipped_film):
    (axes,) = shipped_film("line_by_hand").figure(-1).axes
    gap = float(axes.get_title(loc="left").rsplit(" ", 1)[1])
    assert gap <= 1e-5


def test_gradient_descent_follows_the_lectures_table(shipped_film):
    (run,) = shipped_film("gradient_descent").runs
    assert (run.steps, len(run.x)) == (10_000, 10_000)
    assert run.loss[0:10_000:1000] == pytest.approx(LECTURE_LOSS, rel=0.05)
    assert 0.085 < run.loss[-1] < 0.09 * 1.1


def test_logistic_regression_learns(shipped_film):
    (run,) = shipped_film("logistic_regression").runs
    assert np.mean(run.y) == pytest.approx(1 / 3, abs=0.02)
    checked = run.loss[[0, 1000, 2000, 3000]]
    assert (np.diff(checked) < 0).all()
    assert run.metrics["accuracy"][-1] > run.metrics["accuracy"][0] + 0.2
    probability = 1 / (1 + np.exp(-(run.params[-1] @ np.stack([run.x, np.ones_like(run.x)]))))
    likelihood = np.where(run.y == 1, probability, 1 - probability)
    assert run.loss[-1] == pytest.approx(-np.log(likelihood).mean(), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("decision_boundary", {"lr": 0.001, "steps": 9}),
        ("gradient_field", {"lr": 1e-6, "steps": 9}),
        ("minibatch_sgd", {"lr": 1e-4, "steps": 9}),
    ],
)
def test_slow_runs_keep_their_scenes_title(shipped_film, name, settings):
    """Also where the last minibatch is harder than the first."""
    assert shipped_film(name, **settings).title == shipped_film(name).title


def test_smaller_batches_make_noisier_paths(shipped_film):
    film = shipped_film("minibatch_sgd")
    assert list(dict.fromkeys(film.labels)) == ["batch of 8", "batch of 64", "all points"]
    spread = [run.params[100:].std(axis=0).max() for run in film.runs]
    sizes = [None if run.batch is None else run.batch.shape[1] for run in film.runs]
    assert sizes == [8, 64, None]
    assert spread[0] > 2 * spread[1] > 4 * spread[2]
