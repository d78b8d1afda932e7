"""Watching an artist: has anything changed that its drawing could read?

A watch walks once from an artist through everything it holds (attributes, containers, transforms,
paths, colour maps, child artists) and keeps what it found: every value, and the bytes of every
array, or their hash. Later it looks at the same places again. So it sees setters, and also what
matplotlib does not flag: an array written in place, a transform turned in place, a norm shared
with others.

It stops at figures, axes and axis objects, whose state is watched on its own; but for axes that
are drawn as a whole it goes through their axis objects too. What it cannot read (what `trust` does
not know; iterators) makes the artist opaque: such an artist is drawn again every frame.
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
    MethodWrapperType,
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
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogitLocator, LogLocator
from matplotlib.transforms import TransformNode

from render.film.canvas.arrays import SMALL_BYTES, WatchedArray, owner
from render.film.canvas.fresh import mark_fresh
from render.film.canvas.trust import (
    hides_state,
    is_known_class,
    is_known_function,
    is_of_known_class,
)
from render.film.canvas.unread import AXES_UNREAD, DERIVED, LINE_UNREAD, UNREAD

_PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    Enum,
    np.generic,
    np.dtype,
    range,
    slice,
    type(Ellipsis),
    type(NotImplemented),
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
_FIXED = (*_PLAIN, tuple, frozenset, MethodType, BuiltinFunctionType, MethodWrapperType)
_BY_IDENTITY: Any = object.__eq__
_VISIBILITY = itemgetter("_visible")
_PLACE_OF_NOTHING = itemgetter("_text", "_visible", "_x", "_y", "_transform")


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
        whole = not containers and any(isinstance(root, Axes) for root in self._roots)
        self._border = tuple({*_BORDER} - {Axis}) if whole else _BORDER
        self._known = known
        self._tables: list[dict[Any, Any]] = []
        self._rows: list[Any] = []
        self._slots: list[tuple[Callable[[Any], Any], dict[str, Any]]] = []
        self._open: list[dict[str, Any]] = []  # not copied; names may be added
        self._held: list[tuple[Any, Any, Any]] = []  # what compares equal to others, and where
        self._shaped: list[np.ndarray] = []
        self._arrays: list[np.ndarray] = []
        self._objects: list[np.ndarray] = []
        self._matrices: list[tuple[dict[str, Any], str]] = []
        self._large: list[WatchedArray] = []
        self._walk()
        self._found = self._look(copied=True)

    def changed(self) -> bool:
        """Whether anything found on the walk is no longer as it was."""
        if self.opaque:
            return True
        try:
            return (
                self._look(copied=False) != self._found
                or any([table[name] is not thing for table, name, thing in self._held])
                or any([array.changed() for array in self._large])
            )
        except Exception:  # values that cannot be compared with what they replaced, such as arrays
            return True

    def _look(self, *, copied: bool) -> tuple[list[Any], ...]:
        """Return all that was found as it is now. Python compares such lists by identity first."""
        tables: list[Any] = self._tables
        rows: list[Any] = self._rows
        if copied:
            tables, rows = list(map(dict, tables)), [row.copy() for row in rows]
        slots = [get(table) for get, table in self._slots]
        small = [table[name] for table, name in self._matrices]
        matrices = [(array.dtype, array.shape, array.tobytes()) for array in small]
        arrays = [array.tobytes() for array in self._arrays]
        objects = [array.tolist() for array in self._objects]
        sizes = [array.shape for array in self._shaped] + list(map(len, self._open))
        return tables, rows, slots, matrices, arrays, objects, sizes

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
            elif isinstance(thing, Axis):  # such as the last of several that share a locator
                self.axes.add(thing.axes)
            waiting.extend(self._parts(thing))

    def _trust(self, known: bool) -> None:
        """Take the artist as opaque unless what was met is known."""
        self.opaque = self.opaque or not known

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
            if isinstance(thing, list):
                self._hold(thing, enumerate(thing))
            yield from thing
            yield from self._attributes(thing)
        elif isinstance(thing, (tuple, frozenset)):
            yield from thing
        elif isinstance(thing, (dict, MappingProxyType)):
            self._tables.append(thing)  # type: ignore[arg-type]
            self._hold(thing, thing.items())
            yield from thing.values()
            yield from self._attributes(thing)
        elif isinstance(thing, FunctionType):
            yield from self._function(thing)
        elif isinstance(thing, type):
            self._trust(is_known_class(thing))
        elif isinstance(thing, np.ufunc):
            self._trust(getattr(np, thing.__name__, None) is thing)
        elif isinstance(thing, MethodType):
            yield from (thing.__func__, thing.__self__)
        elif isinstance(thing, (BuiltinFunctionType, MethodWrapperType)):
            if not isinstance(thing.__self__, ModuleType):
                yield thing.__self__
        elif isinstance(thing, partial):
            yield from (thing.func, thing.args, thing.keywords)
        elif not isinstance(thing, self._border) or self._is_root(thing):
            yield from self._object(thing)

    def _object(self, thing: Any) -> Iterator[Any]:
        root = self._is_root(thing)
        if self._containers and isinstance(thing, Artist) and not root:
            return
        self._trust(is_of_known_class(thing))
        if finds_its_place(thing) and not root:
            self._trust(False)  # its neighbours may move it
        state = getattr(thing, "__dict__", None)
        if state is None:
            self._trust(not hides_state(thing))
            return
        unread = UNREAD
        if isinstance(thing, Axes) and self._containers:
            unread = UNREAD | AXES_UNREAD
            if thing.get_aspect() == "auto":
                unread = unread | {"dataLim"}
        if isinstance(thing, Axes) and any(map(_reads_data, thing._axis_map.values())):
            self._matrices.append((vars(thing.dataLim), "_minpos"))
        if isinstance(thing, Artist) and not (root and self._containers):
            mark_fresh(thing)
            if isinstance(thing, Axis) or not root:
                # An axis, its labels and lines are marked as stale when set to what they are.
                unread = unread | {"_stale"}
        others = self._note(state, [name for name in state if name not in unread])
        if not (root and self._containers):
            self._hold(state, [(name, state[name]) for name in others])
        self._open.append(state)
        parts = set(self._parts_of(thing)) if isinstance(thing, Tick) else ()
        yield from [state[name] for name in others if name not in parts]

    def _parts_of(self, tick: Tick) -> Iterator[str]:
        """Watch a tick's lines no deeper than their attributes and data: there are many ticks.

        Of what is invisible only that is watched: nothing else of it is read, and most of it is.
        Of a label without words only its place is read.
        """
        for name in ("tick1line", "tick2line", "gridline", "label1", "label2"):
            part: Any = getattr(tick, name)
            state = vars(part)
            if type(part) in (Line2D, Text) and not state["_visible"]:
                self._slots.append((_VISIBILITY, state))
            elif type(part) is Text and state["_text"] == "":
                self._slots.append((_PLACE_OF_NOTHING, state))
            elif isinstance(part, Line2D):
                self._note(state, [each for each in state if each not in LINE_UNREAD])
                self._open.append(state)
            else:
                continue
            self.seen[id(part)] = part
            yield name

    def _attributes(self, thing: Any) -> Iterator[Any]:
        """Note what an object of a class that extends a container holds beside its items."""
        if hasattr(thing, "__dict__"):
            self._trust(is_of_known_class(thing))
            self._tables.append(vars(thing))
            yield from vars(thing).values()

    def _hold(self, container: Any, items: Iterable[tuple[Any, Any]]) -> None:
        """Note where there are things that may be replaced by others that compare equal."""
        self._held += [
            (container, name, thing)
            for name, thing in items
            if type(thing).__eq__ is not _BY_IDENTITY and not isinstance(thing, _FIXED)
        ]

    def _transform(self, node: TransformNode) -> Iterator[Any]:
        """Note what a transform is made of, and not what it derived from that and keeps."""
        self._trust(is_of_known_class(node))
        state = vars(node)
        unread = DERIVED
        if any(isinstance(value, TransformNode) for value in state.values()):
            unread = DERIVED | {"_mtx", "_points"}
        names = [name for name in state if name not in unread]
        self._note(state, names)
        yield from [state[name] for name in names if name not in ("_mtx", "_points")]

    def _note(self, state: dict[str, Any], names: list[str]) -> list[str]:
        """Watch some values of a table; return the names of those that are watched by identity.

        Small arrays are watched by their bytes: they are often replaced by equal ones.
        """
        arrays = [name for name in names if _is_small_array(state[name])]
        others = [name for name in names if name not in arrays]
        self._matrices.extend((state, name) for name in arrays)
        if others:
            self._slots.append((itemgetter(*others), state))
        return others

    def _array(self, array: np.ndarray) -> Iterator[Any]:
        self._shaped.append(array)
        if type(array) not in (np.ndarray, np.ma.MaskedArray):
            self._trust(is_of_known_class(array))
        if isinstance(array, np.ma.MaskedArray):
            state = vars(array)
            self._slots.append((itemgetter("_mask"), state))
            self._hold(state, [("_mask", state["_mask"])])
            yield array.data
            if isinstance(array._mask, np.ndarray):  # type: ignore[attr-defined]
                yield array._mask  # type: ignore[attr-defined]
        elif array.dtype.hasobject:
            self._objects.append(array)
            yield array.tolist()
        elif array.nbytes <= SMALL_BYTES:
            self._arrays.append(array)
        else:
            whole = owner(array)
            if whole is array or id(whole) not in self.seen:
                self.seen[id(whole)] = whole
                self._large.append(WatchedArray(whole))

    def _function(self, function: FunctionType) -> Iterator[Any]:
        """Trust a function of matplotlib's; what it is given to keep may come from elsewhere."""
        self._trust(is_known_function(function))
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        for cell in function.__closure__ or ():
            yield cell.cell_contents


def finds_its_place(artist: object) -> bool:
    """Whether this is a legend that looks for the emptiest corner: it depends on its neighbours."""
    return isinstance(artist, Legend) and getattr(artist, "_loc_real", 0) == 0


def _reads_data(axis: Any) -> bool:
    """Whether ticks depend on the least positive of the data: where limits may be negative."""
    return axis.get_scale() not in ("log", "logit") and any(
        isinstance(locator, (LogLocator, LogitLocator))
        for locator in (axis.major.locator, axis.minor.locator)
    )


def _is_small_array(value: object) -> bool:
    return type(value) is np.ndarray and value.nbytes <= SMALL_BYTES and not value.dtype.hasobject
