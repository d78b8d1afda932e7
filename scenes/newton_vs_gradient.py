"""Newton's method beside gradient descent."""

from functools import partial

import numpy as np
import torch
from torch.autograd.functional import hessian
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
        curvatures, axes = torch.linalg.eigh(hessian(self.height, point))
        move = axes @ ((axes.T @ slope) / curvatures.abs().clamp(min=1e-6))
        while self.height(point - move) > self.height(point) and move.norm() > CLOSE**2:
            move /= 2
        for parameter, value in zip(parameters, point - move, strict=True):
            parameter.copy_(value)


def distance(surface):
    """Return the series of distances to the minimum, as far down as they can be told."""
    return lambda run: np.maximum(panels.distance_to(surface.minima)(run), CLOSE)


@scene
def newton_vs_gradient(condition: float = 25.0, steps: int = 30) -> Film:
    """Newton's method divides the slope by the curvature."""
    shown = {}
    for place, name, surface, x_range, y_range in (
        ("q", "Quadratic", surfaces.quadratic(condition), (-2.4, 1.0), (-1.0, 1.0)),
        ("r", "Rosenbrock", surfaces.rosenbrock, (-2.4, 1.6), (-0.6, 4.4)),
    ):
        walk = partial(record, models.Point(*surface.start), surface, steps=steps)
        runs = {
            "gradient descent, rate 1/(largest curvature at the start)": walk(
                optimizer=partial(SGD, lr=1 / surface.curvatures(*surface.start)[-1])
            ),
            "Newton": walk(optimizer=partial(Newton, surface=surface)),
        }
        there = distance(surface)(runs["Newton"]) <= CLOSE
        needed = int(there.argmax()) if there.any() else f"> {steps}"
        shown[place.upper()] = panels.LossSurface(
            runs,
            x_range=x_range,
            y_range=y_range,
            grid=181,
            minima=surface.minima,
            title=f"{name}: Newton needs {needed} step{'s' * (needed != 1)}",
        )
        shown[place] = panels.Curve(
            runs,
            distance(surface),
            scale="log",
            y_limits=(CLOSE / 2, 10),
            y_label="distance,\n\N{GREATER-THAN OR EQUAL TO} 1e\N{MINUS SIGN}5",
        )
    return Film(
        shown,
        mosaic="QR\nqr",
        height_ratios=(2, 1),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
