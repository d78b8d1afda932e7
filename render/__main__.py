"""Where the command `render` starts, which is also `python -m render`."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """Load the command and run it. Ctrl-C while it loads ends it at once: nothing is there yet."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from render.cli import main as command
    from render.console import leave
    from render.progress import stop_asked

    try:
        command()
    except SystemExit as leaving:
        if stop_asked() is None:
            raise
        leave(leaving.code)


if __name__ == "__main__":
    main()
