"""Stills have the frames' very pixels."""

import errno
import os
from fractions import Fraction
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from render.errors import ExportError, UsageError
from render.export.formats import Stream
from render.export.sink import open_sink
from render.export.stills import write_still

STREAM = Stream(width=9, height=7, fps=Fraction(30))
EVERYTHING = ((0, 0, 9, 7),)


def frame_of(seed):
    return np.random.default_rng(seed).integers(0, 256, (7, 9, 4), np.uint8)


def test_a_still_keeps_its_alpha(tmp_path):
    write_still(tmp_path / "frame.png", frame_of(0))
    assert np.array_equal(iio.imread(tmp_path / "frame.png"), frame_of(0))


def test_an_opaque_still_has_no_alpha(tmp_path):
    frame = frame_of(0)
    frame[..., 3] = 255
    write_still(tmp_path / "frame.png", frame)
    assert np.array_equal(iio.imread(tmp_path / "frame.png"), frame[..., :3])


def test_numbered_stills_carry_the_frames_numbers(tmp_path):
    with open_sink(tmp_path / "f-%03d.png", STREAM) as sink:
        for number in (8, 9, 10):
            sink.write(number, frame_of(number), EVERYTHING)
        assert not list(tmp_path.glob("*.png"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "f-008.png",
        "f-009.png",
        "f-010.png",
    ]
    assert np.array_equal(iio.imread(tmp_path / "f-009.png"), frame_of(9))


def test_a_buffer_may_be_drawn_over(tmp_path):
    frame = np.full((7, 9, 4), 255, np.uint8)
    with open_sink(tmp_path / "%d.png", STREAM) as sink:
        for number in range(3):
            frame[..., 0] = number
            sink.write(number, frame, EVERYTHING)
    assert [iio.imread(tmp_path / f"{n}.png")[0, 0, 0] for n in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frame-%04d.mp4", "numbered frames are written as .png"),
        ("frame-%0999999999d.png", "%0999999999d asks for too many digits; %04d writes four"),
        ("frame.png", "use frame-%04d.png for numbered frames, or .apng for a film"),
        ("frame.JPG", "a .jpg holds one picture; use frame-%04d.png"),
    ],
)
def test_names_that_do_not_fit_are_errors(tmp_path, name, message):
    with pytest.raises(UsageError, match=message), open_sink(tmp_path / name, STREAM):
        pass


def test_a_folder_that_vanishes_is_an_error(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with (
        pytest.raises(ExportError, match=r"1\.png: could not be written"),
        open_sink(folder / "%d.png", STREAM) as sink,
    ):
        sink.write(0, frame_of(0), EVERYTHING)
        for path in folder.rglob("*.png"):
            path.unlink()
        for path in folder.iterdir():
            path.rmdir()
        sink.write(1, frame_of(1), EVERYTHING)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_an_error_and_nothing_more(tmp_path, monkeypatch):
    def write(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(ExportError, match=r"a\.png: could not be written: .*; make room there, or"):
        write_still(tmp_path / "a.png", frame_of(0))
    assert list(tmp_path.iterdir()) == []
