"""A run is arrays that cannot be changed, with names, and a problem to evaluate."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models
from render.recording import Problem, Trajectory, record

SGD = partial(torch.optim.SGD, lr=0.1)


NETWORKS = {
    "mlp": nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)),
}


def test_the_loss_over_all_data_is_the_loss_of_a_full_batch_run(fit) -> None:
    assert fit().data_loss is fit().loss or np.array_equal(fit().data_loss, fit().loss)
    run = fit(batch_size=7)
    np.testing.assert_allclose(run.data_loss, run.loss_at(run.params), rtol=1e-6)
    assert not np.allclose(run.data_loss, run.loss)


def test_columns_are_named_after_the_models_parameters(fit, images) -> None:
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
        (
            lambda run: run.attach(models.Line(0, 0), nn.MSELoss),
            "loss is <class 'torch.nn.modules.",
        ),
        (lambda run: run.save(None), "the path of a run is None; give a file"),
        (lambda run: run.save(""), "the path of a run is ''; give a file"),
        (lambda run: run.load("run.npz", 3), "load: problem is 3; give the problem of another run"),
        (lambda run: run.loss_at([1.0, 2.0]), "params has shape (2,) and type float64; it must be"),
        (lambda run: run.loss_at(np.zeros((4, 3))), "params has shape (4, 3)"),
        (lambda run: run.attach(nn.Linear(1, 1), losses.mse), "the model has parameters weight"),
    ],
)
def test_wrong_arguments_say_so(fit, call, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call(fit())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_cannot_be_changed(fit) -> None:
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


def made(**changes) -> Trajectory:
    arrays = dict(params=np.zeros((3, 1)), loss=np.zeros(3), lr=np.zeros(3), grad_norm=np.zeros(3))
    rest = dict(batch=None, metrics={}, layout=(("a", ()),), x=np.zeros(2), y=np.zeros(2), meta={})
    return Trajectory(**{**arrays, **rest, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(params=[[1.0]] * 3), "params is [[1.0], [1.0], [1.0]]; give a numpy array of rows"),
        (dict(params=np.zeros((4, 1))), "params has 4 rows and loss 3; give as many"),
        (dict(params=np.zeros((3, 2))), "params has shape (3, 2), and its layout 1 columns"),
        (dict(params=np.zeros(3)), "params has shape (3,), and its layout 1 columns"),
        (dict(loss=0.0), "loss is 0.0; give a numpy array"),
        (dict(metrics={"a": [0.0]}), "metrics['a'] is [0.0]; give a numpy array"),
        (dict(metrics=[1]), "metrics is [1]; give a mapping"),
        (dict(y=np.zeros(3)), "y has 3 rows and x 2"),
        (dict(layout="a"), "layout is 'a'; give the name and shape of each tensor"),
    ],
)
def test_arrays_of_a_users_that_do_not_fit_say_so(changes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        made(**changes)
    assert message in str(caught.value)


def test_a_run_made_of_a_users_arrays_leaves_them_writable() -> None:
    values = np.zeros((3, 1))
    run = made(params=values)
    values[0] = 1
    assert run.steps == 2 and run.problem is None
    with pytest.raises(RecordingError, match=r"attach .*: run = run.attach\(model, loss\)"):
        run.predict([0.0], 0)


def test_a_problem_can_be_attached_again(fit) -> None:
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


class Counted(models.Line):
    """Has whole numbers before its other parameters."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.count = nn.Parameter(torch.tensor([3]), requires_grad=False)
        self.slope, self.intercept = (nn.Parameter(torch.tensor(v)) for v in (-1.0, 1.0))


LINE = datasets.line(20)
HALF = torch.bfloat16
TYPES = {
    "float32": (models.Line(-1.0, 1.0), LINE),
    "whole numbers first": (Counted(), LINE),
    "bfloat16": (models.Line(0.5, 1.0, dtype=HALF), datasets.line(20, dtype=HALF)),
    "bfloat16 in y": (models.Line(0.5, 1.0), datasets.of(LINE.x, LINE.y.to(HALF))),
}


@pytest.mark.parametrize(("model", "data"), TYPES.values(), ids=TYPES)
def test_the_data_have_the_types_that_they_had(model, data, tmp_path) -> None:
    optimizer = partial(torch.optim.SGD, lr=0.1)
    run = record(model, data, loss=losses.mse, optimizer=optimizer, steps=2)
    run.save(tmp_path / "run.npz")
    again = Trajectory.load(tmp_path / "run.npz", run.problem)
    held = again.problem.data
    assert torch.equal(held.x, data.x) and torch.equal(held.y, data.y)
    assert (held.x.dtype, held.y.dtype) == (data.x.dtype, data.y.dtype)
    np.testing.assert_array_equal(again.loss_at(run.params), run.loss_at(run.params))


def test_a_model_of_another_type_has_the_data_in_its_own() -> None:
    model, data = TYPES["bfloat16"]
    optimizer = partial(torch.optim.SGD, lr=0.1)
    run = record(model, data, loss=losses.mse, optimizer=optimizer, steps=2)
    older = {key: value for key, value in run.meta.items() if key != "bfloat16"}
    assert replace(run, meta=older).attach(model, losses.mse).problem.data.x.dtype == HALF
    double = run.attach(models.Line(0.0, 0.0, dtype=torch.float64), losses.mse)
    residuals = run.params[:, :1] * run.x + run.params[:, 1:] - run.y
    expected = (residuals.astype(float) ** 2).mean(axis=1)
    np.testing.assert_allclose(double.loss_at(run.params), expected, rtol=1e-6)
