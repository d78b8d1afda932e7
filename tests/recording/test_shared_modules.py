"""What a model uses twice is stacked once, and a sweep leaves the models whole."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from render.problem import datasets, losses
from render.recording import sweep

DATA = datasets.of(torch.linspace(-1, 1, 20).reshape(10, 2), torch.ones(10, 2))
STEPS = 10


def module_twice() -> nn.Module:
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.Tanh(), layer)


def parameter_twice() -> nn.Module:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second)


def plain_loop(model: nn.Module, lr: float) -> nn.Module:
    model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.mse(model(DATA.x), DATA.y).backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("made", [module_twice, parameter_twice])
def test_what_is_used_twice_is_swept_as_a_plain_loop_does(made) -> None:
    model = made()
    runs = sweep(
        model, DATA, loss=losses.mse, optimizer=torch.optim.SGD, lr=[0.1, 0.2], steps=STEPS
    )
    for rate, run in zip([0.1, 0.2], runs.values(), strict=True):
        trained = plain_loop(model, rate)
        expected = torch.cat([p.detach().reshape(-1) for p in trained.parameters()])
        assert run.meta["together"] == 2
        np.testing.assert_allclose(run.params[-1], expected, rtol=1e-5, atol=1e-6)
        assert all(type(p) is nn.Parameter for p in run.problem.model.parameters())
