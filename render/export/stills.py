"""Stills: one picture, or one numbered picture a frame."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import imageio.v3 as iio

from render.export.sink import Frame, Rectangle
from render.export.whole import check_target, whole_file, whole_folder

__all__ = ["NumberedStills", "write_still"]


def write_still(path: Path, frame: Frame) -> None:
    """Write one frame as a PNG, without alpha where it is opaque."""
    with whole_file(path) as partial:
        _write_png(partial, frame)


class NumberedStills:
    """Writes each frame to a PNG of its own; `%04d` in the name is the frame's number."""

    def __init__(self, pattern: Path) -> None:
        check_target(pattern)
        self._pattern = pattern
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder = self._stack.enter_context(whole_folder(self._pattern.parent))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Write the frame of that number."""
        _write_png(self._folder / (self._pattern.name % number), frame)


def _write_png(path: Path, frame: Frame) -> None:
    opaque = bool((frame[..., 3] == 255).all())
    iio.imwrite(path, frame[..., :3] if opaque else frame, extension=".png", compress_level=3)
