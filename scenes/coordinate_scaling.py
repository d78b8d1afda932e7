"""Gradient descent on raw and on standardised features."""

from functools import partial

import numpy as np
import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene
from render.errors import InputError

TALL = 1.35  # height of the surfaces, by their width


def columns(x: torch.Tensor) -> torch.Tensor:
    """Return what slope and intercept are multiplied with, (n, 2)."""
    return torch.stack([x, torch.ones_like(x)], dim=1)


def hessian(x: torch.Tensor) -> np.ndarray:
    """Return the second derivatives of the mean squared error by slope and intercept."""
    return (2 * columns(x).T @ columns(x) / len(x)).numpy()


@scene
def coordinate_scaling(
    steps: int = 60, n: int = 200, offset: float = 0.0, noise: float = 0.3, seed: int = 0
) -> Film:
    """Standardised features turn the ellipse into a circle."""
    if n < 2:
        raise InputError(f"n={n}: give at least 2 points, which have a standard deviation")
    raw = datasets.line(n, noise=noise, seed=seed, dtype=torch.float64)
    x, y = raw.x + offset, raw.y
    mean, scale = x.mean(), x.std(correction=0)
    slope, intercept = -1.5, 4.5 + 1.5 * offset  # of the line from which both runs start
    scaled = (slope * scale.item(), intercept + slope * mean.item())
    features = {
        "raw x": (x, (slope, intercept)),
        "standardised x": ((x - mean) / scale, scaled),
    }
    runs, surfaces, best = {}, {}, {}
    for label, (feature, start) in features.items():
        low, high = np.linalg.eigvalsh(hessian(feature))
        rate = 2 / (low + high)
        runs[label] = record(
            models.Line(*start, dtype=torch.float64),
            datasets.of(feature, y),
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=rate),
            steps=steps,
        )
        best[label] = torch.linalg.lstsq(columns(feature), y[:, None]).solution[:, 0].numpy()
        surfaces[label] = partial(
            panels.LossSurface,
            {label: runs[label]},
            equal=True,
            minima=[best[label]],
            title=f"{label}\ncondition {high / low:{',.1f' if high < 1000 * low else ',.0f'}}, "
            f"best rate {rate:#.2g}",
        )
    far = np.max([np.abs(run.params - best[label]).max(axis=0) for label, run in runs.items()], 0)
    reach = 1.15 * max(far[0], far[1] / TALL)
    away = {
        label: partial(lambda run, at: np.linalg.norm(run.params - at, axis=1), at=best[label])
        for label in runs
    }
    return Film(
        {
            "A": surfaces["raw x"](**around(best["raw x"], reach)),
            "B": surfaces["standardised x"](**around(best["standardised x"], reach)),
            "D": panels.Curve(runs, away, y_label="distance to the minimum"),
        },
        mosaic="ABD",
        width_ratios=(6, 6, 4),
        seconds=8,
        timeline=Timeline("linear", hold_start=0.5, hold_end=1.5),
    )


def around(middle: np.ndarray, reach: float) -> dict:
    """Return ranges around a point."""
    x, y = middle
    return {"x_range": (x - reach, x + reach), "y_range": (y - TALL * reach, y + TALL * reach)}
