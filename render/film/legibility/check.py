"""Check a film: every frame for motion, some of them for texts and lines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render.film.drawing import Drawing
from render.film.film import Film
from render.film.legibility.findings import Finding, Findings
from render.film.legibility.glyphs import check_glyphs, told_by_finding
from render.film.legibility.lines import check_lines, check_runs, check_spines
from render.film.legibility.motion import Flashes, Jumps
from render.film.legibility.pictures import FrameView
from render.film.legibility.texts import check_texts
from render.film.legibility.unseen import Unseen

__all__ = ["check"]

_MOTION_LINES = 180  # height, in pixels, at which motion is watched


def check(
    film: Film,
    *,
    stills: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Return what cannot be read well in a film; an empty list when all is well.

    Texts and lines are measured at full size in `stills` frames, the first and the last among them;
    flashes and axes that jump are looked for in every frame. Each thing is reported once, in the
    frame in which it is worst, and of many of one kind the worst few; the last says how many more.
    progress: called with the frames done and their total.
    """
    looked_at = np.unique(np.linspace(0, film.frames - 1, stills).round().astype(int)).tolist()
    total = len(looked_at) + film.frames
    report = progress or (lambda done, total: None)
    found = Findings()
    with told_by_finding():
        _check_stills(film, looked_at, found, lambda done: report(done, total))
        _check_motion(film, found, lambda done: report(len(looked_at) + done, total))
    return found.worst()


def _check_stills(
    film: Film, looked_at: list[int], found: Findings, report: Callable[[int], None]
) -> None:
    number = f"{len(looked_at)} stills"
    unseen = Unseen()
    drawing = Drawing(film)
    with drawing.theme():
        for done, frame in enumerate(looked_at, start=1):
            drawing.show(frame)
            view = FrameView(drawing.figure, frame)
            for rule in (check_texts, check_glyphs, check_lines, check_spines, check_runs):
                found.take(rule(view), number)
            unseen.add(view)
            report(done)
    found.take(unseen.findings(), number)


def _check_motion(film: Film, found: Findings, report: Callable[[int], None]) -> None:
    number = f"{film.frames} frames"
    small = film.resized(2 * round(film.size[0] / film.size[1] * _MOTION_LINES / 2), _MOTION_LINES)
    drawing = Drawing(small)
    flashes, jumps = Flashes(film.fps), Jumps(exempt=drawing.moving_axes)
    with drawing.theme():
        for frame in range(film.frames):
            if drawing.show(frame) or frame == 0:
                picture = drawing.canvas.draw()
            found.take(flashes.add(frame, picture), number)
            found.take(jumps.add(frame, drawing.figure), number)
            report(frame + 1)
