"""Whatever is wrong with the arguments of a run is said in one line, with a way out."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from render.errors import InputError, RecordingError, RenderError
from render.problem import datasets, losses, models
from render.recording import Keep, record

SGD = partial(torch.optim.SGD, lr=0.1)


class Fixed(nn.Module):
    def forward(self, x):
        return x


class Growing(models.Line):
    def __init__(self) -> None:
        super().__init__(0, 0)

    def forward(self, x):
        self.shift = nn.Parameter(torch.zeros(()))
        return super().forward(x) + self.shift


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError


class Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        raise RuntimeError("two\nlines")


class Uncopied(models.Line):
    def __deepcopy__(self, memo):
        raise TypeError("not me")


def scripted() -> nn.Module:
    with warnings.catch_warnings(action="ignore"):  # it is deprecated
        return torch.jit.script(nn.Linear(1, 1))


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


class Asking(lr_scheduler.LRScheduler):
    def __init__(self, optimizer) -> None:
        self.optimizer = optimizer

    def step(self, metrics, epoch=None):
        raise AssertionError


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
    "uncopied": (dict(model=Uncopied(0, 0)), "Uncopied cannot be copied (not me); give a model"),
    "scripted": (
        dict(model=scripted()),
        "cannot be copied (the copy's parameters are results of operations",
    ),
    "no numbers": (
        dict(model=nn.Linear(1, 1, device="meta")),
        "Linear cannot be moved to cpu (Cannot copy out of meta tensor",
    ),
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
    "loss of its own": (
        dict(loss=lambda p, y: torch.tensor(losses.mse(p, y).item(), requires_grad=True)),
        "the loss does not depend on the parameters of Line; compute it from the prediction",
    ),
    "grows": (
        dict(model=Growing()),
        "Growing makes parameters in its forward, which the optimizer does not know; make them in",
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
    "scheduler that asks": (
        dict(scheduler=Asking),
        "scheduler Asking needs metrics in step(metrics), and is stepped without arguments",
    ),
    "metric": (dict(metrics={"a": 3}), "metric 'a' is 3; give a callable"),
    "metrics": (dict(metrics=3), "metrics is 3; give a mapping or a list"),
    "metrics text": (dict(metrics="accuracy"), "metrics is 'accuracy'; give a mapping or a list"),
    "metrics array": (
        dict(metrics=np.zeros((2, 2))),
        "metrics is array([[0., 0.], [0., 0.]]); give",
    ),
    "metrics tensor": (dict(metrics=torch.zeros(2)), "metrics is tensor([0., 0.]); give a mapping"),
    "metrics bytes": (dict(metrics=b"ab"), "metrics is b'ab'; give a mapping"),
    "metric vector": (
        dict(metrics={"a": lambda p, y: p}),
        "returns shape (5,); it must return one",
    ),
    "metric raises": (
        dict(metrics={"a": lambda p, y: 1 / 0}),
        "<lambda> cannot be computed (division by zero); it takes (prediction, target)",
    ),
    "metric raises, parts kept": (
        dict(metrics={"a": lambda p, y: 1 / 0}, keep=Keep(tensors=["slope"])),
        "<lambda> cannot be computed (division by zero); it takes (prediction, target)",
    ),
    "in place": (
        dict(model=nn.Sequential(nn.ReLU(inplace=True), models.Line(0, 0))),
        "Sequential or its loss changes the data in place; take a layer without inplace=True",
    ),
    "metric twice": (
        dict(metrics=[lambda p, y: p.mean(), lambda p, y: p.max()]),
        "metrics lists '<lambda>' twice; give a mapping",
    ),
    "metric taken": (dict(metrics={"val_loss": losses.mse}), "'val_loss', which the run uses"),
    "metric of the validation": (
        dict(metrics={"a": losses.mse, "val_a": losses.mse}, validation=datasets.line(3)),
        "'val_a', which the run uses",
    ),
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
    "clip beyond floats": (dict(clip=10**400), "clip is 1000000"),
    "device array": (
        dict(device=np.zeros((2, 2))),
        "device is array([[0., 0.], [0., 0.]]); choose",
    ),
    "lines": (dict(steps=nn.Sequential(nn.ReLU())), "steps is Sequential( (0): ReLU() ); give"),
    "long": (dict(optimizer="x" * 3000), "xxx…; give a callable taking parameters"),
    "unspeakable": (dict(seed=Unspeakable()), "seed is a Unspeakable; give a whole number"),
    "device": (dict(device="tpu"), "device is 'tpu'; choose auto, cpu, cuda or cuda:N"),
    "device beyond what torch counts": (dict(device="cuda:999"), "device is 'cuda:999', but torch"),
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


def test_data_that_a_refused_model_changed_are_as_they_were() -> None:
    data = datasets.of([[-1.0], [2.0]], [[-3.0], [4.0]])
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(1, 1))
    with pytest.raises(InputError, match="changes the data in place"):
        record(model, data, loss=losses.mse, optimizer=SGD, steps=1)
    assert data.x.tolist() == [[-1.0], [2.0]]


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
