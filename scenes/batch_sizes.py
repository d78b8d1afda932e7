"""The noise of minibatch gradients, measured."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, scene, sweep
from render.errors import InputError
from render.film.panels.spread import Cloud, Spread


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
    sizes = [smallest * 4**k for k in range(4)]
    if not 1 <= smallest or n < sizes[-1]:
        raise InputError(
            f"n={n}, smallest={smallest}: the batches have {sizes} points; give a smallest of at "
            f"least 1, and n of at least {max(64 * smallest, 64)}"
        )
    data = datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed)
    columns = torch.stack([data.x, torch.ones(n)], dim=1)
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
        {"C": Cloud(runs, last=last, grid=41, equal=True), "S": Spread(runs, last=last)},
        mosaic="CS",
        seconds=14,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )
