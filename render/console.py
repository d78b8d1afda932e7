"""Standard output, the lines that a command is read for, warnings, and how a command leaves."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

import click

from render.errors import ExportError

__all__ = ["leave", "nowhere", "tell", "warnings_told_once"]

_LETTER = re.compile(r"Glyph \d+ .*missing from font\(s\) (.+)\.")


def tell(line: object) -> None:
    """Write a line to standard output. Raises ExportError where that is not possible."""
    try:
        click.echo(line)
    except BrokenPipeError:  # nobody reads on; click leaves quietly
        raise
    except OSError as error:
        sys.stdout = nowhere()  # what is left of it is not tried again
        raise ExportError(f"standard output cannot be written to: {error.strerror}") from error


@contextmanager
def warnings_told_once() -> Iterator[None]:
    """Write each warning as one line, however many frames repeat it."""
    told: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        words = _letter_lacks(str(message)) or str(message) + _place(Path(filename), lineno)
        if words not in told:
            told.add(words)
            with suppress(OSError):
                print(f"Warning: {' '.join(words.split())}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _letter_lacks(message: str) -> str:
    """Return what matplotlib's warning of a letter means, the same for all letters of a font."""
    found = _LETTER.fullmatch(message)
    if found is None:
        return ""
    return (
        f"{found[1]} lacks letters of a text, and an empty box stands for each; name a font that "
        "has them as font.family in a style file, and give that to --theme"
    )


def _place(path: Path, number: int) -> str:
    """Return where a user's own code is at fault; "" for libraries, and for us."""
    import sysconfig  # not at start-up

    paths = sysconfig.get_paths()
    libraries = [paths[name] for name in ("stdlib", "purelib", "platlib")]
    is_own = not any(path.is_relative_to(each) for each in [str(Path(__file__).parent), *libraries])
    return f" ({path.name}, line {number})" if is_own and path.is_file() else ""


def nowhere() -> TextIO:
    """Open what takes any text; it stays open as long as the process."""
    return open(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)


def leave(code: object) -> NoReturn:
    """End the process without unloading: a library that a signal met half loaded may crash there.

    All that had to be cleaned up is, by now, but for the semaphores of processes that drew.
    """
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:
        processes._run_finalizers(0)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or never there
            stream.flush()
    os._exit(code if isinstance(code, int) else 1)
