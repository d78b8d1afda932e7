"""Whose code and objects are known: what a watch may take for read once it has seen its values.

Objects of classes from outside matplotlib, numpy and Python itself, and functions of the user, may
read anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matplotlib.artist import Artist

__all__ = ["hides_state", "homes_of", "is_known_class", "is_known_function", "is_of_known_class"]

_KNOWN = {
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
    "render",
    "zoneinfo",
}
# Of these, an object without attributes may still hold a state: a deque, an iterator, a generator.
_HOLDING = {"builtins", "collections", "functools", "itertools", "numpy"}
_HEAP_TYPE = 1 << 9  # of `__flags__`: a class that Python code defined


def is_of_known_class(thing: object) -> bool:
    """Whether an object's class is known, and what draws it if it is an artist."""
    kind: Any = type(thing)
    return is_known_class(kind) and (
        not isinstance(thing, Artist) or all(map(_is_known_code, homes_of(kind.draw)))
    )


def is_known_class(kind: Any) -> bool:
    """Whether a class is known. One that `exec` made may claim to be built in."""
    is_made_by_python = bool(kind.__flags__ & _HEAP_TYPE)
    return _is_known(kind.__module__) and not (kind.__module__ == "builtins" and is_made_by_python)


def is_known_function(function: Any) -> bool:
    """Whether a function that Python code defined is known, and all that it wraps."""
    return all(map(_is_known_code, homes_of(function)))


def homes_of(function: Any) -> Iterator[str | None]:
    """Yield the modules whose code a function runs: wrappers have the names of what they wrap."""
    while function is not None:
        names = getattr(function, "__globals__", None)
        yield function.__module__ if names is None else names.get("__name__")
        function = getattr(function, "__wrapped__", None)


def hides_state(thing: object) -> bool:
    """Whether an object without attributes may hold a state all the same."""
    module: str = type(thing).__module__
    return module.partition(".")[0] in _HOLDING


def _is_known_code(home: str | None) -> bool:
    """Whether code is known by its module: nothing that Python code defines is built in."""
    return _is_known(home) and home != "builtins"


def _is_known(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _KNOWN
