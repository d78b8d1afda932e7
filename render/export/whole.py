"""Files appear whole or not at all: written beside the target, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import ExportError
from render.export.partial import partial_folder
from render.export.scratch import room

__all__ = ["check_target", "naming", "whole_file", "whole_folder"]


def check_target(path: Path) -> None:
    """Check that a file can be written here. Raises ExportError, naming what is wrong."""
    with naming(path):
        target = _followed(path)
        folder = target.parent if path.is_symlink() else path.parent
        if folder.exists() and not folder.is_dir():
            raise ExportError(f"{path}: {str(folder)!r} is a file, not a folder; name another one")
        if not folder.is_dir():
            raise ExportError(f"{path}: the folder {str(folder)!r} does not exist; create it first")
        if path.is_dir():
            raise ExportError(f"{path}: is a folder; name a file in it")
        if target.is_symlink():
            raise ExportError(f"{path}: is a link that leads to itself; remove it, or name a file")
        if target.exists() and not target.is_file():
            raise ExportError(f"{path}: is a pipe or a device; name a file, which is written whole")
        if target.exists() and not os.access(target, os.W_OK):
            raise ExportError(f"{path}: is read-only; allow writing to it, or name another file")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ExportError(f"{path}: the folder {str(folder)!r} cannot be written to")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path near the target to write to; rename it on success, remove it on failure.

    A link stays, and the file that it leads to is written. Raises ExportError when the target
    cannot be written.
    """
    check_target(path)
    target = _followed(path)
    # In a folder of its own: an encoder that starts while it is removed finds no place to write to.
    with partial_folder(target.parent) as folder:
        partial = folder / f"film{path.suffix}"
        yield partial
        _move(partial, target, path)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target's files; move its files there on success.

    Raises ExportError when the files cannot be written.
    """
    target = _followed(folder)
    with partial_folder(target) as partial:
        yield partial
        files = sorted(partial.iterdir())
        for file in files:
            check_target(target / file.name)  # all of them before the first is moved
        for file in files:
            _move(file, target / file.name, folder / file.name)


@contextmanager
def naming(name: Path) -> Iterator[None]:
    """Turn what the system refuses into an ExportError that names the file."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error}{room(error)}"
        raise ExportError(f"{name}: could not be written: {reason}") from error


def _followed(path: Path) -> Path:
    """Return where a path leads, through links; absolute, because scripts change their folder."""
    return Path(os.path.realpath(path))


def _move(source: Path, target: Path, name: Path) -> None:
    """Rename a finished file. Raises ExportError, calling the target `name`."""
    if target.is_symlink():  # perhaps to another disk
        with naming(name), whole_file(target) as partial:
            shutil.copyfile(source, partial)
        return
    with naming(name):
        if target.exists():
            shutil.copymode(target, source)  # a private film stays private
        os.replace(source, target)
