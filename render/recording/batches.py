"""Mini-batches: seeded shuffling, every sample once an epoch."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["draw"]


def draw(n: int, size: int, rows: int, seed: int) -> Tensor:
    """Return the samples of `rows` successive batches, of shape (rows, size).

    Each epoch is a fresh permutation of all n samples, cut into batches of `size`. Where n is
    not a multiple of it, the last batch of an epoch is short, and padded with -1.
    """
    generator = torch.Generator().manual_seed(seed)
    per_epoch = -(-n // size)
    epochs = -(-rows // per_epoch)
    samples = torch.full((epochs, per_epoch * size), -1, dtype=torch.int64)
    for epoch in samples:
        epoch[:n] = torch.randperm(n, generator=generator, device="cpu")
    return samples.view(epochs * per_epoch, size)[:rows]
