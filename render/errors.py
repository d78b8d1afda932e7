"""What can go wrong, as one tree.

    RenderError             everything the toolkit raises on purpose
    ├── UsageError          the command line was misused (exit code 2)
    ├── InputError          an argument has a value that is not allowed (also a ValueError)
    ├── SceneError          a scene script cannot be found, loaded or called
    ├── RecordingError      a run cannot be recorded, evaluated, saved or loaded
    ├── ExportError         a film cannot be encoded or written
    ├── LegibilityError     a film cannot be read well, says `--check`
    └── MissingExtraError   an optional package is not installed

A message names the input, says what is allowed, and shows the way out, in one line.
"""

from __future__ import annotations

__all__ = [
    "ExportError",
    "InputError",
    "LegibilityError",
    "MissingExtraError",
    "RecordingError",
    "RenderError",
    "SceneError",
    "UsageError",
]


class RenderError(Exception):
    """Base of every error that the toolkit raises on purpose."""

    exit_code = 1


class UsageError(RenderError):
    """The command line, or a name or setting given there, is wrong."""

    exit_code = 2


class InputError(RenderError, ValueError):
    """An argument has a value that is not allowed."""


class SceneError(RenderError):
    """A scene script cannot be loaded, or its scene does not give a film."""


class RecordingError(RenderError):
    """A run cannot be recorded, evaluated, saved or loaded."""


class ExportError(RenderError):
    """A film cannot be encoded or written."""


class LegibilityError(RenderError):
    """A film that was checked cannot be read well from the back row."""


class MissingExtraError(RenderError, ImportError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs {package}, which is not installed; run: pip install 'render[{extra}]'"
        )
