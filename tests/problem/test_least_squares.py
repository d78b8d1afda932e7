from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from render.errors import InputError
from render.problem import datasets, losses


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_line_is_solved_as_the_normal_equations_say(decay: float, dtype: torch.dtype) -> None:
    data = datasets.line(40, noise=0.5, seed=3, dtype=dtype)
    x, y = data.x.numpy().astype(float), data.y.numpy().astype(float)
    columns = np.column_stack([x, np.ones(40)])
    hessian = 2 / 40 * columns.T @ columns + decay * np.eye(2)
    best = np.linalg.solve(hessian, 2 / 40 * columns.T @ y)
    fit = losses.least_squares(data, decay=decay)
    assert fit.best == pytest.approx(best, rel=1e-12)
    loss = np.mean((columns @ best - y) ** 2) + decay / 2 * best @ best
    assert fit.loss == pytest.approx(loss, rel=1e-12)
    low, high = np.linalg.eigvalsh(hessian)
    assert fit.curvatures == pytest.approx([low, high], rel=1e-12)
    assert (fit.limit, fit.condition) == pytest.approx((2 / high, high / low))
    assert fit.best_rate == pytest.approx(2 / (low + high))


def test_features_have_a_weight_each_and_no_intercept() -> None:
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    fit = losses.least_squares(datasets.of(x, x @ weights))
    assert fit.best == pytest.approx(weights.tolist(), rel=1e-12)
    assert fit.loss == pytest.approx(0, abs=1e-25)
    assert fit.curvatures == pytest.approx(np.linalg.eigvalsh((x.T @ x / 15).numpy()), rel=1e-12)


def test_the_limit_is_where_gradient_descent_begins_to_diverge() -> None:
    data = datasets.line(25, noise=0.2, seed=0, dtype=torch.float64)
    fit = losses.least_squares(data)
    columns = np.column_stack([data.x, np.ones(25)])
    for rate, grows in ((0.999 * fit.limit, False), (1.001 * fit.limit, True)):
        away = np.array([1.0, 1.0])
        for _ in range(20_000):
            away = away - rate * 2 / 25 * columns.T @ (columns @ away)
        assert (np.linalg.norm(away) > math.sqrt(2)) is np.bool_(grows)


def test_a_small_curvature_beside_a_large_one_keeps_its_digits() -> None:
    x = 1000 + datasets.line(200, noise=0.0, seed=0, dtype=torch.float64).x
    fit = losses.least_squares(datasets.of(x, x))
    near = x - x.mean()
    determinant, trace = float(4 * (near**2).mean()), float(2 * (x**2).mean() + 2)
    assert fit.condition == pytest.approx(trace**2 / determinant, rel=1e-7)


def test_where_the_loss_is_flat_the_shortest_weights_are_best() -> None:
    fit = losses.least_squares(datasets.of([[1.0, 1.0]], [2.0]))
    assert fit.best == pytest.approx([1.0, 1.0])
    assert fit.curvatures == pytest.approx([0.0, 4.0]) and fit.condition == math.inf
    same = losses.least_squares(datasets.of(torch.ones(6, 2), torch.arange(6.0)))
    assert same.curvatures[0] == 0 and same.condition == math.inf
    still = losses.least_squares(datasets.of([[0.0]], [2.0]))
    assert (still.best, still.loss) == ((0.0,), 4.0)
    assert (still.limit, still.best_rate, still.condition) == (math.inf,) * 3


@pytest.mark.parametrize(
    ("y", "decay", "message"),
    [
        ([[1.0], [2.0]], 0.0, "least_squares: y has shape (2, 1); give one target a sample, (n,)"),
        ([1.0, 2.0], -1.0, "least_squares: decay is -1.0; give a number of at least 0"),
        ([1.0, 2.0], math.nan, "least_squares: decay is nan"),
        ([1.0, 2.0], "much", "least_squares: decay is 'much'"),
        ([1.0, 2.0], 10**400, "give a number of at least 0"),
    ],
)
def test_what_has_no_least_squares_says_why(y, decay, message: str) -> None:
    with pytest.raises(InputError) as caught:
        losses.least_squares(datasets.of([0.0, 1.0], y), decay=decay)
    assert message in str(caught.value)


def test_least_squares_are_those_of_a_dataset() -> None:
    with pytest.raises(InputError, match="least_squares: data is a list; give a Dataset"):
        losses.least_squares([1.0, 2.0])  # type: ignore[arg-type]
