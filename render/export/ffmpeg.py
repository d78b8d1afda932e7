"""The ffmpeg process: found, fed with frames, watched, and never left behind."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import imageio_ffmpeg
import matplotlib
import numpy as np
from numpy.typing import NDArray

from render.errors import ExportError

__all__ = ["EncoderError", "FFmpeg", "ffmpeg_path", "matplotlib_ffmpeg", "run_ffmpeg"]

_PIPE_BYTES = 1 << 20  # the most an ordinary user gets; ffmpeg is woken less often
_F_SETPIPE_SZ = 1031  # of Linux, in <linux/fcntl.h>


class EncoderError(ExportError, subprocess.CalledProcessError):
    """ffmpeg failed; also the exception that matplotlib's writers raise then."""

    def __init__(self, message: str, status: int, command: Sequence[str]) -> None:
        subprocess.CalledProcessError.__init__(self, status, list(command))
        self._message = message

    def __str__(self) -> str:
        return self._message


def ffmpeg_path() -> str:
    """Return the ffmpeg that comes with the package. Raises ExportError when there is none."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ExportError(
            "ffmpeg was not found; reinstall it with: pip install --force-reinstall imageio-ffmpeg"
        ) from error


def matplotlib_ffmpeg() -> str:
    """Return the ffmpeg that matplotlib's setting finds; ours where the setting is the default.

    Raises ExportError when there is none.
    """
    setting = str(matplotlib.rcParams["animation.ffmpeg_path"])
    found = shutil.which(setting)
    if found is not None:
        return found
    if setting == matplotlib.rcParamsDefault["animation.ffmpeg_path"]:
        return ffmpeg_path()
    raise ExportError(f"ffmpeg was not found at {setting!r}, rcParams['animation.ffmpeg_path']")


class FFmpeg:
    """One ffmpeg process that reads raw frames from its standard input.

    A context manager: leaving it waits for ffmpeg and checks its exit status; leaving it with an
    exception kills it. Raises EncoderError with ffmpeg's own last words when it fails.
    """

    def __init__(
        self, arguments: Sequence[str], target: Path, *, binary: str | None = None
    ) -> None:
        self._target = target
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _close
        quiet = ("-hide_banner", "-loglevel", "error", "-y")
        self._command = [binary or ffmpeg_path(), *quiet, *arguments]
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C reaches us alone; we then stop ffmpeg
            )
        except OSError as error:
            self._log.close()
            raise ExportError(f"{target}: ffmpeg cannot be started: {error}") from error
        assert self._process.stdin is not None
        self._pipe = self._process.stdin
        _enlarge(self._pipe.fileno())

    def write(self, data: bytes | memoryview | NDArray[np.uint8]) -> None:
        """Send bytes to ffmpeg, waiting while its pipe is full."""
        try:
            self._pipe.write(memoryview(data))  # type: ignore[arg-type]
        except (BrokenPipeError, OSError) as error:
            raise self._failure() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is not None:
                return
            try:
                self._pipe.close()
            except (BrokenPipeError, OSError) as broken:
                raise self._failure() from broken
            if self._process.wait() != 0:
                raise self._failure()
        finally:
            self._close()

    def _failure(self) -> EncoderError:
        """Describe why ffmpeg stopped."""
        status = self._process.wait()
        self._log.seek(0)
        words = self._log.read().decode(errors="replace").strip().splitlines()
        reason = "; ".join(words[-2:]) if words else f"it stopped with status {status}"
        message = f"{self._target}: ffmpeg could not write the film: {reason}"
        return EncoderError(message, status, self._command)

    def _close(self) -> None:
        """Leave no process and no open file, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._pipe.close()
        self._log.close()


def run_ffmpeg(arguments: Sequence[str], target: Path, *, binary: str | None = None) -> None:
    """Run ffmpeg on files. Raises EncoderError when it fails."""
    with FFmpeg(arguments, target, binary=binary):
        pass


def _enlarge(descriptor: int) -> None:
    """Enlarge a pipe where the system allows it."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
