"""Compiled steps give the numbers of the eager loop, or one line that says why not.

Compiling takes 10 to 60 s of a slow machine: what can be seen from one compilation is one test.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models
from render.recording import Keep, record, session

ADAM = partial(torch.optim.Adam, lr=0.05)
MLP = partial(record, models.MLP((2, 3, 1)), datasets.moons(20), loss=losses.nll, optimizer=ADAM)


def assert_close(run, eager) -> None:
    """Rounding: 1e-5 of the largest parameter, in float32, over some tens of steps."""
    scale = np.abs(eager.params).max()
    np.testing.assert_allclose(run.params, eager.params, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(run.loss, eager.loss, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(run.grad_norm, eager.grad_norm, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(run.lr, eager.lr)
    np.testing.assert_array_equal(run.data_loss.shape, eager.data_loss.shape)


def test_several_steps_of_a_line_fit_a_call() -> None:
    """With momentum, whose first step differs, and a rest of steps that runs eagerly."""
    optimizer = partial(torch.optim.SGD, lr=0.1, momentum=0.9)
    call = partial(
        record,
        models.Line(-1.0, 1.0),
        datasets.line(50),
        loss=losses.mse,
        optimizer=optimizer,
        steps=12,
        keep=Keep(every=3),
    )
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    seen: list[int] = []
    with session(progress=lambda done, steps: seen.append(done)) as opened:
        run = call(compile=True)
    assert run.meta["compiled"] == "8 of 12 steps, 4 a call"
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    assert not torch._dynamo.config.trace_autograd_ops
    assert seen[-1] == 12
    eager = call()
    assert "compiled" not in eager.meta
    assert_close(run, eager)
    with session(replay=opened.runs):  # how the numbers were made is no difference
        assert call() is not None


def test_mini_batches_clipping_dropout_and_running_statistics() -> None:
    model = nn.Sequential(
        nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1), nn.Flatten(0)
    )
    model.unused = nn.Parameter(torch.ones(2))
    model[0].bias.requires_grad_(False)
    call = partial(
        record,
        model,
        datasets.moons(20),
        loss=losses.nll,
        optimizer=ADAM,
        steps=10,
        batch_size=5,
        clip=0.3,
    )
    run, eager = call(compile=True), call()
    assert run.meta["compiled"] == "9 of 10 steps, 1 a call"
    np.testing.assert_array_equal(run.batch, eager.batch)
    assert_close(run, eager)
    for name, values in eager.buffers.items():
        np.testing.assert_allclose(run.buffers[name], values, rtol=1e-4, atol=1e-6)


class Own(torch.optim.SGD):
    """A user's own."""


def bounded(params):
    optimizer = torch.optim.SGD(params, lr=0.1)
    optimizer.register_step_post_hook(lambda *_: None)
    return optimizer


def with_its_own_step(params):
    optimizer = torch.optim.SGD(params, lr=0.1)
    optimizer.step = lambda closure=None: None
    return optimizer


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (dict(compile=1), "compile is 1; give True or False"),
        (dict(optimizer=torch.optim.LBFGS), "SGD of torch, not LBFGS; leave compile=True out"),
        (dict(optimizer=partial(Own, lr=0.1)), "not Own"),
        (dict(scheduler=partial(lr_scheduler.StepLR, step_size=3)), "takes a constant rate"),
        (dict(keep=Keep(tensors=["layers.0.*"])), "keeps all parameters of a step"),
        (dict(optimizer=bounded), "takes optimizers without hooks or a step of their own"),
        (dict(optimizer=with_its_own_step), "takes optimizers without hooks or a step of their"),
    ],
)
def test_what_is_not_compiled_says_so_before_the_run(changed, message: str) -> None:
    with pytest.raises(InputError) as caught:
        MLP(**{**dict(steps=3, compile=True), **changed})
    assert message in str(caught.value) and "\n" not in str(caught.value)


class Reading(nn.Module):
    """Reads a number back, which no compiled step can."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.weight * x * (1.0 if self.weight.item() > 0 else 2.0)


def test_a_model_that_cannot_be_compiled_says_so_in_one_line() -> None:
    call = partial(record, Reading(), datasets.line(5), loss=losses.mse, optimizer=ADAM, steps=6)
    with pytest.raises(RecordingError) as caught:
        call(compile=True)
    assert "Reading cannot be compiled (" in str(caught.value)
    assert str(caught.value).endswith("leave compile=True out")
    assert "\n" not in str(caught.value)
    assert call().steps == 6


def test_without_a_compiler_it_says_so_in_one_line(monkeypatch, tmp_path) -> None:
    from torch._inductor import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(RecordingError) as caught:
        record(
            models.Line(0.5, 1.5),
            datasets.line(7),
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=0.123),
            steps=6,
            compile=True,
        )
    assert "Line cannot be compiled (" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_too_short_for_a_call_are_eager() -> None:
    call = partial(
        record, models.Line(0, 0), datasets.line(5), loss=losses.mse, optimizer=ADAM, compile=True
    )
    assert call(steps=0).meta["compiled"] == "0 of 0 steps, 4 a call"
    assert call(steps=3).meta["compiled"] == "0 of 3 steps, 4 a call"
