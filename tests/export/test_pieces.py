"""Pieces of films: what is sent to another process, and what errors there say."""

import threading
from fractions import Fraction

import pytest

from render import Film
from render.errors import ExportError, InputError
from render.export.ffmpeg import EncoderError
from render.export.formats import Stream
from render.export.pieces import Segment, drawn, pickled
from render.film.drawing import Drawing


def still(ax):
    return lambda step: None


@pytest.fixture
def draw(tmp_path):
    """Draw a segment of "talk.mp4" with an ffmpeg that does this."""

    def drawn_with(script):
        broken = tmp_path / "broken-ffmpeg"
        broken.write_text(f"#!/bin/sh\nhead -c 100 >/dev/null\n{script}\n")
        broken.chmod(0o755)
        (tmp_path / "scratch").mkdir()
        segment = Segment(
            film=b"",
            frames=range(9),
            films={".mp4": "talk.mp4"},
            stills=range(0),
            stream=Stream(width=160, height=90, fps=Fraction(10), ffmpeg=str(broken)),
            scratch=str(tmp_path / "scratch"),
        )
        film = Film([still], seconds=1, fps=10, size=(160, 90), title="")
        return drawn(Drawing(film), segment, lambda done, total: None)

    yield drawn_with
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_error_names_the_film_and_not_the_piece(draw):
    with pytest.raises(EncoderError, match=r"^talk\.mp4: ffmpeg could not .*: out of luck$") as it:
        draw("echo 'out of luck' >&2\nexit 7")
    assert it.value.returncode == 7


def test_a_full_disk_names_the_folder_for_temporary_files(draw, tmp_path):
    with pytest.raises(ExportError) as caught:
        draw("exit 228")
    assert str(caught.value) == (
        f"{tmp_path}: a film's frames could not be kept here: No space left on device; "
        "name a folder with more room in the variable TMPDIR"
    )


def panel_with_a_lock():
    lock = threading.Lock()

    def panel(ax):
        return lambda step: lock.locked()

    return panel


def test_what_another_process_cannot_be_sent_is_named():
    film = Film([still, panel_with_a_lock()], size=(160, 90))
    with pytest.raises(InputError, match=r"^panel 1 cannot be sent.*_thread.lock.*with jobs=1"):
        pickled(film)
    lock = threading.Lock()
    timed = Film([still], size=(160, 90), timeline=lambda frame: int(lock.locked()))
    with pytest.raises(InputError, match=r"^timeline cannot be sent to another process"):
        pickled(timed)
