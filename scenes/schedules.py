"""One optimizer under five schedules of its rate."""

from functools import partial

import numpy as np
import torch
from torch.optim import lr_scheduler

from render import Film, Timeline, datasets, losses, models, panels, record, scene
from render.errors import InputError

LAST = 40


def five(lr: float, steps: int) -> dict:
    """Return five schedules up to the rate `lr`; each is a function of an optimizer."""
    rise = max(steps // 10, 1)

    def warm_up(optimizer):
        parts = [
            lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=rise),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(steps - rise, 1)),
        ]
        return lr_scheduler.SequentialLR(optimizer, parts, milestones=[rise])

    return {
        "constant": None,
        "step": partial(lr_scheduler.StepLR, step_size=max(steps // 3, 1), gamma=0.1),
        "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=steps),
        "one-cycle": partial(
            lr_scheduler.OneCycleLR, max_lr=lr, total_steps=steps + 1, cycle_momentum=False
        ),
        "warm-up, cosine": warm_up,
    }


@scene
def schedules(
    lr: float = 0.4, steps: int = 400, n: int = 1024, batch: int = 16, seed: int = 0
) -> Film:
    """As the rate falls, so does the noise."""
    if steps < 2:
        raise InputError(f"steps={steps}: give at least 2")
    if not 0 < batch < n:
        raise InputError(f"batch={batch}: give at least 1 point, and fewer than n={n}")
    data = datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed, dtype=torch.float64)
    fit = losses.least_squares(data)
    slope, intercept = fit.best
    if not 0 < lr < fit.limit:
        raise InputError(
            f"lr={lr}: give a rate above 0 and below {fit.limit:.2f}, where runs diverge"
        )
    runs = {
        label: record(
            models.Line(slope - 0.25, intercept + 0.14, dtype=torch.float64),
            data,
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=lr),
            scheduler=schedule,
            steps=steps,
            batch_size=batch,
            seed=seed,
        )
        for label, schedule in five(lr, steps).items()
    }
    last = min(LAST, steps)
    height = partial(above, least=fit.loss, last=last)
    ends = {label: height(run)[-1] for label, run in runs.items()}
    noisy = ends["constant"] > min(ends.values())
    cloud = panels.Cloud(
        runs,
        last=last,
        grid=81,
        equal=True,
        title=f"ring: spread of the last {last} steps",
        x_range=(slope - 0.29, slope + 0.29),
        y_range=(intercept - 0.29, intercept + 0.29),
    )
    y_label = f"loss above the least,\nmean of {last} steps"
    return Film(
        {
            "R": panels.Curve(runs, "rate"),
            "L": panels.Curve(runs, height, scale="log", y_label=y_label),
            "C": cloud,
        },
        mosaic="RC\nLC",
        title=None if noisy else "With little noise, a falling rate only slows the descent",
        seconds=14,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )


def above(run, least, last):
    """Return the loss above its least, as the mean of up to `last` steps."""
    rows = np.arange(1, len(run.loss) + 1)
    shares = np.convolve(run.data_loss - least, np.ones(last))[: len(rows)]
    return shares / np.minimum(rows, last)
