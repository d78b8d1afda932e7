"""A sink takes a film's frames, in order, and writes them to one target."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from render.errors import UsageError
from render.export.formats import Stream, any_format_of, check_numbered, is_numbered

__all__ = ["Frame", "Rectangle", "Sink", "open_sink"]

Frame = NDArray[np.uint8]
"""One frame: shape (height, width, 4), RGBA, rows from the top."""

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom lie just outside."""

_PICTURES = (".jpg", ".jpeg", ".tif", ".tiff", ".bmp")  # ffmpeg would write a first frame and stop


class Sink(Protocol):
    """Takes frames in order; leaving its context finishes the file, or removes it on failure."""

    def write(self, number: int, frame: Frame, damage: Iterable[Rectangle]) -> None:
        """Take the frame of that number; only `damage` differs from the frame before.

        The first frame is taken whole. The array may be drawn over as soon as this returns.
        """
        ...


def open_sink(path: Path, stream: Stream) -> AbstractContextManager[Sink]:
    """Return the sink that the path's suffix asks for.

    Raises UsageError for one of a picture, such as .jpg, or a .png that is not numbered.
    """
    suffix, kind = path.suffix.lower(), any_format_of(path).kind
    check_numbered(path)
    if is_numbered(path):
        from render.export.stills import numbered_stills

        return numbered_stills(path)
    if kind == "gif":
        from render.export.gif import gif

        return gif(path, stream)
    if kind == "film" and suffix not in _PICTURES:
        from render.export.video import video

        return video(path, stream)
    raise UsageError(
        f"{path}: a {suffix} holds one picture; use {path.stem}-%04d.png for numbered frames, "
        "or .apng for a film"
    )
