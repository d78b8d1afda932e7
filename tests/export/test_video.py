"""Films have the frames' colours, number, size and time, and play everywhere."""

import re
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from render.export import encoding
from render.export.ffmpeg import ffmpeg_path
from render.export.formats import Stream
from render.export.sink import open_sink

WIDTH, HEIGHT = 192, 128
FILMS = ["film.mp4", "film.m4v", "film.mov", "film.mkv", "film.webm"]
LOSSLESS = ["film.apng", "film.webp"]


def patches(seed=0):
    """A frame of patches of one colour each, 32 x 32 pixels."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 6, 4), np.uint8)
    colours[..., 3] = 255
    return np.ascontiguousarray(colours.repeat(32, axis=0).repeat(32, axis=1))


def moving(count):
    """A square that moves over patches, but not over their middles."""
    frames = np.stack([patches()] * count)
    for number, frame in enumerate(frames):
        frame[56:72, number : number + 16] = (255, 255, 255, 255)
    return frames


def inner(frames):
    """The middle of each patch: at their edges, colour is shared by 2 x 2 pixels."""
    return frames[..., 16::32, 16::32, :3].astype(int)


def write(path, frames, fps=10, damage=None, **options):
    height, width = frames[0].shape[:2]
    stream = Stream(width=width, height=height, fps=Fraction(fps), **options)
    with open_sink(path, stream) as sink:
        for number, frame in enumerate(frames):
            sink.write(number, frame, damage[number] if damage else ((0, 0, width, height),))


def animated(path):
    """Frames (n, height, width, 4) and delays in milliseconds, as Pillow reads them."""
    frames, delays = [], []
    with Image.open(path) as film:
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGBA")))
            delays.append(film.info["duration"])
        return np.stack(frames), delays, film.info["loop"]


def keyframes(path):
    """The numbers of the frames that are keyframes, as ffmpeg decodes them."""
    chain = "select=key,showinfo=checksum=0"
    command = [ffmpeg_path(), "-hide_banner", "-i", str(path), "-vf", chain, "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    times = [float(time) for time in re.findall(r"pts_time:\s*([\d.]+)", told)]
    return [round(10 * time) for time in times]


@pytest.mark.parametrize("name", FILMS)
def test_colours_are_within_3_of_255(tmp_path, decode, name):
    write(tmp_path / name, [patches()] * 10)
    decoded = decode(tmp_path / name)
    assert np.abs(inner(decoded.frames) - inner(patches())).max() <= 3
    assert "yuv420p(tv, bt709" in decoded.stream


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("fps", [10, Fraction(30000, 1001), Fraction(1, 2)])
def test_number_size_and_time_are_the_frames(tmp_path, decode, name, fps):
    write(tmp_path / name, moving(13), fps=fps)
    decoded = decode(tmp_path / name)
    assert decoded.frames.shape == (13, HEIGHT, WIDTH, 3)
    assert decoded.seconds == pytest.approx(13 / fps, abs=0.05)
    assert decoded.fps == pytest.approx(float(fps), abs=0.01)


def test_sent_planes_encode_as_ffmpegs_own_conversion_does(tmp_path, decode):
    frames = moving(5)
    write(tmp_path / "planes.mp4", frames)
    write(tmp_path / "rgba.mp4", frames, extra_args=["-vf", "null"])
    ours, theirs = (decode(tmp_path / name) for name in ("planes.mp4", "rgba.mp4"))
    assert np.abs(inner(ours.frames) - inner(theirs.frames)).max() <= 3
    assert "yuv420p(tv, bt709, progressive)" in theirs.stream


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".gif", ".apng", ".webp"])
def test_the_first_frame_is_read_whole_and_of_others_the_damage(tmp_path, suffix):
    frames = moving(4)
    damage = [(), *[((n - 1, 56, n + 16, 72),) for n in range(1, 4)]]
    write(tmp_path / f"damage{suffix}", frames, damage=damage)
    write(tmp_path / f"whole{suffix}", frames)
    files = [(tmp_path / f"{name}{suffix}").read_bytes() for name in ("damage", "whole")]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", FILMS)
def test_an_odd_size_is_completed_by_its_last_row_and_column(tmp_path, decode, name):
    frame = np.full((33, 47, 4), (200, 30, 30, 255), np.uint8)
    write(tmp_path / name, [frame] * 3)
    decoded = decode(tmp_path / name)
    assert decoded.size == (48, 34)
    assert np.abs(decoded.frames.astype(int) - (200, 30, 30)).max() <= 4


@pytest.mark.parametrize("quality", ["draft", "full"])
@pytest.mark.parametrize("name", LOSSLESS)
def test_animated_pictures_are_lossless(tmp_path, name, quality):
    frames = moving(7)
    frames[:, :16, :16, 3] = 0
    frames[:, 16:32, :16, 3] = 100
    write(tmp_path / name, frames, fps=25, quality=quality)
    decoded, delays, loop = animated(tmp_path / name)
    assert np.array_equal(decoded[..., 3], frames[..., 3])
    visible = frames[..., 3] > 0
    assert np.array_equal(decoded[visible], frames[visible])
    assert (delays, loop) == ([40] * 7, 0)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi"])
def test_films_without_alpha_show_transparent_pixels_on_white(tmp_path, decode, name):
    frame = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    frame[:, 96:] = (0, 0, 255, 128)
    write(tmp_path / name, [frame] * 3)
    pixels = decode(tmp_path / name).frames[1].astype(int)
    assert np.abs(pixels[:, :80] - 255).max() <= 3
    assert np.abs(pixels[:, 112:] - (127, 127, 255)).max() <= 3


def webm_alpha(path):
    """The frames of a .webm with its alpha, which only this decoder reads."""
    command = [ffmpeg_path(), "-v", "error", "-c:v", "libvpx-vp9", "-i", str(path)]
    raw = [*command, "-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    pixels = subprocess.run(raw, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, HEIGHT, WIDTH, 4).astype(int)


def test_a_webm_keeps_alpha_if_its_first_frame_has_any(tmp_path):
    frames = moving(6)
    frames[:, :32] = 0
    frames[:, 32:64, :, 3] = 128
    write(tmp_path / "film.webm", frames)
    decoded = webm_alpha(tmp_path / "film.webm")
    assert np.abs(decoded[..., 3] - frames[..., 3]).max() <= 4
    assert np.abs(inner(decoded[:, 64:]) - inner(frames[:, 64:])).max() <= 3


def test_a_webm_of_opaque_frames_has_no_alpha(tmp_path):
    frames = moving(3)
    frames[2] = 0
    write(tmp_path / "film.webm", frames)
    decoded = webm_alpha(tmp_path / "film.webm")
    assert (decoded[..., 3] == 255).all()
    assert decoded[2, ..., :3].mean() > 250


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.m4v"])
def test_the_index_stands_before_the_pictures(tmp_path, name):
    write(tmp_path / name, moving(5))
    data = (tmp_path / name).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", [*FILMS, *LOSSLESS, "film.gif"])
def test_bytes_repeat_and_hold_no_versions(tmp_path, name):
    data = []
    for _ in range(2):
        write(tmp_path / name, moving(5))
        data.append((tmp_path / name).read_bytes())
    assert data[0] == data[1]
    assert b"Lavf6" not in data[0]
    assert b"Lavc6" not in data[0]


def test_keyframes_are_regular(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "_FEWEST_BETWEEN", 1)
    write(tmp_path / "film.mkv", moving(120), extra_args=["-sc_threshold", "0"])
    assert keyframes(tmp_path / "film.mkv") == [0, 50, 100]


def test_slow_films_have_as_many_frames_between_keyframes():
    assert encoding.keyframe_interval(Fraction(5)) == 150
    assert encoding.keyframe_interval(Fraction(30)) == 150
    assert encoding.keyframe_interval(Fraction(60)) == 300


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("film.mp4", {"extra_args": ["-pix_fmt", "yuv444p"]}, r"yuv444p\(tv, bt709, pro"),
        ("film.mp4", {"extra_args": ["-vf", "scale=48:-2"]}, r"yuv420p\(tv, bt709.* 48x32"),
        ("film.mkv", {"extra_args": ["-vcodec", "libx264rgb"]}, r"h264 .*gbrp\("),
        ("film.mkv", {"codec": "libx264rgb"}, r"h264 .*gbrp\("),
        ("film.mov", {"codec": "png"}, r"png .*rgba?"),
        ("film.avi", {"codec": "ffv1"}, r"ffv1 .*bgra"),
        ("film.mp4", {"codec": "mpeg4"}, r"mpeg4 .*yuv420p"),
        ("film.mp4", {"codec": "libx265"}, r"hevc .*yuv420p\(tv, bt709"),
        ("film.webm", {"codec": "libvpx"}, r"vp8, yuv420p"),
        ("film.mp4", {"extra_args": ["-filter_complex", "hflip"]}, r"h264 .*yuv420p"),
        ("film.mp4", {"extra_args": ["-profile:v", "baseline"]}, "Constrained Baseline"),
        ("film.mp4", {"extra_args": ["-r", "5"]}, " 5 fps"),
        ("film.avi", {}, "h264"),
        ("film.ts", {}, "h264"),
        ("film.mpeg", {}, "h264"),
        ("film.gif", {"extra_args": ["-vf", "scale=48:-2"]}, "gif.* 48x32"),
    ],
)
def test_what_a_user_asks_of_ffmpeg_is_done(tmp_path, decode, name, options, expected):
    write(tmp_path / name, moving(5), **options)
    decoded = decode(tmp_path / name)
    assert re.search(expected, decoded.stream)
    if options.get("extra_args", [""])[0] != "-r":
        assert len(decoded.frames) == 5


def test_a_lossless_codec_gets_the_very_pixels(tmp_path, decode):
    frames = moving(4)
    write(tmp_path / "film.avi", frames, codec="ffv1")
    assert np.array_equal(decode(tmp_path / "film.avi").frames, frames[..., :3])


def test_a_bitrate_replaces_the_quality(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 96, 4), np.uint8)
    noise[..., 3] = 255
    sizes = []
    for bitrate in (200, 800):
        write(tmp_path / "film.mp4", noise, bitrate=bitrate)
        sizes.append((tmp_path / "film.mp4").stat().st_size)
    assert sizes[0] == pytest.approx(200e3 / 8 * 4, rel=0.4)
    assert sizes[1] > 2.5 * sizes[0]


def test_metadata_are_kept(tmp_path):
    write(tmp_path / "film.mp4", moving(2), metadata={"title": "Schritt = 3", "artist": "Ä"})
    command = [ffmpeg_path(), "-hide_banner", "-i", str(tmp_path / "film.mp4")]
    told = subprocess.run(command, capture_output=True, encoding="utf-8").stderr
    assert re.search(r"title +: Schritt = 3", told)
    assert re.search(r"artist +: Ä", told)


def test_a_film_that_ffmpeg_ends_early_is_complete(tmp_path, decode):
    write(tmp_path / "film.mp4", moving(60), extra_args=["-frames:v", "3"])
    assert len(decode(tmp_path / "film.mp4").frames) == 3


@pytest.mark.parametrize("name", ["-film.mp4", "a:b.mp4", "a'b é.mkv", "100%.mp4"])
def test_unusual_names_are_written(tmp_path, monkeypatch, decode, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    write(path.relative_to(tmp_path), moving(2))
    assert len(decode(path).frames) == 2
