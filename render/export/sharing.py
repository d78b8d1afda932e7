"""Segments shared out among processes: each goes to whoever is free first."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

from render.errors import ExportError
from render.export.pieces import Piece, Segment, draw_segment

__all__ = ["Crew", "draw_all"]

_MOST_TRIES = 3  # of a segment whose worker dies

DrawHere = Callable[[Segment, Callable[[int, int], None]], Piece]
"""Draws a segment in this process, and reports frames done and their total after each."""


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who draws segments.

    open: opens the executor of the workers, which keep temporary files in the folder that it is
    given; called again when they have died. at_once: segments that workers hold at a time; None
    gives them all that there are. here: draws segments in this process too, while workers draw
    others; None leaves all to them.
    """

    open: Callable[[str], AbstractContextManager[Executor]]
    at_once: int | None = None
    here: DrawHere | None = None


def draw_all(
    segments: Sequence[Segment],
    crew: Crew,
    keep: Callable[[int, Piece], None],
    progress: Callable[[int, int], None],
) -> None:
    """Draw every segment, those of dead workers again; `keep` takes each by its number.

    Raises ExportError when workers keep dying, and whatever a panel raises.
    """
    sharing = _Sharing(segments, crew, keep, progress)
    for _ in range(_MOST_TRIES):
        try:
            with crew.open(segments[0].scratch) as executor:
                sharing.run(executor)
            return
        except BrokenProcessPool as error:
            broken = error
    raise ExportError(
        f"the processes that draw died {_MOST_TRIES} times; memory may be short: use --jobs 1"
    ) from broken


class _Sharing:
    """Which segments are left, which are being drawn, and how many frames are done."""

    def __init__(
        self,
        segments: Sequence[Segment],
        crew: Crew,
        keep: Callable[[int, Piece], None],
        progress: Callable[[int, int], None],
    ) -> None:
        self._segments = segments
        self._crew = crew
        self._keep = keep
        self._progress = progress
        self._left = deque(range(len(segments)))
        self._running: dict[Future[Piece], int] = {}
        self._warned: dict[Any, Any] = {}  # what the user was told, as `warnings` keep it
        self._frames = 0  # of segments that are done
        self._frames_here = 0  # of the one that is being drawn in this process

    def run(self, executor: Executor) -> None:
        """Have everything drawn that is not yet. Raises BrokenProcessPool when a worker dies."""
        self._left = deque(sorted([*self._left, *self._running.values()]))
        self._running = {}
        self._hand_out(executor)
        while self._left or self._running:
            if self._left and self._crew.here is not None:
                self._draw_here(executor, self._crew.here)
            else:
                wait(self._running, return_when=FIRST_COMPLETED)
            self._collect()
            self._hand_out(executor)

    def _hand_out(self, executor: Executor) -> None:
        """Give workers that are free the next segments."""
        busy = sum(not future.done() for future in self._running)
        at_once = self._crew.at_once or len(self._segments)
        for _ in range(min(at_once - busy, len(self._left))):
            future = executor.submit(draw_segment, self._segments[self._left[0]])
            self._running[future] = self._left.popleft()

    def _collect(self) -> None:
        """Keep what workers have drawn."""
        for future in [future for future in self._running if future.done()]:
            piece = future.result()
            self._finish(self._running.pop(future), piece)

    def _draw_here(self, executor: Executor, draw: DrawHere) -> None:
        """Draw the next segment in this process, and look after the workers between frames."""
        number = self._left.popleft()

        def report(done: int, total: int) -> None:
            self._frames_here = done
            # A worker that died is found when this segment is done, and not in the midst of it.
            with suppress(BrokenProcessPool):
                self._collect()
                self._hand_out(executor)
            self._tell()

        piece = draw(self._segments[number], report)
        self._frames_here = 0
        self._finish(number, piece)

    def _finish(self, number: int, piece: Piece) -> None:
        for words, kind, file, line in piece.warned:
            warnings.warn_explicit(words, kind, file, line, registry=self._warned)
        self._keep(number, piece)
        self._frames += len(self._segments[number].frames)
        self._tell()

    def _tell(self) -> None:
        total = sum(len(segment.frames) for segment in self._segments)
        self._progress(self._frames + self._frames_here, total)
