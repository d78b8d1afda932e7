"""Files appear whole or not at all: written beside the target, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import ExportError

__all__ = ["check_target", "whole_file", "whole_folder"]


def check_target(path: Path) -> None:
    """Check that a file can be written here. Raises ExportError, naming what is wrong."""
    folder = path.parent
    if not folder.is_dir():
        raise ExportError(f"{path}: the folder {str(folder)!r} does not exist; create it first")
    if path.is_dir():
        raise ExportError(f"{path}: is a folder; name a file in it, such as {path / 'film.mp4'}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExportError(f"{path}: the folder {str(folder)!r} cannot be written to")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path beside the target to write to; rename it on success, remove it on failure.

    Raises ExportError when the target cannot be written.
    """
    check_target(path)
    # Absolute, because scripts change their folder; cut, because names have at most 255 bytes.
    target = Path(os.path.abspath(path))
    mark = f"{target.stem[:40]}.{secrets.token_hex(4)}.partial"
    partial = target.with_name(f".{mark}{target.suffix}")
    try:
        yield partial
        _move(partial, target, path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target's files; move its files there on success.

    Raises ExportError when the files cannot be written.
    """
    target = Path(os.path.abspath(folder))
    try:
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    except OSError as error:
        raise ExportError(f"{folder}: cannot be written to: {error.strerror}") from error
    try:
        yield partial
        files = sorted(partial.iterdir())
        for file in files:
            check_target(target / file.name)  # all of them before the first is moved
        for file in files:
            _move(file, target / file.name, folder / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(source: Path, target: Path, name: Path) -> None:
    """Rename a finished file. Raises ExportError, calling the target `name`."""
    try:
        os.replace(source, target)
    except OSError as error:
        raise ExportError(f"{name}: could not be written: {error.strerror}") from error
