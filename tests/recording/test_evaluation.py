"""A run is evaluated as its model would be, one step at a time."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError, RecordingError
from render.problem import Dataset, datasets, losses, models
from render.recording import Keep, Trajectory, record, sizes
from render.recording.problem import copied

SGD = partial(torch.optim.SGD, lr=0.1)


NETWORKS = {
    "mlp": nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)),
    "convolution": nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)
    ),
    "batch norm": nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)),
    "dropout": nn.Sequential(nn.Linear(16, 8), nn.Dropout(), nn.Linear(8, 3)),
}


class Branching(nn.Module):
    """Decides by a value, which a batched call cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 3)

    def forward(self, x):
        return self.inner(x) if self.inner.bias[0] > 10 else 2 * self.inner(x)


def at_step(run: Trajectory, step: int) -> nn.Module:
    """A copy of the model as it was after so many updates."""
    model = copied(run.problem.model).eval()
    with torch.no_grad():
        nn.utils.vector_to_parameters(torch.tensor(run.params[step]), model.parameters())
        for name, buffer in model.named_buffers():
            if name in run.buffers:
                buffer.copy_(torch.tensor(run.buffers[name][step]))
    return model


def one_by_one(run: Trajectory, x: torch.Tensor, step: int) -> torch.Tensor:
    with torch.no_grad():
        return at_step(run, step)(x)


@pytest.mark.parametrize("model", [*NETWORKS.values(), Branching()], ids=[*NETWORKS, "branching"])
def test_predictions_and_losses_equal_the_model_at_each_step(images, model) -> None:
    run = images(model)
    x, y = run.problem.data.x, run.problem.data.y
    expected = torch.stack([one_by_one(run, x, k) for k in range(7)])
    np.testing.assert_allclose(run.predict(x, range(7)), expected.numpy(), rtol=1e-5, atol=1e-6)
    at = [functional.cross_entropy(logits, y).item() for logits in expected]
    np.testing.assert_allclose(run.data_loss, at, rtol=1e-5)
    np.testing.assert_allclose(run.loss_at(run.params[-1:]), at[-1:], rtol=1e-5)


def test_predict_takes_one_step_or_several_from_either_end(fit) -> None:
    run, x = fit(), [0.0, 0.5, 1.0]
    lines = run.params[:, :1] * np.array(x, dtype=np.float32) + run.params[:, 1:]
    np.testing.assert_allclose(run.predict(x, 3), lines[3], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, -1), lines[20], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, [5, 0, 5]), lines[[5, 0, 5]], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, range(21)), lines, rtol=1e-6)
    assert run.predict(x, []).shape == (0, 3) and run.predict(x, [1]).shape == (1, 3)
    assert run.predict(x, np.int64(2)).shape == (3,) and run.predict(x, 0).dtype == np.float32


@pytest.mark.parametrize("memory", [1, 4000, 2**28])
def test_the_chunks_do_not_change_the_numbers(fit, monkeypatch, memory: int) -> None:
    monkeypatch.setattr(sizes, "_MEMORY_BYTES", memory)
    run = fit()
    grid = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    x, y = run.x.astype(float), run.y.astype(float)
    expected = ((grid[:, :1] * x + grid[:, 1:] - y) ** 2).mean(axis=1)
    np.testing.assert_allclose(run.loss_at(grid), expected, rtol=1e-5)


def test_predictions_and_losses_at_a_tensor_that_needs_a_gradient(fit) -> None:
    at = torch.ones(2, requires_grad=True)
    np.testing.assert_array_equal(fit().predict(at, 3), fit().predict([1.0, 1.0], 3))
    run = fit()
    points = torch.tensor(run.params, requires_grad=True)
    np.testing.assert_array_equal(run.loss_at(points), run.loss_at(run.params))


def test_predicting_leaves_generator_and_numbers_alone(images) -> None:
    run = images(NETWORKS["dropout"])
    before = torch.get_rng_state()
    first = run.predict(run.x, 2)
    np.testing.assert_array_equal(first, run.predict(run.x, 2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("model", NETWORKS.values(), ids=NETWORKS)
def test_a_steps_prediction_does_not_depend_on_the_steps_asked_with_it(images, model) -> None:
    run = images(model)
    together = run.predict(run.x, range(7))
    np.testing.assert_array_equal(np.stack([run.predict(run.x, k) for k in range(7)]), together)
    np.testing.assert_array_equal(run.predict(run.x, [6, 2]), together[[6, 2]])


def test_a_metric_that_is_first_a_whole_number_is_not_cut(fit) -> None:
    def r2(prediction, target):
        return max(0, 1 - losses.mse(prediction, target) / target.var(correction=0))

    run = fit(200, metrics={"r2": r2})
    x, y = run.x.astype(float), run.y.astype(float)
    residuals = run.params[:, :1] * x + run.params[:, 1:] - y
    expected = np.maximum(0, 1 - (residuals**2).mean(axis=1) / y.var())
    assert run.metrics["r2"][0] == 0 < expected[-1] < 1
    np.testing.assert_allclose(run.metrics["r2"], expected, atol=1e-5)


class Partly(nn.Module):
    """Has a tensor without numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 3)
        self.none = nn.Parameter(torch.zeros(0, 3))

    def forward(self, x):
        return self.inner(x)


def test_tensors_without_numbers_are_recorded_and_evaluated(images) -> None:
    run = images(Partly())
    assert run.params.shape == (7, 51)
    expected = one_by_one(run, run.problem.data.x, 6)
    np.testing.assert_allclose(run.predict(run.x, [6])[0], expected.numpy(), rtol=1e-5, atol=1e-6)
    part = record(
        Partly(),
        run.problem.data,
        loss=functional.cross_entropy,
        optimizer=SGD,
        steps=2,
        keep=Keep(tensors=["none"]),
    )
    assert part.params.shape == (3, 0)


def test_whole_numbers_are_asked_for_where_the_data_are_whole() -> None:
    x = torch.arange(5)
    run = record(
        nn.Sequential(nn.Embedding(5, 1), nn.Flatten(0)),
        Dataset(x, x.float()),
        loss=losses.mse,
        optimizer=SGD,
        steps=2,
    )
    np.testing.assert_array_equal(run.predict([0.0, 3.0], 2), run.predict([0, 3], 2))
    for x in ([0.9], [float("nan")], [1e30]):
        with pytest.raises(InputError, match=r"not of the data's type, torch.int64; give whole"):
            run.predict(x, 0)


class Remembering(nn.Module):
    """Keeps what it computes, alone, in a list and in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 3)

    def forward(self, x):
        self.seen = self.inner(x)
        self.all = [self.seen, torch.tanh(self.seen)]
        self.named = {"seen": self.seen}
        return self.all[1]


SHARED = nn.Linear(16, 16)


@pytest.mark.parametrize(
    "model",
    [nn.Sequential(SHARED, nn.Tanh(), SHARED), Remembering()],
    ids=["a module used twice", "activations kept"],
)
def test_evaluating_leaves_the_model_whole_and_it_can_be_pickled(images, model) -> None:
    model(torch.ones(1, 16))
    run = images(model)
    held = dict(vars(run.problem.model))
    predicted = run.predict(run.x, range(7))
    np.testing.assert_allclose(
        predicted[3], one_by_one(run, run.problem.data.x, 3), rtol=1e-5, atol=1e-6
    )
    assert vars(run.problem.model) == held
    assert all(type(p) is nn.Parameter for p in run.problem.model.parameters())
    twin = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(twin.predict(run.x, range(7)), predicted)


@pytest.mark.parametrize("model", [*NETWORKS.values(), Branching()], ids=[*NETWORKS, "branching"])
def test_gradient_norms_are_those_of_a_backward_pass(images, model) -> None:
    run = images(model)
    norms = run.gradient_norms()
    weights = [tensor for tensor, shape in run.layout if len(shape) > 1]
    assert norms.shape == (run.steps + 1, len(weights))
    for step in (0, run.steps // 2, run.steps):
        there = at_step(run, step)
        run.problem.loss(there(run.problem.data.x), run.problem.data.y).backward()
        expected = [there.get_parameter(name).grad.norm().item() for name in weights]
        assert norms[step] == pytest.approx(expected, rel=1e-5)


class Slope(nn.Module):
    """Returns the derivative of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = models.MLP((1, 8, 1))

    def forward(self, x):
        x = x.detach().clone().requires_grad_()
        return torch.autograd.grad(self.inner(x).sum(), x, create_graph=True)[0]


@pytest.mark.parametrize("keep", [None, Keep(tensors=["inner.*"])], ids=["all", "part"])
def test_a_model_that_differentiates_itself_is_evaluated(keep) -> None:
    line = datasets.line(20)
    data = datasets.of(line.x[:, None], line.y[:, None])
    run = record(
        Slope(), data, loss=losses.mse, optimizer=SGD, steps=3, metrics=[losses.mse], keep=keep
    )
    np.testing.assert_allclose(run.metrics["mse"], run.loss, rtol=1e-6)
    if keep is None:
        there = at_step(run, 2)
        there.zero_grad()
        expected = there(data.x)
        losses.mse(expected, data.y).backward()
        norms = [p.grad.norm().item() for p in there.parameters() if p.ndim > 1]
        np.testing.assert_allclose(run.predict(data.x, 2), expected.detach(), rtol=1e-6)
        np.testing.assert_allclose(run.loss_at(run.params), run.loss, rtol=1e-6)
        assert run.gradient_norms()[2] == pytest.approx(norms, rel=1e-5)


def test_gradients_of_all_tensors_make_the_whole_one(fit) -> None:
    run = fit()
    both = run.gradient_norms(["slope", "intercept"])
    assert np.linalg.norm(both, axis=1) == pytest.approx(run.grad_norm, rel=1e-5)
    assert np.array_equal(run.gradient_norms("intercept")[:, 0], both[:, 1])


def test_a_penalty_counts_in_the_gradient() -> None:
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
    with pytest.raises(InputError, match="gradient_norms: tensors is 3; give names of slope, int"):
        run.gradient_norms(3)
    with pytest.raises(InputError, match=r"no tensor \[3\]; give tensors="):
        run.gradient_norms([[3]])
    run.save(tmp_path / "run.npz")
    with pytest.raises(RecordingError, match="attach"):
        Trajectory.load(tmp_path / "run.npz").gradient_norms(["slope"])


def test_norms_of_gradients_whose_squares_vanish_are_those_of_a_backward_pass() -> None:
    model = models.MLP((1, *(6,) * 30, 1), "sigmoid")
    data = datasets.sine(16)
    run = record(model, data, loss=losses.mse, optimizer=torch.optim.SGD, steps=0)
    losses.mse(model(data.x), data.y).backward()
    weights = [each for name, each in model.named_parameters() if each.ndim == 2]
    expected = [each.grad.double().norm().item() for each in weights]
    assert 0 < min(expected) < 1e-23
    assert run.gradient_norms()[0] == pytest.approx(expected, rel=1e-2)
