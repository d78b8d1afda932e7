"""Logistic regression by negative log-likelihood."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, metrics, models, panels, record, scene


@scene
def logistic_regression(
    lr: float = 1e-2, steps: int = 3_000, n: int = 10_000, seed: int = 0
) -> Film:
    """Logistic regression learns where the labels change."""
    slope, intercept = torch.randn(2, generator=torch.Generator().manual_seed(seed)).tolist()
    run = record(
        models.Logistic(slope, intercept),
        datasets.threshold(n, cut=10.0, seed=seed),
        loss=losses.nll,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
        metrics={"accuracy": metrics.accuracy},
    )
    return Film(
        {
            "F": panels.Fit(run, link=panels.sigmoid, y_label="probability of label 1"),
            "L": panels.Curve(run),
            "A": panels.Curve(run, "accuracy"),
            "R": panels.Readout(run),
        },
        mosaic="FL\nFA\nRR",
        height_ratios=(3, 3, 1),
        title=None if run.loss[-1] <= run.loss[0] else "At this rate the loss does not fall",
        seconds=12,
        timeline=Timeline("even", hold_start=0.5, hold_end=1.5),
    )
