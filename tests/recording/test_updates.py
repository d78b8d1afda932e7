"""The update of a stack of runs equals torch's own of each."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pytest
import torch

from render.problem import datasets, losses, models, surfaces
from render.recording import sweep

SGD = torch.optim.SGD


def steep(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Almost flat far out: a step of rate 1 is lost in the rounding of x."""
    return -torch.sigmoid(-x) + 0 * y


def test_large_rates_on_small_gradients_lose_nothing() -> None:
    rates = [3e4, 1e5]
    runs = sweep(models.Point(13.0, 0.0), surfaces.of(steep), optimizer=SGD, lr=rates, steps=20)
    for rate, run in zip(rates, runs.values(), strict=True):
        x = np.float32(13)
        for _ in range(20):
            high = 1 / (1 + np.exp(np.float64(x)))  # sigmoid(-x)
            x = np.float32(x - rate * high * (1 - high))
        assert run.meta["together"] == 2
        np.testing.assert_allclose(run.params[-1, 0], x, rtol=1e-3)


def test_a_rate_too_large_for_one_run_harms_no_other() -> None:
    runs = sweep(
        models.Point(1.0, 1.0), surfaces.quadratic(10), optimizer=SGD, lr=[1e-3, 1e38], steps=3
    )
    assert runs["lr 1e+38"].diverged_at is not None
    factors = (1 - 1e-3) ** 3, (1 - 1e-2) ** 3
    np.testing.assert_allclose(np.sort(runs["lr 0.001"].params[-1]), np.sort(factors), rtol=1e-5)


def plain_loop(optimizer, data, dtype, *, clip: float | None, steps: int) -> np.ndarray:
    """Return the parameters of all rows, (T, P)."""
    model = copy.deepcopy(models.Line(-1.0, 1.0, dtype=dtype))
    built = optimizer(model.parameters())
    rows = []
    for _ in range(steps + 1):
        rows.append(torch.stack([p.detach().double() for p in model.parameters()]))
        built.zero_grad()
        (losses.mse(model(data.x), data.y) * 40).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        built.step()
    return torch.stack(rows).numpy()


DECAYS = {
    "none": SGD,
    "coupled": partial(SGD, weight_decay=0.1),
    "maximising": partial(SGD, weight_decay=0.1, maximize=True),
    "decoupled": partial(torch.optim.AdamW, weight_decay=0.1),
    "Adam's": partial(torch.optim.Adam, weight_decay=0.1, amsgrad=True),
}
TYPES = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 8e-2}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("optimizer", DECAYS.values(), ids=DECAYS)
def test_clipped_steps_of_every_type_and_decay(optimizer, dtype: torch.dtype) -> None:
    """In float16 the squares of these gradients overflow, and the smaller rate underflows."""
    data, rates = datasets.line(50, dtype=dtype), [1e-8, 0.1]
    runs = sweep(
        models.Line(-1.0, 1.0, dtype=dtype),
        data,
        loss=lambda prediction, y: losses.mse(prediction, y) * 40,
        optimizer=optimizer,
        lr=rates,
        clip=1.0,
        steps=5,
    )
    for rate, run in zip(rates, runs.values(), strict=True):
        assert run.meta["together"] == 2
        expected = plain_loop(partial(optimizer, lr=rate), data, dtype, clip=1.0, steps=5)
        np.testing.assert_allclose(run.params, expected, rtol=TYPES[dtype], atol=TYPES[dtype])
