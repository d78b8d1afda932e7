"""Watching arrays: has one been written in place?

Small ones are compared at once. For the large ones a thread reads the memory while the frame is
drawn: nothing of Python is needed to compare two blocks of it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from threading import Thread
from typing import Any

import numpy as np

SMALL_BYTES = 1 << 14  # for these a copy as bytes is the quickest
WHOLE_BYTES = 1 << 18  # up to here comparing takes less time than handing it to a thread
_CHUNK = 1 << 15
_MOST_BEYOND = 3


class WatchedArray:
    """An array and a copy of it, compared bit by bit."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self._copy = array.copy(order="K")
        self._is_block = (
            array.flags.c_contiguous or array.flags.f_contiguous
        ) and array.strides == self._copy.strides

    @property
    def is_large(self) -> bool:
        """Whether comparing it takes so long that it is better done beside the drawing."""
        return self._copy.nbytes > WHOLE_BYTES

    def changed(self) -> bool:
        """Whether it is no longer as it was."""
        array, copy = self._array, self._copy
        if array.shape != copy.shape:
            return True
        if self._is_block and array.strides == copy.strides and _memcmp is not None:
            return bool(_memcmp(array.ctypes.data, copy.ctypes.data, copy.nbytes))
        return _any_differs(array, copy)


def owner(array: np.ndarray) -> np.ndarray:
    """Return the array whose memory an array is a view of, unless the view is but a small part."""
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    is_block = whole.flags.c_contiguous or whole.flags.f_contiguous
    return whole if is_block and whole.nbytes <= _MOST_BEYOND * array.nbytes else array


class Comparison:
    """A comparison of many arrays, in a thread of its own."""

    def __init__(self, arrays: Collection[WatchedArray]) -> None:
        self._arrays = arrays
        self._changed: set[int] = set()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def changed(self) -> set[int]:
        """Return the `id` of each array that is no longer as it was; this waits for the thread."""
        self._thread.join()
        return self._changed

    def _run(self) -> None:
        for array in self._arrays:
            try:
                changed = array.changed()
            except Exception:  # what cannot be compared has changed
                changed = True
            if changed:
                self._changed.add(id(array))


def _any_differs(array: np.ndarray, copy: np.ndarray) -> bool:
    """Compare arrays of any layout, some of their items at a time."""
    ours, theirs = array.flat, copy.flat
    for start in range(0, copy.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        if ours[part].tobytes() != theirs[part].tobytes():
            return True
    return False


def _find_memcmp() -> Any:
    """Return C's `memcmp`, or None where it is not to be had."""
    try:
        compare = ctypes.CDLL(None).memcmp
    except (OSError, TypeError, AttributeError):
        return None
    compare.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    compare.restype = ctypes.c_int
    return compare


_memcmp = _find_memcmp()
