"""A pipe that is written by a thread of its own, so that drawing goes on meanwhile."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import IO

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pipe"]

_AHEAD = 2  # frames that may wait, each a copy: they even out frames that take long to draw
_PIPE_BYTES = 1 << 20  # the most an ordinary user gets; the reader is woken less often


class Pipe:
    """Writes to a process's standard input in the background, a few frames behind.

    Ctrl-C in the midst of putting something into a `Queue` may leave its reader asleep for ever; a
    `SimpleQueue` is not interrupted there. It has no bound: a second one holds what may be added.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting: queue.SimpleQueue[NDArray[np.uint8] | None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(_AHEAD):
            self._room.put(None)
        self._thread: threading.Thread | None = None
        self._broken = False
        _enlarge(stream.fileno())

    @property
    def broken(self) -> bool:
        """Whether the reader has gone."""
        return self._broken

    def write(self, data: NDArray[np.uint8]) -> None:
        """Take a copy of the data; waits while too much is on its way."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="render-pipe", daemon=True)
            self._thread.start()
        self._room.get()
        self._waiting.put(data.copy())

    def close(self) -> None:
        """Wait until everything is written, or the reader has gone. Closing twice does nothing."""
        if self._thread is not None:
            self._waiting.put(None)
            if self._thread.is_alive():  # it was started, whatever came between
                self._thread.join()
            self._thread = None
        with contextlib.suppress(OSError):
            self._stream.close()

    def _run(self) -> None:
        while (data := self._waiting.get()) is not None:
            self._room.put(None)
            if not self._broken:  # afterwards only empties the queue, so that no one waits for us
                try:
                    self._stream.write(data.data.cast("B"))
                except OSError:
                    self._broken = True


def _enlarge(descriptor: int) -> None:
    """Enlarge a pipe where the system allows it."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
