"""The loss around a network's path, over two planes through the space of its parameters."""

from functools import partial

import numpy as np
import torch

from render import Film, Timeline, datasets, landscape, losses, models, panels, record, scene


@scene
def loss_landscape(
    lr: float = 0.01, steps: int = 300, n: int = 200, width: int = 16, seed: int = 0
) -> Film:
    """Training keeps near one plane, and far from a random one."""
    run = record(
        models.MLP((2, width, width, 1), seed=seed),
        datasets.spirals(n, noise=0.03, seed=seed),
        loss=losses.nll,
        optimizer=partial(torch.optim.Adam, lr=lr),
        steps=steps,
    )
    a_range, b_range = around(landscape(run, "pca", grid=2).path, width_to_height=1.5)
    principal = landscape(run, "pca", grid=(90, 60), a_range=a_range, b_range=b_range)
    wide = (-1.2, 1.2)
    random = landscape(run, "random", grid=61, a_range=wide, b_range=wide, seed=seed)
    return Film(
        {
            "P": panels.LandscapePanel(
                run, landscape=principal, title="Principal plane of the path"
            ),
            "R": panels.LandscapePanel(
                run,
                landscape=random,
                title="Random plane",
                x_label="filter-normalised direction 1",
                y_label="filter-normalised direction 2",
            ),
            "N": panels.Readout(run, show=("step", "loss")),
        },
        mosaic="PR\nNN",
        width_ratios=(3, 2),
        height_ratios=(7, 1),
        seconds=12,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )


def around(path, width_to_height):
    """Return the ranges of a picture around a path, in the same scale along both sides."""
    low, high = np.nanmin(path, axis=0), np.nanmax(path, axis=0)
    shape = np.array([width_to_height, 1.0])
    half = 0.74 * max((high - low) / shape) * shape
    middle = (low + high) / 2
    return zip(middle - half, middle + half, strict=True)
