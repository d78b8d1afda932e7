"""The processes that draw segments: spawned here, or workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from types import ModuleType

from render.errors import ExportError, MissingExtraError
from render.export.scratch import remove

__all__ = ["cluster", "local", "usable_cores"]

_ANSWER_S = 10  # that a cluster's scheduler has to answer
_SAFE_PATH = "PYTHONSAFEPATH"


def usable_cores() -> int:
    """The number of cores that this process may use, and those that it may start."""
    if multiprocessing.current_process().daemon:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _libraries_first() -> Iterator[None]:
    """Let processes that start take no file in the current folder, such as types.py, for a library.

    What they import later, they look for where this process does.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[_SAFE_PATH]
        if before is not None:
            os.environ[_SAFE_PATH] = before


class _Process(SpawnProcess):
    """A spawned process that knows nothing of the script that started it: a film needs none."""

    def start(self) -> None:
        """Start, while there is no script to be told of."""
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            with _libraries_first():
                super().start()
        finally:
            sys.modules["__main__"] = script


class _Context(SpawnContext):
    """Spawns such processes."""

    Process = _Process


def _start_tracker() -> None:
    """Start the process that looks after semaphores, deaf to a terminal that is closed.

    Of the signals that reach every process of a terminal, it leaves this one to end it too soon.
    """
    if sys.platform == "win32":
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def local(jobs: int, scratch: str) -> Iterator[Executor]:
    """Open `jobs` processes on this machine; none is left, and no thread, whatever happens.

    They are spawned, not forked: a forked process inherits locks of torch and matplotlib. They do
    not run the caller's script, which would start processes of its own. When this process is
    killed, they remove the folder for temporary files, and end.
    Raises ExportError in a process that may not start others.
    """
    if multiprocessing.current_process().daemon:
        raise ExportError(
            f"jobs={jobs}: this process is daemonic, as those of multiprocessing.Pool are, and "
            "may not start others; use jobs=1 here, or concurrent.futures.ProcessPoolExecutor"
        )
    before = set(multiprocessing.active_children())
    with _libraries_first():
        _start_tracker()
        executor = ProcessPoolExecutor(
            jobs,
            mp_context=_Context(),
            initializer=_follow_parent,
            initargs=(scratch, sys.stdout is sys.stderr),
        )
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        # The executor's thread may wait for the rest of what one of them was sending. Nothing is
        # open for writing now, so that ends.
        executor._result_queue._writer.close()  # type: ignore[attr-defined]
        raise
    finally:
        executor.shutdown(cancel_futures=True)  # and wait for its threads, which end on a death


@contextmanager
def cluster(address: str, scratch: str) -> Iterator[Executor]:
    """Open a Dask cluster, such as "tcp://scheduler:8786", as an executor.

    Its workers look after themselves and their files. Raises MissingExtraError without Dask, and
    ExportError when the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--cluster", "dask.distributed", "cluster") from error
    import asyncio

    try:
        with ThreadPoolExecutor(1) as thread:  # the caller's may run an event loop: a notebook's
            thread.submit(asyncio.run, _greet(address)).result()
        client = Client(address, timeout=_ANSWER_S)  # type: ignore[no-untyped-call]
    except Exception as error:  # another server's answer may be read as anything
        raise ExportError(
            f"--cluster {address}: no Dask scheduler answers there; start one with "
            "`dask scheduler`, or check the address: its port is mostly 8786, and 8787 is that "
            "of the dashboard"
        ) from error
    with client:
        yield client.get_executor(pure=False)  # type: ignore[no-untyped-call]


async def _greet(address: str) -> None:
    """Ask a scheduler who it is. Raises an exception when none answers in time.

    Dask's own client waits for ever on a server that speaks something else.
    """
    import asyncio

    from distributed import Security
    from distributed.comm.core import connect

    async with asyncio.timeout(_ANSWER_S):
        security = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
        comm = await connect(  # type: ignore[no-untyped-call]
            address, timeout=_ANSWER_S, **security
        )
        try:
            await comm.write({"op": "identity"})
            answer = await comm.read()
        finally:
            comm.abort()
    if answer["type"] != "Scheduler":
        raise ValueError(f"{address} is a {answer['type']}")


def _follow_parent(scratch: str, prints_to_stderr: bool) -> None:
    """Leave signals from the terminal to the parent, which stops its workers, and end with it.

    What is printed goes where the parent's goes.
    """
    if prints_to_stderr:
        sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(scratch,), daemon=True).start()


def _end_with_parent(scratch: str) -> None:
    """Wait for the parent's death; then clean up after it, whatever this process is doing."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    try:
        remove(Path(scratch))
    finally:
        os._exit(1)  # ffmpeg ends when its input does
