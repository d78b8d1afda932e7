"""Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

__all__ = [
    "Report",
    "forget_stops",
    "leaving_at_once",
    "reporting",
    "stop_asked",
    "stop_with",
]

Report = Callable[[int, int], None]
"""Called with how much is done and the total."""

_LONGEST_LOAD_S = 10.0  # of a library: one that hangs is torn from its loading
_AGAIN_S = 0.05


@dataclass
class _Request:
    """One request to stop: what to raise, when the first was made, whether this was obeyed."""

    error: BaseException
    since: float
    is_obeyed: bool = False


_asked: list[_Request] = []
_ends: list[Callable[[BaseException], NoReturn]] = []  # how the process ends where it may at once


@contextmanager
def reporting(what: str, unit: str, *, quiet: bool) -> Iterator[Report]:
    """Give the function that reports progress on one stage, such as "export" in "frames"."""
    with _shown(what, unit, quiet=quiet) as show:

        def report(done: int, total: int) -> None:
            if _asked:
                _obey(_asked[-1])
            show(done, total)

        yield report


def forget_stops() -> None:
    """Begin anew, as if nothing had asked to stop."""
    _asked.clear()


@contextmanager
def leaving_at_once(end: Callable[[BaseException], NoReturn]) -> Iterator[None]:
    """Have `end` end the process when it is to stop amid an import: nothing is to be cleaned up."""
    _ends.append(end)
    try:
        yield
    finally:
        _ends.pop()


def stop_asked() -> BaseException | None:
    """Return what a signal asked for, if one did."""
    return _asked[-1].error if _asked else None


def stop_with(error: BaseException, number: int = 0, at: FrameType | None = None) -> None:
    """Raise what a signal asks for; should it get lost, the next report raises it again.

    Python drops what is raised while it forgets an object, which drawing does all the time.
    number, at: the signal, and where it came. While a library is imported there, the signal is sent
    again a little later: compiled modules that are torn from their loading end the process. Within
    `leaving_at_once` it ends there.
    """
    now = time.monotonic()
    request = _Request(error, _asked[0].since if _asked else now)
    _asked.append(request)
    if _loads_a_library(at) and now < request.since + _LONGEST_LOAD_S:
        if _ends:
            _ends[-1](error)
        later = threading.Timer(_AGAIN_S, _send_again, [number])
        later.daemon = True
        later.start()
        return
    _obey(request)


def _obey(request: _Request) -> NoReturn:
    request.is_obeyed = True
    raise request.error


def _send_again(number: int) -> None:
    """Send a signal that waits, unless a report has obeyed it: cleaning up is not disturbed.

    To the main thread, which handles it: sent here, it would not wake that one from its waiting.
    """
    main = threading.main_thread().ident
    if main is None or not _asked or any(request.is_obeyed for request in _asked):
        return
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:  # Windows has one place for signals, whatever thread they come from
        signal.raise_signal(number)


def _loads_a_library(frame: FrameType | None) -> bool:
    """Whether a module of Python's or of a package is being imported, and no script's own code."""
    folders = tuple(filter(None, map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))))
    within = None
    while frame is not None:
        code = frame.f_code.co_filename
        if code.startswith("<frozen importlib"):
            return within is None or within.startswith(folders)
        within, frame = code, frame.f_back
    return False


@contextmanager
def _shown(what: str, unit: str, *, quiet: bool) -> Iterator[Report]:
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar(what, unit) as report:
            yield report
    else:
        with _lines(what, unit) as report:
            yield report


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Report]:
    """Show a bar with how much is done, the rate and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: object) -> Text:
            speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
            return Text(f"{speed:,.0f} {unit}/s" if speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        Rate(""),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task: TaskID | None = None

        def report(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                task = progress.add_task(what, total=total)
            progress.update(task, completed=done, total=total)

        yield report


@contextmanager
def _lines(what: str, unit: str) -> Iterator[Report]:
    """Print one line when the stage is done, and one every ten seconds before."""
    start = told = time.monotonic()
    counts = (0, 0)

    def report(done: int, total: int) -> None:
        nonlocal told, counts
        counts = (done, total)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{what}: {done:,}/{total:,} {unit}", file=sys.stderr)

    yield report
    if counts[1]:
        seconds = time.monotonic() - start
        one = unit.removesuffix("s") if counts[0] == 1 else unit
        print(f"{what}: {counts[0]:,} {one} in {seconds:.1f} s", file=sys.stderr)
