from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import InputError, RecordingError
from render.problem import Dataset, datasets, losses, models
from render.recording import Keep, Problem, Trajectory, evaluation, record
from render.recording.problem import copied

SGD = partial(torch.optim.SGD, lr=0.1)


def fit(steps: int = 20, **settings) -> Trajectory:
    return record(
        models.Line(-1.0, 1.0),
        datasets.line(30),
        loss=losses.mse,
        optimizer=SGD,
        steps=steps,
        **settings,
    )


def images(model: nn.Module, side: int = 4, steps: int = 6) -> Trajectory:
    x = torch.randn(12, side * side, generator=torch.Generator().manual_seed(0))
    return record(
        model,
        datasets.of(x, torch.arange(12) % 3),
        loss=functional.cross_entropy,
        optimizer=SGD,
        steps=steps,
        batch_size=5,
    )


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


def one_by_one(run: Trajectory, x: torch.Tensor, step: int) -> torch.Tensor:
    model = copied(run.problem.model).eval()
    with torch.no_grad():
        nn.utils.vector_to_parameters(torch.tensor(run.params[step]), model.parameters())
        for name, buffer in model.named_buffers():
            if name in run.buffers:
                buffer.copy_(torch.tensor(run.buffers[name][step]))
        return model(x)


@pytest.mark.parametrize("model", [*NETWORKS.values(), Branching()], ids=[*NETWORKS, "branching"])
def test_predictions_and_losses_equal_the_model_at_each_step(model) -> None:
    run = images(model)
    x, y = run.problem.data.x, run.problem.data.y
    expected = torch.stack([one_by_one(run, x, k) for k in range(7)])
    np.testing.assert_allclose(run.predict(x, range(7)), expected.numpy(), rtol=1e-5, atol=1e-6)
    at = [functional.cross_entropy(logits, y).item() for logits in expected]
    np.testing.assert_allclose(run.data_loss, at, rtol=1e-5)
    np.testing.assert_allclose(run.loss_at(run.params[-1:]), at[-1:], rtol=1e-5)


def test_predict_takes_one_step_or_several_from_either_end() -> None:
    run, x = fit(), [0.0, 0.5, 1.0]
    lines = run.params[:, :1] * np.array(x, dtype=np.float32) + run.params[:, 1:]
    np.testing.assert_allclose(run.predict(x, 3), lines[3], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, -1), lines[20], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, [5, 0, 5]), lines[[5, 0, 5]], rtol=1e-6)
    np.testing.assert_allclose(run.predict(x, range(21)), lines, rtol=1e-6)
    assert run.predict(x, []).shape == (0, 3) and run.predict(x, [1]).shape == (1, 3)
    assert run.predict(x, np.int64(2)).shape == (3,) and run.predict(x, 0).dtype == np.float32


@pytest.mark.parametrize("memory", [1, 4000, 2**28])
def test_the_chunks_do_not_change_the_numbers(monkeypatch, memory: int) -> None:
    monkeypatch.setattr(evaluation, "_MEMORY_BYTES", memory)
    run = fit()
    grid = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    x, y = run.x.astype(float), run.y.astype(float)
    expected = ((grid[:, :1] * x + grid[:, 1:] - y) ** 2).mean(axis=1)
    np.testing.assert_allclose(run.loss_at(grid), expected, rtol=1e-5)


def test_the_loss_over_all_data_is_the_loss_of_a_full_batch_run() -> None:
    assert fit().data_loss is fit().loss or np.array_equal(fit().data_loss, fit().loss)
    run = fit(batch_size=7)
    np.testing.assert_allclose(run.data_loss, run.loss_at(run.params), rtol=1e-6)
    assert not np.allclose(run.data_loss, run.loss)


def test_columns_are_named_after_the_models_parameters() -> None:
    assert fit(0).names == ("slope", "intercept")
    run = images(NETWORKS["mlp"], steps=0)
    assert len(run.names) == len(set(run.names)) == run.params.shape[1]
    weight = dict(NETWORKS["mlp"].named_parameters())["0.weight"]
    assert run.params[0, run.column("0.weight[3,1]")] == weight[3, 1].item()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.column("slop"), "no parameter 'slop'; did you mean 'slope'?"),
        (lambda run: run.column("zzz"), "no parameter 'zzz'; there are slope, intercept"),
        (lambda run: run.predict([0.0], 21), "step 21 is outside the run's 0 ... 20"),
        (lambda run: run.predict([0.0], [0, -22]), "step -22 is outside"),
        (lambda run: run.predict([0.0], 1.5), "steps is 1.5; give a whole number"),
        (lambda run: run.predict([[0.0]], 1), "x has shape (1, 1); the data's is (n,)"),
        (lambda run: run.predict("ab", 1), "x (str) is not an array of real numbers"),
        (lambda run: run.predict([1j], 1), "x (list) is not an array of real numbers"),
        (lambda run: run.loss_at([["a", "b"]]), "it must be real numbers (K, 2)"),
        (lambda run: run.loss_at([[1.0], [1.0, 2.0]]), "it must be real numbers (K, 2)"),
        (lambda run: run.predict([0.0], [[0], [0, 1]]), "steps is [[0], [0, 1]]; give a whole"),
        (lambda run: run.attach("a", losses.mse), "attach: model is a str"),
        (lambda run: run.save(None), "the path of a run is None; give a file"),
        (lambda run: run.loss_at([1.0, 2.0]), "params has shape (2,) and type float64; it must be"),
        (lambda run: run.loss_at(np.zeros((4, 3))), "params has shape (4, 3)"),
        (lambda run: run.attach(nn.Linear(1, 1), losses.mse), "the model has parameters weight"),
    ],
)
def test_wrong_arguments_say_so(call, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call(fit())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_predictions_at_a_tensor_that_needs_a_gradient() -> None:
    at = torch.ones(2, requires_grad=True)
    np.testing.assert_array_equal(fit().predict(at, 3), fit().predict([1.0, 1.0], 3))


def test_a_run_cannot_be_changed() -> None:
    run = fit(batch_size=4, metrics={"error": losses.mse})
    with pytest.raises(FrozenInstanceError):
        run.loss = run.lr  # type: ignore[misc]
    arrays = [run.params, run.loss, run.lr, run.grad_norm, run.batch, run.x, run.y]
    for array in [*arrays, run.metrics["error"], run.data_loss]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for array in pickle.loads(pickle.dumps(run)).params, pickle.loads(pickle.dumps(run)).x:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_run_made_of_a_users_arrays_leaves_them_writable() -> None:
    values = np.zeros((3, 1))
    made = Trajectory(
        params=values,
        loss=np.zeros(3),
        lr=np.zeros(3),
        grad_norm=np.zeros(3),
        batch=None,
        metrics={},
        layout=(("a", ()),),
        x=np.zeros(2),
        y=np.zeros(2),
        meta={},
    )
    values[0] = 1
    assert made.steps == 2 and made.problem is None
    with pytest.raises(RecordingError, match=r"attach .*: run = run.attach\(model, loss\)"):
        made.predict([0.0], 0)


def test_predicting_leaves_generator_and_numbers_alone() -> None:
    run = images(NETWORKS["dropout"])
    before = torch.get_rng_state()
    first = run.predict(run.x, 2)
    np.testing.assert_array_equal(first, run.predict(run.x, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_pickled_run_predicts_the_same() -> None:
    run = images(NETWORKS["batch norm"])
    twin = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(run))))
    np.testing.assert_array_equal(twin.predict(run.x, range(7)), run.predict(run.x, range(7)))
    assert twin.meta == run.meta and twin.layout == run.layout


READER = """
import pickle, sys
run = pickle.load(open(sys.argv[1], "rb"))
assert run.params.shape == (21, 2) and run.names == ("slope", "intercept") and run.steps == 20
assert run.diverged_at is None and run.data_loss is run.loss
assert "torch" not in sys.modules, "torch was imported"
print(run.predict([0.5], 20)[0])
assert "torch" in sys.modules
"""


def in_another_process(tmp_path: Path, run: Trajectory) -> str:
    stored = tmp_path / "run.pickle"
    stored.write_bytes(pickle.dumps(run))
    command = [sys.executable, "-c", READER, str(stored)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_another_process_reads_a_run_without_torch(tmp_path: Path) -> None:
    run = fit()
    assert in_another_process(tmp_path, run) == str(run.predict([0.5], 20)[0])


def test_a_model_of_a_script_travels_with_the_run(tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")
    script = tmp_path / "my_scene_script.py"
    script.write_text(
        "from torch import nn\nimport torch\n"
        "class Mine(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.slope = nn.Parameter(torch.tensor(-1.0))\n"
        "        self.intercept = nn.Parameter(torch.tensor(1.0))\n"
        "    def forward(self, x):\n"
        "        return self.slope * x + self.intercept\n"
        "def loss(prediction, target):\n"
        "    return ((prediction - target) ** 2).mean()\n"
    )
    import importlib.util

    spec = importlib.util.spec_from_file_location("my_scene_script", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["my_scene_script"] = module
    try:
        spec.loader.exec_module(module)
        run = record(module.Mine(), datasets.line(30), loss=module.loss, optimizer=SGD, steps=20)
        assert in_another_process(tmp_path, run) == str(run.predict([0.5], 20)[0])
    finally:
        del sys.modules["my_scene_script"]


class Unpicklable:
    def __call__(self, prediction, target):
        return losses.mse(prediction, target)

    def __reduce__(self):
        raise TypeError("holds an open file")


def test_a_model_that_cannot_be_pickled_says_so_when_it_is_needed() -> None:
    run = record(models.Line(0, 0), datasets.line(5), loss=Unpicklable(), optimizer=SGD, steps=2)
    twin = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(twin.params, run.params)
    with pytest.raises(RecordingError, match=r"did not survive pickling .*holds an open file"):
        twin.predict([0.0], 0)
    again = twin.attach(models.Line(0, 0), losses.mse)
    np.testing.assert_array_equal(again.predict([0.0], 0), run.predict([0.0], 0))


def test_what_no_pickler_takes_is_told_without_advice_that_cannot_help() -> None:
    pytest.importorskip("cloudpickle")
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(16, 3)))
    twin = pickle.loads(pickle.dumps(images(model)))
    with pytest.raises(RecordingError, match=r"parametrized.*run = run.attach\(model, loss\)") as c:
        twin.predict(twin.x, 0)
    assert "cloudpickle" not in str(c.value)


def test_a_problem_can_be_attached_again() -> None:
    run = fit()
    bare = pickle.loads(pickle.dumps(run)).attach(models.Line(7.0, 7.0), losses.mse)
    assert isinstance(bare.problem, Problem)
    np.testing.assert_array_equal(bare.predict([0.5], 3), run.predict([0.5], 3))


def test_trajectories_import_without_torch() -> None:
    code = (
        "import sys, render.recording, render.recording.storage, render.recording.sessions\n"
        "from render.recording import Trajectory, load_runs, session\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("model", NETWORKS.values(), ids=NETWORKS)
def test_a_steps_prediction_does_not_depend_on_the_steps_asked_with_it(model) -> None:
    run = images(model)
    together = run.predict(run.x, range(7))
    np.testing.assert_array_equal(np.stack([run.predict(run.x, k) for k in range(7)]), together)
    np.testing.assert_array_equal(run.predict(run.x, [6, 2]), together[[6, 2]])


def test_a_known_loss_over_all_data_travels_with_the_run(monkeypatch) -> None:
    run = fit(batch_size=7)
    known = run.data_loss
    twin = pickle.loads(pickle.dumps(run))
    monkeypatch.setattr(evaluation, "losses", None)
    np.testing.assert_array_equal(twin.data_loss, known)


def test_a_metric_that_is_first_a_whole_number_is_not_cut() -> None:
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


def test_tensors_without_numbers_are_recorded_and_evaluated() -> None:
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
    """Keeps what it computes, alone and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 3)

    def forward(self, x):
        self.seen = self.inner(x)
        self.all = [self.seen, torch.tanh(self.seen)]
        return self.all[1]


SHARED = nn.Linear(16, 16)


@pytest.mark.parametrize(
    "model",
    [nn.Sequential(SHARED, nn.Tanh(), SHARED), Remembering()],
    ids=["a module used twice", "activations kept"],
)
def test_evaluating_leaves_the_model_whole_and_it_can_be_pickled(model) -> None:
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
