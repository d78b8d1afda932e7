"""Momentum in a narrow valley."""

from functools import partial
from math import sqrt

import numpy as np
from torch.optim import SGD

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError

AHEAD = 0.1  # of the other's loss is far ahead


def loss(run):
    """Return the losses down to the rounding error."""
    return np.maximum(run.loss, 1e-14)


def shrinks(factor):
    """Return a factor below 1 with as many decimals as tell it from 1, from three on."""
    decimals = next((d for d in range(3, 16) if float(f"{factor:.{d}f}") < 1), 3)
    return f"{factor:.{decimals}f}"


def formulas(condition, plain, ball, nesterov):
    """Return each method's settings, and by how much a step shrinks the distance."""
    root = sqrt(condition)
    return (
        rf"gradient descent: rate $2/(\mu + L)$ = {plain['lr']:.3g};"
        rf"  distance $\times$ {shrinks((condition - 1) / (condition + 1))} a step in the long run"
        "\n"
        rf"heavy ball: rate $4/(\sqrt{{\mu}} + \sqrt{{L}})^2$ = {ball['lr']:.3g},"
        rf"  momentum $((\sqrt{{\kappa}} - 1)/(\sqrt{{\kappa}} + 1))^2$ = {ball['momentum']:.3g};"
        rf"  $\times$ {shrinks(sqrt(ball['momentum']))}"
        "\n"
        rf"Nesterov: rate $1/L$ = {nesterov['lr']:.3g},"
        rf"  momentum $(\sqrt{{\kappa}} - 1)/(\sqrt{{\kappa}} + 1)$ = {nesterov['momentum']:.3g};"
        rf"  $\times$ {shrinks(1 - 1 / root)}"
    )


@scene
def momentum(condition: float = 40.0, steps: int = 60) -> Film:
    """Momentum crosses a narrow valley in far fewer steps."""
    if not condition > 1:
        raise InputError(f"condition={condition} is not a ratio of curvatures above 1")
    valley = surfaces.quadratic(condition)
    least, largest = valley.curvatures(0, 0)
    root = sqrt(condition)
    plain = {"lr": 2 / (least + largest)}
    ball = {
        "lr": 4 / (sqrt(least) + sqrt(largest)) ** 2,
        "momentum": ((root - 1) / (root + 1)) ** 2,
    }
    nesterov = {"lr": 1 / largest, "momentum": (root - 1) / (root + 1)}
    runs = sweep(
        models.Point(-2.0, 0.3),
        valley,
        optimizer={
            "gradient descent": partial(SGD, **plain),
            "heavy ball": partial(SGD, **ball),
            "Nesterov": partial(SGD, **nesterov, nesterov=True),
        },
        steps=steps,
    )
    plain_end, *ends = (loss(run)[-1] for run in runs.values())
    ahead = all(end <= AHEAD * plain_end for end in ends)
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
            "C": panels.Caption(formulas(condition, plain, ball, nesterov), size_pt=14),
        },
        mosaic="SL\nCC",
        width_ratios=(3, 2),
        height_ratios=(4, 1),
        title=None if ahead else f"By step {steps}, momentum is not far ahead",
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
