"""Painting: from segments of commands to pixels, drawing again only what a change touches.

Commands whose boxes do not meet may trade places without a change to the picture. So the picture is
split: the base holds, painted once, every command that no lively segment lies under; the rest is
played over it. A change is repaired on a scratch frame that starts as the base: all commands that
meet the damaged boxes are played there whole, in order, and only the damaged boxes are copied out.
Nothing is clipped but as in a full drawing, and to the same masks: every pixel comes from the same
calls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from render.film.canvas.boxes import (
    EMPTY,
    Box,
    area,
    disjoint,
    holds,
    hull,
    is_empty,
    meet,
    meets_any,
)
from render.film.canvas.clips import Clip
from render.film.canvas.commands import Command
from render.film.canvas.segments import Segment

_HEAVY = 50_000  # numbers in a segment's commands: some ten milliseconds of painting
_MOST_APART = 50
_SAMPLE = 16  # one row of so many is looked at, to see whether looking at all of them pays
_MOST = 3 / 4  # of the sampled pixels: where the box around the differing ones holds more


class Painter:
    """Keeps the picture, the base under it, and a scratch frame that rests equal to the base."""

    def __init__(self, agg: Any, width: int, height: int) -> None:
        self._agg = agg
        self._scratch = np.asarray(agg)
        self._base = self._scratch.copy()
        self.picture = np.empty((height, width, 4), np.uint8)
        self._frame: Box = (0, 0, width, height)
        self._based: list[tuple[int, Command]] = []  # by their place in the drawing's order
        self._based_places: list[int] = []
        self._based_boxes: list[Box] = []
        self._over: dict[int, list[Command]] = {}
        self._calm_over: set[int] = set()
        self._rebuild_s = 0.0
        self._wasted_s = 0.0
        self._mask: Clip | None = None  # the one that Agg rendered last
        self._is_first = True

    def paint_all(self, segments: Sequence[Segment]) -> tuple[Box, ...]:
        """Paint every segment; the lively ones stay above the base."""
        self._based = []
        self._agg.clear()
        self._base[:] = self._scratch
        self._rebuild(segments)
        damage = self._repair(segments, [self._frame])
        self._is_first = False
        return damage

    def paint(
        self, segments: Sequence[Segment], changed: Iterable[int], damage: Iterable[Box]
    ) -> tuple[Box, ...]:
        """Repair the damage that the segments `changed` did; return boxes that hold it."""
        boxes = disjoint(damage)
        if not boxes:
            return ()
        numbers = list(changed)
        if self._wasted_s > self._rebuild_s or not self._base_holds(segments, numbers):
            start = perf_counter()
            self._rebuild(segments)
            self._wasted_s, self._rebuild_s = 0.0, perf_counter() - start
        else:
            for number in numbers:
                self._over[number] = segments[number].commands
        return self._repair(segments, boxes)

    def _base_holds(self, segments: Sequence[Segment], changed: Sequence[int]) -> bool:
        """Whether the base has no command of a changed segment, nor one that belongs above it."""
        if any(number not in self._over or segments[number].based for number in changed):
            return False
        beyond = [
            (number, segments[number].box)
            for number in changed
            if number in self._calm_over or not holds(segments[number].room, segments[number].box)
        ]
        return not any(
            meets_any(box, self._based_boxes[bisect_right(self._based_places, number) :])
            for number, box in beyond
        )

    def _rebuild(self, segments: Sequence[Segment]) -> None:
        """Choose what the base holds anew, and paint what it lacks, or all of it if it must."""
        based = self._choose(segments)
        have = {id(command) for _, command in self._based}
        lacking = [(number, command) for number, command in based if id(command) not in have]
        kept = len(based) - len(lacking)
        if kept < len(self._based) or _any_belongs_below(lacking, self._based):
            self._agg.clear()
            lacking = based
        for _, command in lacking:
            self._play(command)
        if lacking is based:
            self._base[:] = self._scratch
        else:
            for box in _covering([command.box for _, command in lacking]):
                _copy(self._scratch, self._base, box)
        self._based = based
        self._based_places = [place for place, _ in based]
        self._based_boxes = [command.box for _, command in based]

    def _choose(self, segments: Sequence[Segment]) -> list[tuple[int, Command]]:
        """Return, in order, the commands out of reach of lively segments and what lies on them."""
        based: list[tuple[int, Command]] = []
        taken: list[Box] = []
        self._over, self._calm_over = {}, set()
        heavy = _heavy(segments)
        for number, segment in enumerate(segments):
            segment.based = False
            if segment.lively is not False and not _carries_weight(segment, number, heavy):
                segment.room = hull(hull(segment.room, segment.reach), segment.box)
                taken.append(segment.room)
                self._over[number] = segment.commands
                continue
            above = self._over[number] = []
            for command in segment.commands:
                if meets_any(command.box, taken):
                    above.append(command)
                    if not any(holds(box, command.box) for box in taken):
                        taken.append(command.box)
                else:
                    based.append((number, command))
                    segment.based = True
            self._calm_over.add(number)
        return based

    def _repair(self, segments: Sequence[Segment], boxes: list[Box]) -> tuple[Box, ...]:
        touched: list[Box] = []
        for number in sorted(self._over):
            segment = segments[number]
            if not meets_any(segment.box, boxes):
                continue
            start = perf_counter()
            for command in self._over[number]:
                if meets_any(command.box, boxes):
                    self._play(command)
                    touched.append(command.box)
            if segment.lively is False and number not in self._calm_over:
                self._wasted_s += perf_counter() - start
        damage = [self._copy_out(box) for box in boxes]
        for box in _covering(touched):
            _copy(self._base, self._scratch, box)
        return tuple(box for box in damage if not is_empty(box))

    def _copy_out(self, box: Box) -> Box:
        """Copy the pixels of a box that differ into the picture; return a box that holds them."""
        x0, y0, x1, y1 = box
        new = self._scratch.view(np.uint32)[y0:y1, x0:x1, 0]
        old = self.picture.view(np.uint32)[y0:y1, x0:x1, 0]
        if self._is_first or _differ_in_most(new[::_SAMPLE], old[::_SAMPLE]):
            _copy(self._scratch, self.picture, box)
            return box
        differs = new != old
        rows = np.flatnonzero(differs.any(axis=1))
        if not rows.size:
            return EMPTY
        columns = np.flatnonzero(differs[rows[0] : rows[-1] + 1].any(axis=0))
        tight = (
            x0 + int(columns[0]),
            y0 + int(rows[0]),
            x0 + int(columns[-1]) + 1,
            y0 + int(rows[-1]) + 1,
        )
        _copy(self._scratch, self.picture, tight)
        return tight

    def _play(self, command: Command) -> None:
        mask = command.gc._clippath if command.own_clip is not None else None
        if mask is not None and mask is not self._mask:
            mask.render(self._agg)
            self._mask = mask
        command.play(self._agg)


def _differ_in_most(new: np.ndarray, old: np.ndarray) -> bool:
    """Whether the box around the pixels that differ would leave out few: finding it is in vain."""
    differs = new != old
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return False
    return bool(np.ptp(rows) * np.ptp(columns) > _MOST * differs.size)


def _heavy(segments: Sequence[Segment]) -> list[tuple[int, Box]]:
    """Return the numbers and boxes of segments too dear to paint twice to learn what is lively."""
    if all(segment.lively is not None for segment in segments):
        return []
    return [
        (number, segment.box) for number, segment in enumerate(segments) if segment.weight >= _HEAVY
    ]


def _carries_weight(segment: Segment, number: int, heavy: Sequence[tuple[int, Box]]) -> bool:
    """Whether this is not known to be lively, and is, or lies under, a heavy segment."""
    return segment.lively is None and any(
        place >= number and meet(box, segment.box) for place, box in heavy
    )


def _any_belongs_below(
    new: Sequence[tuple[int, Command]], old: Sequence[tuple[int, Command]]
) -> bool:
    """Whether a new command shares pixels with an old one that is drawn after it."""
    return any(
        place > number and meet(command.box, other.box)
        for number, command in new
        for place, other in old
    )


def _covering(boxes: Sequence[Box]) -> list[Box]:
    """Return boxes that hold all of `boxes`, with few pixels in all; they may overlap."""
    merged = disjoint(boxes)
    largest_first = sorted(set(boxes), key=area, reverse=True)
    apart: list[Box] = []
    for box in largest_first[:_MOST_APART]:
        if not any(holds(other, box) for other in apart):
            apart.append(box)
    is_less = sum(map(area, apart)) < sum(map(area, merged))
    return apart if len(largest_first) <= _MOST_APART and is_less else merged


def _copy(source: np.ndarray, target: np.ndarray, box: Box) -> None:
    x0, y0, x1, y1 = box
    target[y0:y1, x0:x1] = source[y0:y1, x0:x1]
