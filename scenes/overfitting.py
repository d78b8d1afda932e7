"""A network that learns the noise."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene

EPS = 1e-3  # keeps Adam from spikes, which come at other steps on another processor
RISEN = 1.05  # times the lowest: a validation loss that ends higher rises


@scene
def overfitting(
    lr: float = 0.0025, steps: int = 2000, n: int = 20, width: int = 40, seed: int = 0
) -> Film:
    """Overfitting: train loss falls on while validation loss rises."""
    train = datasets.sine(n, noise=0.3, seed=seed)
    validation = datasets.sine(60, noise=0.3, seed=seed + 1000)
    run = record(
        models.MLP((1, width, width, 1), seed=seed),
        train,
        loss=losses.mse,
        optimizer=partial(torch.optim.Adam, lr=lr, eps=EPS),
        steps=steps,
        validation=validation,
    )
    best = int(run.metrics["val_loss"].argmin())
    rises = not run.metrics["val_loss"][-1] <= RISEN * run.metrics["val_loss"][best]
    falls = run.loss[-1] < run.loss[best]
    reason = "train loss falls no further" if rises else "validation loss ends near its lowest"
    both = {"train": run, "validation": run}
    return Film(
        {
            "F": panels.Fit(
                {"train": run}, validation=validation, marker_area=45, y_limits=(-2, 2.8)
            ),
            "L": panels.Curve(
                both, {"train": "loss", "validation": "val_loss"}, scale="log", y_label="loss"
            ),
        },
        mosaic="FL",
        title=None if rises and falls else f"No overfitting by step {steps}: {reason}",
        seconds=13,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
