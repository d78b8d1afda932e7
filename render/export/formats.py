"""What each file suffix stands for, and the ffmpeg arguments that write it.

H.264 settings follow what plays in PowerPoint, Keynote, Google Slides, Safari and Firefox:
yuv420p, even sizes, one keyframe a second for scrubbing, the index in front, colours converted
with the bt709 matrix and tagged so. Bitexact flags and no dates make bytes repeatable on one
machine.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from render.errors import UsageError

__all__ = [
    "FORMATS",
    "Format",
    "Quality",
    "Stream",
    "any_format_of",
    "check_size",
    "format_of",
    "is_numbered",
    "is_single",
]

Kind = Literal["film", "gif", "still"]
Quality = Literal["draft", "full"]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The frames to be written: size in pixels, frames a second, and how to encode them.

    codec, bitrate (kbit/s), extra_args and metadata override the format's own settings, with
    the meaning they have for matplotlib's writers. ffmpeg: the binary; ours by default.
    """

    width: int
    height: int
    fps: Fraction
    quality: Quality = "full"
    codec: str | None = None
    bitrate: int | None = None
    extra_args: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    ffmpeg: str | None = None


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one suffix is written.

    pixels: ffmpeg's pixel format; None leaves it to the codec. codecs: arguments by quality.
    muxer: arguments of the container.
    """

    kind: Kind
    pixels: str | None = None
    codecs: Mapping[Quality, Sequence[str]] = field(default_factory=dict)
    muxer: Sequence[str] = ()

    @property
    def even(self) -> bool:
        """Whether width and height must be even: chroma is stored for 2 x 2 pixels."""
        return self.pixels in ("yuv420p", "yuva420p")

    @property
    def joins(self) -> bool:
        """Whether films drawn in segments join by stream copy: those in H.264 do."""
        return self.codecs is _H264

    @property
    def transparent(self) -> bool:
        """Whether a frame's alpha is kept."""
        return self.pixels in ("yuva420p", "rgba", "bgra") or self.kind == "still"


_H264: dict[Quality, Sequence[str]] = {
    "draft": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "23"),
    "full": ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18"),
}
_VP9_CODEC = ("-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "1")
_VP9: dict[Quality, Sequence[str]] = {
    "draft": (*_VP9_CODEC, "-crf", "36", "-deadline", "realtime", "-cpu-used", "8"),
    "full": (*_VP9_CODEC, "-crf", "24", "-deadline", "good", "-cpu-used", "5"),
}
_APNG: Sequence[str] = ("-c:v", "apng", "-pred", "mixed")
_WEBP: Sequence[str] = ("-c:v", "libwebp_anim", "-lossless", "1", "-compression_level", "2")

_MP4 = Format(kind="film", pixels="yuv420p", codecs=_H264, muxer=("-movflags", "+faststart"))

FORMATS: dict[str, Format] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": _MP4,
    ".mkv": Format(kind="film", pixels="yuv420p", codecs=_H264),
    ".webm": Format(kind="film", pixels="yuv420p", codecs=_VP9),
    ".gif": Format(kind="gif"),
    ".webp": Format(
        kind="film",
        pixels="bgra",
        codecs={"draft": _WEBP, "full": _WEBP},
        muxer=("-loop", "0"),
    ),
    ".apng": Format(
        kind="film",
        pixels="rgba",
        codecs={"draft": _APNG, "full": _APNG},
        muxer=("-plays", "0", "-f", "apng"),
    ),
    ".png": Format(kind="still"),
}


def format_of(path: Path) -> Format:
    """Return the format of a file's suffix. Raises UsageError when there is none."""
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    close = difflib.get_close_matches(suffix, FORMATS, n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    got = f"unknown suffix {suffix!r}{hint}" if suffix else "no suffix"
    raise UsageError(f"{path}: {got}; a film is written as one of {' '.join(FORMATS)}")


def any_format_of(path: Path) -> Format:
    """Return the format of a file's suffix; H.264 in whatever container ffmpeg makes of others."""
    return FORMATS.get(path.suffix.lower(), FORMATS[".mkv"])


def is_numbered(path: Path) -> bool:
    """Whether a path such as `frame-%04d.png` stands for one still a frame."""
    return re.search(r"%\d*d", path.name) is not None


def is_single(path: Path) -> bool:
    """Whether a path stands for one picture."""
    return format_of(path).kind == "still" and not is_numbered(path)


def check_size(path: Path, width: int, height: int) -> None:
    """Check that the format can hold frames of this size. Raises UsageError with one that fits."""
    if format_of(path).even and (width % 2 or height % 2):
        raise UsageError(
            f"{path}: a size of {width}x{height} pixels is odd, and {path.suffix} stores colour "
            f"for 2 x 2 pixels; use {width + width % 2}x{height + height % 2}"
        )
