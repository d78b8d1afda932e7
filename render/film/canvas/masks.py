"""Masks of clip paths: which one Agg uses for which command in a full drawing.

Agg renders the mask of a clip path for the first command that has it, within that command's clip
rectangle and snapped as that command is, and keeps it while the commands that follow have the very
same path and a transform equal to the first one's, even into the next drawing. So a mask depends
on what was drawn before.
Source: RendererAgg::render_clippath in matplotlib's src/_backend_agg.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

from matplotlib.projections.polar import PolarAxes

from render.film.canvas.boxes import Box
from render.film.canvas.clips import Clip
from render.film.canvas.commands import Command
from render.film.canvas.segments import Segment

__all__ = ["Masks"]


class Masks:
    """Follows the masks through one drawing after another of a figure."""

    def __init__(self) -> None:
        self._is_drawn = False
        self._known: WeakValueDictionary[Any, Clip] = WeakValueDictionary()
        self._last: Clip | None = None  # for which Agg rendered the last mask
        self._lasts = True  # whether the path of that one stays for the next drawing
        self._mask: Clip | None = None

    def begin(self, *, is_drawn: bool) -> None:
        """Begin a drawing. is_drawn: whether Agg went through the same one just before."""
        self._is_drawn = is_drawn

    def give(self, segments: Sequence[Segment]) -> Iterator[tuple[int, list[Box]]]:
        """Give each command its mask; yield numbers of segments and boxes in which that differs."""
        masked = [number for number, segment in enumerate(segments) if segment.takes_masks]
        if self._is_drawn:
            self._begin_drawing()
            for number in masked:
                self._commands(segments[number])
        self._begin_drawing()
        for number in masked:
            commands = self._commands(segments[number])
            pairs = list(zip(commands, segments[number].commands, strict=True))
            if boxes := [new.box for new, old in pairs if new is not old]:
                segments[number].commands = commands
                yield number, boxes

    def _begin_drawing(self) -> None:
        if not self._lasts:
            self._last = None

    def _commands(self, segment: Segment) -> list[Command]:
        commands = [self._with_mask(command) for command in segment.commands]
        self._lasts = self._last is None or not _is_renewed(self._last, segment.parent)
        return commands

    def _with_mask(self, command: Command) -> Command:
        own: Clip | None = command.own_clip
        if own is None:
            return command
        if self._last is None or not own.is_of(self._last):
            self._mask = self._known.setdefault(own.look, own)
            self._last = own
        return command.with_mask(self._mask)


def _is_renewed(clip: Clip, parent: object) -> bool:
    """Whether each drawing of an axes makes this path anew, as polar ones do with their rim."""
    return isinstance(parent, PolarAxes) and clip.of is getattr(parent.patch, "_path", None)
