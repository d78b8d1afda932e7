"""Films drawn in segments by several processes, here or on a cluster.

A segment is a range of frames. It is drawn and encoded by one process, which has nothing but the
film and the range; films in H.264 are then joined by stream copy, without encoding again, and
everything else is put together from lossless stills. A segment holds whole parts of the film (see
`parts`), so the joined film decodes to the very pixels of one that was drawn by one process.
"""

from __future__ import annotations

import itertools
import pickle
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import imageio.v3 as iio

from render.errors import ExportError
from render.export.encoding import keyframe_interval
from render.export.formats import Quality, Stream, format_of, is_numbered, is_single, numbered
from render.export.parts import join
from render.export.sink import open_sink
from render.export.whole import whole_file, whole_folder
from render.film.film import Film

__all__ = ["Piece", "Segment", "draw_segment", "save_in_segments", "split"]

OpenExecutor = Callable[[], AbstractContextManager[Executor]]
"""Opens the executor that draws segments; called again when its workers have died."""

_MOST_TRIES = 3  # of a segment whose worker dies


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What one process draws: these frames of a pickled film.

    suffixes: films to encode. stills: frames wanted as PNG. scratch: a folder for temporary
    files, used where it exists.
    """

    film: bytes
    frames: range
    suffixes: tuple[str, ...]
    stills: range
    quality: Quality
    scratch: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What came of a segment: encoded films by suffix, PNG stills by frame."""

    films: Mapping[str, bytes]
    stills: Mapping[int, bytes]


def split(frames: range, parts: int, unit: int) -> list[range]:
    """Cut a range of frames into at most `parts` contiguous ranges of whole units of frames."""
    units = -(-len(frames) // unit)
    parts = max(1, min(parts, units))
    cuts = [part * units // parts * unit for part in range(parts + 1)]
    return [frames[start:stop] for start, stop in itertools.pairwise(cuts)]


def draw_segment(segment: Segment) -> Piece:
    """Draw and encode one segment; runs in a worker process."""
    from render.export.save import save

    film = _film(segment.film)
    scratch = segment.scratch if Path(segment.scratch).is_dir() else None
    with _folder("render-segment-", scratch) as folder:
        targets = {suffix: Path(folder) / f"film{suffix}" for suffix in segment.suffixes}
        pattern = [Path(folder) / "%d.png"] if segment.stills else []
        written = save(
            film, *targets.values(), *pattern, frames=segment.frames, quality=segment.quality
        )
        pictures = {int(path.stem): path for path in written if path.suffix == ".png"}
        return Piece(
            films={suffix: path.read_bytes() for suffix, path in targets.items()},
            stills={frame: pictures[frame].read_bytes() for frame in segment.stills},
        )


def _folder(prefix: str, parent: str | None = None) -> tempfile.TemporaryDirectory[str]:
    """Make a temporary folder; an encoder whose worker was killed may still write to it."""
    return tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True)


@lru_cache(maxsize=1)
def _film(pickled: bytes) -> Film:
    """Keep the film between the segments of one worker, with what its panels computed."""
    film = pickle.loads(pickled)
    assert isinstance(film, Film)
    return film


def save_in_segments(
    film: Film,
    targets: Sequence[Path],
    stream: Stream,
    frames: range,
    parts: int,
    open_executor: OpenExecutor,
    progress: Callable[[int, int], None],
) -> None:
    """Write a film to several targets from segments that an executor's workers draw.

    Raises ExportError when workers keep dying, and whatever a panel raises.
    """
    film.prepare()
    joined = [path for path in targets if format_of(path).joins]
    others = [path for path in targets if not format_of(path).joins]
    single = all(is_single(path) for path in others)
    stills = frames[-1:] if single else frames
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_folder("render-parts-")))
        pickled = pickle.dumps(film)
        segments = [
            Segment(
                film=pickled,
                frames=part,
                suffixes=tuple(sorted({path.suffix.lower() for path in joined})),
                stills=range(max(part.start, stills.start), part.stop) if others else range(0),
                quality=stream.quality,
                scratch=str(folder),
            )
            for part in split(frames, parts, keyframe_interval(stream.fps) if joined else 1)
        ]
        kept = _draw_all(segments, open_executor, folder, progress)
        for path in joined:
            with whole_file(path) as partial:
                parts_of = [file for file in kept if file.suffix == path.suffix.lower()]
                join(parts_of, path, partial, stream)
        pictures = {int(file.stem): file for file in kept if file.suffix == ".png"}
        for path in others:
            _assemble(path, stream, pictures, frames)


def _draw_all(
    segments: Sequence[Segment],
    open_executor: OpenExecutor,
    folder: Path,
    progress: Callable[[int, int], None],
) -> list[Path]:
    """Draw every segment, those of dead workers again, and keep their files, in order."""
    total = sum(len(segment.frames) for segment in segments)
    files: dict[int, list[Path]] = {}
    for _ in range(_MOST_TRIES):
        left = [number for number in range(len(segments)) if number not in files]
        with open_executor() as executor:
            futures: dict[Future[Piece], int] = {
                executor.submit(draw_segment, segments[number]): number for number in left
            }
            try:
                for future in as_completed(futures):
                    number = futures[future]
                    files[number] = _keep(future.result(), number, folder)
                    progress(sum(len(segments[done].frames) for done in files), total)
                return [file for number in sorted(files) for file in files[number]]
            except BrokenProcessPool as error:
                broken = error
    raise ExportError(
        f"the processes that draw died {_MOST_TRIES} times; memory may be short: use --jobs 1"
    ) from broken


def _keep(piece: Piece, number: int, folder: Path) -> list[Path]:
    """Write a piece's files to the folder, so that memory holds one piece at a time."""
    files = {folder / f"part-{number:05d}{suffix}": data for suffix, data in piece.films.items()}
    files |= {folder / f"{frame}.png": data for frame, data in piece.stills.items()}
    for path, data in files.items():
        path.write_bytes(data)
    return list(files)


def _assemble(path: Path, stream: Stream, pictures: Mapping[int, Path], frames: range) -> None:
    """Put a target together from lossless stills."""
    if is_single(path):
        with whole_file(path) as partial:
            partial.write_bytes(pictures[frames[-1]].read_bytes())
    elif is_numbered(path):
        with whole_folder(path.parent) as partial:
            for number in frames:
                (partial / numbered(path, number).name).write_bytes(pictures[number].read_bytes())
    else:
        everything = ((0, 0, stream.width, stream.height),)
        with open_sink(path, stream) as sink:
            for number in frames:
                sink.write(number, iio.imread(pictures[number], mode="RGBA"), everything)
