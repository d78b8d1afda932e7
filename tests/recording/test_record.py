from __future__ import annotations

import copy
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler

from render.errors import InputError, RecordingError, RenderError
from render.problem import datasets, losses, metrics, models
from render.recording import Keep, batches, memory, record, rows

SGD = partial(torch.optim.SGD, lr=0.1)
STEP_LR = partial(lr_scheduler.StepLR, step_size=5, gamma=0.5)


def network(seed: int = 0) -> nn.Module:
    torch_state = torch.get_rng_state()
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0))
    torch.set_rng_state(torch_state)
    return layers


def labels(n: int = 23):
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(1))
    return datasets.of(x, (x.prod(dim=1) > 0).float())


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
def test_a_recording_equals_a_plain_loop_bit_for_bit(name, scheduler, batch_size) -> None:
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


def test_rates_follow_the_schedule_one_step_an_update() -> None:
    run = record(
        models.Line(0, 0),
        datasets.line(5),
        loss=losses.mse,
        optimizer=SGD,
        steps=11,
        scheduler=STEP_LR,
    )
    assert run.lr.tolist() == [0.1] * 5 + [0.05] * 5 + [0.025] * 2


def test_a_plateau_scheduler_sees_the_loss() -> None:
    plateau = partial(lr_scheduler.ReduceLROnPlateau, patience=0, factor=0.1)
    run = record(
        models.Line(3.0, 8.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=1.2),
        steps=20,
        scheduler=plateau,
    )
    assert run.lr[0] == 1.2 and run.lr[-1] < 1.2


@pytest.mark.parametrize(("n", "size"), [(12, 4), (13, 4), (7, 1), (5, 3)])
def test_every_sample_comes_once_an_epoch(n: int, size: int) -> None:
    run = record(
        models.Line(0, 0),
        datasets.line(n),
        loss=losses.mse,
        optimizer=SGD,
        steps=40,
        batch_size=size,
    )
    assert run.batch is not None and run.batch.shape == (41, size)
    per_epoch = -(-n // size)
    epochs = [run.batch[k : k + per_epoch] for k in range(0, 41 - per_epoch, per_epoch)]
    for epoch in epochs:
        assert sorted(epoch[epoch >= 0]) == list(range(n))
    assert n < 6 or any((a != b).any() for a, b in pairwise(epochs))


def test_all_samples_in_a_batch_is_the_full_batch() -> None:
    run = record(
        models.Line(0, 0),
        datasets.line(9),
        loss=losses.mse,
        optimizer=SGD,
        steps=2,
        batch_size=9,
    )
    assert run.batch is None


def test_the_seed_decides_the_bits_and_the_global_generator_neither_matters_nor_moves() -> None:
    model = nn.Sequential(network(), nn.Dropout(0.5))
    call = partial(record, model, labels(), loss=losses.nll, optimizer=SGD, steps=9, batch_size=4)
    before = torch.get_rng_state()
    first = call(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    np.testing.assert_array_equal(first.params, call(seed=1).params)
    assert (first.params[-1] != call(seed=2).params[-1]).any()


def test_the_model_passed_in_stays_as_it_was() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), network())
    before = copy.deepcopy(model.state_dict())
    record(model, labels(), loss=losses.nll, optimizer=SGD, steps=3)
    assert model.training and all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_no_steps_is_one_row() -> None:
    run = record(models.Line(1, 2), datasets.line(5), loss=losses.mse, optimizer=SGD, steps=0)
    assert run.steps == 0 and run.params.tolist() == [[1, 2]] and run.loss.shape == (1,)


def test_metrics_are_over_all_the_data_at_each_row() -> None:
    def mean_logit(prediction, target):
        return float(prediction.mean())  # a number, not a tensor: cannot be batched

    run = record(
        network(),
        data := labels(),
        loss=losses.nll,
        optimizer=SGD,
        steps=6,
        batch_size=5,
        metrics=[metrics.accuracy, mean_logit],
    )
    assert list(run.metrics) == ["accuracy", "mean_logit"]
    for k in range(7):
        logits = torch.tensor(run.predict(data.x, k))
        assert run.metrics["accuracy"][k] == metrics.accuracy(logits, data.y)
        assert run.metrics["mean_logit"][k] == pytest.approx(logits.mean().item(), abs=1e-6)


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


@pytest.mark.parametrize("model", [network(), Transposed()], ids=["network", "transposed"])
@pytest.mark.parametrize("optimizer", [SGD, partial(Rebinding, lr=0.1)], ids=["SGD", "rebinding"])
def test_storage_that_moves_or_is_not_contiguous_is_followed(model, optimizer) -> None:
    run = record(model, labels(), loss=losses.nll, optimizer=optimizer, steps=8)
    reference = copy.deepcopy(model)
    made = SGD(reference.parameters())
    for k in range(9):
        flat = torch.cat([p.detach().flatten() for p in reference.parameters()])
        np.testing.assert_array_equal(run.params[k], flat.numpy())
        made.zero_grad()
        losses.nll(reference(labels().x), labels().y).backward()
        made.step()


class NeedsClosure(torch.optim.SGD):
    """Looks ahead before it asks for the gradient, as sharpness-aware methods do."""

    def step(self, closure):
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                p += 0.5
        with torch.enable_grad():
            closure()
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                p -= 0.5
        super().step()


def test_an_optimizer_of_ones_own_may_call_its_closure_anywhere() -> None:
    data = datasets.line(20, dtype=torch.float64)
    model = models.Line(0.0, 0.0, dtype=torch.float64)
    run = record(model, data, loss=losses.mse, optimizer=partial(NeedsClosure, lr=0.1), steps=1)
    residual = 2 * (0.5 * data.x + 0.5 - data.y)
    expected = [-0.1 * (data.x * residual).mean(), -0.1 * residual.mean()]
    np.testing.assert_allclose(run.params[1], expected, rtol=1e-12)
    assert run.loss[0] == losses.mse(model(data.x), data.y).item()


def test_running_statistics_are_recorded_and_used_for_predictions() -> None:
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


def test_parameters_of_bfloat16_are_kept_exactly_as_float32() -> None:
    data = datasets.line(20, dtype=torch.bfloat16)
    model = models.Line(0.5, 1.0, dtype=torch.bfloat16)
    run = record(model, data, loss=losses.mse, optimizer=SGD, steps=5)
    params, *_ = plain_loop(model.float(), data, losses.mse, SGD, 0)
    assert run.params.dtype == np.float32 and run.params[0].tolist() == params[0].tolist()
    as_bfloat = torch.tensor(run.params).bfloat16().float().numpy()
    np.testing.assert_array_equal(run.params, as_bfloat)


def test_a_float64_run_is_float64_throughout() -> None:
    data = datasets.line(20, dtype=torch.float64)
    model = models.Line(0.1, 0.2, dtype=torch.float64)
    run = record(model, data, loss=losses.mse, optimizer=SGD, steps=5)
    assert run.params.dtype == run.loss.dtype == run.x.dtype == np.float64
    assert run.params[0].tolist() == [0.1, 0.2]


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


def test_without_cuda_auto_is_the_cpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = record(models.Line(0, 0), datasets.line(5), loss=losses.mse, optimizer=SGD, steps=0)
    assert (run.meta["device"], run.meta["device_reason"]) == ("cpu", "no CUDA device")


def test_beside_a_gpu_a_small_fit_stays_on_the_cpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    run = record(models.Line(0, 0), datasets.line(500), loss=losses.mse, optimizer=SGD, steps=0)
    assert run.meta["device"] == "cpu"
    assert run.meta["device_reason"] == "small: 1,000 parameters x samples a step"


class Fixed(nn.Module):
    def forward(self, x):
        return x


class Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        raise RuntimeError("two\nlines")


class Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 1, sparse=True)

    def forward(self, x):
        return self.table(x.long()).squeeze(-1) * x


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones((), dtype=torch.complex64))

    def forward(self, x):
        return (self.weight * x).abs()


BUILT = torch.optim.SGD([nn.Parameter(torch.ones(()))], lr=0.1)

BAD = {
    "steps -1": (dict(steps=-1), "steps is -1; give a whole number of at least 0"),
    "steps 2.0": (dict(steps=2.0), "steps is 2.0"),
    "steps True": (dict(steps=True), "steps is True"),
    "seed": (dict(seed="x"), "seed is 'x'"),
    "batch 0": (dict(batch_size=0), "batch_size is 0; give a whole number of at least 1"),
    "batch 6": (dict(batch_size=6), "batch_size is 6, but there are 5 samples; give 1 to 5"),
    "model": (dict(model=3), "model is a int; give a torch.nn.Module"),
    "no parameters": (dict(model=Fixed()), "Fixed has no parameters that require a gradient"),
    "lazy": (dict(model=nn.LazyLinear(1)), "parameters without a shape yet"),
    "data": (dict(data=[1, 2]), "data is a list; give a Dataset"),
    "dtype": (
        dict(data=datasets.line(5, dtype=torch.float64)),
        "x is torch.float64 and the model's parameters are torch.float32; give both the same type",
    ),
    "loss": (dict(loss=3), "loss is 3; give a callable"),
    "loss class": (
        dict(loss=nn.MSELoss),
        "loss is the class MSELoss; give an instance, MSELoss()",
    ),
    "steps True of numpy's": (dict(steps=np.True_), "steps is np.True_; give a whole number"),
    "loss vector": (dict(loss=lambda p, y: (p - y) ** 2), "the loss returns shape (5,)"),
    "loss float": (dict(loss=lambda p, y: 3.0), "the loss returns float"),
    "loss detached": (
        dict(loss=lambda p, y: p.detach().mean()),
        "the loss does not depend on the parameters of Line",
    ),
    "loss shapes": (
        dict(loss=lambda p, y: losses.mse(p[:, None], y)),
        "(5, 1) and the target (5,)",
    ),
    "model fails": (dict(model=Failing()), "Failing or its loss failed on x of shape (5,)"),
    "model on n": (dict(model=nn.Linear(1, 1)), "Linear or its loss failed on x of shape (5,)"),
    "optimizer": (dict(optimizer="sgd"), "optimizer is 'sgd'; give a callable taking parameters"),
    "optimizer built": (dict(optimizer=BUILT), "optimizer is an optimizer already built, SGD"),
    "optimizer lr": (
        dict(optimizer=partial(torch.optim.SGD, lr=-1)),
        "SGD cannot be built (Invalid learning rate: -1)",
    ),
    "optimizer other": (dict(optimizer=list), "optimizer gave a list, not a torch optimizer"),
    "scheduler": (dict(scheduler=1), "scheduler is 1; give a callable taking the optimizer"),
    "scheduler built": (
        dict(scheduler=lr_scheduler.StepLR(BUILT, 3)),
        "scheduler is already built, StepLR",
    ),
    "scheduler argument": (dict(scheduler=lr_scheduler.StepLR), "StepLR cannot be built"),
    "scheduler other": (dict(scheduler=lambda o: 3), "scheduler gave a int, which cannot step"),
    "metric": (dict(metrics={"a": 3}), "metric 'a' is 3; give a callable"),
    "metrics": (dict(metrics=3), "metrics is 3; give a mapping or a list"),
    "metric vector": (
        dict(metrics={"a": lambda p, y: p}),
        "returns shape (5,); it must return one",
    ),
    "metric raises": (
        dict(metrics={"a": lambda p, y: 1 / 0}),
        "<lambda> cannot be computed (division by zero); it takes (prediction, target)",
    ),
    "metric twice": (
        dict(metrics=[lambda p, y: p.mean(), lambda p, y: p.max()]),
        "metrics lists '<lambda>' twice; give a mapping",
    ),
    "metric taken": (dict(metrics={"val_loss": losses.mse}), "'val_loss', which the run uses"),
    "metric complex": (dict(metrics={"a": lambda p, y: 1j}), "returns a complex number"),
    "loss complex": (dict(loss=lambda p, y: losses.mse(p, y) * 1j), "returns a complex number"),
    "complex": (dict(model=Complex()), "Complex has complex parameters; give real ones"),
    "sparse": (dict(model=Sparse()), "the gradient of table.weight is sparse"),
    "sparse optimizer": (dict(optimizer=torch.optim.SparseAdam), "use torch.optim.Adam"),
    "optimizer of others": (
        dict(optimizer=lambda _: torch.optim.SGD([nn.Parameter(torch.ones(1))])),
        "holds none of the model's parameters",
    ),
    "optimizer fails": (dict(optimizer=lambda _: {}["a"]), "optimizer <lambda> cannot be built"),
    "schedule too short": (
        dict(steps=4, scheduler=partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=2)),
        "failed after its first loss (ValueError: Tried to step 3 times",
    ),
    "validation targets": (
        dict(validation=datasets.of([1.0], [[1.0, 2.0]])),
        "the validation data's y is (1, 2)",
    ),
    "labels": (
        dict(data=datasets.of([1.0, 2.0], [0.0, 2.0]), loss=losses.nll),
        "nll takes labels from 0 to 1, and the data's y goes from 0 to 2; use losses.cross_entropy",
    ),
    "clip True": (dict(clip=True), "clip is True; give a gradient norm above 0"),
    "device": (dict(device="tpu"), "device is 'tpu'; choose auto, cpu, cuda or cuda:N"),
    "meta": (dict(device="meta"), "device is 'meta'"),
    "too long": (dict(steps=10**12), "GB are free; take fewer steps"),
}


@pytest.mark.parametrize(("changed", "message"), BAD.values(), ids=BAD)
def test_a_bad_argument_says_why_in_one_line(changed, message: str) -> None:
    arguments = dict(
        model=models.Line(0, 0), data=datasets.line(5), loss=losses.mse, optimizer=SGD, steps=1
    )
    with pytest.raises(RenderError) as caught:
        record(**{**arguments, **changed})
    assert isinstance(caught.value, (InputError, RecordingError))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none_says_so() -> None:
    with pytest.raises(InputError, match="torch sees no CUDA device here; choose auto or cpu"):
        record(
            models.Line(0, 0),
            datasets.line(5),
            loss=losses.mse,
            optimizer=SGD,
            steps=1,
            device="cuda",
        )


def test_whole_numbers_among_the_parameters_are_recorded() -> None:
    model = models.Line(0, 0)
    model.count = nn.Parameter(torch.tensor([2]), requires_grad=False)
    run = record(model, datasets.line(5), loss=losses.mse, optimizer=SGD, steps=2)
    assert run.params[:, 2].tolist() == [2, 2, 2] and run.grad_norm[0] > 0


def test_class_labels_train_with_torchs_own_loss() -> None:
    x = labels().x
    data = datasets.of(x, (x[:, 0] > 0).long())
    run = record(
        nn.Linear(2, 2),
        data,
        loss=functional.cross_entropy,
        optimizer=SGD,
        steps=50,
        metrics=[metrics.accuracy],
    )
    assert run.loss[-1] < run.loss[0] and run.metrics["accuracy"][-1] > 0.8


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_records_what_the_cpu_does() -> None:
    call = partial(record, network(), labels(), loss=losses.nll, optimizer=SGD, steps=30)
    np.testing.assert_allclose(
        call(device="cuda").params, call(device="cpu").params, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("room", [2**28, 3000, 1])
def test_the_size_of_the_buffers_does_not_matter(monkeypatch, room: int) -> None:
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


@pytest.mark.parametrize("every", [1, 3, 7])
@pytest.mark.parametrize(("n", "size"), [(12, 4), (13, 4), (5, 3)])
def test_batches_drawn_in_pieces_are_those_drawn_at_once(monkeypatch, n, size, every) -> None:
    monkeypatch.setattr(batches._pieces, "__defaults__", (30,))
    run = record(
        models.Line(0, 0),
        datasets.line(n),
        loss=losses.mse,
        optimizer=SGD,
        steps=42,
        batch_size=size,
        keep=Keep(every=every),
        seed=3,
    )
    generator, epochs = torch.Generator().manual_seed(3), []
    for _ in range(43):
        epoch = torch.full((-(-n // size) * size,), -1)
        epoch[:n] = torch.randperm(n, generator=generator)
        epochs.append(epoch)
    expected = torch.cat(epochs).view(-1, size)[:43:every]
    np.testing.assert_array_equal(run.batch, expected)


def test_a_long_thinned_run_draws_its_batches_within_the_memory_that_it_states() -> None:
    line = models.Line(0, 0)
    stated = memory.recording_bytes(line, 20_000, Keep(every=20_000), 500, 1000)
    assert stated < 4e6 < 8 * 500 * 20_001
    sizes = [piece.nbytes for piece in batches._pieces(1000, 500, 20_001, 0)]
    assert sum(sizes) == 8 * 500 * 20_001 and 2 * max(sizes) < stated
    kept = memory.recording_bytes(line, 20_000, Keep(), 500, 1000)
    assert kept - stated > 4 * 500 * 20_000


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_data_that_change_later_do_not_change_the_run(dtype) -> None:
    data = datasets.line(20, dtype=dtype)
    run = record(models.Line(0.5, 1.0, dtype=dtype), data, loss=losses.mse, optimizer=SGD, steps=3)
    before = run.loss_at(run.params)
    data.y.mul_(2)
    np.testing.assert_array_equal(run.loss_at(run.params), before)
    assert run.problem.data.x.dtype == dtype
