"""Films that ffmpeg encodes in one pass: H.264, VP9, animated PNG and WebP."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from render.export.ffmpeg import FFmpeg
from render.export.formats import Format, Stream, any_format_of
from render.export.sink import Frame, Rectangle
from render.export.whole import whole_file

__all__ = ["Video", "raw_input", "without_dates"]

_BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
_TO_BT709 = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int"


class Video:
    """Streams raw frames to an ffmpeg process; the file appears when the last is encoded."""

    def __init__(self, path: Path, stream: Stream) -> None:
        self._path = path
        self._stream = stream
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            partial = stack.enter_context(whole_file(self._path))
            arguments = [*raw_input(self._stream), *_encoding(self._path, self._stream)]
            process = FFmpeg([*arguments, str(partial)], self._path, binary=self._stream.ffmpeg)
            self._ffmpeg = stack.enter_context(process)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Send one frame to the encoder."""
        self._ffmpeg.write(frame)


def raw_input(stream: Stream) -> list[str]:
    """Return the arguments that make ffmpeg read RGBA frames from its standard input."""
    size = f"{stream.width}x{stream.height}"
    layout = ["-f", "rawvideo", "-pixel_format", "rgba", "-video_size", size]
    return [*layout, "-framerate", str(stream.fps), "-i", "pipe:0"]


def without_dates() -> list[str]:
    """Return the arguments that leave versions and dates out, so that bytes repeat."""
    return ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


def _encoding(path: Path, stream: Stream) -> list[str]:
    """Return the output arguments: filters, codec, container."""
    form = any_format_of(path)
    arguments = [*without_dates(), *_codec(form, stream)]
    if form.even:
        arguments += ["-vf", f"{_even_size(stream)}{_TO_BT709},format={form.pixels}"]
        arguments += ["-g", str(max(1, round(stream.fps))), *_BT709, "-color_range", "tv"]
    elif form.pixels is not None:
        arguments += ["-pix_fmt", form.pixels]
    for key, value in stream.metadata.items():
        arguments += ["-metadata", f"{key}={value}"]
    return [*arguments, *form.muxer, *stream.extra_args]


def _codec(form: Format, stream: Stream) -> list[str]:
    """Return the codec's arguments: the format's own, or what was asked for."""
    own = list(form.codecs[stream.quality])
    if stream.codec is not None and stream.codec not in ("h264", own[1]):
        own = ["-c:v", stream.codec]
    if stream.bitrate is not None and stream.bitrate > 0:
        if "-crf" in own:
            at = own.index("-crf")
            del own[at : at + 2]
        own += ["-b:v", f"{stream.bitrate}k"]
    return own


def _even_size(stream: Stream) -> str:
    """Return the filter that repeats the last column or row of an odd size."""
    right, bottom = stream.width % 2, stream.height % 2
    if not right and not bottom:
        return ""
    pad = f"pad={stream.width + right}:{stream.height + bottom}"
    return f"{pad},fillborders=right={right}:bottom={bottom}:mode=smear,"
