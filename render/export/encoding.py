"""What ffmpeg is told: the frames that come in, and the codec, pixels and container going out.

A user's own arguments win over ours, as with matplotlib's writers: a codec, pixel format, filter
or rate given there replaces what the format would use, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from render.export.formats import Format, Stream, any_format_of

__all__ = [
    "Encoding",
    "encoder_of",
    "encoding_of",
    "keeps_alpha",
    "keyframe_interval",
    "raw_input",
    "tags",
    "without_dates",
]

_BT709 = (
    *("-color_range", "tv", "-colorspace", "bt709"),
    *("-color_primaries", "bt709", "-color_trc", "bt709"),
)
_TO_BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,"
    "setparams=color_primaries=bt709:color_trc=bt709"  # newer encoders believe the frames alone
)

_KEYFRAME_S = 5  # one a second doubles the file; decoding from the last one takes 0.3 s at most
_FEWEST_BETWEEN = 150  # frames between keyframes, however slow the film

_CODEC = ("-c:v", "-vcodec", "-codec:v", "-c", "-codec")
_PIXELS = ("-pix_fmt", "-pix_fmt:v")
_FILTER = ("-vf", "-filter:v", "-filter")
_GRAPH = ("-filter_complex", "-lavfi")
_RATE = ("-crf", "-qp", "-b:v", "-b", "-q:v", "-q", "-qscale:v", "-qscale")

_SUBSAMPLING_CODECS = re.compile(r"264(?!rgb)|265|hevc|vp[89x]|av1|mpeg|theora|xvid|wmv|flv")
_YUV = re.compile(r"yuva?4\d\d|nv\d\d|p0\d\d")  # not yuvj, which has the full range
_NEEDS_EVEN = re.compile(r"yuva?4[12]|nv|p0")
_HAS_ALPHA = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8")
# Of the codecs that take RGBA as it is, those that keep its alpha. ffmpeg -h encoder=NAME tells.
_ALPHA_CODECS = (
    *("apng", "cfhd", "dpx", "exr", "ffv1", "ffvhuff", "hap", "huffyuv", "jpeg2000", "libwebp"),
    *("libwebp_anim", "png", "prores", "prores_aw", "prores_ks", "qtrle", "rawvideo", "sgi"),
    *("targa", "tiff", "utvideo"),
)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a film's frames go through ffmpeg.

    arguments: everything before the name of the file. planes: frames are sent as yuv420p instead
    of RGBA. even: their size must be even. keeps_alpha: or what is transparent goes on white.
    """

    arguments: Sequence[str]
    planes: bool
    even: bool
    keeps_alpha: bool


def encoding_of(path: Path, stream: Stream, *, transparent: bool) -> Encoding:
    """Return how to write this film; `transparent`: whether its frames are, somewhere."""
    form = any_format_of(path)
    own = form.alpha_pixels if transparent and form.alpha_pixels else form.pixels
    codec, extra = _take(stream.extra_args, _CODEC)
    codec = codec or stream.codec
    if codec not in (None, "h264", _name(form)):
        own = own if _SUBSAMPLING_CODECS.search(codec) else None
    pixels = _value(extra, _PIXELS) or own
    chain, extra = _take(extra, _FILTER)
    graph = _value(extra, _GRAPH) is not None
    yuv = pixels is not None and _YUV.match(pixels) is not None and not graph
    planes = pixels == "yuv420p" and not graph and chain is None
    even = pixels is not None and _NEEDS_EVEN.match(pixels) is not None
    arguments = raw_input(stream, "yuv420p" if planes else "rgba", even=even)
    arguments += [*without_dates(), *_codec(form, stream, codec, extra)]
    if yuv and not planes:
        to_yuv = f"{_TO_BT709},format={pixels}"
        chain = f"{chain},{to_yuv}" if chain else to_yuv
    elif pixels is not None and not planes:
        arguments += ["-pix_fmt", pixels]
    if chain:
        arguments += ["-vf", chain]
    if yuv:
        arguments += _BT709
    has_alpha = codec in _ALPHA_CODECS if pixels is None else _HAS_ALPHA.search(pixels) is not None
    return Encoding(
        arguments=[*arguments, *tags(stream), *form.muxer, *extra],
        planes=planes,
        even=even,
        keeps_alpha=has_alpha,
    )


def keeps_alpha(path: Path, stream: Stream) -> bool:
    """Whether a file of this path has a place for what is transparent in its frames."""
    form = any_format_of(path)
    return form.kind != "film" or encoding_of(path, stream, transparent=True).keeps_alpha


def tags(stream: Stream) -> list[str]:
    """Return the arguments that write the film's metadata."""
    return [
        part for key, value in stream.metadata.items() for part in ("-metadata", f"{key}={value}")
    ]


def raw_input(stream: Stream, pixels: str, *, even: bool = False) -> list[str]:
    """Return the arguments that make ffmpeg read frames from its standard input.

    even: whether odd sizes are completed by a row or column.
    """
    width, height = stream.width, stream.height
    if even:
        width, height = width + width % 2, height + height % 2
    layout = ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{width}x{height}"]
    colours = _BT709 if pixels == "yuv420p" else ()
    return [*layout, "-framerate", str(stream.fps), *colours, "-i", "pipe:0"]


def without_dates() -> list[str]:
    """Return the arguments that leave versions and dates out, so that bytes repeat."""
    return ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]


def _codec(form: Format, stream: Stream, codec: str | None, extra: Sequence[str]) -> list[str]:
    """Return the codec's arguments: the format's own, or what was asked for."""
    if codec in (None, "h264", _name(form)):
        arguments = list(form.codecs[stream.quality])
    else:
        arguments = ["-c:v", codec]
    bitrate = stream.bitrate is not None and stream.bitrate > 0
    if bitrate or _value(extra, _RATE) is not None:
        for name in ("-crf", "-b:v"):  # x264 would prefer its own -crf to a bitrate
            _, arguments = _take(arguments, (name,))
    if bitrate:
        arguments += ["-b:v", f"{stream.bitrate}k"]
    if form.pixels == "yuv420p":
        arguments += ["-g", str(keyframe_interval(stream.fps))]
    return arguments


def keyframe_interval(fps: Fraction) -> int:
    """Return how many frames there are from one keyframe to the next."""
    return max(_FEWEST_BETWEEN, round(_KEYFRAME_S * fps))


def encoder_of(path: Path, codec: str | None) -> str | None:
    """Return the format's own encoder, where a film needs one; `codec`: what was asked for."""
    form = any_format_of(path)
    own = form.kind == "film" and codec in (None, "h264", _name(form))
    return _name(form) if own else None


def _name(form: Format) -> str:
    """Return the name of the format's own codec."""
    return form.codecs["full"][1]


def _value(arguments: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the value of the last option of one of these names."""
    return _take(arguments, names)[0]


def _take(arguments: Sequence[str], names: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the last option's value, and the arguments without options of these names."""
    value, others = None, []
    rest = iter(str(argument) for argument in arguments)
    for argument in rest:
        if argument in names:
            value = next(rest, None)
        else:
            others.append(argument)
    return value, others
