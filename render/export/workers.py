"""The processes that draw segments: spawned here, or workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

from render.errors import ExportError, MissingExtraError

__all__ = ["cluster", "local", "usable_cores"]

_ANSWER_S = 10  # that a cluster's scheduler has to answer


def usable_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Process(SpawnProcess):
    """A spawned process that knows nothing of the script that started it: a film needs none."""

    def start(self) -> None:
        """Start, while there is no script to be told of."""
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = script


class _Context(SpawnContext):
    """Spawns such processes."""

    Process = _Process


@contextmanager
def local(jobs: int) -> Iterator[Executor]:
    """Open `jobs` processes on this machine; none is left, whatever happens.

    They are spawned, not forked: a forked process inherits locks of torch and matplotlib. They do
    not run the caller's script, which would start processes of its own.
    """
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(jobs, mp_context=_Context(), initializer=_ignore_interrupts)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        executor.shutdown(wait=True)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Open a Dask cluster, such as "tcp://scheduler:8786", as an executor.

    Raises MissingExtraError without Dask, and ExportError when the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--cluster", "dask.distributed", "cluster") from error
    try:
        client = Client(address, timeout=_ANSWER_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ExportError(
            f"--cluster {address}: no Dask scheduler answers there; start one with "
            "`dask scheduler`, or check the address"
        ) from error
    with client:
        yield client.get_executor(pure=False)  # type: ignore[no-untyped-call]


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which then stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
