"""A run is the same whatever torch was told outside of it, and whatever other threads do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.problem import datasets, losses, metrics, models
from render.recording import landscape, record, sweep

DATA = datasets.moons(30)
SGD = partial(torch.optim.SGD, lr=0.1)


@contextmanager
def default_dtype(dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


AROUND = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64": lambda: default_dtype(torch.float64),
    "another device": lambda: torch.device("meta"),  # which no number comes back from
}


def everything():
    """Return what a run, a sweep and a landscape compute."""
    model = models.MLP((2, 4, 1))
    settings = dict(
        loss=losses.nll, steps=5, batch_size=8, metrics=[metrics.accuracy], validation=DATA
    )
    run = record(model, DATA, optimizer=SGD, **settings)
    runs = [run, *sweep(model, DATA, optimizer=torch.optim.SGD, lr=[0.1, 0.2], **settings).values()]
    found = [array for each in runs for array in (each.params, each.loss, *each.metrics.values())]
    again = run.attach(model, losses.nll)
    found += [again.predict([[0.5, 0.5]], range(6)), again.loss_at(run.params), run.data_loss]
    return [*found, landscape(run, "random", grid=3).loss]


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_is_around_a_run_changes_nothing(around) -> None:
    with around():
        inside = everything()
    for found, expected in zip(inside, everything(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_threads_record_the_bits_of_one_thread_and_leave_the_generator_alone() -> None:
    model = nn.Sequential(models.MLP((2, 16)), nn.Dropout(0.5), models.MLP((16, 1)))
    before = torch.get_rng_state()

    def run(seed: int):
        return record(model, DATA, loss=losses.nll, optimizer=SGD, steps=60, seed=seed).params

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(8)))
    assert torch.equal(torch.get_rng_state(), before)
    for seed, params in enumerate(found):
        np.testing.assert_array_equal(params, run(seed))


def test_threads_evaluate_one_run_as_one_thread_does_and_leave_its_model_whole() -> None:
    model = models.MLP((2, 32, 32, 1))
    run = record(model, DATA, loss=losses.nll, optimizer=SGD, steps=20)
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)).numpy()
    expected = run.predict(x, range(21)), run.loss_at(run.params), run.gradient_norms()

    def evaluate(which: int):
        calls = (
            lambda: run.predict(x, range(21)),
            lambda: run.loss_at(run.params),
            run.gradient_norms,
        )
        return calls[which % 3]()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(evaluate, range(24)))
    for which, values in enumerate(found):
        np.testing.assert_array_equal(values, expected[which % 3])
    held = run.problem.model
    assert all(type(p) is nn.Parameter for p in held.parameters())
    with torch.no_grad():
        last = held(torch.tensor(x)).numpy()
    np.testing.assert_allclose(last, run.predict(x, -1), rtol=1e-5, atol=1e-6)
