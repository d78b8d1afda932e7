"""Gradient descent on raw and on standardised features."""

from functools import partial

import numpy as np
import torch

from render import Film, Timeline, Trajectory, datasets, losses, models, panels, record, scene
from render.errors import InputError

DRIVER = "gelsd"  # lstsq's default driver varies in its last bit
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
    raw = datasets.line(n, noise=noise, seed=seed, dtype=torch.float64)
    x, y = raw.x + offset, raw.y
    mean, scale = x.mean(), x.std(correction=0)
    slope, intercept = -1.5, 4.5 + 1.5 * offset  # of the line from which both runs start
    scaled = (slope * scale.item(), intercept + slope * mean.item())
    features = {"raw x": x, "standardised x": (x - mean) / scale}
    starts = {"raw x": (slope, intercept), "standardised x": scaled}
    runs = {label: descent(features[label], y, starts[label], steps) for label in features}
    best = {
        label: torch.linalg.lstsq(columns(feature), y[:, None], driver=DRIVER)
        .solution[:, 0]
        .numpy()
        for label, feature in features.items()
    }
    far = np.max([np.abs(run.params - best[label]).max(axis=0) for label, run in runs.items()], 0)
    reach = 1.15 * max(far[0], far[1] / TALL)
    raw_surface, scaled_surface = (
        surface(label, runs[label], features[label], best[label], reach) for label in features
    )
    away = {
        label: partial(lambda run, at: np.linalg.norm(run.params - at, axis=1), at=best[label])
        for label in runs
    }
    return Film(
        {
            "A": raw_surface,
            "B": scaled_surface,
            "D": panels.Curve(runs, away, y_label="distance to the minimum"),
        },
        mosaic="ABD",
        width_ratios=(6, 6, 4),
        seconds=8,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )


def columns(x: torch.Tensor) -> torch.Tensor:
    """Return what slope and intercept are multiplied with, (n, 2)."""
    return torch.stack([x, torch.ones_like(x)], dim=1)


def condition_and_rate(x: torch.Tensor) -> tuple[float, float]:
    """Return the ratio of the curvatures of the mean squared error, and 2 by their sum.

    Their product, the determinant, is 4 times the variance of x: a small curvature that is
    computed beside a large one would have lost its digits.
    """
    low, high = np.linalg.eigvalsh((2 * columns(x).T @ columns(x) / len(x)).numpy())
    return high**2 / (4 * x.var(correction=0).item()), 2 / (low + high)


def descent(x: torch.Tensor, y: torch.Tensor, start: tuple[float, float], steps: int) -> Trajectory:
    """Return gradient descent at the best rate, from a line given by slope and intercept."""
    _, rate = condition_and_rate(x)
    return record(
        models.Line(*start, dtype=torch.float64),
        datasets.of(x, y),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=rate),
        steps=steps,
    )


def surface(
    label: str, run: Trajectory, x: torch.Tensor, best: np.ndarray, reach: float
) -> panels.LossSurface:
    """Return the loss around the minimum, in one scale along both axes."""
    condition, rate = condition_and_rate(x)
    a, b = best
    return panels.LossSurface(
        {label: run},
        x_range=(a - reach, a + reach),
        y_range=(b - TALL * reach, b + TALL * reach),
        equal=True,
        minima=[best],
        title=f"{label}\ncondition {condition:{',.1f' if condition < 1000 else ',.0f'}}, "
        f"best rate {rate:#.2g}",
    )
