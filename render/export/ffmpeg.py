"""The ffmpeg process: found, fed with frames, watched, and never left behind."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import imageio_ffmpeg
import matplotlib
import numpy as np
from numpy.typing import NDArray

from render.errors import ExportError
from render.export.formats import FORMATS
from render.export.pipe import Pipe
from render.export.scratch import room, unkept

__all__ = ["EncoderError", "FFmpeg", "ffmpeg_path", "matplotlib_ffmpeg"]

_VARIABLE = "IMAGEIO_FFMPEG_EXE"  # names another ffmpeg than the one that comes with the package
_SETTING = "rcParams['animation.ffmpeg_path']"
_ANSWER_S = 10
_LETTERS = 64  # a higher byte of a negated status may be the first letter of an error of ffmpeg's
_CONTEXT = re.compile(r"^(\[[^\]]* @ [^\]]*\] )+", re.MULTILINE)  # ffmpeg's "[mp4 @ 0x5581] "
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_LONGEST = 300  # letters told of one line


class EncoderError(ExportError, subprocess.CalledProcessError):
    """ffmpeg failed; also the exception that matplotlib's writers raise then."""

    def __init__(self, message: str, status: int, command: Sequence[str]) -> None:
        subprocess.CalledProcessError.__init__(self, status, list(command))
        self._message = message

    def __str__(self) -> str:
        return self._message

    @property
    def errno(self) -> int | None:
        """The system's error that ended ffmpeg, if one did."""
        return _errno(self.returncode)


def ffmpeg_path() -> str:
    """Return the ffmpeg that comes with the package, or the one that a variable names.

    Raises ExportError when there is none.
    """
    named = os.environ.get(_VARIABLE)
    if named and shutil.which(named) is None:
        raise ExportError(
            f"{_VARIABLE}={named} is not a program that can be run; correct or unset this variable"
        )
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ExportError(
            "ffmpeg was not found; reinstall it with: pip install --force-reinstall imageio-ffmpeg"
        ) from error


def matplotlib_ffmpeg(encoder: str | None = None) -> str:
    """Return the ffmpeg that matplotlib's setting finds.

    Where the setting is the default and finds none, or one without this encoder, it is ours.
    Raises ExportError when there is none.
    """
    setting = str(matplotlib.rcParams["animation.ffmpeg_path"])
    is_default = setting == matplotlib.rcParamsDefault["animation.ffmpeg_path"]
    found = shutil.which(setting)
    if is_default and (found is None or (encoder and _lacks(found, encoder))):
        return ffmpeg_path()
    if found is None:
        raise ExportError(f"ffmpeg was not found at {setting!r}, {_SETTING}")
    return found


@lru_cache(maxsize=16)
def _lacks(binary: str, encoder: str) -> bool:
    """Whether an ffmpeg says that it does not have an encoder: some come without H.264."""
    try:
        told = subprocess.run(
            [binary, "-hide_banner", "-h", f"encoder={encoder}"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # it will fail, and say why
    return b"is not recognized" in told.stdout + told.stderr


class FFmpeg:
    """One ffmpeg process that reads raw frames from its standard input.

    A context manager: leaving it waits for ffmpeg and checks its exit status; leaving it with an
    exception kills it. Raises EncoderError with ffmpeg's own last words when it fails, and
    ExportError when it cannot be started. ffmpeg may stop reading early and still succeed, as
    with `-frames:v 10`: what is written after that is ignored.
    """

    def __init__(
        self, arguments: Sequence[str], target: Path, *, binary: str | None = None
    ) -> None:
        self._target = target
        quiet = ("-hide_banner", "-loglevel", "error", "-y")
        self._command = [binary or ffmpeg_path(), *quiet, *arguments]
        try:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        except OSError as error:
            raise unkept(error) from error
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                # Ctrl-C reaches us alone; we then stop ffmpeg
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            self._log.close()
            raise ExportError(
                f"{target}: {self._name()} cannot be started: {error.strerror}{self._way()}"
            ) from error
        assert self._process.stdin is not None
        self._pipe = Pipe(self._process.stdin)

    def write(self, data: NDArray[np.uint8]) -> None:
        """Take bytes for ffmpeg; the array may change as soon as this returns."""
        if self._pipe.broken and self._process.wait() != 0:
            raise self._failure()
        self._pipe.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.end()
        finally:
            self.stop()

    def end(self) -> None:
        """Wait until ffmpeg has written everything.

        Raises EncoderError when it failed, and ExportError when there is no file.
        """
        self._pipe.close()
        if self._process.wait() != 0:
            raise self._failure()
        if not Path(self._command[-1].removeprefix("file:")).exists():
            raise ExportError(
                f"{self._target}: {self._name()} ended without writing the film{self._way()}"
            )
        self._log.close()

    def _failure(self) -> EncoderError:
        """Describe why ffmpeg stopped."""
        status = self._process.returncode
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        log = log.replace(self._command[-1], str(self._target))  # not the partial file
        words = _CONTEXT.sub("", _plain(log)).strip().splitlines()
        told = [line[:_LONGEST] for line in words if "Last message repeated" not in line]
        # The first lines name the cause, later ones what it led to.
        reason = "; ".join(told[:2]) if told else _cause(status)
        message = f"{self._target}: {self._name()} could not write the film: {reason}"
        if self._target.suffix.lower() not in FORMATS:
            message += f"; the suffixes of films are {' '.join(FORMATS)}"
        if not told or "Unknown encoder" in reason:
            message += self._way()
        error = EncoderError(message, status, self._command)
        return EncoderError(message + room(error), status, self._command)

    def _name(self) -> str:
        """Return what ffmpeg is called, and who says so, in an error."""
        return f"{self._command[0]}, which {_VARIABLE} names," if self._chosen() else "ffmpeg"

    def _way(self) -> str:
        """Return the way out, as an error ends with it, where this is not the one we bring."""
        if self._chosen():
            return f"; unset {_VARIABLE} for the ffmpeg that comes with us"
        if self._is_ours():
            return ""
        return (
            f"; this is {self._command[0]}: set {_SETTING} to imageio_ffmpeg.get_ffmpeg_exe() for "
            "the one that comes with us"
        )

    def _chosen(self) -> bool:
        return self._command[0] == os.environ.get(_VARIABLE)

    def _is_ours(self) -> bool:
        with suppress(ExportError):
            return self._command[0] == ffmpeg_path()
        return False

    def stop(self) -> None:
        """Leave no process, no thread and no open file, whatever happened."""
        if self._process.poll() is None:
            self._kill()
            self._process.wait()
        self._pipe.close()
        self._log.close()

    def _kill(self) -> None:
        """Kill ffmpeg, and where it is a script what that started: it would keep the pipe open."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, signal.SIGKILL)


def _plain(log: str) -> str:
    """Return lines without colours and what else a terminal would obey."""
    return "".join(c for c in _COLOURS.sub("", log) if c.isprintable() or c == "\n")


def _cause(status: int) -> str:
    """Tell what ended a process that said nothing."""
    try:
        return f"it was stopped by {signal.Signals(-status).name}"
    except ValueError:
        number = _errno(status)
        return os.strerror(number) if number else f"it was stopped by itself, with status {status}"


def _errno(status: int) -> int | None:
    """Return the system's error that a status of ffmpeg stands for, negated, if it does."""
    number = 256 - status
    return number if 1 < number < _LETTERS and number in errno.errorcode else None
