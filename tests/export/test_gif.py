"""GIFs have the film's colours, frames and length."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.errors import ExportError
from render.export.formats import Stream
from render.export.palette import median_cut, nearest
from render.export.sink import open_sink
from render.export.spool import Spool

EVERYTHING = ((0, 0, 64, 48),)


def write(path, frames, fps=10, damage=None):
    stream = Stream(width=64, height=48, fps=Fraction(fps))
    with open_sink(path, stream) as sink:
        for number, frame in enumerate(frames):
            sink.write(number, frame, EVERYTHING if damage is None else damage[number])


def read(path):
    """Frames (n, 48, 64, 4) and delays in milliseconds, as Pillow reads them."""
    frames, delays = [], []
    with Image.open(path) as gif:
        for number in range(gif.n_frames):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGBA")))
            delays.append(gif.info["duration"])
    return np.stack(frames), delays


def squares(count):
    """A coloured square that moves over a white page, in few colours."""
    frames = np.full((count, 48, 64, 4), 255, np.uint8)
    for number, frame in enumerate(frames):
        frame[10:20, number % 50 : number % 50 + 10, :3] = (200, 64, number % 7 * 30)
    return frames


def test_up_to_255_colours_are_exact(tmp_path):
    frames = squares(20)
    write(tmp_path / "film.gif", frames)
    assert np.array_equal(read(tmp_path / "film.gif")[0], frames)


def test_a_colour_of_the_last_frame_alone_is_in_the_palette(tmp_path):
    frames = squares(60)
    frames[-1, 30:40, 5:60, :3] = (0, 96, 168)
    write(tmp_path / "film.gif", frames)
    assert np.array_equal(read(tmp_path / "film.gif")[0][-1], frames[-1])


def test_only_the_damage_is_read(tmp_path):
    frames = squares(10)
    damage = [EVERYTHING, *[((n - 1, 10, n + 10, 20),) for n in range(1, 10)]]
    write(tmp_path / "film.gif", frames, damage=damage)
    assert np.array_equal(read(tmp_path / "film.gif")[0], frames)


def test_frames_that_are_alike_keep_their_number(tmp_path):
    write(tmp_path / "film.gif", np.repeat(squares(2), 5, axis=0))
    frames, delays = read(tmp_path / "film.gif")
    assert sum(delays) == 1000
    assert len(frames) in (2, 10)  # Pillow shows what does not change as one longer frame


@pytest.mark.parametrize(
    ("fps", "delays"),
    [
        (10, {100}),
        (25, {40}),
        (50, {20}),
        (30, {30, 40}),
        (12.5, {80}),
        (24, {40, 50}),
        (Fraction(30000, 1001), {30, 40}),
        (0.5, {2000}),
    ],
)
def test_delays_add_up_to_the_films_length(tmp_path, fps, delays):
    write(tmp_path / "film.gif", squares(30), fps=fps)
    got = read(tmp_path / "film.gif")[1]
    assert len(got) == 30
    assert set(got) == delays
    assert sum(got) == pytest.approx(30 / fps * 1000, abs=10)


def test_faster_films_drop_frames_and_keep_their_length(tmp_path):
    write(tmp_path / "film.gif", squares(48), fps=120)
    frames, delays = read(tmp_path / "film.gif")
    assert len(frames) == 20
    assert set(delays) == {20}


@pytest.mark.parametrize(("fps", "count"), [(60, 100), (60, 101), (Fraction(60000, 1001), 90)])
def test_lengths_of_faster_films_are_right_to_a_hundredth(tmp_path, fps, count):
    write(tmp_path / "film.gif", squares(count), fps=fps)
    assert sum(read(tmp_path / "film.gif")[1]) == pytest.approx(count / fps * 1000, abs=10)


def test_a_single_frame_is_a_gif(tmp_path):
    write(tmp_path / "film.gif", squares(1))
    assert np.array_equal(read(tmp_path / "film.gif")[0], squares(1))


def test_it_loops_for_ever(tmp_path):
    write(tmp_path / "film.gif", squares(3))
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.info["loop"] == 0


def test_noise_is_near_and_what_is_plain_beside_it_exact(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 4), np.uint8)
    frames[..., 3] = 255
    frames[:, :20] = (255, 255, 255, 255)
    write(tmp_path / "film.gif", frames)
    decoded = read(tmp_path / "film.gif")[0]
    assert (decoded[:, :20] == 255).all()
    assert np.abs(decoded.astype(int) - frames).mean() < 16


def test_many_colours_are_near(tmp_path):
    ramp = np.full((3, 48, 64, 4), 255, np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(64) * 4, (np.arange(48) * 5)[:, None]
    write(tmp_path / "film.gif", ramp)
    apart = np.abs(read(tmp_path / "film.gif")[0].astype(int) - ramp)
    assert apart.mean() < 4
    assert apart.max() < 24


def test_transparent_pixels_stay_so(tmp_path):
    frames = squares(4)
    frames[:, 40:, :] = 0
    write(tmp_path / "film.gif", frames)
    assert np.array_equal(read(tmp_path / "film.gif")[0][..., 3], frames[..., 3])


def test_median_cut_keeps_few_colours_and_weighs_many():
    few = np.array([[0, 0, 0], [255, 0, 0], [1, 2, 3]], float)
    assert {tuple(c) for c in median_cut(few, np.ones(3), 255)} == {tuple(c) for c in few}
    many = np.random.default_rng(0).integers(0, 256, (5000, 3)).astype(float)
    palette = median_cut(many, np.ones(5000), 64)
    assert palette.shape == (64, 3)
    chosen = palette[nearest(many, palette)]
    brute = ((many[:, None] - palette[None].astype(float)) ** 2).sum(-1).min(1)
    assert ((many - chosen) ** 2).sum(1) == pytest.approx(brute)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has such a device")
def test_a_full_disk_is_told_of_once_though_the_last_bytes_find_it(tmp_path):
    told = r"frames could not be kept here: No space left on device; .* variable TMPDIR"
    with pytest.raises(ExportError, match=told), Spool(64, 48) as spool:
        spool._file.close()
        spool._file = open("/dev/full", "r+b")  # noqa: SIM115 - the spool closes it
        spool.add(squares(1)[0], EVERYTHING)
        list(spool)
