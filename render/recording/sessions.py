"""How the command line reaches into `record` without changing the scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from render.errors import InputError, RecordingError, RenderError
from render.problem.shown import shown
from render.recording.faults import first_line

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Progress", "Session", "active", "blamed", "session"]

Progress = Callable[[int, int], None]
_again = "record the run again, or pass the settings it was recorded with"


@dataclass(kw_only=True)
class Session:
    """What `record` is told from outside, and what it has recorded so far.

    device: taken where a scene asks for "auto". replay: runs to return instead of recording.
    progress: called with (updates done, updates in this run). runs: the results, in order.
    """

    device: str | None = None
    replay: Sequence[Trajectory] | None = None
    progress: Progress | None = None
    runs: list[Trajectory] = field(default_factory=list)

    def next_stored(self) -> Trajectory:
        """Return the stored run that the next call of `record` stands for."""
        stored = self.replay or ()
        if len(self.runs) >= len(stored):
            raise RecordingError(
                f"the file holds {len(stored)} run(s), and the scene asks for more; {_again}"
            )
        return stored[len(self.runs)]


_current: ContextVar[Session | None] = ContextVar("render_session", default=None)


def active() -> Session | None:
    """Return the session around this call, if any."""
    return _current.get()


def blamed(progress: Progress) -> Progress:
    """Return a progress callable of a user's whose errors say that they are its own."""

    def told(done: int, updates: int) -> None:
        try:
            progress(done, updates)
        except RenderError:
            raise
        except Exception as exc:  # whatever a user's own raises
            raise RecordingError(
                f"session: progress failed ({type(exc).__name__}: {first_line(exc)}); give a "
                "callable (done, updates)"
            ) from exc

    return told


def _check(replay: object, progress: object) -> None:
    """Check what a session is given, but for its device, which `record` checks."""
    from render.recording.trajectory import Trajectory

    listed = isinstance(replay, Sequence) and all(isinstance(run, Trajectory) for run in replay)
    if replay is not None and not listed:
        raise InputError(
            f"session: replay is {shown(replay)}; give runs such as load_runs(path) returns"
        )
    if progress is not None and not callable(progress):
        raise InputError(f"session: progress is {shown(progress)}; give a callable (done, updates)")


@contextmanager
def session(
    *,
    device: str | None = None,
    replay: Sequence[Trajectory] | None = None,
    progress: Progress | None = None,
) -> Iterator[Session]:
    """Direct every `record` call inside the block.

    device: used where the scene leaves it at "auto". replay: stored runs, returned in order
    instead of recording, each after a check that the scene still asks for it. progress: called
    about ten times a second, and at the end of each run. The block's value collects the runs.
    Raises RecordingError where a stored run does not fit, or runs are missing or left over.
    """
    _check(replay, progress)
    opened = Session(device=device, replay=replay, progress=progress)
    token = _current.set(opened)
    try:
        yield opened
    finally:
        _current.reset(token)
    if replay is not None and len(opened.runs) < len(replay):
        raise RecordingError(
            f"the file holds {len(replay)} run(s), and the scene asks for {len(opened.runs)}; "
            f"{_again}"
        )
