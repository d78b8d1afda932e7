"""Where the command `render` starts, which is also `python -m render`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

__all__ = ["main"]


def main() -> None:
    """Load the command and run it. Ctrl-C while it loads ends it at once: nothing is there yet."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from render.cli import main as command
    from render.progress import stop_asked

    try:
        command()
    except SystemExit as leaving:
        if stop_asked() is None:
            raise
        _leave(leaving.code)


def _leave(code: object) -> None:
    """End the process without unloading: a library that a signal met half loaded may crash there.

    All that had to be cleaned up is, by now.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or never there
            stream.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
