"""Gradient descent fits a line."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene

MOST_RESIDUALS = 500  # more would hide the points


@scene
def linear_regression(lr: float = 0.01, steps: int = 600, n: int = 50, seed: int = 0) -> Film:
    """Gradient descent fits a line to noisy points."""
    run = record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
        seed=seed,
    )
    return Film(
        {
            "F": panels.Fit(run, residuals=n <= MOST_RESIDUALS),
            "S": panels.LossSurface(run),
            "R": panels.Readout(run),
        },
        mosaic="FS\nRR",
        height_ratios=(6, 1),
        title=None if run.loss[-1] <= run.loss[0] else "At this rate the loss does not fall",
        seconds=12,
        timeline=Timeline("even", hold_start=0.5, hold_end=1.5),
    )
