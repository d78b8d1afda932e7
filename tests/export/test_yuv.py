"""The planes that are sent to ffmpeg."""

import subprocess

import numpy as np
import pytest

from render.export.ffmpeg import ffmpeg_path
from render.export.yuv import Yuv420, is_opaque, on_white


def frame_of(width, height, seed=0):
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    frame[..., 3] = 255
    return frame


def patches(width=64, height=48):
    """8 x 6 patches of one colour each."""
    small = frame_of(width // 8, height // 8)
    return np.ascontiguousarray(small.repeat(8, axis=0).repeat(8, axis=1))


def whole(frame):
    return ((0, 0, frame.shape[1], frame.shape[0]),)


def converted(frame):
    planes = Yuv420(frame.shape[1], frame.shape[0])
    planes.update(frame, whole(frame))
    return planes.data


def split(data, width, height):
    y, u, v = np.split(data, (width * height, width * height * 5 // 4))
    return y.reshape(height, width), *(p.reshape(height // 2, width // 2) for p in (u, v))


def swscale(frame, flags):
    """What ffmpeg makes of the frame by itself."""
    size = f"{frame.shape[1]}x{frame.shape[0]}"
    chain = f"scale=out_color_matrix=bt709:out_range=tv:flags={flags}+accurate_rnd+full_chroma_int"
    arguments = ["-f", "rawvideo", "-pixel_format", "rgba", "-video_size", size, "-i", "pipe:0"]
    arguments += ["-vf", f"{chain},format=yuv420p", "-f", "rawvideo", "pipe:1"]
    command = [ffmpeg_path(), "-v", "error", *arguments]
    done = subprocess.run(command, input=frame.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.uint8)


def bt709(frame):
    """Y, Cb, Cr of the standard, unrounded: items 3.2, 3.3 and 3.4."""
    red, green, blue = np.moveaxis(frame[..., :3] / 255, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748


def test_luma_is_the_standards_rounded():
    frame = frame_of(100, 60)
    y, _, _ = split(converted(frame), 100, 60)
    assert np.abs(y - bt709(frame)[0]).max() < 0.51


def test_chroma_is_that_of_the_mean_of_four_pixels():
    frame = frame_of(100, 60)
    _, u, v = split(converted(frame), 100, 60)
    mean = frame.reshape(30, 2, 50, 2, 4).mean(axis=(1, 3))
    assert np.abs(u - bt709(mean)[1]).max() < 0.51
    assert np.abs(v - bt709(mean)[2]).max() < 0.51


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_primaries_have_their_well_known_values(colour, expected):
    frame = np.full((2, 2, 4), (*colour, 255), np.uint8)
    assert tuple(converted(frame)[[0, 4, 5]]) == expected


def test_patches_are_what_swscale_makes_of_them():
    frame = patches()
    y, u, v = (p.astype(int) for p in split(converted(frame), 64, 48))
    their_y, their_u, their_v = split(swscale(frame, "area"), 64, 48)
    assert np.abs(y - their_y).max() <= 1
    assert np.abs(u - their_u).max() <= 1
    assert np.abs(v - their_v).max() <= 1


def test_any_picture_is_what_swscale_makes_of_it():
    frame = frame_of(64, 48)
    ours, theirs = converted(frame).astype(int), swscale(frame, "area")
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(64, 48), (63, 47), (64, 47), (63, 48)])
def test_converting_only_damage_equals_converting_all(width, height):
    random = np.random.default_rng(1)
    frame = frame_of(width, height)
    planes = Yuv420(width, height)
    planes.update(frame, whole(frame))
    for seed in range(20):
        x0, x1 = sorted(random.integers(0, width + 1, 2))
        y0, y1 = sorted(random.integers(0, height + 1, 2))
        frame[y0:y1, x0:x1] = frame_of(width, height, seed)[y0:y1, x0:x1]
        planes.update(frame, ((x0, y0, x1, y1),))
        np.testing.assert_array_equal(planes.data, converted(frame))


@pytest.mark.parametrize("share", [0.0002, 0.01, 0.1, 0.5])
@pytest.mark.parametrize(("width", "height"), [(640, 360), (641, 359), (1920, 300)])
def test_converting_what_differs_equals_converting_all(width, height, share):
    random = np.random.default_rng(2)
    frame = frame_of(width, height)
    planes = Yuv420(width, height)
    planes.update(frame, whole(frame))
    for seed in range(4):
        other = random.random((height, width)) < share
        frame[other] = frame_of(width, height, seed)[other]
        frame[other & (random.random((height, width)) < 0.1), 3] = 99
        planes.update(frame, whole(frame))
        np.testing.assert_array_equal(planes.data, converted(frame))


def test_nothing_outside_the_damage_is_touched():
    planes = Yuv420(64, 48)
    planes.update(patches(), whole(patches()))
    before = planes.data.copy()
    planes.update(frame_of(64, 48), ((10, 20, 30, 40),))
    changed = split(planes.data != before, 64, 48)[0]
    assert changed[20:40, 10:30].any()
    changed[20:40, 10:30] = False
    assert not changed.any()


def test_no_damage_converts_nothing():
    planes = Yuv420(8, 8)
    before = planes.data.copy()
    planes.update(frame_of(8, 8), ())
    np.testing.assert_array_equal(planes.data, before)


def test_an_odd_size_repeats_the_last_row_and_column():
    frame = frame_of(7, 5)
    completed = np.pad(frame, ((0, 1), (0, 1), (0, 0)), mode="edge")
    np.testing.assert_array_equal(converted(frame), converted(completed))


def test_frames_larger_than_a_band_are_converted_whole():
    frame = frame_of(1030, 301)
    y, _, _ = split(converted(frame), 1030, 302)
    assert np.abs(y[:301] - bt709(frame)[0]).max() < 0.51


def test_transparent_pixels_are_shown_on_white():
    frame = frame_of(2, 2)
    frame[...] = (255, 0, 0, 0)
    assert tuple(converted(frame)[[0, 4, 5]]) == (235, 128, 128)


def test_frames_may_become_transparent_and_opaque_again():
    rng = np.random.default_rng(0)
    planes, frame = Yuv420(64, 48), np.zeros((48, 64, 4), np.uint8)
    for turn in range(12):
        planes.update(frame, whole(frame))
        laid = on_white(frame)
        assert laid[..., 3].min() == 255
        np.testing.assert_array_equal(planes.data, converted(laid))
        y, x = rng.integers(0, (30, 40))
        size = 2 + turn * 3
        frame[y : y + size, x : x + size] = rng.integers(0, 256, 4) * (1, 1, 1, turn % 3 > 0)


def test_on_white_blends_by_alpha():
    frame = np.array([[[0, 100, 255, 255], [0, 100, 255, 128], [9, 9, 9, 0]]], np.uint8)
    expected = [[[0, 100, 255, 255], [127, 177, 255, 255], [255, 255, 255, 255]]]
    np.testing.assert_array_equal(on_white(frame), expected)


def test_a_single_pixel_decides_whether_a_frame_is_opaque():
    frame = frame_of(8, 8)
    assert is_opaque(frame)
    frame[3, 4, 3] = 254
    assert not is_opaque(frame)
