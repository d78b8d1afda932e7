"""Newton's method beside gradient descent."""

from functools import partial

import numpy as np
import torch
from torch.optim import SGD, Optimizer

from render import Film, Timeline, models, panels, record, scene, surfaces

CLOSE = 1e-5  # as near to a minimum as single precision can tell


class Newton(Optimizer):
    """Newton's method: the slope divided by the curvature, along each axis of the Hessian.

    A step that would climb is halved until it does not.
    """

    def __init__(self, params, surface):
        super().__init__(params, {"lr": 1.0})
        self.height = lambda point: surface.function(*point)

    @torch.no_grad()
    def step(self, closure=None):
        """Move to the minimum of the quadratic that fits the surface here."""
        parameters = self.param_groups[0]["params"]
        point = torch.stack([p.double() for p in parameters])
        slope = torch.stack([p.grad.double() for p in parameters])
        curvatures, axes = torch.linalg.eigh(torch.func.hessian(self.height)(point))
        move = axes @ ((axes.T @ slope) / curvatures.abs().clamp(min=1e-6))
        while self.height(point - move) > self.height(point) and move.norm() > CLOSE**2:
            move /= 2
        for parameter, value in zip(parameters, point - move, strict=True):
            parameter.copy_(value)


def largest_curvature(surface):
    """Return the largest eigenvalue of the surface's Hessian at its start."""
    start = torch.tensor(surface.start, dtype=torch.float64)
    hessian = torch.func.hessian(lambda point: surface.function(*point))(start)
    return torch.linalg.eigvalsh(hessian)[-1].item()


def distance(surface):
    """Return the series of distances to the minimum, as far down as they can be told."""
    return lambda run: np.maximum(panels.distance_to(surface.minima)(run), CLOSE)


@scene
def newton_vs_gradient(condition: float = 25.0, steps: int = 30) -> Film:
    """Newton's method divides the slope by the curvature."""
    quadratic, rosenbrock = surfaces.quadratic(condition), surfaces.rosenbrock
    runs, arrived = {}, {}
    for surface in (quadratic, rosenbrock):
        optimizers = {
            "gradient descent, rate 1/(largest curvature)": partial(
                SGD, lr=1 / largest_curvature(surface)
            ),
            "Newton": partial(Newton, surface=surface),
        }
        start = models.Point(*surface.start)
        runs[surface] = {
            name: record(start, surface, optimizer=optimizer, steps=steps)
            for name, optimizer in optimizers.items()
        }
        near = distance(surface)(runs[surface]["Newton"]) <= CLOSE
        needed = int(near.argmax()) if near.any() else f"more than {steps}"
        arrived[surface] = f"{needed} step{'s' * (needed != 1)}"
    maps = {
        "Q": panels.LossSurface(
            runs[quadratic],
            x_range=(-2.4, 1.0),
            y_range=(-1.0, 1.0),
            minima=quadratic.minima,
            title=f"Quadratic: Newton needs {arrived[quadratic]}",
        ),
        "R": panels.LossSurface(
            runs[rosenbrock],
            x_range=(-2.4, 1.6),
            y_range=(-0.6, 4.4),
            minima=rosenbrock.minima,
            grid=181,
            title=f"Rosenbrock: Newton needs {arrived[rosenbrock]}",
        ),
    }
    curves = {
        name: panels.Curve(
            runs[surface],
            distance(surface),
            scale="log",
            y_limits=(CLOSE / 2, 10),
            y_label="distance",
        )
        for name, surface in (("q", quadratic), ("r", rosenbrock))
    }
    return Film(
        maps | curves,
        mosaic="QR\nqr",
        height_ratios=(2, 1),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
