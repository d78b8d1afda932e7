"""Checks of what films, timelines and panels are given; each raises InputError."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, get_args

from render.errors import InputError

__all__ = ["check_choice", "check_range", "check_whole", "expect", "is_number", "is_whole"]


def expect(name: str, value: object, allowed: bool, what: str) -> None:
    """Raise InputError, saying `what` the argument must be, unless its value is allowed."""
    if not allowed:
        raise InputError(f"{name}={value!r} is not {what}")


def check_choice(name: str, value: object, choices: Any) -> None:
    """Raise InputError unless the value is one of a Literal's."""
    known = get_args(choices)
    expect(name, value, value in known, f"one of {', '.join(map(str, known))}")


def check_range(name: str, value: Any) -> None:
    """Raise InputError unless the value is two finite numbers that rise, or None."""
    if value is None:
        return
    try:
        low, high = value
        rises = bool(is_number(low) and is_number(high) and low < high)
    except (TypeError, ValueError):
        rises = False
    expect(name, value, rises, "two numbers, (low, high) with low < high")


def check_whole(name: str, value: object, least: int) -> None:
    """Raise InputError unless the value is a whole number that is large enough."""
    expect(name, value, is_whole(value, least), f"a whole number of at least {least}")


def is_number(value: object, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether this is a finite number in a range, the ends included."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    return real and math.isfinite(value) and least <= value <= most  # type: ignore[arg-type, operator]


def is_whole(value: object, least: float, most: float = math.inf) -> bool:
    """Whether this is a whole number in a range, the ends included."""
    return isinstance(value, Integral) and is_number(value, least, most)
