"""What a model uses twice is stacked once, and a sweep leaves the models whole."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError
from render.problem import datasets, losses
from render.recording import record, sweep

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


class Tied(nn.Module):
    """Decodes with the transpose of what it encodes with, as `tie` shares it."""

    def __init__(self, tie) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(2, 3), nn.Linear(3, 2)
        with torch.no_grad():
            self.down.weight.copy_(torch.linspace(-1, 1, 6).reshape(3, 2))
            for values in (self.down.bias, self.up.bias):
                values.copy_(torch.linspace(-0.5, 0.5, len(values)))
        tie(self)

    def forward(self, x):
        return self.up(torch.tanh(self.down(x)))


def by_parameter(model: Tied) -> None:
    model.up.weight = nn.Parameter(model.down.weight.t())


def by_data(model: Tied) -> None:
    model.up.weight.data = model.down.weight.data.t()


def by_a_vector(model: Tied) -> None:
    """Parts of one vector of all numbers, of which two overlap."""
    numbers = torch.linspace(-1, 1, 11)
    model.down.weight.data = numbers[:6].view(3, 2)
    model.up.weight.data = numbers[4:10].view(2, 3)
    model.up.bias.data = numbers[9:]


@pytest.mark.parametrize("tie", [by_parameter, by_data, by_a_vector])
def test_parameters_that_share_memory_share_it_in_a_run(tie) -> None:
    """Each of two tied tensors is moved by its own gradient, so both move by the sum."""
    given, model = Tied(tie), Tied(tie)
    before = copy.deepcopy(given.state_dict())
    optimizer = partial(torch.optim.SGD, lr=0.1)
    run = record(given, DATA, loss=losses.mse, optimizer=optimizer, steps=STEPS)
    made = optimizer(model.parameters())
    for row in run.params:
        plain = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
        np.testing.assert_array_equal(row, plain)
        made.zero_grad()
        losses.mse(model(DATA.x), DATA.y).backward()
        made.step()
    assert all(torch.equal(values, before[name]) for name, values in given.state_dict().items())
    again = run.attach(Tied(tie), losses.mse)
    np.testing.assert_array_equal(again.predict(DATA.x, STEPS), run.predict(DATA.x, STEPS))


def test_a_sweep_keeps_memory_shared():
    rates = [1e-3, 5e-4]
    options = {"loss": losses.mse, "steps": 5}
    runs = sweep(Tied(by_parameter), DATA, optimizer=torch.optim.SGD, lr=rates, **options)
    for run, rate in zip(runs.values(), rates, strict=True):
        optimizer = partial(torch.optim.SGD, lr=rate)
        alone = record(Tied(by_parameter), DATA, optimizer=optimizer, **options)
        assert np.array_equal(run.params, alone.params)
        assert "together" not in run.meta


class Aliased(Tied):
    """Decodes with a tensor beside its parameters."""

    def forward(self, x):
        return nn.functional.linear(torch.tanh(self.down(x)), self.alias)


ALIASES = {
    "view": lambda model: setattr(model, "alias", model.down.weight.t()),
    "data": lambda model: setattr(model, "alias", model.down.weight.data.t()),
    "buffer": lambda model: model.register_buffer("alias", model.down.weight.detach().t()),
}


@pytest.mark.parametrize("tie", ALIASES.values(), ids=ALIASES)
def test_a_tensor_that_stands_for_a_parameter_is_refused(tie) -> None:
    with pytest.raises(InputError, match="alias of Aliased shares memory with a parameter"):
        record(Aliased(tie), DATA, loss=losses.mse, optimizer=torch.optim.SGD, steps=1)


def test_what_a_forward_makes_anew_may_share_memory_with_a_parameter() -> None:
    model = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 3)), nn.Linear(3, 2))
    assert model[0].weight.data_ptr() == model[0].weight_orig.data_ptr()
    run = record(model, DATA, loss=losses.mse, optimizer=torch.optim.SGD, steps=2)
    assert run.steps == 2


def test_parameters_that_a_copy_cannot_tie_are_refused() -> None:
    numbers = np.zeros((2, 2), dtype=np.float32)  # which torch takes as two memories
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    for layer in model:
        layer.weight = nn.Parameter(torch.from_numpy(numbers))
    with pytest.raises(InputError, match=r"0.weight and 1.weight of Sequential share memory"):
        record(model, DATA, loss=losses.mse, optimizer=torch.optim.SGD, steps=1)
