"""What the calls of a function can reach: whether one call may differ from the next.

A traced step repeats what one call has done. That is right where nothing that the code reads moves:
no counter, list or random number, in an attribute, a closure, a global or a default. So the code is
followed from function to function, as far as its names lead; the objects found there are compared
after a call with what they were; and what cannot be looked into is taken to move.
"""

from __future__ import annotations

import builtins
import dis
import sys
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Reach"]


class Reach:
    """Everything that calls of some objects can read, as it is now.

    known: whether all of it could be followed. apart: objects that may change.
    """

    def __init__(self, *roots: object, apart: Iterable[object] = ()) -> None:
        self._seen: dict[int, object] = {id(value): value for value in apart}
        self._waiting: list[object] = list(roots)
        self._owners: dict[int, Any] = {}
        self._names: dict[str, None] = {"forward": None}
        self._held: list[tuple[Any, Any]] = []
        self.known = True
        try:
            while self._waiting:
                self._look(self._waiting.pop())
        except Exception:  # _UnknownError, or what a user's class raises when looked at
            self.known = False
        for owner in self._owners.values():
            self._held.append((owner, {name: vars(owner).get(name, owner) for name in self._names}))

    def has_moved(self) -> bool:
        """Say whether anything is no longer what it was."""
        return not all(_is_as(value, before) for value, before in self._held)

    def restore(self) -> None:
        """Make everything what it was."""
        for value, before in self._held:
            if not _is_as(value, before):
                _restore(value, before)

    def _look(self, value: Any) -> None:
        """Note what a value is, and have what it leads to looked at as well."""
        if type(value) in _PLAIN or isinstance(value, _CONSTANTS) or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, types.ModuleType):
            self._look_at_module(value)
        elif isinstance(value, types.FunctionType):
            self._look_at_function(value)
        elif isinstance(value, types.MethodType):
            self._waiting += [value.__self__, value.__func__]
        elif isinstance(value, types.BuiltinFunctionType):
            self._look_at_builtin(value)
        elif isinstance(value, type):
            self._look_at_class(value, made=True)
        elif isinstance(value, property):
            self._waiting += [value.fget, value.fset, value.fdel]
        elif isinstance(value, (staticmethod, classmethod)):
            self._waiting += [value.__func__]
        elif isinstance(value, partial):
            self._waiting += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, _IN_C):
            self._waiting.append(value.__objclass__)
        elif not callable(value) or not _is_library(type(value), ("numpy",)):
            self._look_at_object(value)

    def _look_at_module(self, module: types.ModuleType) -> None:
        if module.__name__.startswith("numpy.random"):
            raise _UnknownError
        if module is np or not _is_in(module.__name__, _CALLED):
            self._own(module)

    def _look_at_builtin(self, value: Any) -> None:
        """Look at a function or a method written in C."""
        holder = value.__self__
        home = value.__module__ or getattr(holder, "__module__", "") or ""
        if isinstance(holder, (types.ModuleType, type, types.NoneType)):
            known = _is_in(home, _CALLED) and not home.startswith("numpy.random")
            if not known and not (home == "builtins" and value.__name__ in _BUILTINS):
                raise _UnknownError
        else:
            self._waiting.append(holder)

    def _look_at_function(self, function: types.FunctionType) -> None:
        code, names = function.__code__, function.__globals__
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if name == "__class__":  # which super() asks for
                self._look_at_class(cell.cell_contents, made=False)
            else:
                self._waiting.append(_content(cell))
        self._waiting += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        if not _is_in(str(names.get("__name__")), _CALLED):
            self._waiting.append(vars(function))
            self._look_at_code(code, names, set(code.co_freevars))

    def _look_at_code(self, code: types.CodeType, names: dict[str, Any], outer: set[str]) -> None:
        """Look at what code reads; outer: names that it has in common with other calls."""
        for entry in dis.get_instructions(code):
            what, name = entry.opname, entry.argval
            shared = (what.endswith("_DEREF") and name in outer) or what.endswith("_GLOBAL")
            if shared and what.startswith(("STORE", "DELETE")):
                raise _UnknownError
            if what in ("LOAD_GLOBAL", "LOAD_NAME"):
                self._waiting.append(_global(name, names))
            elif what == "IMPORT_NAME":
                self._waiting.append(_imported(name))
        if _INSIDES & set(code.co_names):
            raise _UnknownError
        for name in code.co_names:
            self._use(name)
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self._look_at_code(inner, names, outer & set(inner.co_freevars))

    def _look_at_class(self, kind: type, made: bool) -> None:
        """Look at a class's methods. made: whether the code makes objects of it, not before."""
        meta, libraries = type(kind), _CALLED if made else _HELD
        if meta is not type and (
            meta.__call__ is not type.__call__ or not _is_in(meta.__module__, _HELD)
        ):
            raise _UnknownError  # a class of classes, which may count them
        unused = _UNUSED - {"__init__", "__new__"} if made else _UNUSED
        known = [base for base in kind.__mro__ if base in _BASES or _is_library(base, libraries)]
        for base in kind.__mro__:
            if base in known or issubclass(base, BaseException):
                continue
            held = vars(base)
            if held.get("__slots__") or any(isinstance(entry, _IN_C) for entry in held.values()):
                raise _UnknownError  # it may hold what cannot be seen
            self._own(base)
            for name, entry in held.items():
                called = name.startswith("__") or any(name in vars(other) for other in known)
                if called and name not in unused and isinstance(entry, _METHODS):
                    self._waiting.append(entry)

    def _look_at_object(self, value: Any) -> None:
        kind = type(value)
        if isinstance(value, (torch.Generator, torch.jit.ScriptModule)):
            raise _UnknownError
        if isinstance(value, _CONTAINERS):
            if kind not in _BASES and not _is_library(kind, _HELD):
                raise _UnknownError  # it may show other entries than it holds
            self._waiting += [*value, *(value.values() if isinstance(value, dict) else ())]
            if isinstance(value, defaultdict):
                self._waiting.append(value.default_factory)
        if isinstance(value, (*_CONTAINERS, Tensor, np.ndarray)):
            self._held.append((value, _contents(value)))
        if kind not in (*_BASES, np.ndarray):
            self._look_at_class(kind, made=False)
        if getattr(value, "__dict__", None) is not None:
            self._waiting.append(vars(value))

    def _own(self, owner: Any) -> None:
        """Take a module or class, of which the names are looked at that code uses."""
        if id(owner) not in self._owners:
            self._owners[id(owner)] = owner
            self._waiting += [_found(owner, name) for name in self._names]

    def _use(self, name: str) -> None:
        if name not in self._names:
            self._names[name] = None
            self._waiting += [_found(owner, name) for owner in self._owners.values()]


class _UnknownError(Exception):
    """Something may move without being seen."""


_PLAIN = {
    *(type(None), type(...), type(NotImplemented), bool, int, float, complex, str, bytes),
    *(range, slice),
}
_CONSTANTS = (torch.dtype, torch.device, torch.layout, torch.memory_format, np.generic, np.dtype)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_BASES = {object, *_PLAIN, *_CONTAINERS, OrderedDict, defaultdict}
_METHODS = (types.FunctionType, staticmethod, classmethod, property)
_IN_C = (types.MethodDescriptorType, types.WrapperDescriptorType)

_HELD = ("torch", "render", "abc", "typing")
"""Libraries whose objects hold all that moves in attributes."""

_CALLED = (
    *("torch", "render", "numpy", "math", "cmath", "_operator", "functools"),
    *("_functools", "itertools", "collections", "contextlib", "typing", "abc", "dataclasses"),
)
"""Libraries whose functions give the same for the same."""

_BUILTINS = {
    *("abs", "all", "any", "bool", "bytes", "callable", "complex", "dict", "divmod", "enumerate"),
    *("filter", "float", "frozenset", "hasattr", "hash", "int", "isinstance", "issubclass", "iter"),
    *("len", "list", "map", "max", "min", "next", "pow", "property", "range", "repr", "reversed"),
    *("round", "set", "slice", "sorted", "str", "sum", "super", "tuple", "type", "zip"),
    *("Ellipsis", "NotImplemented", "__debug__"),
}

_INSIDES = {"__builtins__", "__closure__", "__code__", "__globals__", "cell_contents", "f_globals"}
"""Attributes that lead around names."""

_UNUSED = {
    *("__class_getitem__", "__del__", "__dir__", "__format__", "__getstate__"),
    *("__init__", "__init_subclass__", "__new__", "__reduce__", "__reduce_ex__", "__repr__"),
    *("__setstate__", "__sizeof__", "__str__", "__subclasshook__"),
}
"""Methods that no call of the object comes to."""


def _is_in(home: str, libraries: Iterable[str]) -> bool:
    return home.split(".")[0] in libraries


def _is_library(kind: type, libraries: Iterable[str]) -> bool:
    return _is_in(kind.__module__, libraries) and not kind.__module__.startswith("numpy.random")


def _found(owner: Any, name: str) -> object:
    """Return what a module or a class has of that name, or None; a module may load it late."""
    if "__getattr__" in vars(owner) and isinstance(owner, types.ModuleType) and name in dir(owner):
        return getattr(owner, name)
    return vars(owner).get(name)


def _global(name: str, names: dict[str, Any]) -> object:
    """Return what a global name means. Raises _UnknownError for what may give this or that."""
    if name in names:
        return names[name]
    value = getattr(builtins, name, None)
    if name in _BUILTINS or (isinstance(value, type) and issubclass(value, BaseException)):
        return None
    raise _UnknownError


def _imported(name: str) -> object:
    if name not in sys.modules:
        raise _UnknownError
    return sys.modules[name]


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing yet
        raise _UnknownError from None


def _contents(value: Any) -> Any:
    """Return a copy of what can change in place."""
    if isinstance(value, Tensor):
        _bytes(value)  # fails where there is nothing to compare
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise _UnknownError
        return value.copy()
    return [*value, *value.values()] if isinstance(value, dict) else [*value]


def _is_as(value: Any, before: Any) -> bool:
    """Say whether a value is what it was: in arrays to the bit, in containers the same objects."""
    if isinstance(before, Tensor):
        return value.shape == before.shape and torch.equal(_bytes(value), _bytes(before))
    if isinstance(before, np.ndarray):
        return value.shape == before.shape and bool(value.tobytes() == before.tobytes())
    if isinstance(before, dict):  # names of a module or a class
        return all(vars(value).get(name, value) is was for name, was in before.items())
    now = _contents(value)
    return len(now) == len(before) and all(map(_is_same, now, before))


def _is_same(one: object, other: object) -> bool:
    return one is other


def _restore(value: Any, before: Any) -> None:
    if isinstance(value, Tensor):
        with torch.no_grad():
            value.copy_(before)
    elif isinstance(value, np.ndarray):
        value[...] = before
    elif isinstance(before, dict):
        for name, was in before.items():
            if was is not value:
                setattr(value, name, was)
            elif name in vars(value):
                delattr(value, name)
    elif isinstance(value, dict):
        half = len(before) // 2
        value.clear()
        value.update(zip(before[:half], before[half:], strict=True))
    elif not isinstance(value, (tuple, frozenset)):
        value.clear()
        (value.update if isinstance(value, set) else value.extend)(before)


def _bytes(values: Tensor) -> Tensor:
    try:
        return values.detach().contiguous().reshape(-1).view(torch.uint8)
    except (RuntimeError, NotImplementedError):  # sparse ones, and others without bytes
        raise _UnknownError from None
