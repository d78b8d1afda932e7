"""Watching an artist: has anything changed that its drawing could read?

A watch walks once from an artist through everything it holds (attributes, containers, transforms,
paths, colour maps, child artists) and keeps what it found: every value, and the bytes of every
array. Later it looks at the same places again. So it sees setters, and also what matplotlib does
not flag: an array written in place, a transform turned in place, a norm shared with others.

It stops at figures, axes and axis objects, whose state is watched on its own. What it cannot read
(objects of classes from outside matplotlib, numpy and Python itself; functions of the user) makes
the artist opaque: such an artist is drawn again every frame.

It sees less of three things, for speed: of an array over 1 MB, a part each time (`arrays`), so that
what is written into it in place, with no call of a setter, may show frames late; of a list of over
1000 items, the items and not what they hold; of a tick's lines, the `stale` flag.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from operator import itemgetter
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

from render.film.canvas.arrays import SMALL_BYTES, WatchedArray

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
_WALKED_ITEMS = 1000
FRESH = ()  # as `Artist._stale`: untouched since it was drawn; matplotlib writes True and False


class Watch:
    """What was found on a walk from some artists, to be compared later.

    `containers=True` takes the roots as containers: their own state is watched, not their artists'.
    `known` are things watched elsewhere, by their `id`.
    """

    def __init__(
        self,
        roots: Iterable[object],
        *,
        containers: bool = False,
        known: Mapping[int, object] = MappingProxyType({}),
    ) -> None:
        self.opaque = False
        self.axes: set[Axes] = set()  # met on the way, where it stops
        self.seen: dict[int, object] = {}
        self._roots = list(roots)
        self._containers = containers
        self._known = known
        self._tables: list[dict[Any, Any]] = []
        self._rows: list[Any] = []
        self._slots: list[tuple[Callable[[Any], Any], dict[str, Any]]] = []
        self._arrays: list[np.ndarray] = []
        self._matrices: list[tuple[dict[str, Any], str]] = []
        self._large: list[WatchedArray] = []
        self._walk()
        self._found = self._look(copied=True)

    def changed(self) -> bool:
        """Whether anything found on the walk is no longer as it was."""
        if self.opaque:
            return True
        try:
            if self._look(copied=False) != self._found:
                return True
            return any([array.changed() for array in self._large])
        except Exception:  # values that cannot be compared with what they replaced, such as arrays
            return True

    def _look(self, *, copied: bool) -> tuple[list[Any], ...]:
        """Return all that was found as it is now. Python compares such lists by identity first."""
        tables: list[Any] = self._tables
        rows: list[Any] = self._rows
        if copied:
            tables, rows = list(map(dict, tables)), [row.copy() for row in rows]
        slots = [get(table) for get, table in self._slots]
        matrices = [table[name].tobytes() for table, name in self._matrices]
        return tables, rows, slots, matrices, [array.tobytes() for array in self._arrays]

    def _walk(self) -> None:
        waiting = list(self._roots)
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, _PLAIN) or id(thing) in self.seen:
                continue
            if id(thing) in self._known and not isinstance(thing, Artist):
                continue
            self.seen[id(thing)] = thing
            if isinstance(thing, Axes):
                self.axes.add(thing)
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
            self._note(state, [name for name in state if name not in unread])
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
            self._note(vars(line), ["_stale"])
            yield name

    def _transform(self, node: TransformNode) -> Iterator[Any]:
        """Note what a transform is made of, and not what it derived from that and keeps."""
        self._trust(type(node).__module__)
        state = vars(node)
        unread = _DERIVED
        if any(isinstance(value, TransformNode) for value in state.values()):
            unread = _DERIVED | {"_mtx", "_points"}
        names = [name for name in state if name not in unread]
        self._note(state, names)
        yield from [state[name] for name in names if name not in ("_mtx", "_points")]

    def _note(self, state: dict[str, Any], names: list[str]) -> None:
        """Watch some values of a table. Arrays there are small and often replaced by equal ones."""
        arrays = [name for name in names if isinstance(state[name], np.ndarray)]
        others = [name for name in names if name not in arrays]
        self._matrices.extend((state, name) for name in arrays)
        if others:
            self._slots.append((itemgetter(*others), state))

    def _array(self, array: np.ndarray) -> Iterator[Any]:
        if isinstance(array, np.ma.MaskedArray):
            yield array.data
            if isinstance(array.mask, np.ndarray):
                yield array.mask
        elif array.dtype == object:
            if array.size <= _WALKED_ITEMS:
                yield from array.ravel().tolist()
        elif array.nbytes <= SMALL_BYTES:
            self._arrays.append(array)
        else:
            self._large.append(WatchedArray(array))

    def _trust(self, module: str) -> None:
        if module.partition(".")[0] not in _TRUSTED:
            self.opaque = True


def mark_fresh(artist: Any) -> None:
    """Mark an artist as drawn, so that any later change of `stale`, to True or to False, shows."""
    artist._stale = FRESH
