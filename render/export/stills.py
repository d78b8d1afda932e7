"""Stills: one picture, or one numbered picture a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio.v3 as iio

from render.errors import ExportError
from render.export.formats import numbered
from render.export.sink import Frame, Rectangle
from render.export.whole import check_target, naming, whole_file, whole_folder
from render.export.yuv import is_opaque

__all__ = ["NumberedStills", "numbered_stills", "write_still"]


def write_still(path: Path, frame: Frame) -> None:
    """Write one frame as a PNG, without alpha where it is opaque."""
    with whole_file(path) as partial:
        _write_png(partial, frame, path)


@contextmanager
def numbered_stills(pattern: Path) -> Iterator[NumberedStills]:
    """Write each frame to a PNG of its own; `%04d` in the name is the frame's number."""
    check_target(pattern)
    with whole_folder(pattern.parent) as folder:
        yield NumberedStills(pattern, folder)
        if not any(folder.iterdir()):
            raise ExportError(f"{pattern}: no frame was drawn; a film needs at least one")


class NumberedStills:
    """Takes frames, and writes each of them to a folder."""

    def __init__(self, pattern: Path, folder: Path) -> None:
        self._pattern = pattern
        self._folder = folder

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Write the frame of that number."""
        target = numbered(self._pattern, number)
        _write_png(self._folder / target.name, frame, target)


def _write_png(path: Path, frame: Frame, name: Path) -> None:
    """Write pixels to a path. Raises ExportError, calling the file `name`."""
    pixels = frame[..., :3] if is_opaque(frame) else frame
    with naming(name):
        # Not to the file itself: on a full disk that fails once more when imageio forgets it.
        path.write_bytes(iio.imwrite("<bytes>", pixels, extension=".png", compress_level=3))
