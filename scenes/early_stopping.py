"""Training with patience: stop where the validation loss was lowest."""

from dataclasses import replace
from functools import partial

import numpy as np
import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene

EPS = 1e-3  # keeps Adam from spikes, which come at other steps on another processor


@scene
def early_stopping(
    lr: float = 0.0025, steps: int = 2000, n: int = 20, patience: int = 200, seed: int = 0
) -> Film:
    """Early stopping keeps the weights of the lowest validation loss."""
    train, validation, test = (
        datasets.sine(size, noise=0.3, seed=seed + 1000 * part)
        for part, size in enumerate((n, 60, 500))
    )

    def trained(steps: int):
        run = record(
            models.MLP((1, 40, 40, 1), seed=seed),
            train,
            loss=losses.mse,
            optimizer=partial(torch.optim.Adam, lr=lr, eps=EPS),
            steps=steps,
            validation=validation,
        )
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged
            errors = run.predict(test.x, range(steps + 1)) - test.y.numpy()
            test_loss = (errors**2).mean(axis=1)
        shown = {"validation loss": run.metrics["val_loss"], "test loss": test_loss}
        return replace(run, metrics=shown)

    run = trained(steps)
    stop = panels.stopping(run.metrics["validation loss"], patience)
    runs = {"stopped early": trained(stop.best), "not stopped": run}
    title = None if stop.lowest else "Too little patience misses the lowest validation loss"
    if stop.at is None:
        title = f"Patience is not used up by step {steps}: nothing to stop"
    return Film(
        {
            "F": panels.Fit(runs, validation=validation, marker_area=45, y_limits=(-2, 2.8)),
            "L": panels.Patience(runs, "validation loss", patience=patience),
            "N": panels.Readout(runs, show=("step", "validation loss", "test loss")),
        },
        mosaic="FL\nNN",
        height_ratios=(13, 4),
        title=title,
        seconds=13,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
