"""Films encoded in parts, each by an encoder of its own, and joined by stream copy.

An encoder's choices depend on all that it has seen. So that a film decodes to the same pixels
however its frames were shared out among processes, every part of it is begun by a new encoder, at
frames that do not depend on the sharing: where a keyframe stands anyway.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.export.encoding import keyframe_interval, tags, without_dates
from render.export.ffmpeg import FFmpeg
from render.export.formats import Stream, any_format_of
from render.export.partial import partial_folder
from render.export.whole import naming, whole_file

__all__ = ["Parts", "encoding_in_parts", "join"]


@contextmanager
def encoding_in_parts(
    arguments: Sequence[str], path: Path, partial: Path, stream: Stream
) -> Iterator[Parts]:
    """Give what takes the frames of one film; on leaving, the film is complete.

    The parts stand beside the film, where there must be room for it anyway. Raises ExportError
    when they cannot be written.
    """
    with partial_folder(partial.parent) as folder, ThreadPoolExecutor(1) as ending:
        film = Parts(arguments, path, partial, stream, folder, ending)
        try:
            yield film
            film.finish()
        finally:
            film.stop()


class Parts:
    """Takes the frames of one film, and encodes each part of it by itself."""

    def __init__(
        self,
        arguments: Sequence[str],
        path: Path,
        partial: Path,
        stream: Stream,
        folder: Path,
        ending: ThreadPoolExecutor,
    ) -> None:
        self._arguments = arguments
        self._path = path
        self._stream = stream
        self._target = partial
        self._folder = folder
        self._ending = ending
        self._length = keyframe_interval(stream.fps)
        self._files: list[Path] = []
        self._encoders: list[FFmpeg] = []
        self._ended: list[Future[None]] = []
        self._frames = 0

    def write(self, data: NDArray[np.uint8]) -> None:
        """Take the next frame."""
        if self._frames % self._length == 0:
            self._begin()
        self._encoders[-1].write(data)
        self._frames += 1

    def finish(self) -> None:
        """End the last part, and join the parts if there are several."""
        self._end()
        for part in self._ended:
            part.result()
        if len(self._files) > 1:
            with whole_file(self._target) as joined:
                join(self._files, self._path, joined, self._stream)

    def stop(self) -> None:
        """Leave no encoder, whatever happened."""
        for encoder in self._encoders:
            encoder.stop()

    def _begin(self) -> None:
        """Start the encoder of the next part, while the one before writes its last frames."""
        if self._encoders:
            self._end()
        # The first part stands where the film will: mostly there is no other.
        name = self._folder / f"{len(self._files)}{self._path.suffix}"
        self._files.append(name if self._files else self._target)
        arguments = [*self._arguments, f"file:{self._files[-1]}"]
        self._encoders.append(FFmpeg(arguments, self._path, binary=self._stream.ffmpeg))

    def _end(self) -> None:
        if len(self._ended) > 1:
            self._ended[-2].result()  # so that no more than two encoders are at work
        self._ended.append(self._ending.submit(self._encoders[-1].end))


def join(parts: Sequence[Path], path: Path, partial: Path, stream: Stream) -> None:
    """Join encoded parts of a film by stream copy. Raises ExportError when that fails."""
    listing = partial.parent / "parts.txt"  # on the disk that an error names
    lines = "".join(f"file {_quoted(part.resolve())}\n" for part in parts)
    with naming(path):
        listing.write_bytes(os.fsencode(lines))
    source = ["-f", "concat", "-safe", "0", "-i", f"file:{listing}", "-c", "copy"]
    muxer = [*without_dates(), *tags(stream), *any_format_of(path).muxer]
    arguments = [*source, *muxer, f"file:{partial}"]
    with FFmpeg(arguments, path, binary=stream.ffmpeg):
        pass


def _quoted(path: Path) -> str:
    """Return a path as ffmpeg's lists of files take it."""
    return "'" + str(path).replace("'", r"'\''") + "'"
