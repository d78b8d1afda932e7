"""Six optimizers on one surface, all tuned alike."""

from functools import partial

import numpy as np
from torch import float64, optim

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError

SURFACES = ("rosenbrock", "beale", "himmelblau", "rastrigin", "camel", "saddle")
RATES = (3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
NEAR = 0.01
FAR = 3.0  # height at which runs that fall without end leave the picture
CLOSEST = 1e-7  # nearer than anyone can see
OPTIMIZERS = {
    "SGD": optim.SGD,
    "momentum 0.9": partial(optim.SGD, momentum=0.9),
    "RMSprop": optim.RMSprop,
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "L-BFGS": partial(optim.LBFGS, max_iter=1),
}


def wider(side):
    """Return an interval with a margin, for starts at the edge."""
    low, high = side
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def climbs(run):
    """Tell whether a run gets higher than it started, or nowhere that is a number."""
    return not run.loss.max() <= run.loss[0] + 1e-6 * abs(run.loss[0])


def tuned(optimizer, start, hills, steps):
    """Return the rate whose run ends lowest, and that run; runs that climb come last."""
    runs = sweep(start, hills, optimizer=optimizer, lr=RATES, steps=steps).values()

    def wildness(tried):
        _, run = tried
        losses = run.loss[~np.isnan(run.loss)]  # a loss that has fallen to -inf is the lowest
        return climbs(run), losses[-1]

    return min(zip(RATES, runs, strict=True), key=wildness)


@scene
def optimizer_race(surface: str = "rosenbrock", steps: int = 200) -> Film:
    """Six optimizers race downhill, each at its best rate."""
    if surface not in SURFACES:
        raise InputError(f"surface={surface!r} is not one of {', '.join(SURFACES)}")
    hills = getattr(surfaces, surface)
    # In single precision RMSprop and L-BFGS take other paths on another processor.
    start = models.Point(*hills.start, dtype=float64)
    runs, rates = {}, {}
    for name, optimizer in OPTIMIZERS.items():
        rates[name], runs[name] = tuned(optimizer, start, hills, steps)
    listed = [
        f"{name}: {rate:g}{' (climbs)' * climbs(runs[name])}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, rate in rates.items()
    ]
    told = (
        f"Best of {len(RATES)} rates, {RATES[0]:g} to {RATES[-1]:g}: lowest after {steps} "
        f"step{'s' * (steps != 1)}, never higher than the start.\n" + ", ".join(listed)
    )
    if hills.minima:
        distance = panels.distance_to(hills.minima)
        progress = panels.Curve(
            runs,
            lambda run: np.maximum(distance(run), CLOSEST),
            scale="log",
            y_label="distance to\na minimum",
        )
        arrived = [name for name, run in runs.items() if distance(run)[-1] < NEAR]
        told += f"\nWithin {NEAR:g} of a minimum: {len(arrived)} of {len(runs)}"
    else:
        progress = panels.Curve(runs, y_limits=(-FAR, FAR), y_label="height")
    return Film(
        {
            "S": panels.LossSurface(
                runs,
                x_range=wider(hills.domain[0]),
                y_range=wider(hills.domain[1]),
                minima=hills.minima,
                title=f"{hills.name}: {hills.formula}",
                left="left at step {step}",
                grid=181,
            ),
            "D": progress,
            "C": panels.Caption(told, size_pt=11),
        },
        mosaic="SD\nCC",
        width_ratios=(3, 2),
        height_ratios=(4, 1),
        seconds=12,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
