"""A segment of a film, and the piece that comes of it: what one process draws and gives back."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from render.export.drawn import write_frames
from render.export.formats import Stream
from render.film.drawing import Drawing

__all__ = ["Piece", "Segment", "draw_segment", "drawn", "scratch_folder"]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What one process draws: these frames of a pickled film.

    suffixes: films to encode. stills: frames wanted as PNG: all, the last, or none. scratch: a
    folder for temporary files, used where it exists.
    """

    film: bytes
    frames: range
    suffixes: tuple[str, ...]
    stills: range
    stream: Stream
    scratch: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What came of a segment: encoded films by suffix, PNG stills by frame."""

    films: Mapping[str, bytes]
    stills: Mapping[int, bytes]


def draw_segment(segment: Segment) -> Piece:
    """Draw and encode one segment, with nothing but what it holds: in a worker process."""
    return drawn(_drawing(segment.film), segment, lambda done, total: None)


def drawn(drawing: Drawing, segment: Segment, report: Callable[[int, int], None]) -> Piece:
    """Draw and encode one segment; `report` is told the frames done and their total."""
    scratch = segment.scratch if Path(segment.scratch).is_dir() else None
    with scratch_folder("render-segment-", scratch) as place:
        folder = Path(place)
        films = {suffix: folder / f"film{suffix}" for suffix in segment.suffixes}
        stills = [folder / name for name in _stills(segment)]
        write_frames(drawing, [*films.values(), *stills], segment.stream, segment.frames, report)
        return Piece(
            films={suffix: path.read_bytes() for suffix, path in films.items()},
            stills={frame: (folder / f"{frame}.png").read_bytes() for frame in segment.stills},
        )


def _stills(segment: Segment) -> list[str]:
    """Return the target that writes the stills that are wanted, if there is one."""
    if len(segment.stills) > 1:
        return ["%d.png"]
    return [f"{frame}.png" for frame in segment.stills]


def scratch_folder(prefix: str, parent: str | None = None) -> tempfile.TemporaryDirectory[str]:
    """Make a temporary folder; an encoder whose worker was killed may still write to it."""
    return tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True)


@lru_cache(maxsize=1)
def _drawing(film: bytes) -> Drawing:
    """Keep the figure between the segments of one worker, with what its panels computed."""
    return Drawing(pickle.loads(film))
