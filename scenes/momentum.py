"""Momentum in a narrow valley."""

from functools import partial
from math import sqrt

from torch.optim import SGD

from render import Film, Timeline, models, panels, scene, surfaces, sweep
from render.errors import InputError

AHEAD = 0.1  # of the other's loss is far ahead
SETTINGS = (
    r"gradient descent: rate $2/(\mu + L)$ = %.3g;  distance shrinks by %.3g%% a step"
    " in the long run\n"
    r"heavy ball: rate $4/(\sqrt{\mu} + \sqrt{L})^2$ = %.3g,  "
    r"momentum $((\sqrt{\kappa} - 1)/(\sqrt{\kappa} + 1))^2$ = %.3g;  by %.3g%%"
    "\n"
    r"Nesterov: rate $1/L$ = %.3g,  "
    r"momentum $(\sqrt{\kappa} - 1)/(\sqrt{\kappa} + 1)$ = %.3g;  by %.3g%%"
)


@scene
def momentum(condition: float = 40.0, steps: int = 60) -> Film:
    """Momentum crosses a narrow valley in far fewer steps."""
    if not condition > 1:
        raise InputError(f"condition={condition} is not a ratio of curvatures above 1")
    valley = surfaces.quadratic(condition)
    least, largest = valley.curvatures(0, 0)
    root = sqrt(condition)
    share = (root - 1) / (root + 1)
    plain, ball, nesterov = (
        2 / (least + largest),
        4 / (sqrt(least) + sqrt(largest)) ** 2,
        1 / largest,
    )
    runs = sweep(
        models.Point(-2.0, 0.3),
        valley,
        optimizer={
            "gradient descent": partial(SGD, lr=plain),
            "heavy ball": partial(SGD, lr=ball, momentum=share**2),
            "Nesterov": partial(SGD, lr=nesterov, momentum=share, nesterov=True),
        },
        steps=steps,
    )
    slow, *_ = ends = {label: run.loss[-1] for label, run in runs.items()}
    ahead = [label for label, loss in ends.items() if loss < AHEAD * ends[slow]]
    told = SETTINGS % (
        *(plain, 100 * 2 / (condition + 1)),
        *(ball, share**2, 100 * (1 - share)),
        *(nesterov, share, 100 / root),
    )
    return Film(
        {
            "S": panels.LossSurface(
                runs,
                x_range=(-2.3, 0.8),
                y_range=(-1.0, 1.0),
                minima=valley.minima,
                equal=True,
                title=rf"curvatures $\mu$ = {least:g} and $L$ = {largest:g}, "
                rf"$\kappa = L/\mu$ = {condition:g}",
            ),
            "L": panels.Curve(runs, scale="log"),
            "C": panels.Caption(told, size_pt=14),
        },
        mosaic="SL\nCC",
        width_ratios=(3, 2),
        height_ratios=(4, 1),
        title=title(ahead, steps),
        seconds=12,
        timeline=Timeline(hold_start=0.5, hold_end=1.5),
    )


def title(ahead: list[str], steps: int) -> str | None:
    """Return what to say instead, where not both momenta are far ahead."""
    if len(ahead) == 2:
        return None
    return f"By step {steps}, {'only ' + ahead[0] if ahead else 'no momentum'} is far ahead"
