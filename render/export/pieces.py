"""A segment of a film, and the piece that comes of it: what one process draws and gives back."""

from __future__ import annotations

import dataclasses
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cloudpickle

from render.errors import ExportError, InputError
from render.export.drawn import write_frames
from render.export.ffmpeg import EncoderError
from render.export.formats import Stream
from render.export.scratch import is_full, scratch_folder, unkept
from render.film.drawing import Drawing
from render.film.film import Film
from render.film.registered import Registered

__all__ = ["Piece", "Segment", "draw_segment", "drawn", "pickled"]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What one process draws: these frames of a pickled film.

    films: by suffix, the names of the films that it is a part of. stills: frames wanted as PNG:
    all, the last, or none. scratch: a folder for temporary files, used where it exists.
    """

    film: bytes
    frames: range
    films: Mapping[str, str]
    stills: range
    stream: Stream
    scratch: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What came of a segment: encoded films by suffix, PNG stills by frame, and warnings.

    warned: of each warning its words, kind, file and line.
    """

    films: Mapping[str, bytes]
    stills: Mapping[int, bytes]
    warned: Sequence[tuple[str, type[Warning], str, int]] = ()


def pickled(film: Film) -> bytes:
    """Return a film, with what its panels computed, as other processes take it.

    With what its script has registered with matplotlib, which they need before they load it.
    Raises InputError, naming what they cannot be sent.
    """
    film.prepare()
    try:
        return pickle.dumps((Registered.now(), pickle.dumps(film)))
    except Exception as error:  # whatever an object's own pickling raises
        raise InputError(
            f"{_unsendable(film)} cannot be sent to another process: "
            f"{type(error).__name__}: {error}; draw in this one alone, with jobs=1 (--jobs 1)"
        ) from error


def _unsendable(film: Film) -> str:
    """Name the first part of a film that cannot be pickled."""
    parts: dict[str, Any] = {f"panel {name}": p for name, p in film.panels_by_name.items()}
    parts |= {field.name: getattr(film, field.name) for field in dataclasses.fields(film)}
    for name, part in parts.items():
        try:
            cloudpickle.dumps(part)
        except Exception:
            return name
    return "the film"


def draw_segment(segment: Segment) -> Piece:
    """Draw and encode one segment, with nothing but what it holds: in a worker process.

    What it warns of comes back with the piece: whoever asked for the film is told.
    """
    with warnings.catch_warnings(record=True) as caught:
        piece = drawn(_drawing(segment.film), segment, lambda done, total: None)
    told = {
        (str(each.message), _known(each.category), each.filename, each.lineno) for each in caught
    }
    return dataclasses.replace(piece, warned=sorted(told, key=repr))


def _known(category: type[Warning]) -> type[Warning]:
    """Return the kind of a warning as any process knows it."""
    return next(kind for kind in category.__mro__ if kind.__module__ == "builtins")


def drawn(drawing: Drawing, segment: Segment, report: Callable[[int, int], None]) -> Piece:
    """Draw and encode one segment; `report` is told the frames done and their total.

    Raises ExportError, naming the film, when it cannot be encoded, or kept.
    """
    scratch = Path(segment.scratch)
    with scratch_folder("render-segment-", scratch if scratch.is_dir() else None) as folder:
        films = {suffix: folder / f"film{suffix}" for suffix in segment.films}
        stills = [folder / name for name in _stills(segment)]
        names = {films[suffix]: name for suffix, name in segment.films.items()}
        with _naming(names, scratch.parent if scratch.is_dir() else folder.parent):
            targets = [*films.values(), *stills]
            write_frames(drawing, targets, segment.stream, segment.frames, report)
        return Piece(
            films={suffix: path.read_bytes() for suffix, path in films.items()},
            stills={frame: (folder / f"{frame}.png").read_bytes() for frame in segment.stills},
        )


def _stills(segment: Segment) -> list[str]:
    """Return the target that writes the stills that are wanted, if there is one."""
    if len(segment.stills) > 1:
        return ["%d.png"]
    return [f"{frame}.png" for frame in segment.stills]


@contextmanager
def _naming(names: Mapping[Path, str], folder: Path) -> Iterator[None]:
    """Let errors name films, and a folder, that a user knows, and not the temporary files."""
    try:
        yield
    except ExportError as error:
        if is_full(error):
            raise unkept(error, folder) from error
        message = str(error)
        for path, name in names.items():
            message = message.replace(str(path), name)
        if isinstance(error, EncoderError):
            raise EncoderError(message, error.returncode, error.cmd) from error
        raise ExportError(message) from error


@lru_cache(maxsize=1)
def _drawing(film: bytes) -> Drawing:
    """Keep the figure between the segments of one worker, with what its panels computed."""
    registered, itself = pickle.loads(film)
    registered.register()
    return Drawing(pickle.loads(itself))
