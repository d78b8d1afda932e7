"""Films that are encoded in parts are joined, and the parts are gone."""

from fractions import Fraction

import numpy as np
import pytest

from render.export import parts
from render.export.formats import Stream
from render.export.parts import join
from render.export.sink import open_sink

EVERYTHING = ((0, 0, 64, 48),)
STREAM = Stream(width=64, height=48, fps=Fraction(10))


@pytest.fixture(autouse=True)
def two_frames_a_part(monkeypatch):
    monkeypatch.setattr(parts, "keyframe_interval", lambda fps: 2)


def write(sink, frames):
    for number in range(frames):
        frame = np.full((48, 64, 4), 40 * number, np.uint8)
        frame[..., 3] = 255
        sink.write(number, frame, EVERYTHING)


@pytest.mark.parametrize("folder", ["plain", "it's", "a'b 'c' é %d #?"])
def test_parts_are_joined_in_any_folder(tmp_path, decode, folder):
    path = tmp_path / folder / "film's.mp4"
    path.parent.mkdir()
    with open_sink(path, STREAM) as sink:
        write(sink, 5)
    levels = decode(path).frames.mean(axis=(1, 2, 3))
    assert levels == pytest.approx(40 * np.arange(5), abs=3)
    assert list(path.parent.iterdir()) == [path]


def test_parts_stand_beside_the_film_and_go_with_it(tmp_path, monkeypatch):
    temporary, out = tmp_path / "temporary", tmp_path / "out"
    for folder in (temporary, out):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(KeyboardInterrupt), open_sink(out / "film.mp4", STREAM) as sink:
        write(sink, 5)
        assert any(path.is_dir() for path in out.iterdir())
        assert list(temporary.iterdir()) == []
        raise KeyboardInterrupt
    assert list(out.iterdir()) == []


def test_nothing_is_written_beside_the_parts_that_are_joined(tmp_path):
    there, here = tmp_path / "parts", tmp_path / "film"
    there.mkdir(), here.mkdir()
    pieces = [there / "0.mkv", there / "1.mkv"]
    for path in pieces:
        with open_sink(path, STREAM) as sink:
            write(sink, 1)
    join(pieces, here / "film.mkv", here / "partial.mkv", STREAM)
    assert sorted(there.iterdir()) == pieces
    assert (here / "partial.mkv").stat().st_size > 0
