"""Folders for what is not whole: those of killed processes are swept up, others are left alone."""

import errno
import signal
import subprocess
import sys

import pytest

from render.export import partial
from render.export.partial import partial_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

WRITER = """
import sys
from pathlib import Path
from render.export.partial import partial_folder

with partial_folder(Path.cwd()) as folder:
    (folder / "film.mp4").write_text("half")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process that writes to a folder of its own until its input ends, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process, tmp_path / process.stdout.readline().strip()
        process.kill()


def test_the_folder_of_a_killed_process_is_swept_up(tmp_path, writer):
    process, folder = writer
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "film.mp4").exists()
    with partial_folder(tmp_path) as ours:
        assert list(tmp_path.iterdir()) == [ours]


def test_a_folder_in_use_is_left_alone(tmp_path, writer):
    process, folder = writer
    with partial_folder(tmp_path), partial_folder(tmp_path):
        assert (folder / "film.mp4").exists()
    process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_what_only_looks_like_such_a_folder_is_left_alone(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    left = [tmp_path / f"{partial._PREFIX}{name}" for name in ("file", "link")]
    left[0].touch()
    left[1].symlink_to(elsewhere)
    with partial_folder(tmp_path):
        pass
    assert sorted(tmp_path.iterdir()) == [*left, elsewhere]


@pytest.mark.parametrize(
    "refusals",
    [
        [BlockingIOError(errno.EWOULDBLOCK, "another sweeps it up")],
        [FileNotFoundError(errno.ENOENT, "another has swept it up")] * 2,
        [OSError(errno.ENOLCK, "no locks here")],
    ],
)
def test_a_folder_that_cannot_be_locked_at_once_is_made_still(tmp_path, monkeypatch, refusals):
    lock = partial._lock

    def refuse_first(folder):
        if refusals:
            raise refusals.pop()
        return lock(folder)

    monkeypatch.setattr(partial, "_lock", refuse_first)
    with partial_folder(tmp_path) as folder:
        assert folder.is_dir()
        assert not refusals
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_swept_up_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    made = []

    def swept_first(folder):
        made.append(folder)
        descriptor = lock(folder)
        if len(made) == 1:
            folder.rmdir()
        return descriptor

    lock = partial._lock
    monkeypatch.setattr(partial, "_lock", swept_first)
    with partial_folder(tmp_path) as folder:
        assert folder.is_dir()
        assert made[1:] == [folder]
