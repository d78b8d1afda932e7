"""GIF: a palette for the whole film, then every frame through it.

The palette must be known before the first frame is written, and frames come once, in order. So
the film is kept on disk, as what changes from frame to frame, until it is complete; then each of
its colours is looked up once, and ffmpeg reads frames that are indices into the palette already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.errors import ExportError
from render.export.encoding import raw_input, without_dates
from render.export.ffmpeg import FFmpeg
from render.export.formats import Stream
from render.export.palette import quantize
from render.export.sink import Frame, Rectangle
from render.export.spool import COLOURS, TRANSPARENT, Spool
from render.export.whole import whole_file

__all__ = ["Gif", "gif"]

_FASTEST_FPS = 50  # browsers play a delay of 1/100 s at 10 frames a second
_LEAST_DELAY = 2  # hundredths of a second
_CLEAR = 255  # the last entry: transparent, which is also how ffmpeg says "as it was"
_FAIRNESS = 0.8  # power of a colour's weight: rare colours count more than their share


@contextmanager
def gif(path: Path, stream: Stream) -> Iterator[Gif]:
    """Write a GIF that loops for ever, with delays that keep the film's length."""
    with whole_file(path) as partial, Spool(stream.width, stream.height) as spool:
        yield Gif(spool)
        if not spool.frames:
            raise ExportError(f"{path}: no frame was drawn; a film needs at least one")
        rate = min(stream.fps, Fraction(_FASTEST_FPS))
        last = str(_last_delay(spool.frames, stream.fps))
        output = [*without_dates(), "-c:v", "gif", "-loop", "0", "-final_delay", last]
        output += [*stream.extra_args, "-f", "gif", f"file:{partial}"]
        arguments = [*raw_input(replace(stream, fps=rate), "pal8"), *output]
        with FFmpeg(arguments, path, binary=stream.ffmpeg) as ffmpeg:
            for picture in _indexed(spool, stream.width * stream.height, stream.fps):
                ffmpeg.write(picture)


class Gif:
    """Takes a film's frames for its spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Keep one frame until the palette is known."""
        self._spool.add(frame, damage)


def _indexed(spool: Spool, pixels: int, fps: Fraction) -> Iterator[NDArray[np.uint8]]:
    """Give the frames in ffmpeg's pal8: an index a pixel, then 256 entries of BGRA."""
    table, palette = _palette(spool)
    picture = np.zeros(pixels + 4 * 256, np.uint8)
    entries = picture[pixels:].reshape(256, 4)
    entries[: len(palette), :3] = palette[:, ::-1]
    entries[:_CLEAR, 3] = 255
    shown = -1
    for number, (places, keys) in enumerate(spool):
        picture[places] = table[keys]
        slot = number * _FASTEST_FPS // fps
        if fps <= _FASTEST_FPS or slot > shown:
            shown = slot
            yield picture


def _palette(spool: Spool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the index of each colour's key, and the colours of the palette."""
    keys, weights = spool.colours()
    opaque = keys != TRANSPARENT
    keys, weights = keys[opaque], weights[opaque]
    table = np.full(COLOURS, _CLEAR, np.uint8)
    if not len(keys):
        return table, np.empty((0, 3), np.uint8)
    palette, table[keys] = quantize(keys, np.maximum(weights, 1) ** _FAIRNESS, _CLEAR)
    return table, palette


def _last_delay(frames: int, fps: Fraction) -> int:
    """Return how long the last frame stays, in 1/100 s, so that the film has its whole length.

    ffmpeg rounds each frame's time to 1/100 s, and would repeat the delay before the last.
    """
    if fps <= _FASTEST_FPS:
        start = round(100 * (frames - 1) / fps)
    else:
        start = 100 // _FASTEST_FPS * ((frames - 1) * _FASTEST_FPS // fps)
    return max(_LEAST_DELAY, round(100 * frames / fps) - start)
