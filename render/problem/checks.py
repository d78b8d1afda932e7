"""Checks that generators of data and models share; each raises InputError."""

from __future__ import annotations

import math

import torch

from render.errors import InputError

__all__ = ["check_draw", "check_dtype", "check_number", "check_size", "check_whole"]

_MOST_NUMBERS = 10**9


def check_draw(n: object, noise: object, seed: object, **numbers: object) -> None:
    """Check the arguments that every generator of samples takes, and further finite numbers."""
    check_whole("dataset", "n", n, least=1)
    check_size(n)
    check_whole("dataset", "seed", seed, least=0)
    for name, value in {**numbers, "noise": noise}.items():
        check_number("dataset", name, value)
    if isinstance(noise, (int, float)) and noise < 0:
        raise InputError(f"dataset: noise is {noise!r}; a standard deviation is at least 0")


def check_size(numbers: object) -> None:
    """Check that a dataset of so many numbers can be meant."""
    if isinstance(numbers, int) and numbers > _MOST_NUMBERS:
        raise InputError(
            f"dataset: {numbers:,} numbers are asked for; give at most {_MOST_NUMBERS:,}: fewer "
            "samples, or smaller ones"
        )


def check_whole(of: str, name: str, value: object, least: int) -> None:
    """Check that `value` is a whole number from `least` up to 2**63."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
        raise InputError(f"{of}: {name} is {value!r}; give a whole number of at least {least}")


def check_number(of: str, name: str, value: object) -> None:
    """Check that `value` is a finite number."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{of}: {name} is {value!r}; give a finite number")


def check_dtype(of: str, dtype: object) -> None:
    """Check that `dtype` is a floating-point type of torch's."""
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise InputError(
            f"{of}: dtype is {dtype!r}; give a floating-point type such as torch.float32"
        )
