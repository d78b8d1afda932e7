"""Weight decay moves the minimum."""

from functools import partial

import numpy as np
import torch
from torch.optim import SGD

from render import Film, Timeline, datasets, losses, models, panels, record, scene, surfaces
from render.errors import InputError

FORMULA = (
    r"Decay $\lambda$ adds $\frac{\lambda}{2}|w|^2$." + "\n"
    "The minimum moves to\n"
    r"$\hat w = (\frac{2}{n} X^T X + \lambda I)^{-1}$ $\frac{2}{n} X^T y$"
)


def samples(n, seed):
    """Return n samples of two features that vary together, and their noisy targets."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = draw(n, 2) @ torch.tensor([[1.0, 0.6], [0.0, 0.6]]).double()
    return x, x @ torch.tensor([1.0, 2.0]).double() + 0.3 * draw(n)


def length(run):
    """Return |w|."""
    return np.linalg.norm(run.params, axis=1)


@scene
def regularisation(
    decay: float = 0.5, lr: float = 0.1, n: int = 40, steps: int = 60, seed: int = 0
) -> Film:
    """Weight decay pulls the minimum towards zero."""
    if n < 2 or not decay > 0:
        raise InputError(f"n={n}, decay={decay}: give at least 2 samples and a decay above 0")
    x, y = samples(n, seed)
    decays = (0.0, decay, 4 * decay)
    fits = [losses.least_squares(datasets.of(x, y), decay=strength) for strength in decays]
    limit = fits[-1].limit
    if not 0 < lr < limit:
        raise InputError(
            f"lr={lr}: give a rate above 0 and below {limit:.2g}, where runs diverge with the "
            f"strongest decay, {4 * decay:g}; less decay allows larger rates"
        )

    def height(a, b, decay=0.0):
        """Return the mean squared error of the weights a and b, and their penalty."""
        error = a[..., None] * x[:, 0] + b[..., None] * x[:, 1] - y
        return error.square().mean(-1) + decay / 2 * (a**2 + b**2)

    start = models.Point(-1.5, 0.8, dtype=torch.float64)
    runs, maps, minima = {}, {}, {"zero": (0.0, 0.0)}
    for place, strength, fit in zip("abc", decays, fits, strict=True):
        label = f"$\\lambda$ = {strength:g}"
        optimizer = partial(SGD, lr=lr, weight_decay=strength)
        run = record(start, surfaces.of(height), optimizer=optimizer, steps=steps)
        runs[label] = run
        minima["minimum"] = fit.best
        maps[place] = panels.LossSurface(
            {label: run.attach(start, surfaces.of(partial(height, decay=strength)).loss)},
            x_range=(-2.0, 2.4),
            y_range=(-0.6, 3.0),
            minima=dict(minima),
            title=f"mse + {strength / 2:g} $|w|^2$" if strength else "mse",
            x_label="weight 1",
            y_label="weight 2",
            equal=True,
        )
        minima.setdefault("no decay", minima["minimum"])
    lengths = panels.Curve(runs, length, y_label="$|w|$")
    return Film(
        maps | {"L": lengths, "F": panels.Caption(FORMULA)},
        mosaic="abc\nLLF",
        height_ratios=(2, 1),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
