"""Save a film: each frame is drawn once, here or in segments, and sent to all targets."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path

from render.errors import UsageError
from render.export import workers
from render.export.formats import Quality, Stream, check_size, is_numbered, is_single, numbered
from render.export.segments import OpenExecutor, save_in_segments
from render.export.sink import open_sink
from render.export.stills import write_still
from render.export.whole import check_target
from render.film.canvas import LayeredCanvas
from render.film.drawing import Drawing
from render.film.film import Film

__all__ = ["check_paths", "exact_rate", "fastest_jobs", "save"]

_SEGMENTS_A_JOB = 2  # the second is drawn while another process still draws its first
_CLUSTER_SEGMENTS = 16
_FEWEST_FRAMES = 120  # below that, one process is done before a second has started
_WARM_UP, _PROBES = 4, 4  # frames drawn before a canvas knows what rests, and frames timed
_START_S = 4.0  # what starting processes costs, and twice that to be worth the while


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
    Raises UsageError for a suffix, size or frame that cannot be, and ExportError when a file
    cannot be written; no partial file is left.
    """
    numbers = range(film.frames) if frames is None else frames
    if not numbers or not (0 <= numbers[0] < film.frames and 0 <= numbers[-1] < film.frames):
        raise UsageError(
            f"frames {numbers.start}:{numbers.stop} are not among the film's frames 0:{film.frames}"
        )
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs={jobs} is not a number of processes >= 1")
    targets = check_paths(paths, film.size)
    report = progress or (lambda done, total: None)
    if all(is_single(path) for path in targets):
        numbers, jobs, cluster = numbers[-1:], 1, None
    width, height = film.size
    stream = Stream(width=width, height=height, fps=exact_rate(film.fps), quality=quality)
    drawing = None
    if cluster is None and jobs is None:
        drawing = Drawing(film)
        jobs = fastest_jobs(drawing, numbers)
    if cluster is None and jobs == 1:
        _save_here(drawing or Drawing(film), targets, stream, numbers, report)
    else:
        parts, executor = _workers(jobs, cluster)
        save_in_segments(film, targets, stream, numbers, parts, executor, report)
    return [file for path in targets for file in _files(path, numbers)]


def _save_here(
    drawing: Drawing,
    targets: Sequence[Path],
    stream: Stream,
    numbers: range,
    report: Callable[[int, int], None],
) -> None:
    """Draw each frame once, in this process, and send it to all targets."""
    stills = [path for path in targets if is_single(path)]
    with ExitStack() as stack:
        sinks = [
            stack.enter_context(open_sink(path, stream)) for path in targets if path not in stills
        ]
        stack.enter_context(drawing.theme())
        canvas = stack.enter_context(LayeredCanvas(drawing.figure))
        for done, number in enumerate(numbers, start=1):
            drawing.show(number)
            frame = canvas.draw()
            for sink in sinks:
                sink.write(number, frame, canvas.damage)
            report(done, len(numbers))
        for path in stills:
            write_still(path, frame)


def _workers(jobs: int | None, address: str | None) -> tuple[int, OpenExecutor]:
    """Return how many segments to draw, and what opens their executor."""
    if address is not None:
        return _CLUSTER_SEGMENTS, partial(workers.cluster, address)
    assert jobs is not None
    return jobs * _SEGMENTS_A_JOB, partial(workers.local, jobs)


def fastest_jobs(drawing: Drawing, numbers: range) -> int:
    """Return how many processes draw these frames fastest here, from the time of a few of them.

    Starting processes costs about as much as drawing some hundred simple frames: it pays where
    drawing dominates, such as limits that change in every frame.
    """
    cores = workers.usable_cores()
    if cores == 1 or len(numbers) < _FEWEST_FRAMES:
        return 1
    with drawing.theme(), LayeredCanvas(drawing.figure) as canvas:
        times = []
        for number in numbers[:: len(numbers) // (_WARM_UP + _PROBES)][: _WARM_UP + _PROBES]:
            start = time.perf_counter()
            drawing.show(number)
            canvas.draw()
            times.append(time.perf_counter() - start)
    drawing_s = statistics.median(times[_WARM_UP:]) * len(numbers)
    return cores if drawing_s * (1 - 1 / cores) > _START_S else 1


def check_paths(paths: Iterable[str | Path], size: tuple[int, int]) -> list[Path]:
    """Check targets before anything is computed, and return them as paths.

    Raises UsageError or ExportError, naming the path, when one cannot be written.
    """
    targets = [Path(path) for path in paths]
    if not targets:
        raise UsageError("no file to write was named")
    for number, path in enumerate(targets):
        if path in targets[:number]:
            raise UsageError(f"{path}: named twice; give each file a name of its own")
        check_size(path, *size)
        check_target(path)
    return targets


def exact_rate(fps: float) -> Fraction:
    """Return frames a second as the fraction that was meant: 29.97 is 30000/1001."""
    for nominal in (24, 30, 60, 120):
        if abs(fps - nominal * 1000 / 1001) < 0.005:
            return Fraction(nominal * 1000, 1001)
    return Fraction(fps).limit_denominator(1000)


def _files(path: Path, numbers: Sequence[int]) -> list[Path]:
    """Return the files that a target stands for."""
    return [numbered(path, number) for number in numbers] if is_numbered(path) else [path]
