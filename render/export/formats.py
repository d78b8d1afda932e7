"""What each file suffix stands for, and the ffmpeg arguments that write it.

H.264 settings follow what plays in PowerPoint, Keynote, Google Slides, Safari and Firefox:
yuv420p, even sizes, regular keyframes for scrubbing, the index in front, colours converted with
the bt709 matrix and tagged so. Bitexact flags and no dates make bytes repeatable on one machine.
Codecs and their settings are chosen by time, size and SSIM; benchmarks/encoders.py measures them.
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
    "check_numbered",
    "check_rate",
    "check_sides",
    "check_size",
    "format_of",
    "is_numbered",
    "is_single",
    "numbered",
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

    @property
    def is_plain(self) -> bool:
        """Whether the format's own settings are used."""
        return self.codec in (None, "h264") and (self.bitrate or 0) <= 0 and not self.extra_args


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one suffix is written.

    pixels: ffmpeg's pixel format; None leaves it to the codec. alpha_pixels: the one for a film
    whose first frame is transparent somewhere. codecs: arguments by quality. muxer: arguments of
    the container. most_side: width and height in pixels, at most.
    """

    kind: Kind
    pixels: str | None = None
    alpha_pixels: str | None = None
    codecs: Mapping[Quality, Sequence[str]] = field(default_factory=dict)
    muxer: Sequence[str] = ()
    most_side: int = 16384

    @property
    def even(self) -> bool:
        """Whether width and height must be even: chroma is stored for 2 x 2 pixels."""
        return self.pixels == "yuv420p"

    @property
    def joins(self) -> bool:
        """Whether films drawn in segments join by stream copy: those in H.264 do."""
        return self.codecs is _H264

    @property
    def transparent(self) -> bool:
        """Whether a frame's alpha is kept."""
        return self.alpha_pixels is not None or self.kind in ("gif", "still")


# Finer chroma (offset -2 is what x264 itself uses in its slower presets) buys the slower presets'
# quality for static pictures with thin coloured lines; weighted prediction is for fades.
_H264: dict[Quality, Sequence[str]] = {
    "draft": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "23"),
    "full": (
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "22"),
        *("-x264-params", "rc-lookahead=10:weightp=0:chroma-qp-offset=-3"),
    ),
}
# VP9, because it plays wherever WebM does and has alpha, which AV1 has not. Its "good" deadline
# takes at least four times as long for a film of the same size.
_VP9_CODEC = (
    *("-c:v", "libvpx-vp9", "-deadline", "realtime", "-row-mt", "1", "-tune-content", "screen"),
    *("-auto-alt-ref", "0", "-b:v", "0"),  # libvpx: no alternate frames where there is alpha
)
_VP9: dict[Quality, Sequence[str]] = {
    "draft": (*_VP9_CODEC, "-cpu-used", "8", "-crf", "36"),
    "full": (*_VP9_CODEC, "-cpu-used", "6", "-crf", "24"),
}
_APNG = ("-c:v", "apng", "-pred", "none")  # filters make drawn pictures larger, and take longer
_WEBP = ("-c:v", "libwebp_anim", "-lossless", "1", "-compression_level")

_SLOWEST_GIF = Fraction(1, 655)  # frames a second: a delay is 16 bits of 1/100 s

_MOST_PIXELS = (2**31 - 1) // 8  # with 128 more on each side: fewer is what ffmpeg takes
_NUMBER = re.compile(r"%\d*d")

_MP4 = Format(kind="film", pixels="yuv420p", codecs=_H264, muxer=("-movflags", "+faststart"))

FORMATS: dict[str, Format] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": _MP4,
    ".mkv": Format(kind="film", pixels="yuv420p", codecs=_H264),
    ".webm": Format(kind="film", pixels="yuv420p", alpha_pixels="yuva420p", codecs=_VP9),
    ".gif": Format(kind="gif", most_side=65535),
    ".webp": Format(
        kind="film",
        pixels="bgra",
        alpha_pixels="bgra",
        codecs={"draft": (*_WEBP, "0"), "full": (*_WEBP, "2")},
        muxer=("-loop", "0"),
        most_side=16383,
    ),
    ".apng": Format(
        kind="film",
        pixels="rgba",
        alpha_pixels="rgba",
        codecs={"draft": (*_APNG, "-compression_level", "1"), "full": _APNG},
        muxer=("-plays", "0", "-f", "apng"),
        most_side=65535,
    ),
    ".png": Format(kind="still", most_side=65535),
}


def format_of(path: Path) -> Format:
    """Return the format of a file's suffix. Raises UsageError when there is none that fits."""
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        check_numbered(path)
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
    return _NUMBER.search(path.name) is not None


def numbered(path: Path, number: int) -> Path:
    """Return the path with `%04d` and its like replaced by the number."""
    return path.with_name(_NUMBER.sub(lambda place: place[0] % number, path.name))


def check_numbered(path: Path) -> None:
    """Check that a path with a place for numbers is one of stills, of at most 99 digits each.

    Raises UsageError.
    """
    if is_numbered(path) and any_format_of(path).kind != "still":
        raise UsageError(
            f"{path}: numbered frames are written as .png; give one file, or {path.stem}.png"
        )
    for place in _NUMBER.findall(path.name):
        if len(place.strip("%d").lstrip("0")) > 2:
            raise UsageError(f"{path}: {place} asks for too many digits; %04d writes four")


def is_single(path: Path) -> bool:
    """Whether a path stands for one picture."""
    return format_of(path).kind == "still" and not is_numbered(path)


def check_rate(path: Path, fps: Fraction) -> None:
    """Check that the format can hold frames at this rate. Raises UsageError with one that fits."""
    if any_format_of(path).kind == "gif" and fps < _SLOWEST_GIF:
        raise UsageError(
            f"{path}: fps={float(fps):g} is too slow: a GIF shows a frame for 655 s at most; "
            "use at least 0.0016, or another format"
        )


def check_size(path: Path, width: int, height: int) -> None:
    """Check that the format can hold frames of this size. Raises UsageError with one that fits."""
    check_sides(path, width, height)
    if format_of(path).even and (width % 2 or height % 2):
        raise UsageError(
            f"{path}: a size of {width}x{height} pixels is odd, and {path.suffix} stores colour "
            f"for 2 x 2 pixels; use {width + width % 2}x{height + height % 2}"
        )


def check_sides(path: Path, width: int, height: int) -> None:
    """Check that the format can hold frames as wide and as high. Raises UsageError."""
    most = any_format_of(path).most_side
    if not (1 <= width <= most and 1 <= height <= most):
        raise UsageError(
            f"{path}: {width}x{height} pixels; {path.suffix} holds 1 to {most} pixels a side"
        )
    is_encoded = any_format_of(path).kind != "still"
    if is_encoded and (width + 128) * (height + 128) >= _MOST_PIXELS:
        raise UsageError(
            f"{path}: {width}x{height} pixels are more than ffmpeg takes; give 16000x16000 or less"
        )
