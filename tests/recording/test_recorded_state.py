"""A row holds what the model holds: any storage, any type, and the buffers that move."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.problem import datasets, losses, models
from render.recording import Keep, memory, record, rows

SGD = partial(torch.optim.SGD, lr=0.1)


class Rebinding(torch.optim.SGD):
    """Gives its parameters new storage at each step, as vector_to_parameters does."""

    def step(self, closure=None):
        super().step(closure)
        for p in self.param_groups[0]["params"]:
            p.data = p.data.clone()


class Transposed(nn.Module):
    """Has a parameter that is not contiguous."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(6.0).reshape(3, 2).T / 10)
        self.unused = nn.Parameter(torch.ones(2))
        self.frozen = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, x):
        return (x @ self.weight).sum(dim=1) * self.frozen


@pytest.mark.parametrize("kind", ["network", "transposed"])
@pytest.mark.parametrize("optimizer", [SGD, partial(Rebinding, lr=0.1)], ids=["SGD", "rebinding"])
def test_storage_that_moves_or_is_not_contiguous_is_followed(
    labels, network, kind, optimizer
) -> None:
    model = network() if kind == "network" else Transposed()
    run = record(model, labels(), loss=losses.nll, optimizer=optimizer, steps=8)
    reference = copy.deepcopy(model)
    made = SGD(reference.parameters())
    for k in range(9):
        flat = torch.cat([p.detach().flatten() for p in reference.parameters()])
        np.testing.assert_array_equal(run.params[k], flat.numpy())
        made.zero_grad()
        losses.nll(reference(labels().x), labels().y).backward()
        made.step()


def test_running_statistics_are_recorded_and_used_for_predictions(labels, network) -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), network())
    data = labels()
    run = record(model, data, loss=losses.nll, optimizer=SGD, steps=5)
    assert set(run.buffers) == {
        "0.running_mean",
        "0.running_var",
        "0.num_batches_tracked",
    }
    reference = copy.deepcopy(model)
    made = SGD(reference.parameters())
    for k in range(6):
        with torch.no_grad():
            expected = copy.deepcopy(reference).eval()(data.x)
        np.testing.assert_allclose(run.predict(data.x, k), expected.numpy(), rtol=1e-5, atol=1e-6)
        made.zero_grad()
        losses.nll(reference(data.x), data.y).backward()
        made.step()


def test_a_float64_run_is_float64_throughout() -> None:
    data = datasets.line(20, dtype=torch.float64)
    model = models.Line(0.1, 0.2, dtype=torch.float64)
    run = record(model, data, loss=losses.mse, optimizer=SGD, steps=5)
    assert run.params.dtype == run.loss.dtype == run.x.dtype == np.float64
    assert run.params[0].tolist() == [0.1, 0.2]


def test_whole_numbers_among_the_parameters_are_recorded() -> None:
    model = models.Line(0, 0)
    model.count = nn.Parameter(torch.tensor([2]), requires_grad=False)
    run = record(model, datasets.line(5), loss=losses.mse, optimizer=SGD, steps=2)
    assert run.params[:, 2].tolist() == [2, 2, 2] and run.grad_norm[0] > 0


@pytest.mark.parametrize("room", [2**28, 3000, 1])
def test_the_size_of_the_buffers_does_not_matter(labels, monkeypatch, room: int) -> None:
    call = partial(
        record, Transposed(), labels(), loss=losses.nll, optimizer=SGD, steps=40, batch_size=7
    )
    whole = call()
    monkeypatch.setitem(memory.WINDOW_BYTES, "cpu", room)
    monkeypatch.setattr(rows, "_STAGE", 16)
    in_parts = call()
    np.testing.assert_array_equal(in_parts.params, whole.params)
    np.testing.assert_array_equal(in_parts.loss, whole.loss)
    np.testing.assert_array_equal(in_parts.grad_norm, whole.grad_norm)


class Waking(nn.Module):
    """Has buffers that begin to move late: written in place, and made anew."""

    def __init__(self, still: int) -> None:
        super().__init__()
        self.line = models.Line(-1.0, 1.0)
        self.still = still
        for name in ("count", "made", "constant"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, x):
        self.still -= 1
        self.constant *= 1
        if self.still < 0:
            self.count += 1
            self.made = self.made + 2
        return self.line(x)


@pytest.mark.parametrize(("still", "every"), [(0, 1), (1, 1), (5, 1), (5, 4), (20, 1)])
def test_a_buffer_is_recorded_from_the_start_when_it_first_moves_late(still, every) -> None:
    run = record(
        Waking(still),
        datasets.line(5),
        loss=losses.mse,
        optimizer=SGD,
        steps=12,
        keep=Keep(every=every),
    )
    count = np.maximum(0, np.arange(0, 13, every) - still)
    expected = {"count": count, "made": 2 * count} if count.any() else {}
    assert {name: list(values) for name, values in run.buffers.items()} == {
        name: list(values) for name, values in expected.items()
    }


class Unrecorded(nn.Module):
    """Has one buffer of each kind that no array of rows can hold, and one that it can."""

    def __init__(self) -> None:
        super().__init__()
        self.line = models.Line(-1.0, 1.0)
        self.calls = 0
        self.register_buffer("sparse", torch.eye(5).to_sparse())
        self.register_buffer("mask", torch.ones(5))
        self.register_buffer("thick", torch.zeros(2, 2))
        self.register_buffer("once", torch.zeros(1))
        self.register_buffer("fine", torch.zeros(1))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.calls += self.training
        if len(self.mask) != len(x):
            self.mask = torch.ones(len(x))
        if self.training:
            self.count += 1
        if self.calls == 3:
            self.once, self.thick = None, torch.eye(2).to_sparse()
            self.fine = self.fine.double() + 1
        return self.line(x) * self.mask


@pytest.mark.parametrize("every", [1, 2])
def test_a_buffer_that_no_array_can_hold_has_no_history(every) -> None:
    run = record(
        Unrecorded(),
        data := datasets.line(12),
        loss=losses.mse,
        optimizer=SGD,
        steps=6,
        batch_size=5,
        keep=Keep(every=every),
    )
    assert {name: list(rows) for name, rows in run.buffers.items()} == {
        "count": list(range(0, 7, every))
    }
    expected = run.params[:, :1] * data.x.numpy() + run.params[:, 1:]
    np.testing.assert_allclose(run.predict(data.x, range(len(run.loss))), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_data_that_change_later_do_not_change_the_run(dtype) -> None:
    data = datasets.line(20, dtype=dtype)
    run = record(models.Line(0.5, 1.0, dtype=dtype), data, loss=losses.mse, optimizer=SGD, steps=3)
    before = run.loss_at(run.params)
    data.y.mul_(2)
    np.testing.assert_array_equal(run.loss_at(run.params), before)
    assert run.problem.data.x.dtype == dtype


class Collecting(nn.Module):
    """Keeps what it computes, in containers inside one another."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.seen = {"last": (), "all": [[], ()]}

    def forward(self, x):
        output = self.layer(x).squeeze(-1)
        self.seen["last"] = output
        self.seen["all"][0].append(output)
        return output


def test_evaluations_leave_no_trace_in_what_a_model_collects() -> None:
    data = datasets.moons(40)
    settings = dict(loss=losses.nll, optimizer=SGD, steps=9)
    run = record(Collecting(), data, metrics={"mean": lambda p, y: p.mean()}, **settings)
    before = len(run.problem.model.seen["all"][0])
    expected = run.predict(data.x, range(10))
    assert len(run.problem.model.seen["all"][0]) == before
    assert isinstance(run.problem.model.seen["last"], torch.Tensor)
    there = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(there.predict(data.x, range(10)), expected)


class Viewed(nn.Module):
    """Reads real parameters as complex numbers, and an attribute of one."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.1))
        self.weight = nn.Parameter(torch.ones(2, 2))
        self.weight.scale = 2.0

    def forward(self, x):
        weight = torch.view_as_complex(self.weight * self.weight.scale)
        return (x.to(torch.complex64) @ weight).abs() + self.bias


def test_parameters_are_as_whole_where_a_run_is_evaluated() -> None:
    data = datasets.moons(40)
    settings = dict(loss=losses.nll, optimizer=SGD, steps=9, validation=datasets.moons(10, seed=1))
    run = record(Viewed(), data, **settings)
    model = Viewed()
    with torch.no_grad():
        for row in (0, 9):
            nn.utils.vector_to_parameters(torch.tensor(run.params[row]), model.parameters())
            expected = model(data.x).numpy()
            np.testing.assert_allclose(run.predict(data.x, row), expected, rtol=1e-6)
