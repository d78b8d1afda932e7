"""ffmpeg's failures are one line, and leave no process, thread or file."""

import errno
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from render.errors import ExportError
from render.export.encoding import raw_input
from render.export.ffmpeg import EncoderError, FFmpeg, _cause, ffmpeg_path
from render.export.formats import FORMATS, Stream, any_format_of
from render.export.sink import open_sink

FRAME = np.full((48, 64, 4), 255, np.uint8)
EVERYTHING = ((0, 0, 64, 48),)


def stream(**options):
    return Stream(width=64, height=48, fps=Fraction(10), **options)


def children():
    listed = subprocess.run(
        ["ps", "-o", "comm=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return [line for line in listed.stdout.split() if line.startswith("ffmpeg")]


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path):
    yield
    assert children() == []
    assert not [t for t in threading.enumerate() if t.name.startswith("render")]
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("name", [f"film{suffix}" for suffix in FORMATS if suffix != ".png"])
def test_an_encoder_that_dies_is_an_error(tmp_path, name):
    broken = tmp_path / "broken-ffmpeg"
    broken.write_text("#!/bin/sh\nhead -c 100 >/dev/null\necho 'out of luck' >&2\nexit 7\n")
    broken.chmod(0o755)
    with (
        pytest.raises(EncoderError, match="ffmpeg could not write the film: out of luck") as caught,
        open_sink(tmp_path / name, stream(ffmpeg=str(broken))) as sink,
    ):
        for number in range(500):
            sink.write(number, FRAME, EVERYTHING)
    assert caught.value.returncode == 7
    assert sorted(tmp_path.iterdir()) == [broken]


def test_something_else_than_ffmpeg_is_an_error(tmp_path):
    text = tmp_path / "not-a-program"
    text.write_text("hello")
    with pytest.raises(ExportError, match="ffmpeg cannot be started"):
        FFmpeg([], tmp_path / "film.mp4", binary=str(text))


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.webm", "f-%d.png"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_in_the_middle_leaves_nothing(tmp_path, name, error):
    with pytest.raises(error), open_sink(tmp_path / name, stream()) as sink:
        for number in range(5):
            sink.write(number, FRAME, EVERYTHING)
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.webm", "f-%d.png"])
def test_a_film_without_frames_is_an_error(tmp_path, name):
    with (
        pytest.raises(ExportError, match="no frame was drawn"),
        open_sink(tmp_path / name, stream()),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("only Linux has a device that is always full")
    source = ["-f", "lavfi", "-i", "testsrc=duration=1", "-f", "mpegts", str(full)]
    with pytest.raises(EncoderError, match=r"No space left.*; make room"), FFmpeg(source, full):
        pass


def test_a_buffer_may_be_drawn_over_at_once(tmp_path, decode):
    frame = FRAME.copy()
    with open_sink(tmp_path / "film.mkv", stream()) as sink:
        for number in range(60):
            frame[..., :3] = 4 * number
            sink.write(number, frame, EVERYTHING)
    levels = decode(tmp_path / "film.mkv").frames.mean(axis=(1, 2, 3))
    assert levels == pytest.approx(4 * np.arange(60), abs=3)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux does")
def test_an_encoder_that_ended_keeps_no_file_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    target = tmp_path / "film.mkv"
    with FFmpeg([*raw_input(stream(), "rgba"), f"file:{target}"], target) as ffmpeg:
        ffmpeg.write(FRAME)
        ffmpeg.end()
        assert len(os.listdir("/proc/self/fd")) == before


def test_ours_is_found():
    assert Path(ffmpeg_path()).exists()
    assert any_format_of(Path("film.avi")) is FORMATS[".mkv"]


@pytest.fixture
def variable(monkeypatch):
    """Name another ffmpeg in the variable for it."""
    return lambda value: monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(value))


def test_a_variable_that_names_no_program_is_an_error(tmp_path, variable):
    variable(tmp_path / "missing")
    with pytest.raises(ExportError, match=r"IMAGEIO_FFMPEG_EXE=.*missing is not a program"):
        ffmpeg_path()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "cannot be started: Exec format error; unset IMAGEIO_FFMPEG_EXE for the"),
        ("#!/bin/sh\nexit 3\n", "could not write the film: it was stopped .* status 3"),
        ("#!/bin/sh\nexit 0\n", "ended without writing the film; unset IMAGEIO_FFMPEG_EXE for"),
    ],
)
def test_a_variable_that_names_something_else_is_told_of(tmp_path, variable, text, reason):
    other = tmp_path / "other"
    other.write_text(text)
    other.chmod(0o755)
    variable(other)
    says = rf"other, which IMAGEIO_FFMPEG_EXE names, {reason}"
    film = tmp_path / "film.mp4"
    with pytest.raises(ExportError, match=says), FFmpeg([f"file:{film}"], film):
        pass


@pytest.fixture
def script(tmp_path):
    """Write a shell script that can be named as ffmpeg."""

    def written(text):
        path = tmp_path / "script"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return written


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no signals")
def test_what_a_script_started_as_ffmpeg_is_stopped_too(tmp_path, script):
    started = time.monotonic()
    with (
        pytest.raises(ValueError),
        FFmpeg([], tmp_path / "f.mp4", binary=script("sleep 30; :")) as f,
    ):
        for _ in range(3):
            f.write(np.zeros(1 << 20, np.uint8))  # more than a pipe holds: someone waits for room
        raise ValueError
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("\\033[1;31mno room\\033[0m", "could not write the film: no room"),
        ("a\\a\\rb\\0337", "could not write the film: ab7"),
        ("x" * 5000, "could not write the film: " + "x" * 300),
    ],
)
def test_last_words_are_plain_and_short(tmp_path, script, said, told):
    binary = script(f"printf '{said}' >&2; exit 1")
    with pytest.raises(EncoderError) as caught, FFmpeg([], tmp_path / "f.mp4", binary=binary):
        pass
    assert str(caught.value) == f"{tmp_path / 'f.mp4'}: ffmpeg {told}"


@pytest.mark.parametrize("name", ["film", "film.txt"])
def test_an_error_for_an_unknown_suffix_names_the_known(tmp_path, name):
    with (
        pytest.raises(
            EncoderError, match=r"output format.*; the suffixes of films are \.mp4 \.m4v"
        ),
        open_sink(tmp_path / name, stream()) as sink,
    ):
        sink.write(0, FRAME, EVERYTHING)


def test_a_status_that_is_an_error_of_the_system_says_which():
    assert EncoderError("", 256 - errno.ENOSPC, []).errno == errno.ENOSPC
    assert [EncoderError("", status, []).errno for status in (-9, 1, 8, 183)] == [None] * 4
    assert _cause(228) == "No space left on device"
    assert _cause(183) == "it was stopped by itself, with status 183"


def test_an_error_passes_between_processes():
    error = EncoderError("film.mp4: no", 7, ["ffmpeg", "-y"])
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.returncode, copy.cmd) == ("film.mp4: no", 7, ["ffmpeg", "-y"])


def test_a_program_that_is_not_ffmpeg_is_an_error(tmp_path):
    with (
        pytest.raises(ExportError, match=r"film\.mp4: "),
        open_sink(tmp_path / "film.mp4", stream(ffmpeg=sys.executable)) as sink,
    ):
        for number in range(20):
            sink.write(number, FRAME, EVERYTHING)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no signals")
def test_an_ffmpeg_that_is_killed_is_an_error(tmp_path):
    killed = tmp_path / "killed-ffmpeg"
    killed.write_text("#!/bin/sh\nhead -c 100 >/dev/null\nkill -9 $$\n")
    killed.chmod(0o755)
    with (
        pytest.raises(EncoderError, match="it was stopped by SIGKILL"),
        open_sink(tmp_path / "film.mkv", stream(ffmpeg=str(killed))) as sink,
    ):
        for number in range(500):
            sink.write(number, FRAME, EVERYTHING)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm", "film.gif", "film.apng", "f-%d.png"])
def test_a_film_that_the_disk_does_not_hold_is_one_line_and_leaves_nothing(tmp_path, name):
    pytest.importorskip("resource")
    code = f"""
        import resource, sys
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from render.errors import ExportError
        from render.export.formats import Stream
        from render.export.sink import open_sink
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        noise = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 4), np.uint8)
        noise[..., 3] = 255
        try:
            stream = Stream(width=64, height=48, fps=Fraction(10))
            with open_sink(Path({str(tmp_path / name)!r}), stream) as sink:
                for number, frame in enumerate(noise):
                    sink.write(number, frame, ((0, 0, 64, 48),))
        except ExportError as error:
            print(error, end="")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout
    assert "\n" not in done.stdout
    assert list(tmp_path.iterdir()) == []
