"""Batches: every sample once an epoch, in an order that only the seed decides, in little memory."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch

from render.problem import datasets, losses, models
from render.recording import Keep, Trajectory, batches, memory, record

SGD = partial(torch.optim.SGD, lr=0.1)


def line_fit(n: int, **options) -> Trajectory:
    return record(models.Line(0, 0), datasets.line(n), loss=losses.mse, optimizer=SGD, **options)


@pytest.mark.parametrize(("n", "size"), [(12, 4), (13, 4), (7, 1), (5, 3)])
def test_every_sample_comes_once_an_epoch(n: int, size: int) -> None:
    run = line_fit(n, steps=40, batch_size=size)
    assert run.batch is not None and run.batch.shape == (41, size)
    per_epoch = -(-n // size)
    epochs = [run.batch[k : k + per_epoch] for k in range(0, 41 - per_epoch, per_epoch)]
    for epoch in epochs:
        assert sorted(epoch[epoch >= 0]) == list(range(n))
    assert n < 6 or any((a != b).any() for a, b in pairwise(epochs))


def test_all_samples_in_a_batch_is_the_full_batch() -> None:
    assert line_fit(9, steps=2, batch_size=9).batch is None


@pytest.mark.parametrize("every", [1, 3, 7])
@pytest.mark.parametrize(("n", "size"), [(12, 4), (13, 4), (5, 3)])
def test_batches_drawn_in_pieces_are_those_drawn_at_once(monkeypatch, n, size, every) -> None:
    monkeypatch.setattr(batches._pieces, "__defaults__", (30,))
    run = line_fit(n, steps=42, batch_size=size, keep=Keep(every=every), seed=3)
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
