"""Folders for temporary files are gone afterwards, and say so when they are full."""

import errno
import threading

import pytest

from render.errors import ExportError
from render.export.scratch import is_full, remove, scratch_folder, unkept


def test_a_folder_is_gone_afterwards(tmp_path):
    with pytest.raises(KeyboardInterrupt), scratch_folder("render-", tmp_path) as folder:
        (folder / "inner").mkdir()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_still_written_to_is_removed(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    started, end = threading.Event(), threading.Event()

    def write():
        while not end.is_set():
            try:
                (folder / "film.mp4").touch()
            except FileNotFoundError:
                return
            started.set()

    writer = threading.Thread(target=write)
    writer.start()
    started.wait(5)
    remove(folder)
    end.set()
    writer.join()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(ExportError, match="missing: cannot be written to: No such file"):
        scratch_folder("render-", tmp_path / "missing").__enter__()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(ExportError, match=r"missing: a film's frames could not be kept.*TMPDIR"):
        scratch_folder("render-").__enter__()


def test_a_full_disk_is_known_as_the_cause_too():
    full = OSError(errno.ENOSPC, "No space left on device")
    error = ExportError("film.mp4: could not be written")
    assert not is_full(error)
    error.__cause__ = full
    assert is_full(full) and is_full(error)
    assert not is_full(PermissionError(errno.EACCES, "no"))
    assert "No space left on device; name a folder with more room" in str(unkept(error))
