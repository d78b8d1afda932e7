"""How many processes draw a film fastest, from the time that a few of its frames take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from render.export import workers
from render.export.encoding import keyframe_interval
from render.export.formats import Stream, format_of
from render.film.drawing import Drawing

__all__ = ["fastest_jobs"]

_WARM_UP, _PROBES = 3, 3  # frames drawn before a canvas knows what rests, and frames timed
# Measured on two slow cores. A faster machine shortens them as much as the drawing that is timed:
# there these are on the safe side, and only films whose drawing dominates get more processes.
_START_S = 3.0  # until a process has drawn its first frames
_ENCODING_S = 12e-9  # of a pixel, in H.264
_STILL_S = 60e-9  # of a pixel, as a PNG that is written and read again
_WORTH = 0.9  # of the time of one process: less is not worth another's memory


def fastest_jobs(drawing: Drawing, targets: Sequence[Path], stream: Stream, numbers: range) -> int:
    """Return how many processes, this one among them, write these frames fastest here.

    Other processes pay where drawing dominates, such as limits that change in every frame, and
    where there are frames enough: they take a while to start, and draw whole parts of a film.
    """
    cores = workers.usable_cores()
    parts = -(-len(numbers) // keyframe_interval(stream.fps))
    if cores == 1 or parts == 1:
        return 1
    pixels = stream.width * stream.height
    joins = all(format_of(path).joins for path in targets)
    encoding_s = pixels * _ENCODING_S
    apart_s = encoding_s if joins else encoding_s + pixels * _STILL_S
    drawing_s = _drawing_s(drawing, numbers)
    jobs = min(cores, parts)
    one = _seconds(1, cores, len(numbers), drawing_s, encoding_s)
    many = _seconds(jobs, cores, len(numbers), drawing_s, apart_s)
    return jobs if many < _WORTH * one else 1


def _seconds(jobs: int, cores: int, frames: int, drawing_s: float, encoding_s: float) -> float:
    """Return about how long some processes take, from what one frame takes one core.

    An encoder is a process of its own: with one process, it works while the next frame is drawn.
    """
    work = frames * (drawing_s + encoding_s) + (jobs - 1) * _START_S
    return max(frames * drawing_s / jobs, work / cores)


def _drawing_s(drawing: Drawing, numbers: range) -> float:
    """Return the mean time of a frame: the median of some, and none where the step stays."""
    times = []
    with drawing.theme():
        for number in numbers[:: len(numbers) // (_WARM_UP + _PROBES)][: _WARM_UP + _PROBES]:
            start = time.perf_counter()
            drawing.show(number)
            drawing.canvas.draw()
            times.append(time.perf_counter() - start)
    return statistics.median(times[_WARM_UP:]) * drawing.moved(numbers) / len(numbers)
