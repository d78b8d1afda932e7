"""Films drawn in segments by several processes, here or on a cluster.

A segment is a range of frames. It is drawn and encoded by one process, which has nothing but the
film and the range; films in H.264 are then joined by stream copy, without encoding again, and
everything else is put together from lossless stills. A segment holds whole parts of the film (see
`parts`), so the joined film decodes to the very pixels of one that was drawn by one process.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio.v3 as iio

from render.export.encoding import keyframe_interval
from render.export.formats import Stream, format_of, is_numbered, is_single, numbered
from render.export.parts import join
from render.export.pieces import Piece, Segment
from render.export.scratch import scratch_folder, unkept
from render.export.sharing import Crew, draw_all
from render.export.sink import open_sink
from render.export.whole import naming, whole_file, whole_folder

__all__ = ["save_in_segments", "split"]


def split(frames: range, parts: int, unit: int) -> list[range]:
    """Cut a range of frames into at most `parts` contiguous ranges of whole units of frames."""
    units = -(-len(frames) // unit)
    parts = max(1, min(parts, units))
    cuts = [part * units // parts * unit for part in range(parts + 1)]
    return [frames[start:stop] for start, stop in itertools.pairwise(cuts)]


def save_in_segments(
    film: bytes,
    targets: Sequence[Path],
    stream: Stream,
    frames: range,
    parts: int,
    crew: Crew,
    progress: Callable[[int, int], None],
) -> None:
    """Write a pickled film to several targets from segments that a crew draws.

    Raises ExportError when workers keep dying, or a disk is full, and whatever a panel raises.
    """
    joined = [path for path in targets if format_of(path).joins]
    others = [path for path in targets if not format_of(path).joins]
    films = {path.suffix.lower(): str(path) for path in reversed(joined)}
    with scratch_folder("render-parts-") as folder:
        segments = [
            Segment(
                film=film,
                frames=part,
                films=films,
                stills=_stills(part, frames, others),
                stream=stream,
                scratch=str(folder),
            )
            for part in split(frames, parts, keyframe_interval(stream.fps) if joined else 1)
        ]
        kept = _Kept(folder)
        draw_all(segments, crew, kept.keep, progress)
        for path in joined:
            with whole_file(path) as partial:
                join(kept.films(path.suffix.lower()), path, partial, stream)
        for path in others:
            _assemble(path, stream, kept.still, frames)


def _stills(part: range, frames: range, targets: Sequence[Path]) -> range:
    """Return the frames of a part that these targets are put together from."""
    if not all(is_single(path) for path in targets):
        return part
    return part[-1:] if targets and part[-1] == frames[-1] else range(0)


class _Kept:
    """The files of pieces, in a folder: memory holds one piece at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, number: int, piece: Piece) -> None:
        """Write the files of a segment's piece. Raises ExportError when there is no room."""
        files = {
            self._folder / f"part-{number:05d}{suffix}": data
            for suffix, data in piece.films.items()
        }
        files |= {self.still(frame): data for frame, data in piece.stills.items()}
        try:
            for path, data in files.items():
                path.write_bytes(data)
        except OSError as error:
            raise unkept(error, self._folder.parent) from error

    def films(self, suffix: str) -> list[Path]:
        """Return the parts of a film, in order."""
        return sorted(self._folder.glob(f"part-*{suffix}"))

    def still(self, frame: int) -> Path:
        """Return where the still of a frame is."""
        return self._folder / f"{frame}.png"


def _assemble(path: Path, stream: Stream, still: Callable[[int], Path], frames: range) -> None:
    """Put a target together from lossless stills."""
    if is_single(path):
        with whole_file(path) as partial, naming(path):
            partial.write_bytes(still(frames[-1]).read_bytes())
    elif is_numbered(path):
        with whole_folder(path.parent) as partial:
            for number in frames:
                target = numbered(path, number)
                with naming(target):
                    (partial / target.name).write_bytes(still(number).read_bytes())
    else:
        everything = ((0, 0, stream.width, stream.height),)
        with open_sink(path, stream) as sink:
            for number in frames:
                sink.write(number, iio.imread(still(number), mode="RGBA"), everything)
