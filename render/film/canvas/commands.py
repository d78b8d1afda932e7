"""Drawing commands: everything Agg does, one frozen call at a time.

matplotlib's Agg renderer ends in seven calls of a compiled rasterizer. A picture is a pure function
of the sequence of those calls, so a call that is kept with copies of its arguments can be played
again, compared with another, and bounded by a box of pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, TypeVar

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.path import Path

from render.film.canvas.boxes import Box

_Item = TypeVar("_Item")


class PixelsReadError(Exception):
    """An artist read the picture back while drawn, or drew in a way that cannot be recorded."""


class Command:
    """One call of the rasterizer: its name, frozen arguments, and the pixels it may touch.

    own_clip: the clip path that it was recorded with, if the call looks at it.
    """

    __slots__ = ("args", "box", "clip", "gc", "kwargs", "name", "own_clip")

    def __init__(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        box: Box,
        clip: Box,
        own_clip: Any = None,
    ) -> None:
        self.name = name
        self.gc = args[-1] if name == "draw_text_image" else args[0]
        self.args = args
        self.kwargs = kwargs
        self.box = box
        self.clip = clip
        self.own_clip = own_clip

    def play(self, agg: Any) -> None:
        """Make the call."""
        getattr(agg, self.name)(*self.args, **self.kwargs)

    def damage(self, other: Command) -> list[Box]:
        """Return boxes that hold every pixel in which the two calls may differ."""
        is_same = (
            self.name == other.name
            and self.box == other.box
            and same(self.args, other.args)
            and same(self.kwargs, other.kwargs)
        )
        return [] if is_same else [self.box, other.box]

    def with_mask(self, mask: Any) -> Command:
        """Return the same call with the mask of another clip path, or itself if it has that."""
        if self.gc._clippath is mask:
            return self
        gc: Any = copy(self.gc)
        gc._clippath = mask
        args = (gc, *self.args[1:])
        return Command(self.name, args, self.kwargs, self.box, self.clip, self.own_clip)

    @property
    def vertices(self) -> int:
        """How many numbers there are in its arrays: a measure of its cost."""
        return sum(_size(value) for value in self.args)


def unlike(
    old: Sequence[_Item], new: Sequence[_Item], are_same: Callable[[_Item, _Item], bool]
) -> list[_Item]:
    """Return the items of two sequences that differ, or that stand between others that differ."""
    if len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return [item for pair in pairs if not are_same(*pair) for item in pair]
    start = 0
    while start < min(len(old), len(new)) and are_same(old[start], new[start]):
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and are_same(old[-1 - end], new[-1 - end]):
        end += 1
    return [item for items in (old, new) for item in items[start : len(items) - end]]


def same(a: Any, b: Any) -> bool:
    """Whether two frozen values are equal in type and to the last bit."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return _same_array(a, b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (GraphicsContextBase, Path)):
        return same(a.__dict__, b.__dict__)
    return bool(a == b)


def _same_array(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if isinstance(a, np.ma.MaskedArray):
        masks = np.ma.getmaskarray(a), np.ma.getmaskarray(b)
        return _same_array(*masks) and _same_array(np.ma.getdata(a), np.ma.getdata(b))
    return a.tobytes() == b.tobytes()


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Path):
        return int(np.size(value.vertices))
    if isinstance(value, (list, tuple)):
        return sum(_size(item) for item in value)
    return 0
