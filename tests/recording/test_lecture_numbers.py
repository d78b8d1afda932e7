"""The numbers of the lecture's experiments, L3 and L5."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from render.problem import datasets, losses, metrics, models
from render.recording import record


def test_gradient_descent_reaches_the_noise_floor_as_the_lecture_saw() -> None:
    """L3: 10,000 points, rate 1e-3, 10,000 full-batch steps from N(0, 1)."""
    # a start whose slow component is about the lecture's: that share decides what is left
    start = torch.randn(2, generator=torch.Generator().manual_seed(7)).tolist()
    run = record(
        models.Line(*start),
        datasets.line(10_000),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=1e-3),
        steps=10_000,
    )
    seen = run.loss[::1000]
    assert run.params.shape == (10_001, 2)
    assert (np.diff(seen) < 0).all()
    table = [89.19, 0.689, 0.120, 0.110, 0.105, 0.102, 0.0988, 0.0966, 0.0950, 0.0937]
    np.testing.assert_allclose(seen[:10], table, rtol=0.15)
    assert abs(run.loss[-1] - 0.09) < 0.009


def test_logistic_regression_learns() -> None:
    """L5: rate 1e-2, 3,000 steps: the loss falls and accuracy rises."""
    run = record(
        models.Logistic(0.0, 0.0),
        datasets.threshold(10_000),
        loss=losses.nll,
        optimizer=partial(torch.optim.SGD, lr=1e-2),
        steps=3000,
        metrics=[metrics.accuracy],
    )
    loss, accuracy = run.loss[::1000], run.metrics["accuracy"][::1000]
    np.testing.assert_allclose(loss[0], np.log(2), rtol=1e-6)
    assert (np.diff(loss) < 0).all() and (np.diff(accuracy) >= 0).all()
    assert accuracy[-1] > accuracy[0] + 0.1


def test_gradients_by_hand_give_the_same_run() -> None:
    """L7: 50 points, start slope -1, intercept 1, rate 0.01."""
    data = datasets.line(50, dtype=torch.float64)
    x, y = data.x.numpy(), data.y.numpy()
    run = record(
        models.Line(-1.0, 1.0, dtype=torch.float64),
        data,
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.01),
        steps=600,
    )
    slope, intercept, path = -1.0, 1.0, [(-1.0, 1.0)]
    for _ in range(600):
        by_intercept = 2 * (slope * x + intercept - y)
        slope, intercept = (
            slope - 0.01 * (x * by_intercept).mean(),
            intercept - 0.01 * by_intercept.mean(),
        )
        path.append((slope, intercept))
    np.testing.assert_allclose(run.params, path, rtol=1e-12)
    assert 45 < run.loss[0] < 95  # 65.17 on the lecture's own draw
