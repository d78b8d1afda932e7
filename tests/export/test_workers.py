"""Processes that draw end with the one that started them; a cluster answers soon, or never."""

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading

import pytest

from render.errors import ExportError
from render.export import workers

KILLED = """
    import os, signal, time
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    from pathlib import Path
    from render.export.workers import local
    scratch = Path("scratch")
    (scratch / "inner").mkdir(parents=True)
    with local(1, str(scratch.absolute())) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        for _ in range(3):
            executor.submit({work})
        time.sleep(0.2)
        {end}
        time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no signals")
@pytest.mark.parametrize(
    ("end", "work"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "time.sleep, 60"),
        # more than fits in the pipe to a parent that is gone
        ("os.kill(os.getpid(), signal.SIGKILL)", "bytes, 100_000_000"),
        ("os.killpg(0, signal.SIGHUP)", "time.sleep, 60"),  # as a terminal that is closed
    ],
)
def test_processes_whose_parent_is_killed_clean_up_and_end(tmp_path, end, work):
    code = textwrap.dedent(KILLED).format(end=end, work=work)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        # They have inherited its output: that ends when the last of them does.
        told, _ = parent.communicate(timeout=20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
    assert parent.returncode < 0
    assert told.strip().isdigit(), "it had begun to work"
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
    import os, threading, time
    from render.export.workers import local
    before = set(threading.enumerate())
    try:
        with local(2, "") as executor:
            print(executor.submit(os.getpid).result(), flush=True)
            for _ in range(4):
                executor.submit({work})
            time.sleep({after})
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print(*set(threading.enumerate()) - before)
"""


@pytest.mark.parametrize("after", [0, 0.3])
@pytest.mark.parametrize("work", ["time.sleep, 60", "bytes, 100_000_000"])
def test_nothing_is_left_at_work_when_the_drawing_is_interrupted(work, after):
    code = textwrap.dedent(INTERRUPTED).format(work=work, after=after)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    pid, threads, end = done.stdout.split("\n")
    assert (pid.isdigit(), threads, end, done.stderr) == (True, "", "", "")


@pytest.fixture
def server():
    """Another server than a Dask scheduler: what it answers, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def start(answer):
            def serve():
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(answer)
                    ended.wait(10)

            threading.Thread(target=serve, daemon=True).start()
            return f"tcp://127.0.0.1:{listening.getsockname()[1]}"

        ended = threading.Event()
        yield start
        ended.set()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_server_that_is_no_scheduler_is_an_error_soon(monkeypatch, server, answer):
    monkeypatch.setattr(workers, "_ANSWER_S", 0.5)
    address = server(answer)
    with (
        pytest.raises(ExportError, match=rf"{address}: no Dask scheduler answers.*dashboard"),
        workers.cluster(address, ""),
    ):
        pass


def test_a_process_that_may_not_start_others_draws_alone(monkeypatch, tmp_path):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert workers.usable_cores() == 1
    with (
        pytest.raises(ExportError, match=r"jobs=2: this process is daemonic.*; use jobs=1 here"),
        workers.local(2, str(tmp_path)),
    ):
        pass
