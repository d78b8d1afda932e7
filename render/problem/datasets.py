"""Datasets: the lecture's noisy line and its labels, and a user's own numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from render.errors import InputError
from render.problem.dataset import Dataset

__all__ = ["Dataset", "line", "of", "threshold"]


def line(
    n: int,
    slope: float = 3.0,
    intercept: float = 8.0,
    noise: float = 0.3,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return n points scattered about a line: y = slope * x + intercept + noise * N(0, 1).

    x of shape (n,) is uniform on [0, 1). The same seed draws the same points in every dtype, to
    its rounding, and leaves torch's global generator as it was.
    """
    _check_draw(n, noise, seed, slope=slope, intercept=intercept)
    _check_dtype(dtype)
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, generator=generator, dtype=torch.float32, device="cpu").double()
    scatter = torch.randn(n, generator=generator, dtype=torch.float32, device="cpu").double()
    y = slope * x + intercept + noise * scatter
    return Dataset(x.to(dtype), y.to(dtype))


def threshold(
    n: int,
    slope: float = 3.0,
    intercept: float = 8.0,
    noise: float = 0.3,
    cut: float = 10.0,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return n points labelled 1 where the noisy line of `line` exceeds `cut`, else 0.

    The labels y are floats of shape (n,); x is that of `line` with the same seed.
    """
    _check_number("cut", cut)
    exact = line(n, slope, intercept, noise, seed, dtype=torch.float64)
    _check_dtype(dtype)
    return Dataset(exact.x.to(dtype), (exact.y > cut).to(dtype))


def of(x: Any, y: Any, dtype: torch.dtype | None = None) -> Dataset:
    """Return a dataset of your own numbers: lists, arrays or tensors.

    Integers in x become float32 (integers in y stay: they may be classes). Floating-point arrays
    and tensors keep their type unless `dtype` gives another one to x and to a floating-point y;
    numpy's default is float64, torch's models are float32.
    """
    inputs, targets = _tensor("x", x), _tensor("y", y)
    if dtype is not None:
        _check_dtype(dtype)
        inputs = inputs.to(dtype)
        targets = targets.to(dtype) if targets.is_floating_point() else targets
    elif not inputs.is_floating_point():
        inputs = inputs.to(torch.float32)
    return Dataset(inputs, targets)


def _tensor(name: str, values: Any) -> Tensor:
    """Return a copy of `values`, which later changes to the original do not reach."""
    try:
        copied = values.detach().clone() if isinstance(values, Tensor) else torch.tensor(values)
    except (TypeError, ValueError, RuntimeError) as exc:
        reason = str(exc).splitlines()[0]
        raise InputError(
            f"dataset: {name} ({type(values).__name__}) is not an array of numbers: {reason}"
        ) from exc
    if copied.is_complex():
        raise InputError(f"dataset: {name} holds complex numbers; it must hold real numbers")
    return copied


def _check_draw(n: object, noise: object, seed: object, **numbers: object) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"dataset: n is {n!r}; give a whole number of at least 1")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"dataset: seed is {seed!r}; give a whole number of at least 0")
    for name, value in {**numbers, "noise": noise}.items():
        _check_number(name, value)
    if isinstance(noise, (int, float)) and noise < 0:
        raise InputError(f"dataset: noise is {noise!r}; a standard deviation is at least 0")


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"dataset: {name} is {value!r}; give a finite number")


def _check_dtype(dtype: object) -> None:
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise InputError(
            f"dataset: dtype is {dtype!r}; give a floating-point type such as torch.float32"
        )
