"""Save a film: each frame is drawn once, here or in segments, and sent to all targets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from os import PathLike
from pathlib import Path

from render.errors import InputError, UsageError
from render.export import workers
from render.export.drawn import write_frames
from render.export.fastest import fastest_jobs
from render.export.formats import (
    Quality,
    Stream,
    check_size,
    is_numbered,
    is_single,
    numbered,
)
from render.export.pieces import drawn, pickled
from render.export.segments import save_in_segments
from render.export.sharing import Crew
from render.export.whole import check_target
from render.film.checks import check_choice, expect, is_whole
from render.film.drawing import Drawing
from render.film.film import Film

__all__ = ["SLOWEST_FPS", "check_paths", "exact_rate", "save"]

_SEGMENTS_A_JOB = 8  # where there are frames enough: none waits long for the last to be done
_CLUSTER_SEGMENTS = 16
SLOWEST_FPS = 0.001  # a rate is a fraction of thousandths


def save(
    film: Film,
    *paths: str | Path,
    frames: range | None = None,
    quality: Quality = "full",
    jobs: int | None = 1,
    cluster: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a film to one or several files at once, and return the paths of what was written.

    A path's suffix chooses the format; `frame-%04d.png` writes numbered stills, and a plain
    `.png` the last of the frames. frames: which to write, all by default. quality: "draft"
    encodes faster and larger. jobs: processes that draw, each a range of frames; None chooses
    what is fastest here. cluster: the address of a Dask scheduler whose workers draw instead.
    progress: called with the frames done and their total. The frames are the same for any jobs.
    Raises UsageError for a suffix, size or frame that cannot be, InputError for an argument of
    another kind and for a film that cannot be sent to the other processes that were
    asked for, and ExportError when a file cannot be written; no partial file is left.
    """
    expect("film", film, isinstance(film, Film), "a render.Film")
    is_range = frames is None or isinstance(frames, range)
    expect("frames", frames, is_range, "a range of frames, such as range(0, 60)")
    check_choice("quality", quality, Quality)
    numbers = range(film.frames) if frames is None else frames
    if not numbers or not (0 <= numbers[0] < film.frames and 0 <= numbers[-1] < film.frames):
        raise UsageError(
            f"frames {numbers.start}:{numbers.stop} are not among the film's frames 0:{film.frames}"
        )
    if jobs is not None and not is_whole(jobs, 1):
        raise UsageError(f"jobs={jobs!r} is not a number of processes >= 1")
    named = check_paths(paths, film.size)
    targets = [path.absolute() for path in named]  # a panel or `progress` may change the folder
    rate = exact_rate(film.fps)
    report = progress or (lambda done, total: None)
    if all(is_single(path) for path in targets):
        numbers, jobs, cluster = numbers[-1:], 1, None
    written = [file for path in named for file in _files(path, numbers)]
    _check_distinct(written)
    width, height = film.size
    stream = Stream(width=width, height=height, fps=rate, quality=quality)
    if cluster is not None:
        crew = Crew(open=partial(workers.cluster, cluster))
        save_in_segments(pickled(film), targets, stream, numbers, _CLUSTER_SEGMENTS, crew, report)
    elif jobs is None:
        _save_fastest(film, targets, stream, numbers, report)
    elif jobs == 1:
        write_frames(Drawing(film), targets, stream, numbers, report)
    else:
        crew = Crew(open=partial(workers.local, jobs), at_once=jobs)
        parts = jobs * _SEGMENTS_A_JOB
        save_in_segments(pickled(film), targets, stream, numbers, parts, crew, report)
    return written


def _save_fastest(
    film: Film,
    targets: Sequence[Path],
    stream: Stream,
    numbers: range,
    report: Callable[[int, int], None],
) -> None:
    """Draw here, and in other processes too where that is faster."""
    drawing = Drawing(film)
    jobs = fastest_jobs(drawing, targets, stream, numbers)
    sent = _sent(film) if jobs > 1 else None
    if sent is None:
        write_frames(drawing, targets, stream, numbers, report)
        return
    crew = Crew(
        open=partial(workers.local, jobs - 1), at_once=jobs - 1, here=partial(drawn, drawing)
    )
    save_in_segments(sent, targets, stream, numbers, jobs * _SEGMENTS_A_JOB, crew, report)


def _sent(film: Film) -> bytes | None:
    """Return what other processes are sent of a film; None when it cannot be sent."""
    try:
        return pickled(film)
    except InputError:
        return None


def check_paths(paths: Sequence[str | Path], size: tuple[int, int]) -> list[Path]:
    """Check targets before anything is computed, and return them as paths.

    Raises InputError for what is no path, and UsageError or ExportError, naming the path, when one
    cannot be written.
    """
    if not paths:
        raise UsageError("no file to write was named")
    for path in paths:
        expect("path", path, isinstance(path, (str, PathLike)), "a path, such as 'film.mp4'")
    targets = [Path(path) for path in paths]
    _check_distinct(targets)
    for path in targets:
        check_target(path)
        check_size(path, *size)
    return targets


def _check_distinct(files: Iterable[Path]) -> None:
    """Check that no file is written twice. Raises UsageError, naming the file."""
    places: set[str] = set()
    for file in files:
        place = os.path.abspath(file)
        if place in places:
            raise UsageError(f"{file}: named twice; give each file a name of its own")
        places.add(place)


def exact_rate(fps: float) -> Fraction:
    """Return frames a second as the fraction that was meant: 29.97 is 30000/1001.

    Raises InputError below 0.001.
    """
    if fps < SLOWEST_FPS:
        raise InputError(f"fps={fps:g} is slower than {SLOWEST_FPS} frames a second")
    for nominal in (24, 30, 60, 120):
        if abs(fps - nominal * 1000 / 1001) < 0.005:
            return Fraction(nominal * 1000, 1001)
    return Fraction(float(fps)).limit_denominator(1000)


def _files(path: Path, numbers: Sequence[int]) -> list[Path]:
    """Return the files that a target stands for."""
    return [numbered(path, number) for number in numbers] if is_numbered(path) else [path]
