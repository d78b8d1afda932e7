"""Files appear whole or not at all: written beside the target, then renamed."""

from __future__ import annotations

import os
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
    """Give a path beside the target to write to; rename it on success, remove it on failure."""
    check_target(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target's files; move its files there on success."""
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        yield partial
        for file in sorted(partial.iterdir()):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
