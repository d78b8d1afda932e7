"""Ten thousand points, ten thousand steps, every one recorded."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene


@scene
def gradient_descent(
    lr: float = 1e-3, steps: int = 10_000, n: int = 10_000, seed: int = 541
) -> Film:
    """Gradient descent: fast at first, then slow."""
    slope, intercept = torch.randn(2, generator=torch.Generator().manual_seed(seed)).tolist()
    run = record(
        models.Line(slope, intercept),
        datasets.line(n, seed=seed),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
    )
    return Film(
        {
            "F": panels.Fit(run),
            "L": panels.Curve(run, scale="log", step_scale="log"),
            "R": panels.Readout(run),
        },
        mosaic="FL\nRR",
        height_ratios=(6, 1),
        title=None if run.loss[-1] <= run.loss[0] else "At this rate the loss does not fall",
        seconds=14,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
