"""GIF: a palette from a few frames of the whole film, then every frame through it.

The palette must be known before the first frame is written, and frames come once, in order. So
the film is kept on disk, losslessly and fast, until it is complete; memory holds only the frames
that the palette is computed from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from render.export.ffmpeg import FFmpeg, run_ffmpeg
from render.export.formats import Stream
from render.export.sink import Frame, Rectangle
from render.export.video import raw_input, without_dates
from render.export.whole import whole_file

__all__ = ["Gif"]

_MOST_SAMPLES = 12
_LOSSLESS = ("-c:v", "libx264rgb", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "rgb24")
_FASTEST_FPS = 50  # browsers play a delay of 1/100 s at 10 frames a second


class Gif:
    """Writes a GIF that loops for ever, with delays that keep the film's length."""

    def __init__(self, path: Path, stream: Stream) -> None:
        self._path = path
        self._stream = stream
        self._samples = Samples(_MOST_SAMPLES)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._partial = stack.enter_context(whole_file(self._path))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="render-gif-"))
            self._folder = Path(folder)
            self._kept = self._folder / "frames.mkv"
            self._spool = FFmpeg(
                [*raw_input(self._stream), *_LOSSLESS, str(self._kept)],
                self._path,
                binary=self._stream.ffmpeg,
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as stack:
            stack.push(self._stack)
            self._spool.__exit__(kind, error, trace)
            if kind is None:
                self._write_gif()

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Keep one frame for the second pass."""
        self._samples.add(frame)
        self._spool.write(frame)

    def _write_gif(self) -> None:
        palette = self._folder / "palette.png"
        frames = self._samples.frames
        stream = raw_input(self._stream)
        with FFmpeg(
            [*stream, "-vf", "palettegen=stats_mode=full", "-frames:v", "1", str(palette)],
            self._path,
            binary=self._stream.ffmpeg,
        ) as ffmpeg:
            for frame in frames:
                ffmpeg.write(frame)
        fewer = f"fps={_FASTEST_FPS}," if self._stream.fps > _FASTEST_FPS else ""
        chain = f"[0:v]{fewer}null[v];[v][1:v]paletteuse=dither=none:diff_mode=rectangle"
        films = ["-i", str(self._kept), "-i", str(palette), "-lavfi", chain]
        form = [*without_dates(), *self._stream.extra_args, "-loop", "0", "-f", "gif"]
        run_ffmpeg([*films, *form, str(self._partial)], self._path, binary=self._stream.ffmpeg)


class Samples:
    """Keeps at most `most` frames, spread evenly over a film of unknown length, and its last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._seen = 0
        self._kept: list[Frame] = []
        self._last: Frame | None = None

    def add(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        if self._seen % self._stride == 0:
            if len(self._kept) == self._most:
                self._kept = self._kept[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._kept.append(frame.copy())
        self._last = frame
        self._seen += 1

    @property
    def frames(self) -> list[Frame]:
        """The frames kept, and the last one."""
        last = [] if self._last is None else [np.ascontiguousarray(self._last)]
        return [*self._kept, *last]
