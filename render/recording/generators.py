"""Torch's global generators, which every thread of a process shares."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

__all__ = ["forked"]

_one_at_a_time = threading.RLock()


@contextmanager
def forked(devices: Sequence[torch.device] = ()) -> Iterator[None]:
    """Restore the generators of the CPU and of `devices` afterwards.

    Threads take turns: one that restores would rewind what another is drawing from.
    """
    with _one_at_a_time, torch.random.fork_rng(devices=devices):
        yield
