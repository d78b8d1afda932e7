"""The noise of minibatch gradients, measured."""

from functools import partial

import numpy as np
import torch

from render import Film, Timeline, datasets, losses, models, panels, scene, sweep
from render.errors import InputError

LEAST_BATCHES = 8  # an epoch
TOLERANCE = 0.25  # of the law


@scene
def batch_sizes(
    lr: float = 0.2,
    steps: int = 400,
    n: int = 20_000,
    smallest: int = 4,
    last: int = 100,
    seed: int = 0,
) -> Film:
    """Four times the batch, half the noise."""
    if min(last, steps) < 2:
        raise InputError(f"last={last}, steps={steps}: give at least 2 of each to see a spread")
    last = min(last, steps)
    sizes = [smallest * 4**k for k in range(4)]
    if smallest < 1:
        raise InputError(f"smallest={smallest}: give a batch of at least 1 point")
    if n < LEAST_BATCHES * sizes[-1]:
        raise InputError(
            f"n={n}: give at least {LEAST_BATCHES} times as many points as the largest batch has, "
            f"{sizes[-1]}: the last batch of an epoch is smaller"
        )
    data = datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed)
    fit = losses.least_squares(data)
    if not 0 < lr < fit.limit:
        raise InputError(
            f"lr={lr}: give a rate above 0 and below {fit.limit:.2f}, where runs diverge"
        )
    runs = sweep(
        models.Line(*fit.best),
        data,
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
        batch_size=sizes,
        seed=seed,
    )
    spreads = np.array([panels.spread_of(run, last)[-1] for run in runs.values()])
    return Film(
        {
            "C": panels.Cloud(
                runs, last=last, grid=81, equal=True, title=f"ring: spread of the last {last} steps"
            ),
            "S": panels.Spread(runs, last=last),
        },
        mosaic="CS",
        title=title(spreads[0] / spreads, np.array(sizes) // sizes[0]),
        seconds=14,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )


def title(divided: np.ndarray, times: np.ndarray) -> str | None:
    """Return what to say instead, where the law does not hold about for every batch."""
    if not np.isfinite(divided).all():
        return "At this rate not every batch's noise can be measured"
    if (np.abs(divided / times**0.5 - 1) < TOLERANCE).all():
        return None
    return f"{times[-1]} times the batch: the noise is divided by {divided[-1]:.2g}"
