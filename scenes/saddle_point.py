"""Leaving a saddle point."""

from functools import partial

import numpy as np
from torch.optim import SGD, Adam, RMSprop

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError


def escape(run):
    """Return the first step with |y| > 1, or None."""
    return int(np.argmax(abs(run.params[:, 1]) > 1)) or None


@scene
def saddle_point(lr: float = 0.02, offset: float = 0.001, steps: int = 200) -> Film:
    """At a saddle the slope vanishes: who gets away, and when."""
    if not 0 < abs(offset) < 1:
        raise InputError(
            f"offset={offset} is not beside the ridge: give a number between -1 and 1, but not 0"
        )
    saddle = surfaces.saddle
    runs = sweep(
        models.Point(saddle.start[0], offset),
        saddle,
        optimizer={
            "gradient descent": partial(SGD, lr=lr),
            "momentum 0.9": partial(SGD, lr=lr, momentum=0.9),
            "RMSprop": partial(RMSprop, lr=lr),
            "Adam": partial(Adam, lr=lr),
        },
        steps=steps,
    )
    escapes = {name: escape(run) for name, run in runs.items()}

    def told(step: int) -> str:
        lines = [f"{name}: {at if at and at <= step else ''}" for name, at in escapes.items()]
        return "\n".join([f"Rate {lr:g}. First step with |y| > 1:", *lines])

    return Film(
        {
            "S": panels.LossSurface(
                runs,
                x_range=(-1.4, 0.8),
                y_range=(-1.0, 1.0),
                minima={"saddle": (0, 0)},
                title=saddle.formula,
                equal=True,
                left="",
            ),
            "Y": panels.Curve(
                runs,
                lambda run: abs(run.params[:, 1]),
                scale="log",
                step_scale="log",
                y_limits=(abs(offset) / 2, 1.2),
                y_label="|y|",
            ),
            "C": panels.Caption(told, size_pt=12, steps=steps),
        },
        mosaic="SY\nSC",
        width_ratios=(3, 2),
        height_ratios=(2, 1),
        seconds=12,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
