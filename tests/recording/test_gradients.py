"""Gradients along a run are those of a plain backward pass at each step."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models
from render.recording import Trajectory, record

NETWORKS: dict[str, nn.Module] = {
    "mlp": nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)),
    "convolution": nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)
    ),
    "batch norm": nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)),
}


class Branching(nn.Module):
    """Decides by a value, which a batched call cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 3)

    def forward(self, x):
        return self.inner(x) if self.inner.bias[0] > 10 else 2 * self.inner(x)


NETWORKS["branching"] = Branching()


def backward(run: Trajectory, step: int) -> dict[str, float]:
    """The norms of the gradients that torch's own backward pass leaves in the model."""
    assert run.problem is not None
    model, data = run.problem.model.eval(), run.problem.data
    torch.nn.utils.vector_to_parameters(torch.tensor(run.params[step]), model.parameters())
    for name, values in model.named_buffers():
        if name in run.buffers:
            values.copy_(torch.tensor(run.buffers[name][step]))
    model.zero_grad()
    run.problem.loss(model(data.x), data.y).backward()
    return {
        name: float(p.grad.norm()) for name, p in model.named_parameters() if p.grad is not None
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_norms_are_those_of_a_backward_pass(images, name: str) -> None:
    run = images(NETWORKS[name])
    norms = run.gradient_norms()
    weights = [tensor for tensor, shape in run.layout if len(shape) > 1]
    assert norms.shape == (run.steps + 1, len(weights))
    for step in (0, run.steps // 2, run.steps):
        expected = backward(run, step)
        assert norms[step] == pytest.approx([expected[tensor] for tensor in weights], rel=1e-5)


def test_tensors_are_chosen_by_name_and_all_of_them_make_the_whole_gradient(fit) -> None:
    run = fit()
    both = run.gradient_norms(["slope", "intercept"])
    assert np.linalg.norm(both, axis=1) == pytest.approx(run.grad_norm, rel=1e-5)
    assert np.array_equal(run.gradient_norms("intercept")[:, 0], both[:, 1])


def test_a_penalty_counts() -> None:
    data = datasets.line(20, noise=0.1, seed=0)
    loss = losses.penalised(losses.mse, lambda model: 3.0 * model.slope**2)
    optimizer = partial(torch.optim.SGD, lr=0.01)
    run = record(models.Line(1.0, 0.0), data, loss=loss, optimizer=optimizer, steps=3)
    both = run.gradient_norms(["slope", "intercept"])
    assert np.linalg.norm(both, axis=1) == pytest.approx(run.grad_norm, rel=1e-5)


def test_what_has_no_gradient_says_why(fit, tmp_path) -> None:
    run = fit()
    with pytest.raises(InputError, match="no tensor with two axes; give tensors= some of slope, i"):
        run.gradient_norms()
    with pytest.raises(InputError, match="no tensor 'bias'; give tensors= some of slope, interc"):
        run.gradient_norms(["slope", "bias"])
    run.save(tmp_path / "run.npz")
    with pytest.raises(RecordingError, match="attach"):
        Trajectory.load(tmp_path / "run.npz").gradient_norms(["slope"])
