"""The lecture's models, a point, and networks. Any other `nn.Module` is as good."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from render.errors import InputError
from render.problem.checks import check_dtype
from render.problem.networks import MLP
from render.problem.shown import shown

__all__ = ["MLP", "Line", "Logistic", "Point"]


class Line(nn.Module):
    """A line: slope * x + intercept, for x of shape (n,).

    Both parameters are scalars (shape ()), of type `dtype`, in this order. Data of another type
    needs the same `dtype=` here.
    """

    def __init__(
        self, slope: float, intercept: float, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.slope = _scalar("slope", slope, dtype)
        self.intercept = _scalar("intercept", intercept, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the line's values at x, of shape (n,)."""
        if x.ndim != 1:
            raise InputError(
                f"{type(self).__name__} takes x of shape (n,), not {tuple(x.shape)}; "
                "use x[:, 0], or a torch.nn.Linear for several features"
            )
        return self.slope * x + self.intercept


class Logistic(Line):
    """Logistic regression: the probability of label 1 is sigmoid(slope * x + intercept).

    Calling the model gives the logits, of shape (n,), which `losses.nll` and `metrics.accuracy`
    take; `probability` gives the probabilities.
    """

    def __init__(
        self, slope: float, intercept: float, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(slope, intercept, dtype=dtype)

    def probability(self, x: Tensor) -> Tensor:
        """Return the probability of label 1 at x, of shape (n,)."""
        return torch.sigmoid(self(x))


class Point(nn.Module):
    """A point (x, y) that an optimizer moves over a `surfaces.Surface`.

    Both parameters are scalars (shape ()), of type `dtype`. Calling it gives the point, of shape
    (2,), whatever the input.
    """

    def __init__(self, x: float, y: float, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.x = _scalar("x", x, dtype)
        self.y = _scalar("y", y, dtype)

    def forward(self, _: Tensor) -> Tensor:
        """Return the point, of shape (2,)."""
        return torch.stack((self.x, self.y))


def _scalar(name: str, value: object, dtype: torch.dtype) -> nn.Parameter:
    try:
        number = float(value)  # type: ignore[arg-type]  # the error below is for what float refuses
    except (TypeError, ValueError, RuntimeError, OverflowError) as exc:
        raise InputError(f"model: {name} is {shown(value)}; give one number") from exc
    check_dtype("model", dtype)
    return nn.Parameter(torch.tensor(number, dtype=dtype))
