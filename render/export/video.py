"""Films that ffmpeg encodes in one pass: H.264, VP9, animated PNG and WebP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from render.errors import ExportError
from render.export.encoding import encoding_of
from render.export.ffmpeg import FFmpeg
from render.export.formats import Stream, any_format_of
from render.export.parts import Parts, encoding_in_parts
from render.export.sink import Frame, Rectangle
from render.export.whole import whole_file
from render.export.yuv import Yuv420, is_opaque, on_white

__all__ = ["Video", "video"]


@contextmanager
def video(path: Path, stream: Stream) -> Iterator[Video]:
    """Stream frames to ffmpeg; the file appears when the last is encoded.

    A .webm keeps alpha if its first frame is transparent somewhere. Films without alpha show
    what is transparent on white.
    """
    with whole_file(path) as partial, ExitStack() as encoders:
        film = Video(path, partial, stream, encoders)
        form = any_format_of(path)
        if form.alpha_pixels in (None, form.pixels):  # otherwise the first frame decides
            film.start(transparent=form.transparent)
        yield film
        if not film.frames:
            raise ExportError(f"{path}: no frame was drawn; a film needs at least one")


class Video:
    """Takes the frames of a film, converts what changed, and sends them to ffmpeg."""

    def __init__(self, path: Path, partial: Path, stream: Stream, encoders: ExitStack) -> None:
        self._path = path
        self._partial = partial
        self._stream = stream
        self._encoders = encoders
        self._encoder: FFmpeg | Parts | None = None
        self.frames = 0

    def start(self, *, transparent: bool) -> FFmpeg | Parts:
        """Make ready for frames that are transparent somewhere, or opaque."""
        path, stream = self._path, self._stream
        self._encoding = encoding_of(path, stream, transparent=transparent)
        if self._encoding.planes:
            self._planes = Yuv420(stream.width, stream.height)
        arguments = self._encoding.arguments
        if any_format_of(path).joins and stream.is_plain:
            parts = encoding_in_parts(arguments, path, self._partial, stream)
            self._encoder = self._encoders.enter_context(parts)
        else:
            arguments = [*arguments, f"file:{self._partial}"]
            process = FFmpeg(arguments, path, binary=stream.ffmpeg)
            self._encoder = self._encoders.enter_context(process)
        return self._encoder

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Send one frame to the encoder."""
        encoder = self._encoder or self.start(transparent=not is_opaque(frame))
        if self._encoding.planes:
            everything = ((0, 0, self._stream.width, self._stream.height),)
            self._planes.update(frame, damage if self.frames else everything)
            encoder.write(self._planes.data)
        else:
            encoder.write(self._pixels(frame))
        self.frames += 1

    def _pixels(self, frame: Frame) -> Frame:
        """Return the RGBA pixels that ffmpeg is to read."""
        if not self._encoding.keeps_alpha and not is_opaque(frame):
            frame = on_white(frame)
        odd = self._stream.height % 2, self._stream.width % 2
        if self._encoding.even and any(odd):
            frame = np.pad(frame, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        return frame
