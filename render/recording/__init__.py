"""The torch core: recording a run, keeping it, evaluating it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.recording.keep import Keep
    from render.recording.landscapes import landscape
    from render.recording.loop import record
    from render.recording.planes import Landscape
    from render.recording.problem import Problem
    from render.recording.sessions import Session, session
    from render.recording.storage import load_runs, save_runs
    from render.recording.sweeps import sweep
    from render.recording.trajectory import Trajectory

_MODULES = {
    "Keep": "keep",
    "Landscape": "planes",
    "Problem": "problem",
    "Session": "sessions",
    "Trajectory": "trajectory",
    "landscape": "landscapes",
    "load_runs": "storage",
    "record": "loop",
    "save_runs": "storage",
    "session": "sessions",
    "sweep": "sweeps",
}

__all__ = [
    "Keep",
    "Landscape",
    "Problem",
    "Session",
    "Trajectory",
    "landscape",
    "load_runs",
    "record",
    "save_runs",
    "session",
    "sweep",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: only some of them need torch."""
    if name in _MODULES:
        return getattr(import_module(f"render.recording.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
