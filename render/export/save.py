"""Save a film: every frame is drawn once and sent to all targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from render.errors import UsageError
from render.export.formats import Quality, Stream, check_size, format_of, is_numbered
from render.export.sink import open_sink
from render.export.stills import write_still
from render.export.whole import check_target
from render.film.canvas import LayeredCanvas
from render.film.drawing import Drawing
from render.film.film import Film

__all__ = ["check_paths", "exact_rate", "save"]


def save(
    film: Film,
    *paths: str | Path,
    frames: range | None = None,
    quality: Quality = "full",
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a film to one or several files at once, and return the paths of what was written.

    A path's suffix chooses the format; `frame-%04d.png` writes numbered stills, and a plain
    `.png` the last of the frames. frames: which to write, all by default. quality: "draft"
    encodes faster and larger. progress: called with the frames done and their total.
    Raises UsageError for a suffix, size or frame that cannot be, and ExportError when a file
    cannot be written; no partial file is left.
    """
    numbers = range(film.frames) if frames is None else frames
    if not numbers or not (0 <= numbers[0] < film.frames and 0 <= numbers[-1] < film.frames):
        raise UsageError(
            f"frames {numbers.start}:{numbers.stop} are not among the film's frames 0:{film.frames}"
        )
    targets = check_paths(paths, film.size)
    stills = [path for path in targets if _is_single(path)]
    films = [path for path in targets if not _is_single(path)]
    if not films:
        numbers = numbers[-1:]
    width, height = film.size
    stream = Stream(width=width, height=height, fps=exact_rate(film.fps), quality=quality)
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sink(path, stream)) for path in films]
        drawing = Drawing(film)
        stack.enter_context(drawing.theme())
        canvas = stack.enter_context(LayeredCanvas(drawing.figure))
        for done, number in enumerate(numbers, start=1):
            drawing.show(number)
            frame = canvas.draw()
            for sink in sinks:
                sink.write(number, frame, canvas.damage)
            if progress is not None:
                progress(done, len(numbers))
        for path in stills:
            write_still(path, frame)
    return [file for path in targets for file in _files(path, numbers)]


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


def _is_single(path: Path) -> bool:
    return format_of(path).kind == "still" and not is_numbered(path)


def _files(path: Path, numbers: Sequence[int]) -> list[Path]:
    """Return the files that a target stands for."""
    return [path.with_name(path.name % n) for n in numbers] if is_numbered(path) else [path]
