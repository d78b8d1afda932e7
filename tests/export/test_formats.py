"""Suffixes, sizes and numbered names."""

from fractions import Fraction
from pathlib import Path

import pytest

from render.errors import UsageError
from render.export.formats import (
    FORMATS,
    Stream,
    any_format_of,
    check_rate,
    check_sides,
    check_size,
    format_of,
    is_numbered,
    numbered,
)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_suffix_is_known_in_any_case(suffix):
    assert format_of(Path("film" + suffix)) is FORMATS[suffix]
    assert format_of(Path("film" + suffix.upper())) is FORMATS[suffix]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("film.mp5", r"film.mp5: unknown suffix '.mp5' \(did you mean '.mp4'\?\)"),
        ("film.xyz", r"film.xyz: unknown suffix '.xyz'; a film is written as one of .mp4"),
        ("film", "film: no suffix; a film is written as one of"),
    ],
)
def test_an_unknown_suffix_is_an_error_that_names_the_known(name, message):
    with pytest.raises(UsageError, match=message):
        format_of(Path(name))


def test_for_matplotlib_any_suffix_is_a_film():
    assert any_format_of(Path("film.avi")).kind == "film"
    assert any_format_of(Path("film.GIF")) is FORMATS[".gif"]


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv", ".webm"])
def test_subsampled_colours_need_an_even_size(suffix):
    check_size(Path("film" + suffix), 640, 480)
    with pytest.raises(UsageError, match=r"a size of 641x479 pixels is odd.*use 642x480"):
        check_size(Path("film" + suffix), 641, 479)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".png"])
def test_other_formats_take_any_size(suffix):
    check_size(Path("film" + suffix), 641, 479)


@pytest.mark.parametrize(
    ("suffix", "most"), [(".mp4", 16384), (".webm", 16384), (".webp", 16383), (".gif", 65535)]
)
def test_a_side_has_as_many_pixels_as_the_format_holds(suffix, most):
    check_sides(Path("film" + suffix), most, 1)
    for size in ((most + 1, 100), (100, most + 1), (0, 50)):
        with pytest.raises(UsageError, match=rf"x\d+ pixels; {suffix} holds 1 to {most} pixels"):
            check_sides(Path("film" + suffix), *size)


def test_a_gif_cannot_show_a_frame_for_longer_than_it_counts():
    check_rate(Path("film.gif"), Fraction(1, 655))
    check_rate(Path("film.mp4"), Fraction(1, 1000))
    with pytest.raises(UsageError, match=r"film\.gif: fps=0\.001 is too slow.*at least 0\.0016"):
        check_rate(Path("film.gif"), Fraction(1, 1000))


@pytest.mark.parametrize(
    ("suffix", "kept"),
    [
        (".mp4", False),
        (".mkv", False),
        (".webm", True),
        (".gif", True),
        (".webp", True),
        (".apng", True),
        (".png", True),
    ],
)
def test_alpha_is_kept_where_the_format_can(suffix, kept):
    assert FORMATS[suffix].transparent is kept


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("frame-%04d.png", "frame-0007.png"),
        ("%d.png", "7.png"),
        ("100%-%03d.png", "100%-007.png"),
        ("frame.png", None),
        ("100%.png", None),
    ],
)
def test_a_numbered_name_holds_a_place_for_the_number(name, expected):
    path = Path("folder") / name
    assert is_numbered(path) is (expected is not None)
    if expected is not None:
        assert numbered(path, 7) == Path("folder") / expected


def test_a_stream_is_plain_until_a_setting_is_overridden():
    size = {"width": 4, "height": 4, "fps": Fraction(30)}
    assert Stream(**size).is_plain
    assert Stream(**size, codec="h264", bitrate=-1).is_plain
    assert not Stream(**size, extra_args=["-crf", "10"]).is_plain
    assert not Stream(**size, bitrate=500).is_plain


def test_frames_of_more_pixels_than_ffmpeg_takes_are_refused():
    check_sides(Path("film.mp4"), 16384, 16128)
    check_sides(Path("still.png"), 16384, 16384)
    with pytest.raises(UsageError, match="16384x16384 pixels are more than ffmpeg takes"):
        check_sides(Path("film.mp4"), 16384, 16384)
