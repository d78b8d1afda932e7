"""Losses with a penalty of the parameters: recorded, swept, evaluated and carried along."""

from __future__ import annotations

import pickle
import threading
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError
from render.problem import datasets, losses, models
from render.recording import Keep, Trajectory, landscape, record, sweep

DATA = datasets.line(50)
SGD = partial(torch.optim.SGD, lr=0.1)


def both(model):
    return model.slope.abs() + model.intercept.abs()


LASSO = losses.penalised(losses.mse, both)


def plain_lasso(steps: int) -> np.ndarray:
    model = models.Line(-1.0, 1.0)
    made, rows = SGD(model.parameters()), []
    for _ in range(steps + 1):
        rows.append([model.slope.item(), model.intercept.item()])
        made.zero_grad()
        (losses.mse(model(DATA.x), DATA.y) + both(model)).backward()
        made.step()
    return np.array(rows, dtype=np.float32)


def lasso_at(params: np.ndarray) -> np.ndarray:
    x, y = DATA.x.double().numpy(), DATA.y.double().numpy()
    residuals = params[:, :1] * x + params[:, 1:] - y
    return (residuals**2).mean(axis=1) + np.abs(params).sum(axis=1)


@pytest.fixture(scope="module")
def run() -> Trajectory:
    return record(
        models.Line(-1.0, 1.0),
        DATA,
        loss=LASSO,
        optimizer=SGD,
        steps=100,
        validation=datasets.line(9, seed=1),
    )


def test_a_penalised_run_equals_a_plain_loop_bit_for_bit(run) -> None:
    np.testing.assert_array_equal(run.params, plain_lasso(100))
    np.testing.assert_allclose(run.loss, lasso_at(run.params.astype(float)), rtol=1e-5)
    assert run.meta["loss"] == "mse + penalty"


def test_the_penalty_is_that_of_the_point_wherever_the_loss_is_evaluated(run) -> None:
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    np.testing.assert_allclose(run.loss_at(points), lasso_at(points.astype(float)), rtol=1e-5)
    land = landscape(run, ("slope", "intercept"), grid=4)
    grid = np.stack([side.reshape(-1) for side in np.meshgrid(land.a, land.b)], axis=1)
    np.testing.assert_allclose(land.loss.reshape(-1), lasso_at(grid), rtol=1e-4)
    twin = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(twin.loss_at(points), run.loss_at(points))
    again = run.attach(models.Line(0, 0), LASSO)
    np.testing.assert_array_equal(again.loss_at(points), run.loss_at(points))


def test_the_loss_on_validation_data_has_no_penalty(run) -> None:
    other = datasets.line(9, seed=1)
    x, y = other.x.double().numpy(), other.y.double().numpy()
    slopes, intercepts = run.params.astype(float).T[:, :, None]
    errors = ((slopes * x + intercepts - y) ** 2).mean(axis=1)
    np.testing.assert_allclose(run.metrics["val_loss"], errors, rtol=1e-4)


def test_batches_and_parts_of_a_run_are_penalised_too() -> None:
    run = record(
        models.Line(-1.0, 1.0),
        DATA,
        loss=LASSO,
        optimizer=SGD,
        steps=20,
        batch_size=8,
        keep=Keep(tensors=["slope"]),
        metrics={"zero": lambda p, y: 0 * p.sum()},
        validation=DATA,
    )
    without = lasso_at(run.final[None])[0] - np.abs(run.final).sum()
    assert run.metrics["val_loss"][-1] == pytest.approx(without, rel=1e-4)


def test_a_sweep_of_penalised_runs_advances_together() -> None:
    runs = sweep(
        models.Line(-1.0, 1.0),
        DATA,
        loss=LASSO,
        optimizer=torch.optim.SGD,
        lr=[0.05, 0.1],
        steps=100,
    )
    assert runs["lr 0.1"].meta["together"] == 2
    np.testing.assert_allclose(runs["lr 0.1"].params, plain_lasso(100), rtol=1e-4, atol=1e-5)


class Captured(nn.Module):
    """Calls its layer through a function, which a copy of the module shares with it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = models.Line(-1.0, 1.0)
        self.call = lambda x: self.inner(x)

    def forward(self, x):
        return self.call(x)


def penalty_of_a_global(model):
    return lambda p, y: losses.mse(p, y) + model.slope.abs()


@pytest.mark.parametrize(
    ("model", "loss", "name"),
    [
        (line := models.Line(-1.0, 1.0), penalty_of_a_global(line), "slope"),
        (Captured(), losses.mse, "inner.(slope|intercept)"),
    ],
    ids=["in the loss", "in the model"],
)
def test_a_loss_that_reaches_the_given_model_is_refused(model, loss, name: str) -> None:
    for param in model.parameters():
        param.grad = torch.full_like(param, 7.0)
    refused = rf"the loss reaches {name} of .*losses.penalised"
    with pytest.raises(InputError, match=refused):
        record(model, DATA, loss=loss, optimizer=SGD, steps=3)
    with pytest.raises(InputError, match=refused):
        sweep(model, DATA, loss=loss, optimizer=torch.optim.SGD, lr=[0.1, 0.2], steps=3)
    assert [param.grad.item() for param in model.parameters()] == [7.0, 7.0]


def test_a_network_that_another_teaches_is_recorded() -> None:
    teacher = models.Line(2.0, 2.0)
    run = record(
        models.Line(0.0, 0.0),
        DATA,
        loss=lambda p, y: losses.mse(p, teacher(DATA.x)),
        optimizer=SGD,
        steps=3,
    )
    assert run.loss[-1] < run.loss[0]


def test_a_penalised_loss_takes_only_what_its_model_returned() -> None:
    model = models.Line(0.0, 0.0)
    with pytest.raises(InputError, match="the prediction is not what the model returned"):
        LASSO(model(DATA.x), DATA.y)
    with pytest.raises(InputError, match="put what changes the prediction into the inner loss"):
        record(model, DATA, loss=lambda p, y: LASSO(p.squeeze(-1), y), optimizer=SGD, steps=1)
    for wrong in (3, nn.L1Loss):
        with pytest.raises(InputError, match=r"penalised: loss is .*give losses.penalised"):
            losses.penalised(wrong, both)


def halve(param: nn.Parameter) -> None:
    param.grad.mul_(0.5)


def hooked() -> nn.Module:
    model = models.MLP((2, 4, 1))
    first, second, *_ = model.parameters()
    first.register_hook(lambda gradient: gradient * 0)
    second.register_post_accumulate_grad_hook(halve)
    second.decays = True
    return model


def test_hooks_and_attributes_of_parameters_are_those_of_the_given_model() -> None:
    data = datasets.moons(24)
    seen = []

    def optimizer(params):
        seen.extend(getattr(param, "decays", False) for param in params)
        return SGD(params)

    run = record(hooked(), data, loss=losses.nll, optimizer=optimizer, steps=5)
    assert seen == [False, True, False, False]
    model = hooked()
    made = SGD(model.parameters())
    for row in run.params:
        flat = torch.cat([p.detach().flatten() for p in model.parameters()])
        np.testing.assert_array_equal(row, flat.numpy())
        made.zero_grad()
        losses.nll(model(data.x), data.y).backward()
        made.step()
    np.testing.assert_array_equal(run.params[0, :8], run.params[-1, :8])
    with pytest.raises(InputError, match="compile=True takes models without gradient hooks"):
        record(hooked(), data, loss=losses.nll, optimizer=SGD, steps=5, compile=True)


class Averaging(torch.optim.SGD):
    """Writes to an attribute of its parameters, and reads the model that another names."""

    def step(self, closure=None):
        super().step()
        for p in self.param_groups[0]["params"]:
            p.average.lerp_(p.detach(), 0.5)
            p.owner.seen = p.average.item()


def test_attributes_of_parameters_are_copied_with_the_model() -> None:
    def averaged() -> nn.Module:
        model = models.Line(-1.0, 1.0)
        for p in model.parameters():
            p.average, p.owner = torch.zeros(()), model
        return model

    given, model = averaged(), averaged()
    call = partial(record, loss=losses.mse, optimizer=partial(Averaging, lr=0.1), steps=5)
    run = call(given, DATA)
    made = Averaging(model.parameters(), lr=0.1)
    for _ in range(5):
        made.zero_grad()
        losses.mse(model(DATA.x), DATA.y).backward()
        made.step()
    assert [p.average.item() for p in given.parameters()] == [0, 0] and not hasattr(given, "seen")
    assert run.problem.model.seen == model.seen


def test_an_attribute_of_a_parameter_that_cannot_be_copied_says_so() -> None:
    model = models.Line(-1.0, 1.0)
    model.slope.lock = threading.Lock()
    with pytest.raises(
        InputError, match=r"the attributes of slope cannot be copied \(cannot pickle"
    ):
        record(model, DATA, loss=losses.mse, optimizer=SGD, steps=1)


def test_a_loss_with_weights_of_its_own_is_refused_where_the_optimizer_gets_them() -> None:
    weights = nn.Parameter(torch.ones(2))
    with pytest.raises(InputError, match=r"a tensor of shape \(2,\) that is no parameter of the"):
        record(
            models.Line(0.0, 0.0),
            DATA,
            loss=lambda p, y: losses.mse(p, y) * weights.sum(),
            optimizer=lambda params: SGD([*params, weights]),
            steps=1,
        )
