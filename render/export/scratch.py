"""Folders for what is needed only while a film is written, and what is said when they are full."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import ExportError

__all__ = ["is_full", "remove", "room", "scratch_folder", "unkept"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_TRIES = 20  # to remove a folder
_PAUSE_S = 0.05


@contextmanager
def scratch_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that is gone on leaving: for temporary files, or in a parent.

    Raises ExportError when it cannot be made.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        if parent is None:
            raise unkept(error) from error
        raise ExportError(f"{parent}: cannot be written to: {error.strerror}") from error
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, to which an encoder whose worker was killed may still write for a while."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(_PAUSE_S)


def is_full(error: Exception) -> bool:
    """Whether an error, or its cause, says that a disk has no room left."""
    return _errno(error) in _FULL


def room(error: Exception) -> str:
    """Return the way out, as an error ends with it, where a disk has no room left."""
    return "; make room there, or name a file on another disk" if is_full(error) else ""


def unkept(error: Exception, folder: Path | None = None) -> ExportError:
    """Return the error that a folder for temporary files cannot hold what it should."""
    where = folder or tempfile.tempdir or "the folder for temporary files"
    number = _errno(error)
    reason = os.strerror(number) if number else str(error)
    return ExportError(
        f"{where}: a film's frames could not be kept here: {reason}; "
        "name a folder with more room in the variable TMPDIR"
    )


def _errno(error: Exception) -> int | None:
    """Return the system's error that an error is, or comes of."""
    numbers = (getattr(one, "errno", None) for one in (error, error.__cause__))
    return next((number for number in numbers if number is not None), None)
