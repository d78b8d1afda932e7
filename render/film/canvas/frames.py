"""One frame after another: find what changed, record that again, and hand it to the painter."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from matplotlib.backend_bases import DrawEvent
from matplotlib.figure import Figure

from render.film.canvas.boxes import Box
from render.film.canvas.order import record_figure
from render.film.canvas.painter import Painter
from render.film.canvas.recorder import Recorder
from render.film.canvas.segments import Segment, damage_between
from render.film.canvas.structure import (
    Structure,
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
        self._watched: dict[int, object] = {}
        self._damage: dict[int, list[Box]] = {}  # by the number of the segment that does it

    def draw(self) -> tuple[np.ndarray, tuple[Box, ...]]:
        """Return the picture and the boxes in which it differs from the one before."""
        self._recorder.reset()
        self._damage = {}
        try:
            if self._redraw_changed():
                damage = self._paint_damage()
                event: Any = DrawEvent("draw_event", self._figure.canvas, self._recorder)
                event._process()
            else:
                damage = self._redraw_figure()
        except BaseException:
            self._segments, self._structure = [], None  # half a frame is none: begin anew
            raise
        return self._painter.picture, damage

    def _paint_damage(self) -> tuple[Box, ...]:
        boxes = chain.from_iterable(self._damage.values())
        return self._painter.paint(self._segments, self._damage, boxes)

    def _redraw_figure(self) -> tuple[Box, ...]:
        """Let matplotlib draw everything, and compare with the last frame command by command."""
        old = self._segments
        new, is_clean = record_figure(self._figure, self._recorder)
        self._segments, self._structure = new, None
        for segment in new:
            mark_fresh(segment.artist)
        if [id(segment.artist) for segment in old] != [id(segment.artist) for segment in new]:
            return self._painter.paint_all(new)
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            boxes = damage_between(before.commands, after.commands)
            boxes += self._damage.get(number, [])
            after.follow(before)
            after.lively = bool(boxes)
            if boxes:
                self._damage[number] = boxes
            else:
                after.commands = before.commands  # the very objects that the painter holds
        rests = all(is_independent(new[number].artist) for number in self._damage)
        if rests and is_clean:
            self._watch_all()
        return self._paint_damage()

    def _watch_all(self) -> None:
        """Begin to watch: two full drawings in a row have shown that the structure rests."""
        rest = [s for number, s in enumerate(self._segments) if number not in self._damage]
        others = [segment for segment in rest if not is_independent(segment.artist)]
        for segment in others:
            segment.watch = Watch([segment.artist])
        fixed = [segment for segment in others if segment.watch and not segment.watch.opaque]
        for segment in fixed:
            segment.watch = None  # the structure watches it
        self._structure = Structure(self._figure, [segment.artist for segment in fixed])
        self._watched = self._structure.watched
        for segment in rest:
            if is_independent(segment.artist):
                segment.watch = Watch([segment.artist], known=self._watched)

    def _redraw_changed(self) -> bool:
        """Record each artist that changed, or return False when it takes more than that."""
        if self._structure is None or self._structure.changed():
            return False
        titled: dict[int, Any] = {}
        for number, segment in enumerate(self._segments):
            watch = segment.watch
            if watch is not None and not watch.changed():
                continue
            if is_title(segment.artist, segment.parent):
                titled[id(segment.parent)] = segment.parent
            elif is_independent(segment.artist):
                self._record(number)
            elif watch is not None and self._record(number):
                return False  # an opaque artist on which others depend
        self._place_titles(titled)
        self._place_legends()
        return True

    def _record(self, number: int) -> bool:
        """Draw one artist again; return whether its commands differ."""
        segment = self._segments[number]
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
            watch = Watch([segment.artist], known=self._watched) if calm else None
            segment.watch = watch
        return bool(boxes)

    def _place_titles(self, titled: dict[int, Any]) -> None:
        """Have axes place their titles, as they do before they draw them, and record them."""
        if not titled:
            return
        for axes in titled.values():
            axes._update_title_position(self._recorder)
        for number, segment in enumerate(self._segments):
            if id(segment.parent) in titled and is_title(segment.artist, segment.parent):
                self._record(number)

    def _place_legends(self) -> None:
        """Record legends that look for the emptiest corner of an axes in which something moved."""
        disturbed = {id(self._segments[number].parent) for number in self._damage}
        for number, segment in enumerate(self._segments):
            if id(segment.parent) in disturbed and finds_its_place(segment.artist):
                self._record(number)
