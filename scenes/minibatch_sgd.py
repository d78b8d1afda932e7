"""Stochastic gradient descent: one minibatch a step."""

from functools import partial

import numpy as np
import torch

from render import Film, Timeline, Trajectory, datasets, losses, models, panels, record, scene
from render.errors import InputError

LARGER = 64  # of the two batches
LEAST_BATCHES = 8  # an epoch


@scene
def minibatch_sgd(lr: float = 0.2, steps: int = 200, n: int = 512, seed: int = 0) -> Film:
    """The smaller the batch, the noisier the path."""
    if n < LEAST_BATCHES * LARGER:
        raise InputError(
            f"n={n}: give at least {LEAST_BATCHES * LARGER} points; the last batch of an epoch has "
            "what is left over, and must not count for much"
        )
    data = datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed)
    runs = {
        label: record(
            models.Line(slope=2.6, intercept=7.3),
            data,
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=lr),
            steps=steps,
            batch_size=size,
            seed=seed,
        )
        for label, size in (("batch of 8", 8), (f"batch of {LARGER}", LARGER), ("all points", None))
    }
    return Film(
        {
            "F": panels.Fit({"batch of 8": runs["batch of 8"]}),
            "S": panels.LossSurface(runs, x_range=(2.35, 3.55), y_range=(7.2, 8.3)),
            "L": panels.Curve(runs, scale="log", step_scale="log"),
        },
        mosaic="FS\nLS",
        width_ratios=(2, 3),
        title=title(*runs.values()),
        seconds=14,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )


def title(small: Trajectory, large: Trajectory, smooth: Trajectory) -> str | None:
    """Return what to say instead, where losses climb or the larger batch strays farther."""
    if any(run.data_loss[-1] > run.data_loss[0] for run in (small, large, smooth)):
        return "At this rate not every loss falls"
    strays = [np.square(run.params - smooth.params).sum() for run in (small, large)]
    if strays[0] < strays[1]:
        return f"With {len(smooth.x)} points the batch of {LARGER} is the noisier"
    return None
