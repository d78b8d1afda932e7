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
Sums = NDArray[np.int32]

_BAND = 1 << 16  # pixels converted at a time: temporary arrays then stay in the cache
_BITS = 16  # behind the binary point
_FEW = 1 / 4  # of a block's squares of 2 x 2 pixels: where no more differ, only they are converted
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_WHITE = 235  # luma


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
        self.data = np.empty(luma * 3 // 2, np.uint8)
        self.data[:luma], self.data[luma:] = _WHITE, 128
        y, u, v = np.split(self.data, (luma, luma * 5 // 4))
        self._y = y.reshape(self.height // 2, 2, self.width).swapaxes(0, 1)  # both rows of squares
        self._u, self._v = (p.reshape(self.height // 2, self.width // 2) for p in (u, v))
        self._seen = np.zeros((self.height, self.width), np.uint32)  # transparent: white
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
        differs = pixels.view(np.uint64) != seen.view(np.uint64)  # two pixels at a time
        squares = differs[0::2] | differs[1::2]
        count = np.count_nonzero(squares)
        if not count:
            return
        seen[:] = pixels
        if count > _FEW * squares.size:
            self._convert_block(pixels, squares, top // 2, left // 2)
            return
        y, x = np.divmod(np.flatnonzero(squares), width // 2)
        for start in range(0, count, _BAND // 4):
            part = slice(start, start + _BAND // 4)
            self._convert_squares(y[part] + top // 2, x[part] + left // 2)

    def _convert_block(
        self, pixels: Words, differs: NDArray[np.bool_], top: int, left: int
    ) -> None:
        """Convert what lies between squares that differ; `top` and `left` count squares."""
        height, width = differs.shape
        squares = pixels.reshape(height, 2, 2 * width).swapaxes(0, 1)
        band = max(1, _BAND // (4 * width))
        for start in range(0, height, band):
            columns = np.flatnonzero(differs[start : start + band].any(axis=0))
            if columns.size:
                first, last = int(columns[0]), int(columns[-1]) + 1
                part = squares[:, start : start + band, 2 * first : 2 * last]
                luma, u, v = self._converted(part)
                rows = slice(top + start, top + start + len(u))
                self._y[:, rows, 2 * (left + first) : 2 * (left + last)] = luma
                self._u[rows, left + first : left + last] = u
                self._v[rows, left + first : left + last] = v

    def _convert_squares(self, y: Places, x: Places) -> None:
        """Convert squares, row y and column x of them, from what was seen."""
        half = self.width // 2
        upper = y * self.width + x  # where its upper two pixels are among all pairs of pixels
        pairs = np.stack([upper, upper + half])
        squares = self._seen.reshape(-1).view(np.uint64).take(pairs).view(np.uint32)
        luma, u, v = self._converted(squares[:, None])
        self.data.view(np.uint16)[pairs] = luma.astype(np.uint8).view(np.uint16)[:, 0]
        places = y * half + x
        self._u.reshape(-1)[places] = u[0]
        self._v.reshape(-1)[places] = v[0]

    def _converted(self, squares: Words) -> tuple[Sums, Sums, Sums]:
        """Return Y, (2, h, w), U and V, (h, w / 2), of the upper and the lower rows of squares.

        They lie in memory that the next call writes to.
        """
        half = squares.shape[2] // 2
        if not _are_opaque(squares):
            squares = _words(on_white(squares[..., None].view(np.uint8)))
        red, green, blue, *spare = self._scratch[:, : squares.size].reshape(5, *squares.shape)
        _split(squares, (red, green, blue))
        luma = _combine(_Y, (red, green, blue), 16, _BITS, spare)
        sums = [_sums(channel) for channel in (red, green, blue)]
        free, other, term = (array[0, :, :half] for array in (red, green, spare[1]))
        u = _combine(_U, sums, 128, _BITS + 2, (free, term))
        v = _combine(_V, sums, 128, _BITS + 2, (other, term))
        return luma, u, v


def is_opaque(block: Frame) -> bool:
    """Whether no pixel is transparent, not even in part."""
    return block.size == 0 or _are_opaque(_words(block))


def _are_opaque(pixels: Words) -> bool:
    return bool(pixels.min() >= 0xFF000000)


def on_white(block: Frame) -> Frame:
    """Return a block of pixels laid on white, opaque."""
    alpha = block[..., 3:].astype(np.uint16)
    colours = (block[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return np.concatenate([colours, np.full_like(alpha, 255)], axis=-1).astype(np.uint8)


def _block(frame: Frame, y0: int, y1: int, x0: int, x1: int) -> Frame:
    """Return a part of a frame; what lies beyond its last row or column repeats that."""
    block = frame[y0:y1, x0:x1]
    missing = y1 - y0 - block.shape[0], x1 - x0 - block.shape[1]
    if any(missing):
        block = np.pad(block, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    return block


def _words(block: Frame) -> Words:
    """View RGBA pixels as numbers: red is the lowest byte, alpha the highest."""
    return block.view("<u4")[..., 0]


def _split(pixels: Words, channels: Sequence[Sums]) -> None:
    """Write the red, green and blue of pixels into arrays of their shape."""
    red, green, blue = (channel.view(np.uint32) for channel in channels)
    np.bitwise_and(pixels, np.uint32(255), out=red)
    np.right_shift(pixels, np.uint32(8), out=green)
    green &= 255
    np.right_shift(pixels, np.uint32(16), out=blue)
    blue &= 255


def _sums(channel: Sums) -> Sums:
    """Return the sums over 2 x 2 pixels of upper and lower rows, in the channel's own memory."""
    upper, lower = channel
    upper += lower
    sums: Sums = lower[:, : upper.shape[1] // 2]
    np.add(upper[:, 0::2], upper[:, 1::2], out=sums)
    return sums


def _combine(
    row: Sequence[np.int32],
    rgb: Sequence[Sums],
    offset: int,
    bits: int,
    spare: Sequence[Sums],
) -> Sums:
    """Return offset + row . rgb, rounded; `bits` of the products lie behind the binary point."""
    total, term = spare
    np.multiply(rgb[0], row[0], out=total)
    for factor, channel in zip(row[1:], rgb[1:], strict=True):
        np.multiply(channel, factor, out=term)
        total += term
    total += np.int32((offset << bits) + (1 << bits >> 1))
    total >>= np.int32(bits)
    return total
