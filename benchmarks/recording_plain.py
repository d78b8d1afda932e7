"""The plain torch that the recording is measured against, as any tutorial writes it."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from render.problem import Dataset
from render.recording import Landscape, Trajectory


def training(model, data: Dataset, loss, optimizer, steps: int, batches: Tensor | None) -> None:
    """Train without recording anything."""
    model = copy.deepcopy(model)
    made = optimizer(model.parameters())
    x, y = data.x, data.y
    for step in range(steps + 1):
        if batches is not None:
            x, y = data.x[batches[step]], data.y[batches[step]]
        made.zero_grad()
        value = loss(model(x), y)
        value.backward()
        made.step()


def landscape(run: Trajectory, land: Landscape) -> np.ndarray:
    """Load each point of the plane into the model, and compute the loss."""
    problem = run.problem
    model = copy.deepcopy(problem.model).eval()
    x, y = problem.data.x, problem.data.y
    shapes = {name: p.shape for name, p in model.named_parameters()}
    origin, directions = torch.tensor(land.origin), torch.tensor(land.directions)
    values = []
    with torch.no_grad():
        for b in land.b:
            for a in land.a:
                point = (origin + a * directions[0] + b * directions[1]).float()
                parts = torch.split(point, [shape.numel() for shape in shapes.values()])
                state = {
                    name: part.view(shape)
                    for (name, shape), part in zip(shapes.items(), parts, strict=True)
                }
                model.load_state_dict(state, strict=False)
                values.append(float(problem.loss(model(x), y)))
    return np.array(values).reshape(land.loss.shape)


def predictions(run: Trajectory, x: np.ndarray, steps: Iterable[int]) -> np.ndarray:
    """Load each step's parameters into the model, and predict."""
    model = copy.deepcopy(run.problem.model).eval()
    inputs, params = torch.from_numpy(x), torch.tensor(run.params)
    made = []
    with torch.no_grad():
        for step in steps:
            nn.utils.vector_to_parameters(params[step], model.parameters())
            made.append(model(inputs).numpy())
    return np.stack(made)


def lenet() -> nn.Module:
    """Return LeNet-5 for 28 x 28 pixels, 61,706 parameters."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )
