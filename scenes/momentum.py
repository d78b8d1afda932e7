"""Momentum in a narrow valley."""

from functools import partial
from math import sqrt

import numpy as np
from torch.optim import SGD

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError


def loss(run):
    """Return the losses down to the rounding error."""
    return np.maximum(run.loss, 1e-14)


@scene
def momentum(condition: float = 40.0, steps: int = 60) -> Film:
    """Momentum crosses a narrow valley in far fewer steps."""
    if not condition > 1:
        raise InputError(f"condition={condition} is not a ratio of curvatures above 1")
    valley = surfaces.quadratic(condition)
    least, largest = 1.0, condition  # the curvatures along and across the valley
    root = sqrt(condition)
    rate = 2 / (least + largest)
    ball_rate, ball = 4 / (sqrt(least) + sqrt(largest)) ** 2, ((root - 1) / (root + 1)) ** 2
    nesterov_rate, nesterov = 1 / largest, (root - 1) / (root + 1)
    runs = sweep(
        models.Point(-2.0, 0.3),
        valley,
        optimizer={
            "gradient descent": partial(SGD, lr=rate),
            "heavy ball": partial(SGD, lr=ball_rate, momentum=ball),
            "Nesterov": partial(SGD, lr=nesterov_rate, momentum=nesterov, nesterov=True),
        },
        steps=steps,
    )
    formulas = "\n".join(
        (
            rf"gradient descent: rate $2/(\mu + L)$ = {rate:.3g};"
            rf"  distance $\times$ {(condition - 1) / (condition + 1):.3f} a step in the long run",
            rf"heavy ball: rate $4/(\sqrt{{\mu}} + \sqrt{{L}})^2$ = {ball_rate:.3g},"
            rf"  momentum $((\sqrt{{\kappa}} - 1)/(\sqrt{{\kappa}} + 1))^2$ = {ball:.3g};"
            rf"  $\times$ {sqrt(ball):.3f}",
            rf"Nesterov: rate $1/L$ = {nesterov_rate:.3g},"
            rf"  momentum $(\sqrt{{\kappa}} - 1)/(\sqrt{{\kappa}} + 1)$ = {nesterov:.3g};"
            rf"  $\times$ {1 - 1 / root:.3f}",
        )
    )
    return Film(
        {
            "S": panels.LossSurface(
                runs,
                x_range=(-2.3, 0.8),
                y_range=(-1.0, 1.0),
                minima=valley.minima,
                equal=True,
                title=rf"curvatures $\mu$ = {least:g} and $L$ = {largest:g}, "
                rf"$\kappa = L/\mu$ = {condition:g}",
            ),
            "L": panels.Curve(runs, loss, scale="log", y_label="loss"),
            "C": panels.Caption(formulas, size_pt=12),
        },
        mosaic="SL\nCC",
        width_ratios=(3, 2),
        height_ratios=(5, 1),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
