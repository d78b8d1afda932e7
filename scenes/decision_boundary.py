"""A network learns to tell two classes apart."""

from functools import partial

import torch

from render import Film, Timeline, datasets, losses, metrics, models, panels, record, scene
from render.errors import InputError

SHAPES = {
    "spirals": partial(datasets.spirals, turns=1.25, noise=0.03),
    "moons": partial(datasets.moons, noise=0.15),
    "circles": partial(datasets.circles, noise=0.1),
    "xor": datasets.xor,
}


@scene
def decision_boundary(
    lr: float = 0.01, steps: int = 450, n: int = 240, seed: int = 0, data: str = "spirals"
) -> Film:
    """A network bends its boundary around the classes."""
    if data not in SHAPES:
        raise InputError(f"data is {data!r}; choose {', '.join(SHAPES)}")
    train, validation = datasets.split(SHAPES[data](n, seed=seed), validation=0.25, seed=seed)
    run = record(
        models.MLP((2, 24, 24, 1), seed=seed),
        train,
        loss=losses.nll,
        optimizer=partial(torch.optim.Adam, lr=lr),
        steps=steps,
        metrics={"accuracy": metrics.accuracy},
        validation=validation,
    )
    both = {"train": run, "validation": run}
    return Film(
        {
            "F": panels.ProbabilityField({"train": run}, validation=validation),
            "L": panels.Curve(both, {"train": "loss", "validation": "val_loss"}, y_label="loss"),
            "A": panels.Curve(
                both, {"train": "accuracy", "validation": "val_accuracy"}, y_label="accuracy"
            ),
        },
        mosaic="FL\nFA",
        title=None if run.loss[-1] <= run.loss[0] else "At this rate the loss does not fall",
        seconds=12,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )
