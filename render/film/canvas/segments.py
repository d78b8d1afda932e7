"""Segments: the true drawing order of a figure, cut where one artist ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist

from render.film.canvas.boxes import EMPTY, Box, hull, hull_of
from render.film.canvas.commands import Command, unlike
from render.film.canvas.templates import Template
from render.film.canvas.watch import Watch


class Segment:
    """What one artist draws: its commands, in order, and what is known of its changes."""

    def __init__(self, artist: Artist, parent: Artist, commands: list[Command]) -> None:
        self.artist = artist
        self.parent = parent
        self.lively: bool | None = None  # None: not known yet
        self.based = False
        self.room: Box = EMPTY
        self.calm_frames = 0
        # Unchanged for so many frames, it is watched, and no longer drawn in each. Beginning to
        # watch takes as long as some drawings: one that moves now and then is watched later.
        self.patience = 2
        self.watch: Watch | None = None
        self.template: Template | None = None
        self.set(commands)

    def follow(self, before: Segment) -> None:
        """Take over what the painter knows of the same artist's segment in the drawing before."""
        self.based, self.room = before.based, before.room
        self.patience = before.patience

    def set(self, commands: list[Command]) -> None:
        """Give it the commands of the current frame."""
        self.commands = commands
        self.box = hull_of(command.box for command in commands)
        self.takes_masks = any(command.own_clip is not None for command in commands)
        self._weight: int | None = None

    def renew_clips(self, equal: Sequence[Command]) -> list[Command]:
        """Take over what equal, later commands are clipped to; return the commands it has."""
        for command, later in zip(self.commands, equal, strict=False):
            command.own_clip = later.own_clip
        return self.commands

    @property
    def weight(self) -> int:
        """How many numbers there are in its commands: a measure of their cost."""
        if self._weight is None:
            self._weight = sum(command.vertices for command in self.commands)
        return self._weight

    @property
    def reach(self) -> Box:
        """Where it may draw when its data change: as far as its clip rectangles let it."""
        result = self.box
        for command in self.commands:
            if command.clip[:2] != (0, 0):  # not the whole frame, which is no clipping
                result = hull(result, command.clip)
        return result


def damage_between(old: Sequence[Command], new: Sequence[Command]) -> list[Box]:
    """Return boxes that hold every pixel which replacing `old` by `new` may change."""
    if len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return [box for before, after in pairs for box in before.damage(after)]
    return [command.box for command in unlike(old, new, lambda a, b: not a.damage(b))]
