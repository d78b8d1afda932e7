"""One frame after another: find what changed, record that again, and hand it to the painter."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from matplotlib.backend_bases import DrawEvent
from matplotlib.figure import Figure

from render.film.canvas.boxes import Box
from render.film.canvas.engines import draw_nothing
from render.film.canvas.order import record_axes, record_figure
from render.film.canvas.painter import Painter
from render.film.canvas.recorder import Recorder
from render.film.canvas.segments import Segment, damage_between
from render.film.canvas.structure import (
    Structure,
    draws_alike,
    finds_its_place,
    is_independent,
    is_title,
)
from render.film.canvas.watch import Watch, mark_fresh

_CALM_FRAMES = 2  # an artist unchanged for so long is watched, no longer drawn every frame


class Frames:
    """Draws one figure at one size."""

    def __init__(self, figure: Figure, width: int, height: int) -> None:
        self.key = (width, height, figure.dpi)
        self._figure = figure
        self._recorder = Recorder(width, height, figure.dpi)
        self._painter = Painter(self._recorder.agg, width, height)
        self._segments: list[Segment] = []
        self._structure: Structure | None = None
        self._twice = False
        self._damage: dict[int, list[Box]] = {}  # by the number of the segment that does it

    def draw(self, *, rests: bool, twice: bool) -> tuple[np.ndarray, tuple[Box, ...]]:
        """Return the picture and the boxes in which it differs from the one before.

        `rests` False: any artist may have moved. `twice`: a full drawing is gone through twice.
        """
        self._recorder.reset()
        self._damage = {}
        self._twice = twice
        try:
            if rests and self._redraw_changed():
                damage = self._paint_damage()
                event: Any = DrawEvent("draw_event", self._figure.canvas, self._recorder)
                event._process()
            else:
                if twice:
                    draw_nothing(self._figure, self._recorder)
                damage = self._redraw_figure(rests)
        except BaseException:
            self._segments, self._structure = [], None  # half a frame is none: begin anew
            raise
        return self._painter.picture, damage

    def _paint_damage(self) -> tuple[Box, ...]:
        boxes = chain.from_iterable(self._damage.values())
        return self._painter.paint(self._segments, self._damage, boxes)

    def _redraw_figure(self, rests: bool) -> tuple[Box, ...]:
        """Let matplotlib draw everything, and compare with the last frame command by command."""
        old = self._segments
        new, is_clean = record_figure(self._figure, self._recorder)
        self._segments, self._structure = new, None
        for segment in new:
            mark_fresh(segment.artist)
        if [id(segment.artist) for segment in old] != [id(segment.artist) for segment in new]:
            return self._painter.paint_all(new)
        self._segments = list(old)
        for number, segment in enumerate(new):
            self._replace(number, segment)
        if rests and is_clean:
            self._watch_all()
        return self._paint_damage()

    def _replace(self, number: int, after: Segment) -> None:
        """Put a segment in the place of the one that the same artist had in the last frame."""
        before = self._segments[number]
        boxes = damage_between(before.commands, after.commands) + self._damage.get(number, [])
        after.follow(before)
        after.lively = bool(boxes)
        if boxes:
            self._damage[number] = boxes
        else:
            after.commands = before.commands  # the very objects that the painter holds
        self._segments[number] = after

    def _watch_all(self) -> None:
        """Begin to watch what rests: two full drawings in a row have shown what does."""
        structure = Structure(self._figure)
        moved = [self._segments[number] for number in self._damage]
        restless = {s.parent for s in moved if not is_independent(s.artist)}
        if not structure.stand_alone(restless):
            return
        self._structure = structure
        for parent in {*structure.axes, *(segment.parent for segment in self._segments)}:
            self._watch(parent)

    def _watch(self, parent: Any) -> None:
        """Begin to watch the artists of one parent, if none moved on which others depend."""
        assert self._structure is not None
        rest, fixed = [], []
        for number, segment in enumerate(self._segments):
            if segment.parent is not parent:
                continue
            segment.watch = None
            if number not in self._damage:
                rest.append(segment)
            elif not is_independent(segment.artist):
                self._structure.forget(parent)
                return
        for segment in rest:
            if not is_independent(segment.artist):
                watch = Watch([segment.artist])
                if watch.opaque:
                    segment.watch = watch
                else:
                    fixed.append(segment.artist)
        self._structure.watch(parent, fixed)
        for segment in rest:
            if is_independent(segment.artist):
                segment.watch = self._watch_of(segment)

    def _redraw_changed(self) -> bool:
        """Record each artist that changed, or return False when it takes more than that."""
        structure = self._structure
        restless = None if structure is None else structure.restless()
        if structure is None or restless is None:
            return False
        if not all(map(self._record_axes, restless)):
            return False
        if restless and structure.restless() != restless:
            return False  # in being drawn, an axes has changed another
        titled: dict[int, Any] = {}
        for number, segment in enumerate(self._segments):
            watch = segment.watch
            if segment.parent in restless or (
                watch is not None and watch.axes.isdisjoint(restless) and not watch.changed()
            ):
                continue
            if is_title(segment.artist, segment.parent):
                titled[id(segment.parent)] = segment.parent
            elif is_independent(segment.artist):
                self._record(number)
            elif watch is not None and self._record(number):
                return False  # an opaque artist on which others depend
        self._place_titles(titled)
        self._place_legends(restless)
        for axes in restless:
            self._watch(axes)
        return True

    def _record_axes(self, axes: Any) -> bool:
        """Let an axes draw all of itself again; return whether it has the same artists."""
        assert self._structure is not None
        self._structure.forget(axes)
        if self._twice:
            draw_nothing(axes, self._recorder)
        new = record_axes(axes, self._recorder)
        numbers = [n for n, segment in enumerate(self._segments) if segment.parent is axes]
        old = [self._segments[number] for number in numbers]
        if [id(segment.artist) for segment in old] != [id(segment.artist) for segment in new]:
            return False
        for number, segment in zip(numbers, new, strict=True):
            mark_fresh(segment.artist)
            self._replace(number, segment)
        return True

    def _record(self, number: int) -> bool:
        """Draw one artist again; return whether its commands differ."""
        segment = self._segments[number]
        if self._twice and not draws_alike(segment.artist):
            draw_nothing(segment.artist, self._recorder)
        commands = self._recorder.record(segment.artist)
        boxes = damage_between(segment.commands, commands)
        mark_fresh(segment.artist)
        segment.lively = bool(boxes)
        segment.calm_frames = 0 if boxes else segment.calm_frames + 1
        if boxes:
            self._damage[number] = self._damage.get(number, []) + boxes
            segment.set(commands)
        if segment.watch is None or not segment.watch.opaque:
            calm = segment.calm_frames >= _CALM_FRAMES
            segment.watch = self._watch_of(segment) if calm else None
        return bool(boxes)

    def _watch_of(self, segment: Segment) -> Watch:
        known = self._structure.watched(segment.parent) if self._structure else {}
        return Watch([segment.artist], known=known)

    def _place_titles(self, titled: dict[int, Any]) -> None:
        """Have axes place their titles, as they do before they draw them, and record them."""
        if not titled:
            return
        for axes in titled.values():
            axes._update_title_position(self._recorder)
        for number, segment in enumerate(self._segments):
            if id(segment.parent) in titled and is_title(segment.artist, segment.parent):
                self._record(number)

    def _place_legends(self, done: list[Any]) -> None:
        """Record legends that look for the emptiest corner of an axes in which something moved."""
        disturbed = {id(self._segments[number].parent) for number in self._damage}
        disturbed -= set(map(id, done))
        for number, segment in enumerate(self._segments):
            if id(segment.parent) in disturbed and finds_its_place(segment.artist):
                self._record(number)
