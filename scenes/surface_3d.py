"""Runs on the loss as a surface in space."""

from functools import partial

import torch

from render import Film, Timeline, models, panels, scene, surfaces, sweep


@scene
def surface_3d(
    lr: float = 1e-4,
    momentum: float = 0.97,
    steps: int = 1_200,
    x: float = 4.5,
    y: float = 4.5,
    elevation: float = 42.0,
) -> Film:
    """The same two runs on the surface and from above."""
    surface = surfaces.himmelblau
    runs = sweep(
        models.Point(x, y, dtype=torch.float64),
        surface,
        optimizer={
            "gradient descent": partial(torch.optim.SGD, lr=lr),
            f"momentum {momentum:g}": partial(torch.optim.SGD, lr=lr, momentum=momentum),
        },
        steps=steps,
    )
    shown = {
        "x_range": surface.domain[0],
        "y_range": surface.domain[1],
        "minima": surface.minima,
    }
    return Film(
        {
            "S": panels.Surface3D(runs, azimuth=(-110, -155), elevation=elevation, **shown),
            "C": panels.LossSurface(runs, equal=True, **shown),
        },
        mosaic="SC",
        width_ratios=(3, 2),
        seconds=14,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
