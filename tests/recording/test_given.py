"""What reads the model that was given is refused: it stands still, and its copy moves."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError
from render.problem import datasets, losses, models
from render.recording import Keep, record, sweep

SGD = partial(torch.optim.SGD, lr=0.1)
DATA = datasets.line(20)


def line(hook=None) -> nn.Module:
    model = models.Line(-1.0, 1.0)
    if hook is not None:
        model.slope.register_hook(partial(hook, model))
    return model


HOOKS = {
    "detached": lambda model, gradient: gradient + 0.5 * model.slope.detach(),
    "data": lambda model, gradient: gradient + 0.5 * model.slope.data,
    "number": lambda model, gradient: gradient + 0.5 * model.intercept.item(),
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_a_hook_that_reads_it_is_refused(hook) -> None:
    with pytest.raises(InputError, match=r"a hook reads (slope|intercept) of the Line that was gi"):
        record(line(hook), DATA, loss=losses.mse, optimizer=SGD, steps=1)


def test_a_hook_that_reads_something_else_of_it_acts_as_in_a_plain_loop() -> None:
    def masking(model, gradient):
        return gradient * torch.zeros_like(model.slope) * model.factor

    model = line(masking)
    model.factor = 2.0
    run = record(model, DATA, loss=losses.mse, optimizer=SGD, steps=3)
    assert (run.params[:, 0] == -1).all() and run.params[3, 1] != 1


def shrinking(model):
    def loss(prediction, target):
        with torch.no_grad():
            size = sum(p.abs() for p in model.parameters())
        return losses.mse(prediction, target) * (1 + size)

    return loss


@pytest.mark.parametrize("record_or_sweep", [record, partial(sweep, seed=[1, 2])])
def test_a_loss_that_reads_it_without_gradients_is_refused(record_or_sweep) -> None:
    model = line()
    with pytest.raises(InputError, match=r"the loss or the model reads slope of the Line that w"):
        record_or_sweep(model, DATA, loss=shrinking(model), optimizer=SGD, steps=1)


METRICS = {
    "as it is": lambda model: lambda p, y: model.slope,
    "a number": lambda model: lambda p, y: float(model.slope),
    "a view made before": lambda model: partial(reading, model.slope.detach()),
    "of all": lambda model: lambda p, y: sum(w.norm() for w in model.parameters()),
    "predicting": lambda model: lambda p, y: losses.mse(p, model(DATA.x)),
}


def reading(values, prediction, target):
    return values * 2


@pytest.mark.parametrize("keep", [None, Keep(tensors=["slope"])], ids=["all", "part"])
@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_that_reads_it_is_refused(metric, keep) -> None:
    model = line()
    call = partial(record, model, DATA, loss=losses.mse, optimizer=SGD, steps=1, keep=keep)
    with pytest.raises(InputError, match=r"the metric 'a' reads slope of the Line that was given"):
        call(metrics={"a": metric(model)})


def test_a_loss_and_a_metric_may_ask_for_its_device_shape_and_settings() -> None:
    model = line()
    model.scale = 2.0

    def loss(prediction, target):
        weights = torch.ones(len(target), device=model.slope.device, dtype=model.slope.dtype)
        return model.scale * (weights * (prediction - target) ** 2).mean()

    run = record(model, DATA, loss=loss, optimizer=SGD, steps=2, metrics=[loss])
    np.testing.assert_allclose(run.metrics["loss"], run.loss, rtol=1e-6)
