"""The field of the gradient, and descents that follow it."""

from functools import partial

import torch

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError

LEAST_APART = 0.02  # starts are named with two decimals


@scene
def gradient_field(
    lr: float = 0.0005,
    steps: int = 700,
    x: float = -0.25,
    y: float = -0.8,
    apart: float = 0.8,
    arrows: int = 17,
) -> Film:
    """Down the gradient: where a run starts decides where it ends."""
    if not abs(apart) >= LEAST_APART:
        raise InputError(f"apart={apart}: give at least {LEAST_APART}; closer starts read the same")
    surface = surfaces.himmelblau
    half = apart / 2
    starts = [
        (x + half, y + half),
        (x - half, y + half),
        (x - half, y - half),
        (x + half, y - half),
    ]
    runs = sweep(
        {
            f"start ({a:.2f}, {b:.2f})".replace("-", "\N{MINUS SIGN}"): models.Point(
                a, b, dtype=torch.float64
            )
            for a, b in starts
        },
        surface,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
    )
    field = panels.VectorField(
        runs,
        x_range=surface.domain[0],
        y_range=surface.domain[1],
        minima=surface.minima,
        equal=True,
        arrows=arrows,
    )
    fall = all(run.loss[-1] <= run.loss[0] for run in runs.values())
    gradient = panels.Curve(runs, "gradient", scale="log", y_label="gradient length")
    return Film(
        {"F": field, "L": panels.Curve(runs), "G": gradient},
        mosaic="FL\nFG",
        width_ratios=(3, 2),
        title=None if fall else "At this rate not every loss falls",
        seconds=12,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
