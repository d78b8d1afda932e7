"""Hidden folders beside a film, for files that are not whole yet.

Who writes to such a folder holds a lock on it, which the system takes back however the process
ends. So a folder without one was left by a process that was killed, and the next film sweeps it up.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from render.export.scratch import remove, scratch_folder

__all__ = ["partial_folder"]

# A folder that machines share may keep the locks of each from the others.
_PREFIX = f".partial-{re.sub('[^A-Za-z0-9]', '_', platform.node())}-"


@contextmanager
def partial_folder(parent: Path) -> Iterator[Path]:
    """Make a hidden folder in a parent, gone on leaving; remove those that no process writes to.

    Raises ExportError when it cannot be made.
    """
    _sweep(parent)
    with ExitStack() as stack:
        while True:
            folder = stack.enter_context(scratch_folder(_PREFIX, parent))
            try:
                stack.callback(os.close, _lock(folder))
            except (BlockingIOError, FileNotFoundError):
                continue  # swept up before it was locked
            except OSError:
                break  # no locks here: nothing is swept up either
            if folder.exists():
                break
        yield folder


def _sweep(parent: Path) -> None:
    """Remove the folders that processes left which were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, or gone
            lock = _lock(folder)
            try:
                remove(folder)
            finally:
                os.close(lock)


def _lock(folder: Path) -> int:
    """Return a descriptor that locks a folder until it is closed.

    Raises BlockingIOError when another holds the lock, and OSError where there are none.
    """
    if sys.platform == "win32":
        raise OSError("folders have no locks")
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
