"""Frames drawn by this process, one after another, and sent to all targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from render.export.formats import Stream, is_single
from render.export.sink import open_sink
from render.export.stills import write_still
from render.film.drawing import Drawing

__all__ = ["write_frames"]


def write_frames(
    drawing: Drawing,
    targets: Sequence[Path],
    stream: Stream,
    numbers: range,
    report: Callable[[int, int], None],
) -> None:
    """Draw each frame once, and send it to all targets; `report` is told after each."""
    stills = [path for path in targets if is_single(path)]
    with ExitStack() as stack:
        sinks = [
            stack.enter_context(open_sink(path, stream)) for path in targets if path not in stills
        ]
        stack.enter_context(drawing.theme())
        canvas = drawing.canvas
        for done, number in enumerate(numbers, start=1):
            if drawing.show(number) or done == 1:
                frame, damage = canvas.draw(), canvas.damage
            else:
                damage = ()
            for sink in sinks:
                sink.write(number, frame, damage)
            report(done, len(numbers))
        for path in stills:
            write_still(path, frame)
