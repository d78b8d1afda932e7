"""Standard output, the lines that a command is read for, and how a stopped command leaves."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

import click

from render.errors import ExportError

__all__ = ["leave", "nowhere", "tell"]


def tell(line: object) -> None:
    """Write a line to standard output. Raises ExportError where that is not possible."""
    try:
        click.echo(line)
    except BrokenPipeError:  # nobody reads on; click leaves quietly
        raise
    except OSError as error:
        sys.stdout = nowhere()  # what is left of it is not tried again
        raise ExportError(f"standard output cannot be written to: {error.strerror}") from error


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
