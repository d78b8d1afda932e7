"""Errors of a user's own code, in one line that says where they arose."""

from __future__ import annotations

import sysconfig
import traceback
from functools import lru_cache
from pathlib import Path

__all__ = ["first_line", "has_stopped", "whence"]

_PACKAGE = Path(__file__).absolute().parents[1]


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind."""
    return (str(error) or type(error).__name__).splitlines()[0]


def has_stopped(error: BaseException) -> bool:
    """Say whether a GPU raised the error itself, and may run nothing more in this process."""
    return "CUDA error" in str(error)


def whence(error: BaseException) -> str:
    """Return the end of a message: the line that an error is from, if it is a user's own.

    That is the last one of a file that is neither the toolkit's nor a library's.
    """
    for entry in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(entry.filename).absolute()
        if path.is_file() and not any(path.is_relative_to(folder) for folder in _others()):
            return f"; see {path.name}, line {entry.lineno}"
    return ""


@lru_cache(maxsize=1)
def _others() -> frozenset[Path]:
    libraries = {
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    return frozenset({_PACKAGE, *map(Path, libraries)})
