"""Where the command `render` starts, which is also `python -m render`."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """Load the command and run it. Ctrl-C while it loads ends it at once: nothing is there yet."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from render.cli import main as command

    command()


if __name__ == "__main__":
    main()
