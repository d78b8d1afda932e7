"""A command that is told to stop does, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from render.progress import forget_stops, reporting, stop_with

LONG = '''
from render import Film, scene

@scene
def bars() -> Film:
    """Bars that grow."""
    def panel(ax):
        (bar,) = ax.bar([0], [0])
        ax.set_ylim(0, 10)
        return lambda step: bar.set_height(step % 10)
    return Film([panel], seconds=3600, fps=10, size=(160, 90))
'''


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_leaves_no_file_and_no_process(tmp_path, stopped_at_last, sent, jobs):
    (tmp_path / "long.py").write_text(LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "render", "long.py", "-q", "-o", "a.mp4", "--jobs", jobs],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # A background job's children ignore Ctrl-C; a lecturer's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    stopped_at_last.callback(process.kill)
    deadline = time.monotonic() + 60
    while not _encoders(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    started = _descendants(process.pid)
    assert started, "the export never started"
    process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0
    errors = ["Error: stopped before the film was complete; nothing was left behind"]
    assert err.split("\n")[:-1] == (["", *errors] if sent == signal.SIGINT else [])
    assert [path.name for path in tmp_path.iterdir()] == ["long.py"]
    deadline = time.monotonic() + 10
    while any(map(_alive, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, started))


@pytest.fixture
def stopped_at_last():
    """Whatever a test finds, no process outlives it."""
    with ExitStack() as stack:
        yield stack


def _descendants(pid):
    """Process ids of all that a process has started, at any depth."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    )
    children = listed.stdout.split()
    return children + [child for parent in children for child in _descendants(parent)]


def _encoders(pid):
    """Those of them that are ffmpeg, and encode: it is asked for its version before."""
    encoders = []
    for child in _descendants(pid):
        with suppress(OSError):  # it may be gone by now
            if "rawvideo" in Path(f"/proc/{child}/cmdline").read_text():
                encoders.append(child)
    return encoders


def _alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_command_that_is_stopped_while_it_loads_says_nothing(tmp_path):
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [sys.executable, "-m", "render", "--list"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_request_to_stop_that_gets_lost_is_repeated():
    with reporting("film", "frames", quiet=True) as report:
        report(1, 9)
        with suppress(KeyboardInterrupt):
            stop_with(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            report(2, 9)
        forget_stops()
        report(3, 9)


@pytest.mark.parametrize("of_a_library", [True, False])
def test_a_library_is_loaded_to_its_end_before_a_stop_is_obeyed(
    tmp_path, monkeypatch, of_a_library
):
    (tmp_path / "slow.py").write_text(
        "import builtins, os, signal\nos.kill(os.getpid(), signal.SIGINT)\nbuiltins.loaded = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow", raising=False)
    if of_a_library:
        monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    before = signal.signal(signal.SIGINT, lambda n, at: stop_with(KeyboardInterrupt(), n, at))
    monkeypatch.setattr("builtins.loaded", False, raising=False)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            import slow  # noqa: F401

            time.sleep(30)
    finally:
        signal.signal(signal.SIGINT, before)
        forget_stops()
    assert loaded is of_a_library  # noqa: F821
    assert time.monotonic() - start < 20, "the stop did not end what was waited for"


def test_a_stop_that_a_report_has_obeyed_does_not_come_again(monkeypatch):
    came = []
    monkeypatch.setattr("render.progress._loads_a_library", lambda at: True)
    before = signal.signal(signal.SIGINT, lambda number, at: came.append(number))
    try:
        with reporting("film", "frames", quiet=True) as report:
            stop_with(KeyboardInterrupt(), signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                report(1, 9)
        time.sleep(0.3)
    finally:
        signal.signal(signal.SIGINT, before)
        forget_stops()
    assert came == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_looks_after_semaphores_outlives_a_closed_terminal():
    code = (
        "from multiprocessing.resource_tracker import _resource_tracker as tracker\n"
        "from pathlib import Path\n"
        "from render.export.workers import local\n"
        "with local(1, ''):\n"
        "    status = Path(f'/proc/{tracker._pid}/status').read_text()\n"
        "print(status.split('SigBlk:')[1].split()[0])\n"
    )
    blocked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert int(blocked, 16) & 1 << signal.SIGHUP - 1
