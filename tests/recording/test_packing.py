"""A run travels to another process with its model, and is read there without torch."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import RecordingError
from render.problem import datasets, losses, models
from render.recording import Trajectory, evaluation, record

SGD = partial(torch.optim.SGD, lr=0.1)


NETWORKS = {
    "batch norm": nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)),
}


def test_a_pickled_run_predicts_the_same(images) -> None:
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


def test_another_process_reads_a_run_without_torch(fit, tmp_path: Path) -> None:
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


def test_what_no_pickler_takes_is_told_without_advice_that_cannot_help(images) -> None:
    pytest.importorskip("cloudpickle")
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(16, 3)))
    twin = pickle.loads(pickle.dumps(images(model)))
    with pytest.raises(RecordingError, match=r"parametrized.*run = run.attach\(model, loss\)") as c:
        twin.predict(twin.x, 0)
    assert "cloudpickle" not in str(c.value)


def test_a_known_loss_over_all_data_travels_with_the_run(fit, monkeypatch) -> None:
    run = fit(batch_size=7)
    known = run.data_loss
    twin = pickle.loads(pickle.dumps(run))
    monkeypatch.setattr(evaluation, "losses", None)
    np.testing.assert_array_equal(twin.data_loss, known)
