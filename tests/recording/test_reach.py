"""Which models and losses may be traced: those whose calls can be told to be alike."""

from __future__ import annotations

import collections
import copy
import io
import itertools
import math
import operator
import random
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.problem import datasets, losses, models, surfaces
from render.recording import sweep
from render.recording.reach import Reach

DATA = datasets.line(20)
RATES = [0.01, 0.1]
STEPS = 30
FACTOR = 2.0
CALLS = 0
SETTINGS = {"calls": 0}


def plain_loops(model: nn.Module, loss, size: int | None = None) -> list[np.ndarray]:
    """Return the parameters after the last step of each rate, one run after another."""
    ends = []
    for rate in RATES:
        own = copy.deepcopy(model)
        optimizer = torch.optim.SGD(own.parameters(), lr=rate)
        generator = torch.Generator().manual_seed(0)
        batches: list[torch.Tensor] = []
        for row in range(STEPS + 1):
            if not batches:
                every = (
                    torch.arange(20) if size is None else torch.randperm(20, generator=generator)
                )
                batches = list(every.split(size or 20))
            at = batches.pop(0)
            optimizer.zero_grad()
            loss(own(DATA.x[at]), DATA.y[at]).backward()
            if row < STEPS:
                optimizer.step()
        ends.append(torch.stack([p.detach() for p in own.parameters()]).numpy())
    return ends


def swept(model: nn.Module, loss, size: int | None = None):
    runs = sweep(
        model,
        DATA,
        loss=loss,
        optimizer=torch.optim.SGD,
        lr=RATES,
        steps=STEPS,
        batch_size=size,
    )
    return [run.meta.get("together") for run in runs.values()], [
        run.params[-1] for run in runs.values()
    ]


def warmed():
    calls = 0

    def loss(prediction, target):
        nonlocal calls
        calls += 1
        return losses.mse(prediction, target) * (0.1 if calls <= 20 else 1.0)

    return loss


def counted_in_a_module():
    global CALLS
    CALLS = 0

    def loss(prediction, target):
        global CALLS
        CALLS += 1
        return losses.mse(prediction, target) / CALLS

    return loss


def counted_in_a_dict():
    SETTINGS["calls"] = 0

    def loss(prediction, target):
        SETTINGS["calls"] += 1
        return losses.mse(prediction, target) / SETTINGS["calls"]

    return loss


class Trainer:
    total = 0

    def __init__(self) -> None:
        self.calls = 0
        type(self).total = 0

    def loss(self, prediction, target):
        return losses.mse(prediction, target) / self._counted()

    def of_class(self, prediction, target):
        type(self).total += 1
        return losses.mse(prediction, target) / self.total

    def _counted(self) -> int:
        self.calls += 1
        return self.calls


class Iterating:
    def __init__(self) -> None:
        self.calls = itertools.count(1)

    def __call__(self, prediction, target):
        return losses.mse(prediction, target) / next(self.calls)


def counted_in_a_default():
    def loss(prediction, target, calls=[0]):  # noqa: B006
        calls[0] += 1
        return losses.mse(prediction, target) / calls[0]

    return loss


def counted_by_itself():
    def loss(prediction, target):
        try:
            loss.calls += 1
        except AttributeError:
            loss.calls = 1
        return losses.mse(prediction, target) / loss.calls

    return loss


class Late:
    """Has nothing before its first call."""

    def __call__(self, prediction, target):
        self.calls = self.calls + 1 if hasattr(self, "calls") else 1
        return losses.mse(prediction, target) / self.calls


class InPlace:
    def __init__(self, make) -> None:
        self.calls = make(1)

    def __call__(self, prediction, target):
        self.calls += 1
        return losses.mse(prediction, target) / float(self.calls[0])


def noisy():
    generator = torch.Generator().manual_seed(0)
    return lambda p, y: losses.mse(p, y + 0.1 * torch.randn(y.shape, generator=generator))


def drawing_in_python():
    random.seed(0)
    return lambda p, y: losses.mse(p, y) * random.random()


def drawing_in_numpy():
    np.random.seed(0)
    return lambda p, y: losses.mse(p, y) * float(np.random.rand())


def drawing_in_an_object():
    generator = np.random.default_rng(0)
    return lambda p, y: losses.mse(p, y) * generator.random()


def through_a_helper():
    helper = warmed()
    return partial(lambda p, y, inner: inner(p, y), inner=helper)


def punished():
    calls = {"n": 0}

    def penalty(model):
        calls["n"] += 1
        return model.slope.abs() / calls["n"]

    return losses.penalised(losses.mse, penalty)


class Queued(models.Line):
    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.scales = collections.deque([1.0, 0.5])

    def forward(self, x):
        self.scales.rotate()
        return super().forward(x) * self.scales[0]


class Remembering(models.Line):
    """Reads what its last call has kept."""

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.last = None

    def forward(self, x):
        now = super().forward(x)
        mixed = now if self.last is None else now + 0.1 * self.last
        self.last = now.detach().mean()
        return mixed


MOVING = {
    "number in a closure": warmed,
    "number of a module": counted_in_a_module,
    "entry of a dict": counted_in_a_dict,
    "attribute behind a bound method": lambda: Trainer().loss,
    "attribute of a class": lambda: Trainer().of_class,
    "iterator": Iterating,
    "default": counted_in_a_default,
    "attribute of the function": counted_by_itself,
    "attribute made late": Late,
    "array": lambda: InPlace(np.ones),
    "tensor": lambda: InPlace(torch.ones),
    "torch's generator": noisy,
    "Python's random numbers": drawing_in_python,
    "numpy's random numbers": drawing_in_numpy,
    "numpy's generator": drawing_in_an_object,
    "partial": through_a_helper,
}


@pytest.mark.parametrize("make", MOVING.values(), ids=MOVING)
def test_a_loss_that_changes_is_called_by_one_run_after_another(make) -> None:
    together, ends = swept(models.Line(-1.0, 1.0), make())
    assert together == [None, None]
    np.testing.assert_array_equal(ends, plain_loops(models.Line(-1.0, 1.0), make()))


@pytest.mark.parametrize("model", [Queued(), Remembering()], ids=["deque", "its last call"])
def test_a_model_that_changes_is_left_to_its_run(model) -> None:
    together, ends = swept(model, losses.mse)
    assert together == [None, None]
    np.testing.assert_array_equal(ends, plain_loops(model, losses.mse))


def test_a_penalty_that_counts_is_not_frozen() -> None:
    together, ends = swept(models.Line(-1.0, 1.0), punished())
    penalised = punished()

    def loss(model, prediction, target):
        return losses.mse(prediction, target) + penalised.penalty(model)

    expected = []
    for rate in RATES:
        model = models.Line(-1.0, 1.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        for row in range(STEPS + 1):
            optimizer.zero_grad()
            loss(model, model(DATA.x), DATA.y).backward()
            if row < STEPS:
                optimizer.step()
        expected.append(torch.stack([p.detach() for p in model.parameters()]).numpy())
    assert together == [None, None]
    np.testing.assert_array_equal(ends, expected)


def test_a_change_in_short_batches_only_is_seen() -> None:
    def make():
        seen: list[int] = []

        def loss(prediction, target):
            if len(target) < 8:
                seen.append(1)
            return losses.mse(prediction, target) / (1 + len(seen))

        return loss

    together, ends = swept(models.Line(-1.0, 1.0), make(), size=8)
    assert together == [None, None]
    np.testing.assert_array_equal(ends, plain_loops(models.Line(-1.0, 1.0), make(), size=8))


def helped(prediction, target):
    return ((prediction - target) ** 2).mean() * FACTOR


class Weighted:
    def __init__(self) -> None:
        self.weight, self.table = 0.5, [1.0, 2.0]

    def __call__(self, prediction, target):
        return losses.mse(prediction, target) * self.weight * self.table[1]


@dataclass(frozen=True)
class Scaled:
    scale: float

    def __call__(self, prediction, target):
        return losses.mse(prediction, target) * self.scale


class Bent(models.Line):
    """Layers, a list of numbers and a method of its own."""

    power = 1.0

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.scales = [1.0, 1.0]
        self.shape = torch.tanh

    def forward(self, x):
        return sum(self._bent(super(Bent, self).forward(x)) * scale for scale in self.scales)

    def _bent(self, values):
        return values + 0.1 * self.shape(values) * math.sqrt(self.power)


class Plain(Bent):
    def forward(self, x):
        return super().forward(x).clamp(-50, 50)


delta = 0.7
STILL = {
    "torch's": (models.Line(-1.0, 1.0), functional.mse_loss),
    "torch's layer": (models.Line(-1.0, 1.0), nn.SmoothL1Loss()),
    "partial": (models.Line(-1.0, 1.0), partial(functional.huber_loss, delta=delta)),
    "function of a helper": (models.Line(-1.0, 1.0), lambda p, y: helped(p, y) + FACTOR),
    "object": (models.Line(-1.0, 1.0), Weighted()),
    "dataclass": (models.Line(-1.0, 1.0), Scaled(0.5)),
    "table": (models.Line(-1.0, 1.0), lambda p, y: losses.mse(p, y) * [1.0, FACTOR][1]),
    "numpy's numbers": (models.Line(-1.0, 1.0), lambda p, y: losses.mse(p, y) * np.sqrt(FACTOR)),
    "without gradients": (models.Line(-1.0, 1.0), lambda p, y: losses.mse(p, y) + noted(p)),
    "model of one's own": (Bent(), losses.mse),
    "model above another": (Plain(), losses.mse),
}


@torch.no_grad()
def noted(values):
    return values.abs().mean()


@pytest.mark.parametrize(("model", "loss"), STILL.values(), ids=STILL)
def test_usual_models_and_losses_advance_together(model, loss) -> None:
    together, ends = swept(model, loss)
    assert together == [2, 2]
    np.testing.assert_allclose(ends, plain_loops(model, loss), rtol=1e-4)


def test_what_has_moved_is_put_back() -> None:
    held = {"list": [1, 2], "set": {1}, "array": np.zeros(2), "tensor": torch.zeros(2), "n": 1}

    def call():
        return held

    reach = Reach(call)
    before = copy.deepcopy(held)
    held["list"].append(3)
    held["set"].clear()
    held["array"] += 1
    held["tensor"] += 1
    held["n"] = 5
    del held["list"][0]
    assert reach.known and reach.has_moved()
    reach.restore()
    assert not reach.has_moved()
    assert held.keys() == before.keys() and held["list"] == [1, 2] and held["set"] == {1}
    assert held["n"] == 1 and not held["array"].any() and not held["tensor"].any()


class Overriding(nn.TransformerEncoderLayer):
    """Draws where torch's own forward calls it."""

    def _ff_block(self, x):
        return super()._ff_block(x) * random.random()


UNKNOWN = {
    "method called by torch": Overriding(4, 2),
    "names as a dict": lambda p, y: p * swept.__globals__["FACTOR"],
    "method by its name": lambda p, y: operator.methodcaller("sum")(p),
    "clock": lambda: time.time(),
    "generator": (number for number in range(3)),
    "iterator": iter([1, 2]),
    "file": io.BytesIO(b"1"),
    "sparse tensor": torch.eye(2).to_sparse(),
    "objects in an array": np.array([object()]),
}


@pytest.mark.parametrize("value", UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_looked_into_is_not_known(value) -> None:
    assert not Reach(value).known


def test_networks_and_surfaces_are_known() -> None:
    for value in (
        models.MLP((2, 4, 1)),
        nn.TransformerEncoderLayer(4, 2),
        surfaces.rosenbrock.loss,
        surfaces.quadratic(3).loss,
        losses.penalised(losses.mse, lambda model: FACTOR * model.slope.abs()),
    ):
        reach = Reach(value)
        assert reach.known and not reach.has_moved()
