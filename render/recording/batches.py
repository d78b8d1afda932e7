"""Mini-batches: seeded shuffling, every sample once an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from render.recording.memory import PIECE_NUMBERS
from render.recording.task import Task

__all__ = ["Batches", "draw"]


class Batches:
    """The samples of each row of a run, in turn.

    kept: (rows, B) of the rows that are kept, filled as they come; None for full batches. even:
    whether all batches are of one size.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        size = task.batch_size
        rows = task.steps // task.keep.every + 1
        self.even = size is None or len(task.data) % size == 0
        self.kept: npt.NDArray[Any] | None = (
            None if size is None else np.empty((rows, size), dtype=np.int32)
        )

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        task = self._task
        x, y = (side.detach().to(task.device) for side in (task.data.x, task.data.y))
        if task.batch_size is None:
            while True:
                yield x, y
        row = 0
        for plan in _pieces(len(task.data), task.batch_size, task.steps + 1, task.seed):
            self._keep(row, plan)
            row += len(plan)
            lengths = (plan >= 0).sum(dim=1).tolist()
            for samples, length in zip(self._moved(plan), lengths, strict=True):
                at = samples if self.even else samples[:length]
                yield x[at], y[at]

    def _keep(self, row: int, plan: Tensor) -> None:
        assert self.kept is not None
        every = self._task.keep.every
        due = plan[-row % every :: every].numpy()
        first = -(-row // every)
        self.kept[first : first + len(due)] = due

    def _moved(self, plan: Tensor) -> Tensor:
        if self._task.device.type != "cuda":
            return plan
        return plan.pin_memory().to(self._task.device, non_blocking=True)  # the loop waits not


def draw(n: int, size: int, rows: int, seed: int) -> Tensor:
    """Return the samples of `rows` successive batches, of shape (rows, size).

    Each epoch is a fresh permutation of all n samples, cut into batches of `size`. Where n is
    not a multiple of it, the last batch of an epoch is short, and padded with -1.
    """
    return next(_pieces(n, size, rows, seed, rows * size))


def _pieces(
    n: int, size: int, rows: int, seed: int, numbers: int = PIECE_NUMBERS
) -> Iterator[Tensor]:
    """Yield the batches in pieces of whole epochs, so that a long run need not hold them all."""
    generator = torch.Generator().manual_seed(seed)
    per_epoch = -(-n // size)
    at_once = max(1, -(-numbers // (per_epoch * size)))
    for start in range(0, rows, at_once * per_epoch):
        left = rows - start
        epochs = min(at_once, -(-left // per_epoch))
        samples = torch.full((epochs, per_epoch * size), -1, dtype=torch.int64, device="cpu")
        for epoch in samples:
            epoch[:n] = torch.randperm(n, generator=generator, device="cpu")
        yield samples.view(epochs * per_epoch, size)[:left]
