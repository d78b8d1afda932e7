"""Standard output: the lines that a command is read for."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from render.errors import ExportError

__all__ = ["nowhere", "tell"]


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
