"""Check a film: every frame for motion, some of them for texts and lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from render.film.canvas import LayeredCanvas
from render.film.drawing import Drawing
from render.film.film import Film
from render.film.legibility.findings import Finding
from render.film.legibility.lines import check_lines, check_runs, check_spines
from render.film.legibility.motion import Flashes, Jumps
from render.film.legibility.pictures import FrameView
from render.film.legibility.texts import check_texts

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
    flashes and axes that jump are looked for in every frame. Each finding is reported once, in
    the first frame that shows it. progress: called with the frames done and their total.
    """
    looked_at = np.unique(np.linspace(0, film.frames - 1, stills).round().astype(int))
    total = len(looked_at) + film.frames
    report = progress or (lambda done, total: None)
    found: dict[tuple[str, str], Finding] = {}

    def keep(findings: Iterator[Finding]) -> None:
        for finding in findings:
            found.setdefault((finding.rule, finding.artist), finding)

    drawing = Drawing(film)
    with drawing.theme():
        for done, frame in enumerate(map(int, looked_at), start=1):
            drawing.show(frame)
            view = FrameView(drawing.figure, frame)
            keep(check_texts(view))
            keep(check_lines(view))
            keep(check_spines(view))
            keep(check_runs(drawing.figure, frame))
            report(done, total)
    small = film.resized(2 * round(film.size[0] / film.size[1] * _MOTION_LINES / 2), _MOTION_LINES)
    drawing = Drawing(small)
    flashes, jumps = Flashes(film.fps), Jumps(exempt=drawing.moving_axes)
    with drawing.theme(), LayeredCanvas(drawing.figure) as canvas:
        for frame in range(film.frames):
            if drawing.show(frame) or frame == 0:
                picture = canvas.draw()
            keep(flashes.add(frame, picture))
            keep(jumps.add(frame, drawing.figure))
            report(len(looked_at) + frame + 1, total)
    return sorted(found.values(), key=lambda finding: finding.frame)
