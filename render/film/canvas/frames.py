"""One frame after another: find what changed, record that again, and hand it to the painter."""

from __future__ import annotations

from itertools import chain, groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import DrawEvent
from matplotlib.figure import Figure

from render.film.canvas.boxes import Box
from render.film.canvas.claims import Claims
from render.film.canvas.commands import Command
from render.film.canvas.engines import draw_nothing
from render.film.canvas.foreign import is_foreign
from render.film.canvas.fresh import is_fresh, mark_fresh
from render.film.canvas.masks import Masks
from render.film.canvas.order import record_axes, record_figure
from render.film.canvas.painter import Painter
from render.film.canvas.recorder import Recorder
from render.film.canvas.segments import Segment, damage_between
from render.film.canvas.settling import leaves_something
from render.film.canvas.standing import Standing
from render.film.canvas.structure import (
    Structure,
    draws_alike,
    is_independent,
    tells_of_limits,
)
from render.film.canvas.templates import template_of
from render.film.canvas.titles import is_title
from render.film.canvas.watch import Watch, finds_its_place

_MOST_PATIENCE = 16  # frames


class Frames:
    """Draws one figure at one size."""

    def __init__(self, figure: Figure, width: int, height: int, standing: Standing) -> None:
        self.key = (width, height, figure.dpi)
        self._figure = figure
        self._standing = standing
        self._recorder = Recorder(width, height, figure.dpi)
        self._masks = Masks()
        self._painter = Painter(self._recorder.agg, width, height)
        self._segments: list[Segment] = []
        self._structure: Structure | None = None
        self._twice = False
        self._damage: dict[int, list[Box]] = {}  # by the number of the segment that does it
        self._restless: list[Any] = []
        self._is_proved = True  # what is watched saved a drawing at least once
        self._patience = 1
        self._drawn_in_full = 0
        self._recorded: set[int] = set()  # numbers of the segments drawn for this frame
        self._undrawn: dict[Any, Watch] = {}
        self._claims: Claims | None = None

    def draw(
        self, *, rests: bool, twice: bool, idle_dpi: float | None
    ) -> tuple[np.ndarray, tuple[Box, ...]]:
        """Return the picture and boxes that hold where it differs from the one before.

        `rests` False: any artist may have moved. `twice`: a full drawing is gone through twice.
        `idle_dpi`: at which an idle draw drew the same before, if one did.
        """
        self._recorder.reset()
        self._damage = {}
        self._twice = twice
        self._masks.begin(is_drawn=idle_dpi == self.key[2])
        try:
            if rests and self._redraw_changed():
                self._is_proved = True
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

    def is_settled(self) -> bool:
        """Whether drawing the figure again would leave nothing behind that artists read."""
        return not any(leaves_something(segment.artist) for segment in self._segments)

    def layout_stands(self) -> bool:
        """Whether nothing changed since the last frame that a layout engine reads."""
        structure = self._structure
        if structure is None:
            return False
        self._standing.put_titles_back()
        if (
            self.key[2] != self._figure.dpi
            or not self._standing.is_arranged_as_before()
            or structure.restless() != []
        ):
            return False
        self._restless = []
        changed = [
            segment
            for number, segment in enumerate(self._segments)
            if finds_its_place(segment.artist) or self._has_changed(number)
        ]
        for axes in {s.parent for s in changed if is_title(s.artist, s.parent)}:
            structure.place_titles(axes, (), self._recorder)
        return self._claims is not None and self._claims.stand(
            (segment.artist, segment.parent) for segment in changed
        )

    def _paint_damage(self) -> tuple[Box, ...]:
        for number, differing in self._masks.give(self._segments):
            self._damage[number] = self._damage.get(number, []) + differing
        boxes = chain.from_iterable(self._damage.values())
        return self._painter.paint(self._segments, self._damage, boxes)

    def _redraw_figure(self, rests: bool) -> tuple[Box, ...]:
        """Let matplotlib draw everything, and compare with the last frame command by command."""
        old = self._segments
        self._recorder.forget_fonts()
        self._note_undrawn()
        if self._structure is not None:  # watched in vain, or until now
            self._patience = 1 if self._is_proved else min(2 * self._patience, _MOST_PATIENCE)
        tells = tells_of_limits(self._figure)
        new, is_clean = record_figure(self._figure, self._recorder)
        rests = (rests or self._standing.end_frame()) and not tells
        self._segments, self._structure = new, None
        if [id(segment.artist) for segment in old] != [id(segment.artist) for segment in new]:
            for _ in self._masks.give(new):
                pass
            return self._painter.paint_all(new)
        self._segments = list(old)
        for number, segment in enumerate(new):
            self._replace(number, segment)
        self._drawn_in_full += 1
        if rests and is_clean and self._drawn_in_full >= self._patience:
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
            after.commands = before.renew_clips(after.commands)  # the very objects that are painted
        self._segments[number] = after

    def _watch_all(self) -> None:
        """Begin to watch what rests: two full drawings in a row have shown what does."""
        structure = Structure(self._figure)
        moved = [self._segments[number] for number in self._damage]
        restless = {s.parent for s in moved if not is_independent(s.artist)}
        if not structure.stand_alone(restless):
            return
        self._structure, self._is_proved, self._drawn_in_full = structure, False, 0
        for parent in {*structure.axes, *(segment.parent for segment in self._segments)}:
            self._watch(parent)
        self._claims = None
        if self._standing.is_arranged_as_before():
            drawn = [(segment.artist, segment.parent) for segment in self._segments]
            self._claims = Claims(drawn, structure.animated(), self._recorder)

    def _watch(self, parent: Any) -> None:
        """Begin to watch the artists of one parent, if none moved on which others depend."""
        assert self._structure is not None
        undrawn = self._undrawn.get(parent)
        if undrawn is not None and undrawn.changed():
            self._structure.forget(parent)  # it was changed while it was drawn
            return
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
            if not is_independent(segment.artist):
                continue
            if self._undrawn or not is_fresh(segment.artist):
                segment.calm_frames = 0  # it may have been changed since it was drawn
            else:
                segment.watch = self._watch_of(segment)

    def _note_undrawn(self) -> None:
        """Before a drawing that runs foreign code, note how axes are: it may change them."""
        self._undrawn = {}
        if any(is_foreign(segment.artist) for segment in self._segments):
            parents = {segment.parent for segment in self._segments}
            axes = [parent for parent in parents if isinstance(parent, Axes)]
            self._undrawn = {each: Watch([each], containers=True) for each in axes}

    def _redraw_changed(self) -> bool:
        """Record each artist that changed, or return False when it takes more than that."""
        structure = self._structure
        if structure is None:
            return False
        restless = structure.restless()
        return restless is not None and self._record_in_order(structure, restless)

    def _record_in_order(self, structure: Structure, restless: list[Any]) -> bool:
        """Record what changed, in the order of a full drawing: each may move what comes later."""
        self._restless = restless
        self._recorded = set()
        self._note_undrawn()
        structure.place(restless, self._recorder)
        drawn: list[Any] = []
        for numbers in self._runs():
            parent = self._segments[numbers[0]].parent
            if parent not in self._restless:
                if not self._record_run(structure, parent, numbers):
                    return False
            elif not (self._record_axes(parent) and self._look_again(structure)):
                return False
            else:
                drawn.append(parent)
        for axes in restless:  # without artists
            if axes not in drawn:
                drawn.append(axes)
                if not self._record_axes(axes):
                    return False
        for axes in drawn:
            self._watch(axes)
        return True

    def _runs(self) -> list[list[int]]:
        """Return the numbers of the segments of one parent after the other, as they are drawn."""
        parents = [segment.parent for segment in self._segments]
        groups = groupby(range(len(parents)), lambda number: id(parents[number]))
        return [list(numbers) for _, numbers in groups]

    def _look_again(self, structure: Structure) -> bool:
        """See which axes were changed by what was drawn; return False if it was the figure."""
        restless = structure.restless()
        self._restless = restless or []
        return restless is not None

    def _record_run(self, structure: Structure, parent: Any, numbers: list[int]) -> bool:
        """Record what changed of artists of one parent that are drawn one after another."""
        artists = [self._segments[number].artist for number in numbers]
        places_titles = any(
            is_title(artist, parent) and self._has_changed(number)
            for number, artist in zip(numbers, artists, strict=True)
        )
        if places_titles:  # together, and before anything is drawn
            structure.place_titles(parent, self._restless, self._recorder)
        disturbs = any(map(finds_its_place, artists)) and self._is_disturbed(parent)
        for number, artist in zip(numbers, artists, strict=True):
            moves = parent in self._restless  # since something before it was drawn
            if not (
                moves
                or (places_titles and is_title(artist, parent))
                or (disturbs and finds_its_place(artist))
                or self._has_changed(number)
            ):
                continue
            if self._record(number) and not (moves or is_independent(artist)):
                return False  # an opaque artist on which others depend
            if is_foreign(artist) and not self._look_again(structure):
                return False
        return True

    def _is_disturbed(self, parent: Any) -> bool:
        """Whether any artist of a parent changed, in this run or, around nested axes, another."""
        return any(
            number in self._recorded or self._has_changed(number)
            for number, segment in enumerate(self._segments)
            if segment.parent is parent
        )

    def _has_changed(self, number: int) -> bool:
        segment = self._segments[number]
        watch = segment.watch
        if watch is None:
            return is_independent(segment.artist)  # others are watched with their axes
        return not watch.axes.isdisjoint(self._restless) or watch.changed()

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
            self._replace(number, segment)
        return True

    def _record(self, number: int) -> bool:
        """Draw one artist again; return whether its commands differ."""
        self._recorded.add(number)
        segment = self._segments[number]
        if self._twice and not draws_alike(segment.artist):
            draw_nothing(segment.artist, self._recorder)
        commands = self._commands_of(segment)
        boxes = damage_between(segment.commands, commands)
        mark_fresh(segment.artist)
        segment.lively = bool(boxes)
        was_watched = segment.watch is not None  # in vain, even if it looks as it did
        segment.calm_frames = 0 if boxes or was_watched else segment.calm_frames + 1
        if boxes:
            self._damage[number] = self._damage.get(number, []) + boxes
            segment.set(commands)
        else:
            segment.renew_clips(commands)
        if segment.watch is None or not segment.watch.opaque:
            if was_watched:
                segment.patience = min(2 * segment.patience, _MOST_PATIENCE)
            calm = segment.calm_frames >= segment.patience
            segment.watch = self._watch_of(segment) if calm else None
        return bool(boxes)

    def _commands_of(self, segment: Segment) -> list[Command]:
        """Let one artist draw, or find what it would draw where that is quicker."""
        template = segment.template
        commands = template.again(segment.artist, self._recorder) if template else None
        if commands is None:
            commands = self._recorder.record(segment.artist)
            segment.template = template_of(segment.artist, commands)
        return commands

    def _watch_of(self, segment: Segment) -> Watch:
        assert self._structure is not None
        known = self._structure.watched(segment.parent)
        watch = Watch([segment.artist], known=known)
        if not (isinstance(segment.artist, Axes) or watch.axes.issubset(self._structure.axes)):
            watch.opaque = True  # it may follow axes that are drawn in one piece, as 3D ones
        return watch
