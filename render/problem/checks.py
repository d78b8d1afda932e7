"""Checks that generators of data and models share; each raises InputError."""

from __future__ import annotations

import math
import numbers
from typing import Any, TypeGuard

import torch
from torch import Tensor

from render.errors import InputError
from render.problem.shown import shown

__all__ = [
    "check_draw",
    "check_dtype",
    "check_number",
    "check_size",
    "check_tensors",
    "check_whole",
    "is_finite",
    "is_number",
    "is_whole",
]

_MOST_NUMBERS = 10**9


def check_draw(n: object, noise: object, seed: object, **further: object) -> tuple[Any, ...]:
    """Return what every generator of samples takes, and further numbers, as Python's own."""
    count = check_whole("dataset", "n", n, least=1)
    check_size(count)
    start = check_whole("dataset", "seed", seed, least=0)
    values = [check_number("dataset", name, value) for name, value in further.items()]
    scatter = check_number("dataset", "noise", noise)
    if scatter < 0:
        raise InputError(f"dataset: noise is {shown(noise)}; a standard deviation is at least 0")
    return (count, scatter, start, *values)


def check_size(count: int) -> None:
    """Check that a dataset of so many numbers can be meant."""
    if count > _MOST_NUMBERS:
        raise InputError(
            f"dataset: {count:,} numbers are asked for; give at most {_MOST_NUMBERS:,}: fewer "
            "samples, or smaller ones"
        )


def check_whole(of: str, name: str, value: object, least: int) -> int:
    """Return `value` as an int; raise InputError where it is not from `least` up to 2**63."""
    if not is_whole(value) or not least <= value < 2**63:
        raise InputError(f"{of}: {name} is {shown(value)}; give a whole number of at least {least}")
    return int(value)


def check_number(of: str, name: str, value: object) -> float:
    """Return `value` as Python's own number; raise InputError where it is not finite."""
    if not is_finite(value):
        raise InputError(f"{of}: {name} is {shown(value)}; give a finite number")
    return value if type(value) is int and abs(value) < 2**63 else float(value)


def is_finite(value: object) -> TypeGuard[float]:
    """Say whether `value` is a real number that a float can hold, but for its last digits."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def check_tensors(of: str, *values: object) -> None:
    """Check that a loss or a metric is given tensors. Raises InputError."""
    for value in values:
        if not isinstance(value, Tensor):
            raise InputError(f"{of}: got a {type(value).__name__}; give two torch tensors")


def is_number(value: object) -> TypeGuard[float]:
    """Say whether `value` is a real number, Python's or numpy's."""
    return isinstance(value, numbers.Real)


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether `value` is a whole number, Python's or numpy's."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_dtype(of: str, dtype: object) -> None:
    """Check that `dtype` is a floating-point type of torch's."""
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise InputError(
            f"{of}: dtype is {shown(dtype)}; give a floating-point type such as torch.float32"
        )
