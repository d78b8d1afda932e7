"""RGBA to YUV 4:2:0, kept up to date where frames change.

Sending planes instead of RGBA saves more than half of the pipe and all of ffmpeg's own
conversion, and most of a film's pixels need no conversion at all: they are as they were.

Colours: bt709 matrix, limited range (luma 16-235, chroma 16-240), sRGB values taken as they are.
Luma, and chroma from the mean of 2 x 2 pixels, are rounded to the nearest integer, as exactly as
16 bits behind the binary point allow. Source: Rec. ITU-R BT.709-6, items 3.2 to 3.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from render.export.sink import Frame, Rectangle

__all__ = ["Yuv420", "is_opaque", "on_white"]

Words = NDArray[np.uint32]
Places = NDArray[np.intp]

_BAND = 1 << 16  # pixels converted at a time: temporary arrays then stay in the cache
_BITS = 16  # behind the binary point
_FEW = 1 / 6  # of a block's squares of 2 x 2 pixels: where no more differ, only they are converted
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB


def _fixed(scale: float, *row: float) -> tuple[np.int32, ...]:
    """Return a row of the matrix in fixed point; `scale`: the range of what it gives."""
    return tuple(np.int32(round(factor * scale / 255 * (1 << _BITS))) for factor in row)


_Y = _fixed(219, _KR, _KG, _KB)
_U = _fixed(112 / (1 - _KB), -_KR, -_KG, 1 - _KB)
_V = _fixed(112 / (1 - _KR), 1 - _KR, -_KG, -_KB)


class Yuv420:
    """One picture in yuv420p; `data` holds the planes Y, U, V as ffmpeg reads them.

    An odd width or height is completed by repeating the last column or row. What is transparent
    is shown on white.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width + width % 2, height + height % 2
        luma = self.width * self.height
        self.data = np.zeros(luma * 3 // 2, np.uint8)
        y, u, v = np.split(self.data, (luma, luma * 5 // 4))
        self._y = y.reshape(self.height, self.width)
        self._u, self._v = (p.reshape(self.height // 2, self.width // 2) for p in (u, v))
        self._seen = np.zeros((self.height, self.width), np.uint32)  # no opaque pixel is 0
        # Intermediate arrays stay: giving memory back after each band costs four times the sums.
        self._scratch = np.empty((5, max(_BAND, 2 * self.width)), np.int32)

    def update(self, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Take over a frame's pixels inside `damage`."""
        for left, top, right, bottom in damage:
            x0, x1 = left - left % 2, right + right % 2
            y0, y1 = top - top % 2, bottom + bottom % 2
            if x0 < x1 and y0 < y1:
                self._take_over(_words(_block(frame, y0, y1, x0, x1)), y0, x0)

    def _take_over(self, pixels: Words, top: int, left: int) -> None:
        """Convert what differs in one block whose edges are even."""
        height, width = pixels.shape
        seen = self._seen[top : top + height, left : left + width]
        differs = pixels != seen
        squares = (differs[0::2] | differs[1::2]).view(np.uint16)  # two pixels a number
        count = np.count_nonzero(squares)
        if not count:
            return
        seen[:] = pixels
        if count > _FEW * squares.size:
            rows = max(2, _BAND // width // 2 * 2)
            for start in range(0, height, rows):
                self._convert(pixels[start : start + rows], top + start, left)
            return
        y, x = np.divmod(np.flatnonzero(squares), width // 2)
        y, x = y + top // 2, x + left // 2
        for first in range(0, y.size, _BAND // 4):
            part = slice(first, first + _BAND // 4)
            self._convert_squares(y[part], x[part])

    def _convert_squares(self, y: Places, x: Places) -> None:
        """Convert squares of 2 x 2 pixels, row y and column x of them, from what was seen."""
        corner = 2 * (y * self.width + x)
        corners = [corner + place for place in (0, 1, self.width, self.width + 1)]
        red, green, blue, *spare = self._scratch[:, : 4 * y.size].reshape(5, 4, y.size)
        seen, luma = self._seen.reshape(-1), self._y.reshape(-1)
        _split(np.stack([seen[places] for places in corners]), (red, green, blue))
        values = _combine(_Y, (red, green, blue), 16, _BITS, spare)
        for places, row in zip(corners, values, strict=True):
            luma[places] = row
        sums = [channel.sum(axis=0, dtype=np.int32) for channel in (red, green, blue)]
        places = y * (self.width // 2) + x
        self._u.reshape(-1)[places] = _combine(_U, sums, 128, _BITS + 2, [s[0] for s in spare])
        self._v.reshape(-1)[places] = _combine(_V, sums, 128, _BITS + 2, [s[0] for s in spare])

    def _convert(self, pixels: Words, top: int, left: int) -> None:
        """Convert one block whose edges are even."""
        height, width = pixels.shape
        red, green, blue, *spare = self._scratch[:, : height * width].reshape(5, height, width)
        _split(pixels, (red, green, blue))
        rows, columns = slice(top, top + height), slice(left, left + width)
        self._y[rows, columns] = _combine(_Y, (red, green, blue), 16, _BITS, spare)
        sums = [_sums(channel, spare[0]) for channel in (red, green, blue)]
        half = tuple(slice(part.start // 2, part.stop // 2) for part in (rows, columns))
        halves = [array[: height // 2, : width // 2] for array in spare]
        self._u[half] = _combine(_U, sums, 128, _BITS + 2, halves)
        self._v[half] = _combine(_V, sums, 128, _BITS + 2, halves)


def is_opaque(block: Frame) -> bool:
    """Whether no pixel is transparent, not even in part."""
    return block.size == 0 or bool(_words(block).min() >= 0xFF000000)


def on_white(block: Frame) -> Frame:
    """Return a block of pixels laid on white, opaque."""
    alpha = block[..., 3:].astype(np.uint16)
    colours = (block[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return np.concatenate([colours, np.full_like(alpha, 255)], axis=-1).astype(np.uint8)


def _block(frame: Frame, y0: int, y1: int, x0: int, x1: int) -> Frame:
    """Return a part of a frame, opaque; what lies beyond its last row or column repeats that."""
    block = frame[y0:y1, x0:x1]
    missing = y1 - y0 - block.shape[0], x1 - x0 - block.shape[1]
    if any(missing):
        block = np.pad(block, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    return block if is_opaque(block) else on_white(block)


def _words(block: Frame) -> Words:
    """View RGBA pixels as numbers: red is the lowest byte, alpha the highest."""
    return block.view("<u4")[..., 0]


def _split(pixels: Words, channels: Sequence[NDArray[np.int32]]) -> None:
    """Write the red, green and blue of pixels into arrays of their shape."""
    for shift, channel in zip((0, 8, 16), channels, strict=True):
        np.right_shift(pixels, np.uint32(shift), out=channel.view(np.uint32))
        channel &= 255


def _sums(channel: NDArray[np.int32], spare: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the sums over 2 x 2 pixels, in the channel's own memory."""
    rows = np.add(channel[0::2], channel[1::2], out=spare[: len(channel) // 2])
    return np.add(rows[:, 0::2], rows[:, 1::2], out=channel[: len(rows), : rows.shape[1] // 2])


def _combine(
    row: Sequence[np.int32],
    rgb: Sequence[NDArray[np.int32]],
    offset: int,
    bits: int,
    spare: Sequence[NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Return offset + row . rgb, rounded; `bits` of the products lie behind the binary point."""
    total, term = spare
    np.multiply(rgb[0], row[0], out=total)
    for factor, channel in zip(row[1:], rgb[1:], strict=True):
        np.multiply(channel, factor, out=term)
        total += term
    total += np.int32((offset << bits) + (1 << bits >> 1))
    total >>= np.int32(bits)
    return total
