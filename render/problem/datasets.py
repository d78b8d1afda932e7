"""Datasets: generated ones, a user's own numbers, and the split into two parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from render.errors import InputError
from render.problem.checks import check_draw, check_dtype, check_number
from render.problem.classes import blobs, circles, moons, spirals, xor
from render.problem.dataset import Dataset, check_plain
from render.problem.pictures import shapes
from render.problem.shown import shown

__all__ = [
    "Dataset",
    "blobs",
    "circles",
    "line",
    "moons",
    "of",
    "shapes",
    "sine",
    "spirals",
    "split",
    "threshold",
    "xor",
]


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
    n, noise, seed, slope, intercept = check_draw(n, noise, seed, slope=slope, intercept=intercept)
    check_dtype("dataset", dtype)
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
    cut = check_number("dataset", "cut", cut)
    exact = line(n, slope, intercept, noise, seed, dtype=torch.float64)
    check_dtype("dataset", dtype)
    return Dataset(exact.x.to(dtype), (exact.y > cut).to(dtype))


def sine(
    n: int,
    frequency: float = 1.0,
    noise: float = 0.1,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return n points scattered about a sine: y = sin(2 pi frequency x) + noise * N(0, 1).

    x of shape (n,) is uniform on [-1, 1).
    """
    n, noise, seed, frequency = check_draw(n, noise, seed, frequency=frequency)
    check_dtype("dataset", dtype)
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(n, generator=generator, dtype=torch.float32, device="cpu").double() - 1
    scatter = torch.randn(n, generator=generator, dtype=torch.float32, device="cpu").double()
    y = torch.sin(2 * torch.pi * frequency * x) + noise * scatter
    return Dataset(x.to(dtype), y.to(dtype))


def split(data: Dataset, validation: float = 0.2, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return (training data, validation data): two parts of `data`, drawn at random.

    validation: the second part's share of the samples, between 0 and 1; each part gets at least
    one sample. The same seed draws the same parts. Raises InputError for another share, or for
    fewer than two samples.
    """
    if not isinstance(data, Dataset):
        raise InputError(f"split: data is a {type(data).__name__}; give a Dataset")
    n, _, seed, validation = check_draw(len(data), 0.0, seed, validation=validation)
    if not 0 < validation < 1:
        raise InputError(f"split: validation is {shown(validation)}; give a share between 0 and 1")
    if n < 2:
        raise InputError("split: the dataset has 1 sample; two parts need at least 2")
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=generator, device="cpu").to(data.x.device)
    kept = n - min(max(round(validation * n), 1), n - 1)
    first, second = order[:kept], order[kept:]
    return Dataset(data.x[first], data.y[first]), Dataset(data.x[second], data.y[second])


def of(x: Any, y: Any, dtype: torch.dtype | None = None) -> Dataset:
    """Return a dataset of your own numbers: lists, arrays or tensors.

    Integers in x become float32 (integers in y stay: they may be classes). Floating-point arrays
    and tensors keep their type unless `dtype` gives another one to x and to a floating-point y;
    numpy's default is float64, torch's models are float32.
    """
    inputs, targets = _tensor("x", x), _tensor("y", y)
    if dtype is not None:
        check_dtype("dataset", dtype)
        inputs = inputs.to(dtype)
        targets = targets.to(dtype) if targets.is_floating_point() else targets
    elif not inputs.is_floating_point():
        inputs = inputs.to(torch.float32)
    return Dataset(inputs, targets)


def _tensor(name: str, values: Any) -> Tensor:
    """Return a copy of `values`, which later changes to the original do not reach."""
    if np.ma.is_masked(values):
        raise InputError(
            f"dataset: {name} holds masked values; leave these samples out, or fill them in"
        )
    try:
        if isinstance(values, np.ndarray):
            values = values.copy()  # torch takes no views that run backwards
        copied = values.detach().clone() if isinstance(values, Tensor) else torch.tensor(values)
    except (TypeError, ValueError, RuntimeError) as exc:
        reason = str(exc).splitlines()[0]
        raise InputError(
            f"dataset: {name} ({type(values).__name__}) is not an array of numbers: {reason}; "
            "give lists, arrays or tensors, a row for each sample"
        ) from exc
    check_plain(name, copied)
    return copied
