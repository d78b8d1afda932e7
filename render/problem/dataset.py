"""A dataset: inputs and targets, a row for each sample."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from render.errors import InputError

__all__ = ["Dataset", "check_plain"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples to learn from.

    `x` has shape (n,) or (n, features); `y` has n rows. Both are dense tensors of finite real
    numbers. Raises InputError where they are not.
    """

    x: Tensor
    y: Tensor

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            _check_values(name, getattr(self, name))
        if self.x.ndim > 2:
            raise InputError(
                f"dataset: x has shape {tuple(self.x.shape)}; it must be (n,) or (n, features), "
                "so flatten each sample and let the model unflatten it"
            )
        if len(self.x) != len(self.y):
            raise InputError(
                f"dataset: x has {len(self.x)} rows and y has {len(self.y)}; "
                "give one target for each sample"
            )

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.x)

    def __repr__(self) -> str:
        x, y = self.x, self.y
        return f"Dataset(x={tuple(x.shape)} {x.dtype}, y={tuple(y.shape)} {y.dtype})"


def check_plain(name: str, values: Tensor) -> None:
    """Check that a tensor holds real numbers and nothing but them. Raises InputError."""
    odd = values.is_complex() or values.is_nested or values.is_quantized or values.is_meta
    if odd or values.layout != torch.strided:
        raise InputError(
            f"dataset: {name} must be a dense tensor of real numbers; it is not where numbers are "
            "complex, sparse, nested or quantized, or on the meta device"
        )
    if values.is_floating_point() and values.element_size() < 2:
        raise InputError(
            f"dataset: {name} is {values.dtype}, with which torch hardly computes; give "
            f"{name}.float()"
        )


def _check_values(name: str, values: object) -> None:
    if not isinstance(values, Tensor):
        raise InputError(
            f"dataset: {name} is a {type(values).__name__}, not a torch tensor; "
            "use datasets.of(x, y) for lists and arrays"
        )
    check_plain(name, values)
    if values.ndim == 0 or len(values) == 0:
        raise InputError(
            f"dataset: {name} has shape {tuple(values.shape)}; give one row for each of at least "
            "one sample"
        )
    bad = ~torch.isfinite(values)
    if bad.any():
        row = int(bad.reshape(len(values), -1).any(dim=1).nonzero()[0])
        raise InputError(
            f"dataset: {name} holds {int(bad.sum())} values that are NaN or infinite, the first "
            f"in row {row}; drop or repair those samples"
        )
