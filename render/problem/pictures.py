"""A set of small pictures that is drawn, not downloaded: for convolutional networks."""

from __future__ import annotations

import torch
from torch import Tensor

from render.errors import InputError
from render.problem.checks import check_draw, check_dtype, check_size, check_whole
from render.problem.dataset import Dataset

__all__ = ["shapes"]

_KINDS = 4
_SMALLEST = 8


def shapes(
    n: int,
    size: int = 16,
    noise: float = 0.1,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return n grey pictures of size x size pixels: a disc, a square, a ring or a cross in each.

    x has shape (n, size * size), row by row, with brightness about 0 for paper and 1 for ink; a
    network starts with `torch.nn.Unflatten(1, (1, size, size))`. y of shape (n,) is the class, 0
    to 3 in the order above. Place and extent of each figure are random, its edges smooth. noise:
    the standard deviation of a pixel. size: at least 8. The same seed draws the same pictures.
    """
    n, noise, seed = check_draw(n, noise, seed)
    size = check_whole("dataset", "size", size, least=1)
    if size < _SMALLEST:
        raise InputError(f"dataset: size is {size}; give at least {_SMALLEST} pixels")
    check_size(n * size * size)
    check_dtype("dataset", dtype)
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand(n, generator=generator, dtype=torch.float32, device="cpu")
        return (low + (high - low) * drawn).view(n, 1, 1)

    label = torch.randperm(n, generator=generator, device="cpu") % _KINDS
    extent = uniform(0.22, 0.32) * size
    x0, y0 = (uniform(-0.12, 0.12) * size for _ in range(2))
    side = torch.arange(size, dtype=torch.float32, device="cpu") - (size - 1) / 2
    x, y = side.view(1, 1, size) - x0, side.view(1, size, 1) - y0
    ink = (_outside(label.view(n, 1, 1), x, y, extent) * -1 + 0.5).clamp(0, 1)
    scatter = torch.randn(ink.shape, generator=generator, dtype=torch.float32, device="cpu")
    return Dataset((ink + noise * scatter).reshape(n, -1).to(dtype), label)


def _outside(label: Tensor, x: Tensor, y: Tensor, extent: Tensor) -> Tensor:
    """Return how far each pixel lies outside its figure, in pixels; negative inside."""
    radius = (x**2 + y**2).sqrt()
    near, far = torch.minimum(x.abs(), y.abs()), torch.maximum(x.abs(), y.abs())
    figures = (
        radius - extent,
        far - 0.85 * extent,
        (radius - 0.85 * extent).abs() - 0.25 * extent,
        torch.maximum(near - 0.25 * extent, far - 1.1 * extent),
    )
    return torch.stack(figures).gather(0, label.expand(1, *radius.shape))[0]
