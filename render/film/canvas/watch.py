"""Watching an artist: has anything changed that its drawing could read?

A watch walks once from an artist through everything it holds (attributes, containers, transforms,
paths, colour maps, child artists) and keeps what it found: every value, and the bytes of every
array. Later it looks at the same places again. So it sees setters, and also what matplotlib does
not flag: an array written in place, a transform turned in place, a norm shared with others.

It stops at figures, axes and axis objects, whose state is watched on its own. What it cannot read
(objects of classes from outside matplotlib, numpy and Python itself; functions of the user) makes
the artist opaque: such an artist is drawn again every frame.

It sees less of three things, for speed: of an array over 1 MB, evenly spread samples; of a list of
over 1000 items, the items and not what they hold; of a tick's lines, the `stale` flag.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import partial
from threading import Lock, RLock
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, Tick
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import FigureBase
from matplotlib.gridspec import GridSpecBase, SubplotSpec
from matplotlib.transforms import TransformNode

_TRUSTED = {
    "builtins",
    "collections",
    "contourpy",
    "datetime",
    "dateutil",
    "decimal",
    "fractions",
    "functools",
    "itertools",
    "matplotlib",
    "mpl_toolkits",
    "numpy",
    "pathlib",
    "re",
    "zoneinfo",
}
_PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type,
    Enum,
    np.generic,
    np.dtype,
    range,
    slice,
    BuiltinFunctionType,
)
_BORDER = (
    FigureBase,
    Axes,
    Axis,
    FigureCanvasBase,
    RendererBase,
    CallbackRegistry,
    GridSpecBase,
    SubplotSpec,
    ModuleType,
    weakref.ReferenceType,
    type(Lock()),
    type(RLock()),
)
# Attributes that no drawing reads, or that repeat what is read elsewhere.
_UNREAD = {
    "_callbacks",
    "_label",
    "_mouseover",
    "_mouseover_set",
    "_parent_figure",
    "_picker",
    "_pickradius",
    "_remove_method",
    "_renderer",
    "_url",
    "_xorig",
    "_yorig",
    "callbacks",
    "hitlist",
    "stale_callback",
}
_AXES_UNREAD = {
    "_axstack",
    "_get_lines",
    "_get_patches_for_fill",
    "_stale",
    "fmt_xdata",
    "fmt_ydata",
    "ignore_existing_data_limits",
}
# What transforms compute from their children and keep.
_DERIVED = {
    "_affine",
    "_invalid",
    "_inverted",
    "_parents",
    "_shorthand_name",
    "_transformed_path",
    "_transformed_points",
    "_ignore",
    "_minpos",
    "_points_orig",
}
_COPIED_BYTES = 1 << 14
_SAMPLES = 128
_WALKED_ITEMS = 1000
FRESH = ()  # as `Artist._stale`: untouched since it was drawn; matplotlib writes True and False


class Watch:
    """What was found on a walk from some artists, to be compared later.

    `containers=True` takes the roots as containers: their own state is watched, not their artists'.
    """

    def __init__(self, roots: Iterable[object], *, containers: bool = False) -> None:
        self.opaque = False
        self._roots = list(roots)
        self._containers = containers
        self._seen: dict[int, object] = {}
        self._tables: list[dict[Any, Any]] = []
        self._rows: list[Any] = []
        self._slots: list[tuple[dict[str, Any], str]] = []
        self._arrays: list[np.ndarray] = []
        self._walk()
        self._found = self._look(copied=True)

    def changed(self) -> bool:
        """Whether anything found on the walk is no longer as it was."""
        if self.opaque:
            return True
        try:
            return self._look(copied=False) != self._found
        except Exception:  # values that cannot be compared with what they replaced, such as arrays
            return True

    def _look(self, *, copied: bool) -> tuple[list[Any], ...]:
        """Return all that was found as it is now. Python compares such lists by identity first."""
        tables: list[Any] = self._tables
        rows: list[Any] = self._rows
        if copied:
            tables, rows = list(map(dict, tables)), [row.copy() for row in rows]
        slots = [table.get(name) for table, name in self._slots]
        values = [_bytes_if_array(value) for value in slots]
        return tables, rows, values, list(map(_fingerprint, self._arrays))

    def _walk(self) -> None:
        waiting = list(self._roots)
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, _PLAIN) or id(thing) in self._seen:
                continue
            self._seen[id(thing)] = thing
            waiting.extend(self._parts(thing))

    def _is_root(self, thing: object) -> bool:
        return any(thing is root for root in self._roots)

    def _parts(self, thing: Any) -> Iterator[Any]:
        """Note how one thing is now; yield what it holds."""
        if isinstance(thing, np.ndarray):
            yield from self._array(thing)
        elif isinstance(thing, TransformNode):
            yield from self._transform(thing)
        elif isinstance(thing, (list, set)):
            self._rows.append(thing)
            if len(thing) <= _WALKED_ITEMS:
                yield from thing
        elif isinstance(thing, (tuple, frozenset)):
            if len(thing) <= _WALKED_ITEMS:
                yield from thing
        elif isinstance(thing, (dict, MappingProxyType)):
            self._tables.append(thing)  # type: ignore[arg-type]
            if len(thing) <= _WALKED_ITEMS:
                yield from thing.values()
        elif isinstance(thing, FunctionType):
            self._trust(thing.__module__)
        elif isinstance(thing, MethodType):
            yield from (thing.__func__, thing.__self__)
        elif isinstance(thing, partial):
            yield from (thing.func, thing.args, thing.keywords)
        elif not isinstance(thing, _BORDER) or self._is_root(thing):
            yield from self._object(thing)

    def _object(self, thing: Any) -> Iterator[Any]:
        root = self._is_root(thing)
        if self._containers and isinstance(thing, Artist) and not root:
            return
        self._trust(type(thing).__module__)
        state = getattr(thing, "__dict__", None)
        if state is None:
            return
        unread = _UNREAD
        if isinstance(thing, Axes):
            unread = _UNREAD | _AXES_UNREAD
            if thing.get_aspect() == "auto":
                unread = unread | {"dataLim"}
        if root and self._containers:
            self._slots.extend((state, name) for name in state if name not in unread)
        else:
            if isinstance(thing, Artist):
                mark_fresh(thing)
            self._tables.append(state)
        if isinstance(thing, Tick):
            unread = unread | set(self._lines_of(thing))
        yield from [value for name, value in state.items() if name not in unread]

    def _lines_of(self, tick: Tick) -> Iterator[str]:
        """Watch a tick's lines by their flag alone: there are too many to look at every value."""
        for name in ("tick1line", "tick2line", "gridline"):
            line = getattr(tick, name)
            mark_fresh(line)
            self._slots.append((vars(line), "_stale"))
            yield name

    def _transform(self, node: TransformNode) -> Iterator[Any]:
        """Note what a transform is made of, and not what it derived from that and keeps."""
        self._trust(type(node).__module__)
        state = vars(node)
        unread = _DERIVED
        if any(isinstance(value, TransformNode) for value in state.values()):
            unread = _DERIVED | {"_mtx", "_points"}
        for name, value in state.items():
            if name not in unread:
                self._slots.append((state, name))
                if name not in ("_mtx", "_points"):
                    yield value

    def _array(self, array: np.ndarray) -> Iterator[Any]:
        if isinstance(array, np.ma.MaskedArray):
            yield array.data
            if isinstance(array.mask, np.ndarray):
                yield array.mask
        elif array.dtype == object:
            if array.size <= _WALKED_ITEMS:
                yield from array.ravel().tolist()
        else:
            self._arrays.append(array)

    def _trust(self, module: str) -> None:
        if module.partition(".")[0] not in _TRUSTED:
            self.opaque = True


def mark_fresh(artist: Any) -> None:
    """Mark an artist as drawn, so that any later change of `stale`, to True or to False, shows."""
    artist._stale = FRESH


def _bytes_if_array(value: Any) -> Any:
    return value.tobytes() if isinstance(value, np.ndarray) else value


def _fingerprint(array: np.ndarray) -> bytes:
    """Return the bytes of an array, or of evenly spread samples of a large one."""
    if array.nbytes <= _COPIED_BYTES:
        return array.tobytes()
    flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
    return flat[:: max(1, array.size // _SAMPLES)].tobytes()
