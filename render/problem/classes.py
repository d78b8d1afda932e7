"""Points of two features in classes: what a network learns to tell apart.

x has shape (n, 2). y has shape (n,): whole numbers, the class of each sample, which `losses.nll`
(two classes, one logit) and `losses.cross_entropy` (any number) take. The classes are as equal
in number as n allows, and the samples come in random order. A seed draws the same points in
every dtype, to its rounding, and leaves torch's global generator as it was.
"""

from __future__ import annotations

import torch
from torch import Tensor

from render.errors import InputError
from render.problem.checks import check_draw, check_dtype, check_whole
from render.problem.dataset import Dataset
from render.problem.shown import shown

__all__ = ["blobs", "circles", "moons", "spirals", "xor"]


def moons(
    n: int, noise: float = 0.1, seed: int = 0, *, dtype: torch.dtype = torch.float32
) -> Dataset:
    """Return two half circles of radius 1 that reach into one another.

    Class 0 is the upper half about (0, 0), class 1 the lower half about (1, 0.5); noise: the
    standard deviation of both coordinates.
    """
    n, noise, seed = check_draw(n, noise, seed)
    draw = _Draw(n, 2, seed)
    angle = torch.pi * draw.uniform(n)
    lower = draw.label == 1
    x = torch.where(lower, 1 - angle.cos(), angle.cos())
    y = torch.where(lower, 0.5 - angle.sin(), angle.sin())
    return draw.dataset(torch.stack((x, y), dim=1), noise, dtype)


def circles(
    n: int,
    factor: float = 0.5,
    noise: float = 0.05,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return a circle of radius 1 (class 0) around one of radius `factor` (class 1)."""
    n, noise, seed, factor = check_draw(n, noise, seed, factor=factor)
    if not 0 < factor < 1:
        raise InputError(f"dataset: factor is {shown(factor)}; give a radius between 0 and 1")
    draw = _Draw(n, 2, seed)
    angle = 2 * torch.pi * draw.uniform(n)
    radius = torch.tensor((1.0, factor), dtype=torch.float32, device="cpu")[draw.label]
    return draw.dataset(_polar(radius, angle), noise, dtype)


def spirals(
    n: int,
    turns: float = 1.0,
    classes: int = 2,
    noise: float = 0.05,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return spirals about the origin, an arm for each class, out to radius 1.

    turns: how often an arm winds around. The points are spread evenly over the disc's area.
    """
    n, noise, seed, turns = check_draw(n, noise, seed, turns=turns)
    classes = check_whole("dataset", "classes", classes, least=2)
    draw = _Draw(n, classes, seed)
    radius = draw.uniform(n).sqrt()
    angle = 2 * torch.pi * (turns * radius + draw.label.float() / classes)
    return draw.dataset(_polar(radius, angle), noise, dtype)


def blobs(
    n: int,
    classes: int = 3,
    spread: float = 0.3,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
) -> Dataset:
    """Return round clouds with their centres evenly on the circle of radius 1.

    spread: the standard deviation of both coordinates about a centre.
    """
    n, _, seed, spread = check_draw(n, 0.0, seed, spread=spread)
    if spread < 0:
        raise InputError(f"dataset: spread is {shown(spread)}; a standard deviation is at least 0")
    classes = check_whole("dataset", "classes", classes, least=2)
    draw = _Draw(n, classes, seed)
    angle = 2 * torch.pi * (draw.label.float() / classes + 0.25)
    return draw.dataset(_polar(torch.ones_like(angle), angle), spread, dtype)


def xor(n: int, gap: float = 0.1, seed: int = 0, *, dtype: torch.dtype = torch.float32) -> Dataset:
    """Return points of the square [-1, 1]^2: class 1 where the coordinates' signs differ.

    gap: how far every point stays away from the two axes. No line separates the classes.
    """
    n, _, seed, gap = check_draw(n, 0.0, seed, gap=gap)
    if not 0 <= gap < 1:
        raise InputError(f"dataset: gap is {shown(gap)}; give a distance from 0 to below 1")
    draw = _Draw(n, 2, seed)
    size = gap + (1 - gap) * draw.uniform(2 * n).view(n, 2)
    sign = torch.where(draw.uniform(n) < 0.5, -1.0, 1.0)
    other = torch.where(draw.label == 1, -sign, sign)
    return draw.dataset(size * torch.stack((sign, other), dim=1), 0.0, dtype)


class _Draw:
    """Random numbers for n samples whose classes are shuffled and as even as can be."""

    def __init__(self, n: int, classes: int, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(n, generator=self._generator, device="cpu")
        self.label = order % classes

    def uniform(self, count: int) -> Tensor:
        """Return float64 numbers from [0, 1)."""
        return torch.rand(
            count, generator=self._generator, dtype=torch.float32, device="cpu"
        ).double()

    def dataset(self, points: Tensor, noise: float, dtype: torch.dtype) -> Dataset:
        """Scatter the points and put the labels beside them."""
        check_dtype("dataset", dtype)
        scatter = torch.randn(
            points.shape, generator=self._generator, dtype=torch.float32, device="cpu"
        )
        return Dataset((points.double() + noise * scatter.double()).to(dtype), self.label)


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack((radius * angle.cos(), radius * angle.sin()), dim=1)
