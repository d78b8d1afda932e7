"""Runs that many tests record; one thread, for a second one waits when the machine is busy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from render.problem import datasets, losses, models
from render.recording import Trajectory, record

SGD = partial(torch.optim.SGD, lr=0.1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute in one thread, and restore the number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def fit() -> Callable[..., Any]:
    """Record a line that is fitted to 30 points."""

    def fit(steps: int = 20, **settings) -> Trajectory:
        return record(
            models.Line(-1.0, 1.0),
            datasets.line(30),
            loss=losses.mse,
            optimizer=SGD,
            steps=steps,
            **settings,
        )

    return fit


@pytest.fixture
def images() -> Callable[..., Any]:
    """Record a classifier of small images, in batches that do not divide them."""

    def images(model: nn.Module, side: int = 4, steps: int = 6) -> Trajectory:
        x = torch.randn(12, side * side, generator=torch.Generator().manual_seed(0))
        return record(
            model,
            datasets.of(x, torch.arange(12) % 3),
            loss=functional.cross_entropy,
            optimizer=SGD,
            steps=steps,
            batch_size=5,
        )

    return images


@pytest.fixture
def network() -> Callable[..., Any]:
    """Make a small network of two inputs, the same for the same seed."""

    def network(seed: int = 0) -> nn.Module:
        torch_state = torch.get_rng_state()
        torch.manual_seed(seed)
        layers = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0))
        torch.set_rng_state(torch_state)
        return layers

    return network


@pytest.fixture
def labels() -> Callable[..., Any]:
    """Make points of two classes, as exclusive-or has them."""

    def labels(n: int = 23):
        x = torch.randn(n, 2, generator=torch.Generator().manual_seed(1))
        return datasets.of(x, (x.prod(dim=1) > 0).float())

    return labels
