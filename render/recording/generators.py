"""What every thread of a process shares: torch's generators, and its choice of algorithms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

__all__ = ["forked", "one_at_a_time", "seeded"]

one_at_a_time = threading.RLock()
"""Held by the thread that draws, or that evaluates a model, which has its numbers replaced."""


@contextmanager
def forked(place: torch.device | None = None) -> Iterator[None]:
    """Restore the generators of the CPU and of `place` afterwards.

    Inside, a GPU is the current one and computes the same bits each time. Threads take turns: one
    that restores would rewind what another is drawing from.
    """
    gpus = [place] if place is not None and place.type == "cuda" else []
    current = torch.cuda.device(gpus[0]) if gpus else nullcontext()
    same = _summing_in_order() if gpus else nullcontext()
    with one_at_a_time, current, same, torch.random.fork_rng(devices=gpus):
        yield


@contextmanager
def _summing_in_order() -> Iterator[None]:
    """Keep cuDNN from algorithms that sum in any order, and from choosing by the clock."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


@contextmanager
def seeded(place: torch.device, seed: int) -> Iterator[None]:
    """Start the generators of the CPU and of `place` from a seed; restore them afterwards."""
    with forked(place):
        torch.default_generator.manual_seed(seed)
        if place.type == "cuda":
            torch.cuda.manual_seed(seed)  # of the current device
        yield
