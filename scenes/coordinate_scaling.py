"""Gradient descent on raw and on standardised features."""

from functools import partial

import numpy as np
from torch import float64
from torch.optim import SGD

from render import Film, Timeline, datasets, losses, models, panels, record, scene
from render.errors import InputError

TALL = 1.35  # height of the surfaces, by their width
FARTHEST = 1000.0  # beyond, rounding hides along which line the loss is flat


@scene
def coordinate_scaling(
    steps: int = 60, n: int = 200, offset: float = 0.0, noise: float = 0.3, seed: int = 0
) -> Film:
    """Standardised features turn the ellipse into a circle."""
    if n < 2:
        raise InputError(f"n={n}: give at least 2 points, which have a standard deviation")
    if not abs(offset) <= FARTHEST:
        raise InputError(f"offset={offset}: give -{FARTHEST:g} to {FARTHEST:g}")
    points = datasets.line(n, noise=noise, seed=seed, dtype=float64)
    x = points.x + offset
    mean, scale = x.mean(), x.std(correction=0)
    slope, intercept = -1.5, 4.5 + 1.5 * offset  # of the line from which both runs start
    runs, fits = {}, {}
    for label, feature, start in (
        ("raw x", x, (slope, intercept)),
        ("standardised x", (x - mean) / scale, (slope * scale, intercept + slope * mean)),
    ):
        data = datasets.of(feature, points.y)
        fits[label] = losses.least_squares(data)
        runs[label] = record(
            models.Line(*start, dtype=float64),
            data,
            loss=losses.mse,
            optimizer=partial(SGD, lr=fits[label].best_rate),
            steps=steps,
        )
    ways = [np.abs(run.params - fits[label].best).max(axis=0) for label, run in runs.items()]
    reach = 1.15 * np.array([1, TALL]) * np.max(ways / np.array([1, TALL]))
    surfaces = [
        panels.LossSurface(
            {label: runs[label]},
            x_range=(fit.best[0] - reach[0], fit.best[0] + reach[0]),
            y_range=(fit.best[1] - reach[1], fit.best[1] + reach[1]),
            equal=True,
            minima=[fit.best],
            title=f"{label}\ncondition {fit.condition:{'.1f' if fit.condition < 1000 else '.3g'}}, "
            f"best rate {fit.best_rate:#.2g}",
        )
        for label, fit in fits.items()
    ]
    distances = {label: panels.distance_to([fit.best]) for label, fit in fits.items()}
    return Film(
        [*surfaces, panels.Curve(runs, distances, y_label="distance to the minimum")],
        width_ratios=(6, 6, 4),
        seconds=8,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )
