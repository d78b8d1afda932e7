"""Learning rates below, at and beyond what gradient descent allows."""

import torch

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError

JUDGED = ("too small", "right", "too large", "beyond 2/L")
MEASURED = ("small", "1/L", "just below 2/L", "beyond 2/L")


@scene
def learning_rates(condition: float = 10.0, beyond: float = 1.03, steps: int = 60) -> Film:
    """Beyond 2/L every learning rate is too large, however close."""
    if not beyond >= 1 + 1e-9:
        raise InputError(f"beyond={beyond} is not a number of edges 2/L above 1")
    valley = surfaces.quadratic(condition)
    largest = valley.curvatures(*valley.start)[-1]
    edge = 2 / largest
    rates = (0.1 * edge, 1 / largest, 0.97 * edge, beyond * edge)
    tried = sweep(
        models.Point(*valley.start), valley, optimizer=torch.optim.SGD, lr=rates, steps=steps
    ).values()
    small, middle, large, _ = (run.loss[-1] for run in tried)
    names = JUDGED if middle < min(small, large) else MEASURED
    digits = next(d for d in range(3, 18) if f"{beyond * edge:.{d}g}" != f"{edge:.{d}g}")
    runs = {
        f"{name} ({rate:.{digits}g})": run
        for name, rate, run in zip(names, rates, tried, strict=True)
    }
    return Film(
        {
            "S": panels.LossSurface(
                runs, x_range=(-2.3, 1.0), y_range=(-1.25, 1.25), minima=valley.minima, equal=True
            ),
            "L": panels.Curve(runs, scale="log"),
            "C": panels.Caption(
                f"$L$ = {largest:g} is the largest curvature: "
                f"gradient descent is stable below the rate $2/L$ = {edge:.3g}"
            ),
        },
        mosaic="SL\nCC",
        width_ratios=(3, 2),
        height_ratios=(9, 1),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )
