"""Settings of scenes: the parameters of a function, read from the text of a command line."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from render.errors import UsageError

__all__ = ["Setting", "type_of"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One parameter of a scene, as `--set name=value` sees it."""

    name: str
    type: Any
    default: Any

    def parse(self, text: str) -> Any:
        """Turn the text of a command-line value into this setting's type.

        Raises UsageError, naming the type that is expected, when the text does not fit.
        """
        for candidate in _alternatives(self.type):
            try:
                return _parse(candidate, text)
            except ValueError:
                continue
        default = self.default.name if isinstance(self.default, enum.Enum) else self.default
        if not all(map(_is_readable, _alternatives(self.type))):
            raise UsageError(
                f"--set {self.name}={text}: {_describe(self.type)} cannot be given here; "
                f"change {self.name}={default} in the script"
            )
        way = f"the default is {self.name}={default}"
        if self.type is type(None):
            way = f"give it a type in the script, such as {self.name}: int | None = None"
        raise UsageError(f"--set {self.name}={text}: {text!r} is not {_describe(self.type)}; {way}")


def type_of(parameter: inspect.Parameter, function: Callable[..., Any]) -> Any:
    """Return the type that an annotation names; the default's, where there is none to be found."""
    if parameter.annotation is parameter.empty:
        return type(parameter.default)
    alone = types.SimpleNamespace(__annotations__={"alone": parameter.annotation})
    try:
        return typing.get_type_hints(alone, inspect.unwrap(function).__globals__)["alone"]
    except Exception:  # it names a type that is imported for checkers only
        return type(parameter.default)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, text last, since any value reads as text."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda member: member is str))
    return (kind,)


def _parse(kind: Any, text: str) -> Any:
    """Read text as one type. Raises ValueError when it does not fit."""
    if typing.get_origin(kind) is typing.Literal:
        options = {str(option): option for option in typing.get_args(kind)}
        return options[text] if text in options else _refuse()
    if _is_enum(kind):
        members = {str(member.value): member for member in kind} | dict(kind.__members__)
        return members[text] if text in members else _refuse()
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words[text.lower()] if text.lower() in words else _refuse()
    if kind is int:
        return _parse_int(text)
    if kind is type(None):
        return None if text.lower() == "none" else _refuse()
    if kind in (float, str):
        return kind(text)
    return _refuse()


def _parse_int(text: str) -> int:
    """Read 600, and 1e4 too, as a whole number."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else _refuse()


def _is_readable(kind: Any) -> bool:
    """Whether text can stand for values of a type."""
    simple = (bool, int, float, str, type(None))
    return kind in simple or typing.get_origin(kind) is typing.Literal or _is_enum(kind)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _refuse() -> typing.NoReturn:
    raise ValueError


def _describe(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if typing.get_origin(kind) is typing.Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    if _is_enum(kind):
        return "one of " + ", ".join(kind.__members__)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(map(_describe, typing.get_args(kind)))
    if kind is type(None):
        return "none"
    return names.get(kind, f"a {getattr(kind, '__name__', kind)}")
