"""At most 255 colours for a film: the ones that its pixels need most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["median_cut", "nearest", "quantize"]

_CHUNK = 4096  # colours compared at a time
_SHIFTS = (0, 8, 16)  # of red, green and blue in a key
_MANY = 1 << 16  # distinct colours; no drawing has more, photographs and noise do

Colours = NDArray[np.float64]
"""Colours, shape (n, 3): red, green, blue from 0 to 255."""


def quantize(
    keys: NDArray[np.uint32], weights: NDArray[np.float64], most: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a palette of at most `most` colours, and the index of each key's nearest in it.

    A key is red + green << 8 + blue << 16. Very many are first put together where the five
    highest bits of each channel are alike.
    """
    if len(keys) <= _MANY:
        colours = np.stack([_channel(keys, shift) for shift in _SHIFTS], axis=1)
        palette = median_cut(colours, weights, most)
        return palette, nearest(colours, palette)
    cells = (keys >> 3 & 31) | (keys >> 6 & 31 << 5) | (keys >> 9 & 31 << 10)
    total = np.bincount(cells, weights, 1 << 15).astype(float)
    used = np.flatnonzero(total)
    sums = [np.bincount(cells, weights * _channel(keys, shift), 1 << 15) for shift in _SHIFTS]
    means = np.stack(sums, axis=1)[used] / total[used, None]
    palette = median_cut(means, total[used], most)
    indices = np.zeros(1 << 15, np.uint8)
    indices[used] = nearest(means, palette)
    return palette, indices[cells]


def _channel(keys: NDArray[np.uint32], shift: int) -> NDArray[np.float64]:
    """Return one channel of the keys' colours, from 0 to 255."""
    return (keys >> np.uint32(shift) & np.uint32(255)).astype(float)


def median_cut(colours: Colours, weights: NDArray[np.float64], most: int) -> NDArray[np.uint8]:
    """Return a palette of at most `most` colours, shape (k, 3).

    The box of colours whose weighted variance along one axis is the largest is cut at its
    weighted median, until there are enough; each box then stands for its mean. Distinct colours
    that are few enough are returned as they are. Source: P. Heckbert, Color image quantization
    for frame buffer display, SIGGRAPH 1982, with Wu's variance criterion for the choice of box.
    """
    boxes = [_Box(colours, weights, np.arange(len(colours)))]
    while len(boxes) < most:
        worst = max(range(len(boxes)), key=lambda k: boxes[k].spread)
        if boxes[worst].spread == 0:
            break
        boxes += boxes.pop(worst).halves()
    return np.rint([box.mean for box in boxes]).astype(np.uint8)


class _Box:
    """Some of the colours: their weighted mean, and their spread along the longest axis."""

    def __init__(
        self, colours: Colours, weights: NDArray[np.float64], members: NDArray[np.intp]
    ) -> None:
        self._colours, self._weights, self._members = colours, weights, members
        weight = weights[members, None]
        self.mean = (weight * colours[members]).sum(axis=0) / weight.sum()
        errors = (weight * (colours[members] - self.mean) ** 2).sum(axis=0)
        self._axis = int(errors.argmax())
        self.spread = float(errors[self._axis]) if len(members) > 1 else 0.0

    def halves(self) -> list[_Box]:
        """Cut at the weighted median of the longest axis."""
        order = self._colours[self._members, self._axis].argsort(kind="stable")
        members = self._members[order]
        below = self._weights[members].cumsum()
        cut = int(below.searchsorted(below[-1] / 2))
        cut = min(max(cut, 1), len(members) - 1)
        parts = members[:cut], members[cut:]
        return [_Box(self._colours, self._weights, part) for part in parts]


def nearest(colours: Colours, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the index of each colour's nearest in the palette."""
    entries = palette.astype(float)
    squares = (entries**2).sum(axis=1)
    found = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), _CHUNK):
        part = slice(start, start + _CHUNK)
        found[part] = (squares - 2 * colours[part] @ entries.T).argmin(axis=1)
    return found
