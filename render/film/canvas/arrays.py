"""Watching arrays: has one been written in place?"""

from __future__ import annotations

from typing import Any

import numpy as np

SMALL_BYTES = 1 << 14  # for these a copy as bytes is the quickest
WHOLE_BYTES = 1 << 20
_WINDOW_BYTES = 1 << 17
_SAMPLES = 128


class WatchedArray:
    """An array and a copy of it, compared bit by bit.

    Up to 1 MB all of it is compared every time. Of a larger one, evenly spread samples are, and one
    window of 128 kB more, the next one each time: a write that falls between the samples is seen
    when its window comes round.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
        self._copy = array.flatten()
        self._is_whole = array.nbytes <= WHOLE_BYTES
        self._step = max(1, _WINDOW_BYTES // array.itemsize)
        self._next = 0
        self._samples = np.linspace(0, array.size - 1, _SAMPLES).astype(int)

    def changed(self) -> bool:
        """Whether a difference shows; each call looks at the next window of a large array."""
        if self._is_whole:
            return self._differs(slice(None))
        window = slice(self._next, self._next + self._step)
        self._next = window.stop if window.stop < self._copy.size else 0
        return self._differs(self._samples) or self._differs(window)

    def _differs(self, where: Any) -> bool:
        return bool((_words(self._flat[where]) != _words(self._copy[where])).any())


def _words(items: np.ndarray) -> np.ndarray:
    """Return the bits of items as integers, eight bytes each where that comes out even."""
    return items.view(np.uint64 if items.nbytes % 8 == 0 else np.uint8)
