"""Least squares in closed form: where gradient descent on a linear model ends, and how fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from render.errors import InputError
from render.problem.checks import is_finite
from render.problem.dataset import Dataset
from render.problem.shown import shown

__all__ = ["LeastSquares", "least_squares"]


@dataclass(frozen=True, kw_only=True)
class LeastSquares:
    """What there is to know about the mean squared error of a linear model.

    best: the weights of the least loss, (P,). loss: the least loss, penalty included.
    curvatures: the eigenvalues of the loss's Hessian, (P,), rising.
    """

    best: tuple[float, ...]
    loss: float
    curvatures: tuple[float, ...]

    @property
    def limit(self) -> float:
        """The rate from which gradient descent diverges: 2 by the largest curvature."""
        return 2 / self.curvatures[-1] if self.curvatures[-1] > 0 else math.inf

    @property
    def best_rate(self) -> float:
        """The constant rate at which gradient descent shrinks the distance to the best the most.

        Each step shrinks it (condition + 1) / (condition - 1) times or more. Source: Nocedal and
        Wright, Numerical Optimization, 2nd edition, Springer 2006, Section 3.3.
        """
        both = self.curvatures[0] + self.curvatures[-1]
        return 2 / both if both > 0 else math.inf

    @property
    def condition(self) -> float:
        """The largest curvature by the smallest; infinity where the loss is flat along a line."""
        least, largest = self.curvatures[0], self.curvatures[-1]
        return largest / least if least > 0 else math.inf


def least_squares(data: Dataset, *, decay: float = 0.0) -> LeastSquares:
    """Return the best a linear model can do on `data` under `losses.mse`, in double precision.

    The model is `models.Line`, with the weights (slope, intercept), for x of shape (n,), and one
    weight a feature, without an intercept, for x of shape (n, features). decay: adds decay / 2
    times the sum of the squared weights to the loss, as an optimizer's `weight_decay` does. Of
    several best weights, the shortest are returned. Raises InputError where data is no Dataset, y
    is not of shape (n,), or decay is not a number of at least 0.
    """
    if not isinstance(data, Dataset):
        raise InputError(f"least_squares: data is a {type(data).__name__}; give a Dataset")
    if data.y.shape != (len(data),):
        raise InputError(
            f"least_squares: y has shape {tuple(data.y.shape)}; give one target a sample, (n,)"
        )
    if not data.x.numel():
        raise InputError("least_squares: x has no features; give at least one")
    if not is_finite(decay) or decay < 0:
        raise InputError(f"least_squares: decay is {shown(decay)}; give a number of at least 0")
    x, y = (side.to("cpu", torch.float64) for side in (data.x, data.y))
    columns = torch.stack([x, torch.ones_like(x)], dim=1) if x.ndim == 1 else x
    left, singular, right = torch.linalg.svd(columns, full_matrices=False)
    precise = singular > singular[0] * max(columns.shape) * torch.finfo(torch.float64).eps
    shares = torch.where(precise, singular / (singular**2 + len(data) / 2 * decay), 0.0)
    best = right.T @ (shares * (left.T @ y))
    loss = (columns @ best - y).square().mean() + decay / 2 * best.square().sum()
    flat = columns.shape[1] - len(singular)  # more weights than samples
    curves = torch.where(precise, singular, 0.0)
    curved = torch.cat([curves, curves.new_zeros(flat)]) ** 2 * 2 / len(data) + decay
    return LeastSquares(
        best=tuple(best.tolist()), loss=float(loss), curvatures=tuple(curved.flip(0).tolist())
    )
