"""The noise of minibatch gradients, measured."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, panels, scene, sweep
from render.errors import InputError

LEAST_BATCHES = 8  # an epoch


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
    columns = torch.stack([data.x, torch.ones(n)], dim=1)
    limit = 2 / float(torch.linalg.eigvalsh(2 * columns.T @ columns / n)[-1])
    if not 0 < lr < limit:
        raise InputError(f"lr={lr}: give a rate above 0 and below {limit:.2f}, where runs diverge")
    slope, intercept = torch.linalg.lstsq(columns, data.y).solution.tolist()
    runs = sweep(
        models.Line(slope, intercept),
        data,
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
        batch_size=sizes,
        seed=seed,
    )
    return Film(
        {
            "C": panels.Cloud(
                runs, last=last, grid=81, equal=True, title=f"ring: spread of the last {last} steps"
            ),
            "S": panels.Spread(runs, last=last),
        },
        mosaic="CS",
        seconds=14,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )
