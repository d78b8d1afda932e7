"""What the scenes of fields, surfaces, noise, schedules and scaling show is true."""

import re

import numpy as np
import pytest
from matplotlib.quiver import Quiver

MINIMA = np.array([(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)])


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_gradient(x, y):
    one, other = x**2 + y - 11, x + y**2 - 7
    return np.array([4 * x * one + 2 * other, 2 * one + 4 * y * other])


def descent(start, lr, momentum, steps):
    """Heavy-ball gradient descent on Himmelblau's function, from its derivatives by hand."""
    path, velocity = [np.array(start)], 0.0
    for _ in range(steps):
        velocity = momentum * velocity + himmelblau_gradient(*path[-1])
        path.append(path[-1] - lr * velocity)
    return np.array(path)


def test_neighbouring_starts_end_in_different_minima(shipped_film):
    film = shipped_film("gradient_field")
    starts = np.array([run.params[0] for run in film.runs])
    assert np.abs(starts - starts.mean(axis=0)).max() < 0.5
    ends = np.array([run.params[-1] for run in film.runs])
    away = np.linalg.norm(ends[:, None] - MINIMA, axis=2)
    assert sorted(away.argmin(axis=1)) == [0, 1, 2, 3]
    assert away.min(axis=1).max() < 0.01


def test_descents_in_the_field_are_those_by_hand(shipped_film):
    for run in shipped_film("gradient_field").runs:
        by_hand = descent(run.params[0], 0.0005, 0.0, 700)
        assert run.params == pytest.approx(by_hand, abs=1e-9)


def test_arrows_of_the_field_point_down_the_gradient_by_hand(shipped_film):
    axes = shipped_film("gradient_field").figure(0).axes[0]
    (field,) = (child for child in axes.get_children() if isinstance(child, Quiver))
    assert len(field.XY) == 17 * 17
    slopes = himmelblau_gradient(*np.asarray(field.XY).T)
    arrows = np.array([field.U, field.V])
    cosine = (slopes * arrows).sum(axis=0) / np.linalg.norm(slopes, axis=0)
    assert cosine / np.linalg.norm(arrows, axis=0) == pytest.approx(-1, abs=1e-6)


def test_momentum_rolls_past_the_minimum_where_gradient_descent_stops(shipped_film):
    plain, heavy = shipped_film("surface_3d").runs
    assert plain.params == pytest.approx(descent((4.5, 4.5), 1e-4, 0.0, 1200), abs=1e-8)
    assert heavy.params == pytest.approx(descent((4.5, 4.5), 1e-4, 0.97, 1200), abs=1e-6)
    assert plain.params[-1] == pytest.approx(MINIMA[0], abs=0.05)
    assert heavy.params[-1] == pytest.approx(MINIMA[3], abs=0.05)


@pytest.mark.parametrize("frame", [0, 40, 90, -1])
def test_dots_on_the_surface_stand_as_high_as_the_loss(shipped_film, frame):
    """Read off against the ticks of the loss, beside the box's left edge."""
    film = shipped_film("surface_3d")
    axes = film.figure(frame).axes[0]
    step = film.shown_steps[frame]
    ticks = {text.get_text(): text for text in axes.texts}
    (left, low), (_, high) = ticks["400"].xy, ticks["800"].xy
    number = frame % film.frames  # 15 frames of 420 are held at first, 45 at last
    share = np.clip((number - 15) / (420 - 15 - 45 - 1), 0, 1)
    turn = np.radians(-110 - 45 * share**2 * (3 - 2 * share))
    tilt = np.radians(42)
    corner = np.array([-1, 1])  # of the floor, the one seen leftmost
    assert left == pytest.approx(np.cos(turn) * corner[1] - np.sin(turn) * corner[0], abs=1e-6)

    def near(x, y):
        return np.cos(turn) * x + np.sin(turn) * y

    dots = [line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() > 10]
    for dot, run in zip(dots, film.runs, strict=True):
        ((right, up),) = dot.get_xydata()
        x, y = run.params[step] / 5
        assert right == pytest.approx(np.cos(turn) * y - np.sin(turn) * x, abs=1e-9)
        above = np.sin(tilt) * (near(x, y) - near(*corner))
        loss = 400 + 400 * (up + above - low) / (high - low)
        assert loss == pytest.approx(himmelblau(5 * x, 5 * y), abs=1e-6)


def stationary(data, lr):
    """Hessian, and the covariance of a sample's gradient, of the line fit at its minimum."""
    basis = np.stack([data.x, np.ones_like(data.x)], axis=1).astype(float)
    best = np.linalg.lstsq(basis, data.y.astype(float), rcond=None)[0]
    gradients = 2 * basis * (basis @ best - data.y)[:, None]
    values, modes = np.linalg.eigh(2 * basis.T @ basis / len(basis))
    noise = ((gradients @ modes) ** 2).mean(axis=0)
    return values, lr**2 * noise / (1 - (1 - lr * values) ** 2)


def test_the_spread_falls_as_one_by_the_root_of_the_batch(shipped_film):
    film = shipped_film("batch_sizes")
    spreads = [run.params[-100:].std(axis=0) for run in film.runs]
    spreads = np.linalg.norm(spreads, axis=1)
    sizes = np.array([run.batch.shape[1] for run in film.runs])
    assert sizes.tolist() == [4, 16, 64, 256]
    slope, _ = np.polyfit(np.log(sizes), np.log(spreads), 1)
    assert slope == pytest.approx(-0.5, abs=0.06)
    axes = film.figure(-1).axes[1]
    (dots,) = axes.collections
    assert dots.get_offsets() == pytest.approx(np.column_stack([sizes, spreads]), rel=1e-3)


@pytest.mark.parametrize(("name", "last"), [("batch_sizes", 100), ("schedules", 40)])
def test_rings_are_as_wide_as_the_spread_they_name(shipped_film, name, last):
    film = shipped_film(name)
    axes = next(ax for ax in film.figure(-1).axes if "ring" in ax.get_title(loc="left"))
    assert axes.get_title(loc="left") == f"ring: spread of the last {last} steps"
    radii = {np.ptp(line.get_xdata()) / 2 for line in axes.lines if len(line.get_xdata()) > 50}
    for run in film.runs:
        spread = np.linalg.norm(run.params[-last:].std(axis=0))
        assert min(abs(radius - spread) for radius in radii) < 0.01 * spread


def test_the_law_has_the_height_that_theory_gives(shipped_film):
    """Each mode of the error is an AR(1) process; 100 of its values have this mean variance."""
    film = shipped_film("batch_sizes")
    values, variances = stationary(film.runs[0], lr=0.2)
    lags = np.arange(1, 100)
    remembered = 2 * ((1 - lags / 100) * (1 - 0.2 * values[:, None]) ** lags).sum(axis=1)
    expected = np.sqrt((variances * (1 - (1 + remembered) / 100)).sum())
    (law,) = film.figure(-1).axes[1].lines
    sizes, spreads = law.get_data()
    assert spreads * np.sqrt(sizes) == pytest.approx(expected, rel=0.15)


def closed_rates(lr, steps):
    """The five schedules as formulas of the step."""
    k = np.arange(steps + 1)
    peak, rise = 0.3 * (steps + 1) - 1, steps // 10

    def falling(share):
        return (1 + np.cos(np.pi * share)) / 2

    low, least = lr / 25, lr / 25 / 1e4
    return {
        "constant": np.full(steps + 1, lr),
        "step": lr * 0.1 ** (k // (steps // 3)),
        "cosine": lr * falling(k / steps),
        "one-cycle": np.where(
            k <= peak,
            low + (lr - low) * falling(1 - k / peak),
            least + (lr - least) * falling((k - peak) / (steps - peak)),
        ),
        "warm-up, cosine": np.where(
            k < rise, lr * (0.1 + 0.9 * k / rise), lr * falling((k - rise) / (steps - rise))
        ),
    }


def test_rates_are_those_of_the_closed_formulas(shipped_film):
    film = shipped_film("schedules")
    lines = {line.get_label(): line for line in film.figure(-1).axes[0].lines}
    for label, rates in closed_rates(0.4, 400).items():
        assert lines[label].get_ydata() == pytest.approx(rates, abs=1e-9), label


def test_schedules_change_nothing_but_the_rate(shipped_film):
    film = shipped_film("schedules")
    rates = closed_rates(0.4, 400)
    for label, run in zip(dict.fromkeys(film.labels), film.runs, strict=True):
        params = run.params[0]
        for rate, batch in zip(rates[label][:400], run.batch[:400], strict=True):
            x, y = run.x[batch[batch >= 0]], run.y[batch[batch >= 0]]
            slope = 2 * (params[0] * x + params[1] - y)
            params = params - rate * np.array([(slope * x).mean(), slope.mean()])
        assert run.params[-1] == pytest.approx(params, abs=1e-9), label


def test_noise_stays_at_a_constant_rate_and_dies_with_a_falling_one(shipped_film):
    constant, *falling = shipped_film("schedules").runs
    values, variances = stationary(constant, lr=0.4)
    basis = np.stack([constant.x, np.ones_like(constant.x)], axis=1)
    least = np.linalg.lstsq(basis, constant.y, rcond=None)[1][0] / len(basis)
    expected = (values * variances).sum() / 2 / 16
    assert constant.data_loss[100:].mean() - least == pytest.approx(expected, rel=0.35)
    for run in falling:
        assert run.data_loss[-40:].mean() - least < 0.1 * expected


def test_a_falling_rate_is_not_praised_where_the_constant_one_ends_lowest(shipped_film):
    film = shipped_film("schedules", lr=0.05, batch=512, steps=60)
    assert film.title == "With little noise, a falling rate only slows the descent"
    assert shipped_film("schedules").title == "As the rate falls, so does the noise"


def test_titles_say_condition_and_best_rate(shipped_film):
    film = shipped_film("coordinate_scaling")
    for axes, run in zip(film.figure(-1).axes, film.runs, strict=False):
        title = axes.get_title(loc="left")
        condition, rate = map(float, re.findall(r"\d+\.\d+", title))
        basis = np.stack([run.x, np.ones_like(run.x)], axis=1)
        singular = np.linalg.svd(basis, compute_uv=False)
        high, low = 2 * singular**2 / len(basis)
        assert condition == pytest.approx(high / low, abs=0.051)
        assert rate == pytest.approx(2 / (low + high), abs=0.0051)
        assert run.lr[0] == pytest.approx(2 / (low + high))
        shrink = max(abs(1 - run.lr[0] * low), abs(1 - run.lr[0] * high))
        for other in (0.95 * run.lr[0], 1.05 * run.lr[0]):
            assert max(abs(1 - other * low), abs(1 - other * high)) > shrink
        assert axes.get_aspect() == 1


def test_the_condition_of_a_far_feature_is_told_in_three_digits(shipped_film):
    film = shipped_film("coordinate_scaling", offset=1000.0, steps=1)
    told = film.figure(-1).axes[0].get_title(loc="left").replace("\n", " ")
    x = film.runs[0].x
    near = x - x.mean()
    trace, determinant = 2 * (x**2).mean() + 2, 4 * (near**2).mean()
    condition = re.search(r"condition ([\d.e+]+)", told).group(1)
    assert condition == f"{trace**2 / determinant:.3g}"


def test_both_runs_start_from_the_same_line_and_end_at_it(shipped_film):
    raw, scaled = shipped_film("coordinate_scaling").runs
    assert raw.loss[0] == pytest.approx(scaled.loss[0], rel=1e-12)
    assert scaled.x.mean() == pytest.approx(0, abs=1e-12)
    assert scaled.x.std() == pytest.approx(1)
    lines = [run.params[-1] @ [run.x[:2], np.ones(2)] for run in (raw, scaled)]
    assert lines[0] == pytest.approx(lines[1], abs=0.02)


def test_the_circle_takes_one_step_and_the_ellipse_the_known_ratio(shipped_film):
    film = shipped_film("coordinate_scaling")
    axes = film.figure(-1).axes[2]
    raw, scaled = (line.get_ydata() for line in axes.lines if line.get_linestyle() != "None")
    (run, _) = film.runs
    basis = np.stack([run.x, np.ones_like(run.x)], axis=1)
    condition = np.linalg.cond(basis) ** 2
    ratio = (condition - 1) / (condition + 1)
    assert raw == pytest.approx(raw[0] * ratio ** np.arange(61), rel=1e-6)
    assert scaled[0] > 5
    assert scaled[1:] == pytest.approx(0, abs=1e-12)
