"""GIF: a palette from the colours of the whole film, then every frame through it.

The palette must be known before the first frame is written, and frames come once, in order. So
the film is kept on disk until it is complete, as the pixels that change from frame to frame, and
each colour is counted for as long as it is seen. Memory does not grow with the film.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from render.errors import ExportError
from render.export.encoding import raw_input, without_dates
from render.export.ffmpeg import FFmpeg
from render.export.formats import Stream
from render.export.palette import median_cut, nearest
from render.export.sink import Frame, Rectangle
from render.export.whole import whole_file
from render.export.yuv import is_opaque, on_white

__all__ = ["Gif", "gif"]

_COLOURS = 1 << 24
_NOTHING = np.uint32(_COLOURS)  # what pixels show before the first frame, unlike any colour
_MOST_COLOURS = 255  # ffmpeg keeps one for pixels that stay as they were
_SEEN_POWER = 0.8  # damps large plain areas, so that thin lines get colours too
_FASTEST_FPS = 50  # browsers play a delay of 1/100 s at 10 frames a second


@contextmanager
def gif(path: Path, stream: Stream) -> Iterator[Gif]:
    """Write a GIF that loops for ever, with delays that keep the film's length.

    What is transparent is shown on white.
    Raises ExportError when the film does not fit on the disk.
    """
    with whole_file(path) as partial, tempfile.TemporaryFile(prefix="render-gif-") as spool:
        film = Gif(stream, spool)
        try:
            yield film
            film.encode(path, partial)
        except OSError as error:
            if isinstance(error, ExportError):
                raise
            raise ExportError(f"{path}: could not be written: {error.strerror}") from error


class Gif:
    """Keeps a film's changes and counts its colours; then encodes it."""

    def __init__(self, stream: Stream, spool: IO[bytes]) -> None:
        self._stream = stream
        self._spool = spool
        self._changes: list[int] = []  # how many pixels each frame changes
        self._now = np.full((stream.height, stream.width), _NOTHING, np.uint32)
        # A colour that pixels take on in frame k, and lose in frame m, is seen m - k times:
        # so n frames show it `arrivals * n - moments` times.
        self._arrivals = np.zeros(_COLOURS, np.int64)
        self._moments = np.zeros(_COLOURS, np.int64)

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Keep what a frame changes."""
        if not self._changes:
            damage = ((0, 0, self._stream.width, self._stream.height),)
        none = np.zeros(0, np.uint32)
        places = np.concatenate([none, *(self._update(frame, *box) for box in damage)])
        self._changes.append(len(places))
        self._spool.write(places.tobytes())
        self._spool.write(self._now.reshape(-1)[places].tobytes())

    def _update(
        self, frame: Frame, left: int, top: int, right: int, bottom: int
    ) -> NDArray[np.uint32]:
        """Take over the pixels of a rectangle; return the places of those that changed."""
        block = _colours(frame[top:bottom, left:right])
        before = self._now[top:bottom, left:right]
        rows, columns = np.nonzero(block != before)
        old, new, k = before[rows, columns], block[rows, columns], len(self._changes)
        np.add.at(self._arrivals, new, 1)
        np.add.at(self._moments, new, k)
        if k:
            np.subtract.at(self._arrivals, old, 1)
            np.subtract.at(self._moments, old, k)
        before[rows, columns] = new
        return ((rows + top) * self._stream.width + columns + left).astype(np.uint32)

    def encode(self, path: Path, partial: Path) -> None:
        """Find the palette, and send every frame through it to ffmpeg."""
        if not self._changes:
            raise ExportError(f"{path}: no frame was drawn; a film needs at least one")
        palette, index_of = self._palette()
        fewer = ["-vf", f"fps={_FASTEST_FPS}"] if self._stream.fps > _FASTEST_FPS else []
        output = [*fewer, *without_dates(), "-c:v", "gif", "-loop", "0", "-f", "gif"]
        arguments = [*raw_input(self._stream, "pal8"), *output, *self._stream.extra_args]
        pixels = self._now.size
        picture = np.empty(pixels + palette.size, np.uint8)  # as ffmpeg's pal8: indices, palette
        picture[pixels:] = palette.reshape(-1)
        with FFmpeg([*arguments, f"file:{partial}"], path, binary=self._stream.ffmpeg) as ffmpeg:
            for places, colours in self._kept():
                picture[places] = index_of[colours]
                ffmpeg.write(picture)

    def _kept(self) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
        """Give the changes of each frame back: places and colours."""
        self._spool.seek(0)
        for count in self._changes:
            both = np.frombuffer(self._spool.read(8 * count), np.uint32)
            yield both[:count], both[count:]

    def _palette(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the palette, shape (256, 4) in BGRA, and the index in it of every colour."""
        seen = self._arrivals * len(self._changes) - self._moments
        colours = np.flatnonzero(seen > 0)
        rgb = np.stack([colours >> shift & 255 for shift in (0, 8, 16)], axis=1).astype(float)
        weights = seen[colours].astype(float) ** _SEEN_POWER
        chosen = median_cut(rgb, weights, _MOST_COLOURS)
        index_of = np.zeros(_COLOURS, np.uint8)
        index_of[colours] = nearest(rgb, chosen)
        palette = np.zeros((256, 4), np.uint8)
        palette[: len(chosen), :3] = chosen[:, ::-1]
        palette[: len(chosen), 3] = 255
        return palette, index_of


def _colours(block: Frame) -> NDArray[np.uint32]:
    """Return pixels as 0xBBGGRR."""
    solid = block if is_opaque(block) else on_white(block)
    return solid.view("<u4")[..., 0] & np.uint32(_COLOURS - 1)
