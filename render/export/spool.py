"""A film kept on disk as what changes from frame to frame, with its colours counted.

Memory holds one frame; a frame of a typical film takes some 10 kB on disk.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from render.export.scratch import unkept
from render.export.sink import Frame, Rectangle

__all__ = ["COLOURS", "TRANSPARENT", "Spool"]

TRANSPARENT = 1 << 24  # the key of every pixel that is more transparent than not
COLOURS = TRANSPARENT + 1  # how many keys there are; others are red + green << 8 + blue << 16

Keys = NDArray[np.uint32]

_HEADER = struct.Struct("<QQ")  # pixels changed, bytes that follow


class Spool:
    """Keeps frames, and gives back for each the pixels that changed.

    Raises ExportError when there is no room for them.
    """

    def __init__(self, width: int, height: int) -> None:
        self.frames = 0
        self._shown = np.full((height, width), COLOURS, np.uint32)  # no colour yet
        try:
            self._file = tempfile.TemporaryFile(prefix="render-")  # noqa: SIM115 - see __exit__
        except OSError as error:
            raise unkept(error) from error
        # How long a colour is seen is the sum over the pixels that took it of (end - then), less
        # the same sum over those that lost it. The end is not known yet: keep its two parts.
        self._pixels = np.zeros(COLOURS, np.int64)
        self._times = np.zeros(COLOURS, np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a full disk was told of before
            self._file.close()

    def add(self, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Keep one more frame. Raises ExportError when the disk is full."""
        whole = ((0, 0, self._shown.shape[1], self._shown.shape[0]),)
        places, keys = [], []
        for rectangle in damage if self.frames else whole:
            place, key = self._changes(frame, rectangle)
            places.append(place)
            keys.append(key)
        place, key = (np.concatenate([*parts, np.empty(0, np.uint32)]) for parts in (places, keys))
        steps = np.diff(place, prepend=np.uint32(0))  # mostly 1, which compresses well
        data = zlib.compress(np.stack([steps, key]).tobytes(), 1)
        try:
            self._file.write(_HEADER.pack(len(key), len(data)))
            self._file.write(data)
        except OSError as error:
            raise unkept(error) from error
        self.frames += 1

    def __iter__(self) -> Iterator[tuple[Keys, Keys]]:
        """Give for each frame the places of the pixels that changed, row by row, and their keys.

        Raises ExportError when the disk is full.
        """
        try:
            self._file.seek(0)  # which writes the rest
        except OSError as error:
            raise unkept(error) from error
        for _ in range(self.frames):
            count, size = _HEADER.unpack(self._file.read(_HEADER.size))
            data = np.frombuffer(zlib.decompress(self._file.read(size)), np.uint32)
            steps, keys = data.reshape(2, count)
            yield np.cumsum(steps, dtype=np.uint32), keys

    def colours(self) -> tuple[Keys, NDArray[np.int64]]:
        """Return the keys of all colours seen, and for how many pixels and frames each was."""
        # Reading what was never written takes no memory; a sum of the two counts would.
        met = np.union1d(np.flatnonzero(self._pixels), np.flatnonzero(self._times))
        seen = met.astype(np.uint32)
        return seen, self._pixels[seen] * self.frames - self._times[seen]

    def _changes(self, frame: Frame, rectangle: Rectangle) -> tuple[Keys, Keys]:
        """Find what changed inside a rectangle, and count it."""
        left, top, right, bottom = rectangle
        new = _keys(frame[top:bottom, left:right])
        spots = np.flatnonzero(new != self._shown[top:bottom, left:right])
        after = new.ravel()[spots]
        rows, columns = np.divmod(spots, max(1, right - left))
        places = (rows + top) * self._shown.shape[1] + (columns + left)
        shown = self._shown.ravel()  # a view
        before = shown[places]
        shown[places] = after
        np.add.at(self._pixels, after, 1)
        np.add.at(self._times, after, self.frames)
        if self.frames:
            np.subtract.at(self._pixels, before, 1)
            np.subtract.at(self._times, before, self.frames)
        return places.astype(np.uint32), after


def _keys(block: Frame) -> Keys:
    """Return each pixel's colour as one number."""
    words: Keys = block.view("<u4")[..., 0]
    keys: Keys = words & np.uint32(0xFFFFFF)
    if words.size and words.min() < 0x80000000:  # alpha is the highest byte
        keys[words < 0x80000000] = TRANSPARENT
    return keys
