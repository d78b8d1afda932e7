"""Watching arrays: has one been written in place?

Small ones are copied. Of the others a hash is kept, 128 bits wide: to find it takes half the time
that comparing with a copy does, since only one of the two is read, and no memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from xxhash import xxh3_128

SMALL_BYTES = 1 << 14  # for these a copy as bytes is the quickest
_CHUNK = 1 << 15
_MOST_BEYOND = 3


class WatchedArray:
    """An array, and the hash of the bytes that it had."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self._found = self._look()

    def changed(self) -> bool:
        """Whether it is no longer as it was, bit by bit."""
        return self._look() != self._found

    def _look(self) -> tuple[Any, ...]:
        array = self._array
        return array.shape, array.strides, array.dtype, hash_of(array)


def owner(array: np.ndarray) -> np.ndarray:
    """Return the array whose memory an array is a view of, unless the view is but a small part."""
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    is_block = whole.flags.c_contiguous or whole.flags.f_contiguous
    return whole if is_block and whole.nbytes <= _MOST_BEYOND * array.nbytes else array


def hash_of(array: np.ndarray) -> int:
    """Return the hash of an array's bytes, in whichever order it holds them."""
    array = array.view(np.ndarray)
    if array.flags.f_contiguous:
        array = array.T
    if array.flags.c_contiguous:
        return xxh3_128(array.reshape(-1).view(np.uint8).data).intdigest()
    result = xxh3_128()
    for start in range(0, array.size, _CHUNK):
        result.update(array.flat[start : start + _CHUNK].tobytes())
    return result.intdigest()
