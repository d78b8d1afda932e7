"""A recording is a plain training loop, written down."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from render.problem import datasets, losses, models
from render.recording import Keep, record

SGD = partial(torch.optim.SGD, lr=0.1)
STEP_LR = partial(lr_scheduler.StepLR, step_size=5, gamma=0.5)


def plain_loop(model, data, loss, optimizer, steps, scheduler=None, batch=None):
    """Train as any tutorial does; return parameters, losses, rates and gradient norms."""
    model = copy.deepcopy(model)
    made = optimizer(model.parameters())
    schedule = scheduler(made) if scheduler else None
    rows = []
    for k in range(steps + 1):
        at = slice(None) if batch is None else torch.tensor(batch[k][batch[k] >= 0])

        def closure(at=at):
            made.zero_grad()
            value = loss(model(data.x[at]), data.y[at])
            value.backward()
            return value

        params = torch.cat([p.detach().flatten() for p in model.parameters()]).numpy().copy()
        value = closure()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).double().norm().item()
        rows.append((params, value.item(), made.param_groups[0]["lr"], norm))
        if k < steps:
            if isinstance(made, torch.optim.LBFGS):
                made.step(closure)
            else:
                made.step()
            if schedule:
                schedule.step()
    return [np.array(column) for column in zip(*rows, strict=True)]


OPTIMIZERS = {
    "sgd": SGD,
    "momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "nesterov": partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": partial(torch.optim.Adam, lr=0.1),
    "adamw": partial(torch.optim.AdamW, lr=0.1),
    "rmsprop": partial(torch.optim.RMSprop, lr=0.01),
    "adagrad": partial(torch.optim.Adagrad, lr=0.1),
    "rprop": torch.optim.Rprop,
    "lbfgs": partial(torch.optim.LBFGS, lr=0.5, max_iter=4),
    "lbfgs with line search": partial(torch.optim.LBFGS, line_search_fn="strong_wolfe"),
}


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("scheduler", [None, STEP_LR], ids=["constant", "StepLR"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_recording_equals_a_plain_loop_bit_for_bit(
    labels, network, name, scheduler, batch_size
) -> None:
    model, data, optimizer = network(), labels(), OPTIMIZERS[name]
    run = record(
        model,
        data,
        loss=losses.nll,
        optimizer=optimizer,
        steps=12,
        scheduler=scheduler,
        batch_size=batch_size,
    )
    params, loss, lr, norm = plain_loop(
        model, data, losses.nll, optimizer, 12, scheduler, run.batch
    )
    np.testing.assert_array_equal(run.params, params)
    np.testing.assert_array_equal(run.loss, loss.astype(np.float32))
    np.testing.assert_array_equal(run.lr, lr)
    np.testing.assert_allclose(run.grad_norm, norm, rtol=1e-6)


class Product(nn.Module):
    """Multiplies weighted inputs, whose derivative torch computes in one of several ways."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.linspace(1, 2, 12))

    def forward(self, x):
        return (x * self.weights).prod(dim=-1)


def test_a_product_equals_a_plain_loop_bit_for_bit() -> None:
    x = torch.randn(20, 12, generator=torch.Generator().manual_seed(0))
    data = datasets.of(x, x[:, 0])
    run = record(Product(), data, loss=losses.mse, optimizer=SGD, steps=1)
    params, loss, *_ = plain_loop(Product(), data, losses.mse, SGD, 1)
    np.testing.assert_array_equal(run.params, params)
    np.testing.assert_array_equal(run.loss, loss.astype(np.float32))


def test_the_line_fit_equals_a_plain_loop_over_several_windows_of_rows() -> None:
    model, data = models.Line(-1.0, 1.0), datasets.line(50)
    run = record(model, data, loss=losses.mse, optimizer=SGD, steps=2500)
    params, loss, _, norm = plain_loop(model, data, losses.mse, SGD, 2500)
    np.testing.assert_array_equal(run.params, params)
    np.testing.assert_array_equal(run.loss, loss.astype(np.float32))
    np.testing.assert_allclose(run.grad_norm, norm, rtol=1e-6)


def test_gradient_descent_on_a_quadratic_follows_its_closed_form() -> None:
    """theta_k = theta* + (1 - lr H)^k (theta_0 - theta*), with H and theta* of least squares."""
    data = datasets.line(50, dtype=torch.float64)
    start, lr, steps = np.array([-1.0, 1.0]), 0.05, 400
    run = record(
        models.Line(*start, dtype=torch.float64),
        data,
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
    )
    design = np.stack([data.x.numpy(), np.ones(50)], axis=1)
    hessian = 2 * design.T @ design / 50
    best = np.linalg.lstsq(design, data.y.numpy(), rcond=None)[0]
    values, vectors = np.linalg.eigh(hessian)
    decay = (1 - lr * values) ** np.arange(steps + 1)[:, None]
    iterates = best + (decay * (vectors.T @ (start - best))) @ vectors.T
    np.testing.assert_allclose(run.params, iterates, rtol=1e-6)
    residuals = iterates @ design.T - data.y.numpy()
    np.testing.assert_allclose(run.loss, (residuals**2).mean(axis=1), rtol=1e-6)
    gradients = 2 * residuals @ design / 50
    np.testing.assert_allclose(run.grad_norm, np.linalg.norm(gradients, axis=1), rtol=1e-6)


def test_the_seed_decides_the_bits_and_the_global_generator_neither_matters_nor_moves(
    labels, network
) -> None:
    model = nn.Sequential(network(), nn.Dropout(0.5))
    call = partial(record, model, labels(), loss=losses.nll, optimizer=SGD, steps=9, batch_size=4)
    before = torch.get_rng_state()
    first = call(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    np.testing.assert_array_equal(first.params, call(seed=1).params)
    assert (first.params[-1] != call(seed=2).params[-1]).any()


class Noisy(torch.optim.SGD):
    """Draws a direction when it is built."""

    def __init__(self, params, lr=0.1) -> None:
        super().__init__(params, lr)
        self.way = [torch.randn_like(p) for p in self.param_groups[0]["params"]]

    def step(self, closure=None):
        for p, way in zip(self.param_groups[0]["params"], self.way, strict=True):
            p.grad += 0.1 * way
        super().step()


def drawing(optimizer):
    return lr_scheduler.StepLR(optimizer, 2, gamma=float(torch.rand(())))


def test_the_seed_decides_what_an_optimizer_and_a_scheduler_draw_when_they_are_built() -> None:
    line, data = models.Line(-1.0, 1.0), datasets.line(5)
    call = partial(record, line, data, loss=losses.mse, optimizer=Noisy, scheduler=drawing, steps=4)
    before = torch.get_rng_state()
    first = call(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    np.testing.assert_array_equal(first.params, call(seed=1).params)
    assert (first.params[-1] != call(seed=2).params[-1]).all()
    assert first.lr[-1] != call(seed=2).lr[-1]


def test_the_model_passed_in_stays_as_it_was(labels, network) -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), network())
    before = copy.deepcopy(model.state_dict())
    record(model, labels(), loss=losses.nll, optimizer=SGD, steps=3)
    assert model.training and all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_no_steps_is_one_row() -> None:
    run = record(models.Line(1, 2), datasets.line(5), loss=losses.mse, optimizer=SGD, steps=0)
    assert run.steps == 0 and run.params.tolist() == [[1, 2]] and run.loss.shape == (1,)


def test_a_diverging_run_goes_on_and_says_where_it_diverged() -> None:
    run = record(
        models.Line(-1.0, 1.0),
        datasets.line(50),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=5.0),
        steps=200,
    )
    assert run.diverged_at is not None and run.params.shape == (201, 2)
    finite = np.isfinite(run.loss) & np.isfinite(run.params).all(axis=1)
    assert finite[: run.diverged_at].all() and not finite[run.diverged_at]
    assert "diverged at" in repr(run)
    assert run.predict([0.5], range(201)).shape == (201, 1)


def test_a_large_gradient_has_a_finite_norm() -> None:
    run = record(
        models.Line(0, 1e18),
        datasets.line(5),
        loss=lambda p, y: (p * 1e20).abs().mean(),
        optimizer=partial(torch.optim.SGD, lr=0.0),
        steps=0,
    )
    assert run.grad_norm[0] > 1e20 and np.isfinite(run.grad_norm[0])


def test_parameters_of_bfloat16_are_kept_exactly_as_float32() -> None:
    data = datasets.line(20, dtype=torch.bfloat16)
    model = models.Line(0.5, 1.0, dtype=torch.bfloat16)
    run = record(model, data, loss=losses.mse, optimizer=SGD, steps=5)
    params, *_ = plain_loop(model.float(), data, losses.mse, SGD, 0)
    assert run.params.dtype == np.float32 and run.params[0].tolist() == params[0].tolist()
    as_bfloat = torch.tensor(run.params).bfloat16().float().numpy()
    np.testing.assert_array_equal(run.params, as_bfloat)


def test_the_run_says_how_it_was_made() -> None:
    run = record(
        models.Line(0, 0),
        datasets.line(30),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.25, momentum=0.5),
        steps=3,
        scheduler=STEP_LR,
        batch_size=10,
        seed=7,
        device="cpu",
    )
    expected = {
        "model": "Line",
        "loss": "mse",
        "optimizer": "SGD",
        "optimizer.lr": 0.25,
        "optimizer.momentum": 0.5,
        "scheduler": "StepLR",
        "scheduler.step_size": 5,
        "batch_size": 10,
        "n": 30,
        "seed": 7,
        "steps": 3,
        "device": "cpu",
        "device_reason": "asked for",
    }
    assert expected.items() <= run.meta.items()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_records_what_the_cpu_does(labels, network) -> None:
    call = partial(record, network(), labels(), loss=losses.nll, optimizer=SGD, steps=30)
    np.testing.assert_allclose(
        call(device="cuda").params, call(device="cpu").params, rtol=1e-4, atol=1e-5
    )


def test_numbers_may_be_numpys(tmp_path) -> None:
    run = record(
        models.Line(np.float32(0), np.int64(0)),
        datasets.line(np.int64(9), slope=np.float32(2), noise=np.float64(0.5), seed=np.int64(1)),
        loss=losses.mse,
        optimizer=SGD,
        steps=np.int64(6),
        batch_size=np.int32(4),
        seed=np.int64(2),
        clip=np.float32(0.5),
        keep=Keep(every=np.int64(2)),
    )
    same = record(
        models.Line(0, 0),
        datasets.line(9, slope=2, noise=0.5, seed=1),
        loss=losses.mse,
        optimizer=SGD,
        steps=6,
        batch_size=4,
        seed=2,
        clip=0.5,
        keep=Keep(every=2),
    )
    np.testing.assert_array_equal(run.params, same.params)
    assert run.meta == same.meta
    run.save(tmp_path / "run.npz")


def test_inference_mode_around_a_run_changes_nothing() -> None:
    call = partial(record, loss=losses.mse, optimizer=SGD, steps=5)
    with torch.inference_mode():
        model, data = models.Line(-1.0, 1.0), datasets.line(9)
        inside = call(model, data)
    for run in (inside, call(model, data)):
        outside = call(models.Line(-1.0, 1.0), datasets.line(9))
        np.testing.assert_array_equal(run.params, outside.params)
