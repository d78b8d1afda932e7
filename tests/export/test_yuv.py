"""RGBA becomes YUV 4:2:0 by the formulas of BT.709, and is kept up to date where it changes."""

import numpy as np
import pytest

from render.export.yuv import Yuv420, is_opaque, on_white


def reference(frame):
    """BT.709, limited range, straight from the recommendation, in floating point."""
    rgb = frame[..., :3].astype(float)
    height, width = rgb.shape[:2]
    rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    luma = rgb @ [0.2126, 0.7152, 0.0722]
    means = rgb.reshape(rgb.shape[0] // 2, 2, rgb.shape[1] // 2, 2, 3).mean(axis=(1, 3))
    red, green, blue = np.moveaxis(means, -1, 0)
    mean_luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = (
        16 + 219 / 255 * luma,
        128 + 224 / 255 * (blue - mean_luma) / 1.8556,
        128 + 224 / 255 * (red - mean_luma) / 1.5748,
    )
    return np.concatenate([plane.ravel() for plane in planes])


def noise(height, width, seed=0):
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    frame[..., 3] = 255
    return frame


@pytest.mark.parametrize("size", [(2, 2), (64, 48), (181, 321), (1, 1), (1080, 1920)])
def test_planes_are_those_of_the_recommendation_to_rounding(size):
    frame = noise(*size)
    picture = Yuv420(size[1], size[0])
    picture.update(frame, [(0, 0, size[1], size[0])])
    assert np.abs(picture.data - reference(frame)).max() <= 0.505


@pytest.mark.parametrize(
    ("colour", "planes"),
    [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
    ],
)
def test_known_colours(colour, planes):
    frame = np.full((2, 2, 4), (*colour, 255), np.uint8)
    picture = Yuv420(2, 2)
    picture.update(frame, [(0, 0, 2, 2)])
    assert picture.data.tolist() == [planes[0]] * 4 + [planes[1], planes[2]]


def test_an_update_of_the_damage_equals_a_conversion_of_the_whole():
    rng = np.random.default_rng(1)
    frame = noise(91, 133)
    picture = Yuv420(133, 91)
    picture.update(frame, [(0, 0, 133, 91)])
    for _ in range(20):
        x0, x1 = sorted(rng.integers(0, 134, 2))
        y0, y1 = sorted(rng.integers(0, 92, 2))
        frame[y0:y1, x0:x1, :3] = rng.integers(0, 256, (y1 - y0, x1 - x0, 3))
        picture.update(frame, [(int(x0), int(y0), int(x1), int(y1))])
        whole = Yuv420(133, 91)
        whole.update(frame, [(0, 0, 133, 91)])
        assert np.array_equal(picture.data, whole.data)


def test_what_is_transparent_is_shown_on_white():
    frame = np.zeros((2, 2, 4), np.uint8)
    frame[..., 3] = [[0, 0], [0, 0]]
    assert not is_opaque(frame)
    assert (on_white(frame) == 255).all()
    frame[..., 3] = 51
    assert on_white(frame)[0, 0].tolist() == [204, 204, 204, 255]
