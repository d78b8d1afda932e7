"""Three starts of one deep network: its weights and gradients, layer by layer."""

import math
from functools import partial

import torch

from render import Film, Timeline, datasets, losses, models, panels, scene, sweep
from render.errors import InputError


@scene
def weights_and_gradients(
    lr: float = 0.1, steps: int = 200, n: int = 160, depth: int = 8, width: int = 24, seed: int = 0
) -> Film:
    """First weights decide whether gradients vanish or explode."""
    if depth < 1 or width < 1:
        raise InputError(f"depth={depth}, width={width}: give at least 1 hidden layer of 1 neuron")
    runs = sweep(
        {
            label: started(scale, depth, width, seed)
            for label, scale in (("half of He", 0.5), ("He", 1.0), ("twice He", 2.0))
        },
        datasets.circles(n, seed=seed),
        loss=losses.cross_entropy,
        optimizer=partial(torch.optim.SGD, lr=lr),
        steps=steps,
    )
    norms = {label: run.gradient_norms() for label, run in runs.items()}
    hidden = [f"layers.{2 * layer}.weight" for layer in sorted({1, depth // 2, depth - 1})]
    return Film(
        {
            "H": panels.Histograms(runs, tensors=hidden),
            "G": panels.ByLayer(runs, norms, y_label="norm of gradient"),
            "L": panels.Curve(runs, scale="log"),
        },
        mosaic="HG\nHL",
        seconds=12,
        timeline=Timeline("log", hold_start=1.0, hold_end=1.5),
    )


def started(scale: float, depth: int, width: int, seed: int) -> models.MLP:
    """A ReLU network with weights of `scale` times He's standard deviation, and no biases yet."""
    model = models.MLP((2, *[width] * depth, 2), "relu", seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in model.parameters():
            std = scale * math.sqrt(2 / values.shape[1]) if values.ndim > 1 else 0.0
            values.normal_(0.0, std, generator=generator)
    return model
