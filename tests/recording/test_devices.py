"""Where a run is computed is told."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import RecordingError
from render.problem import datasets, losses, models
from render.recording import landscape, record, sweep

SGD = partial(torch.optim.SGD, lr=0.1)


def test_without_cuda_auto_is_the_cpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = record(models.Line(0, 0), datasets.line(5), loss=losses.mse, optimizer=SGD, steps=0)
    assert (run.meta["device"], run.meta["device_reason"]) == ("cpu", "no CUDA device")


def test_beside_a_gpu_a_small_fit_stays_on_the_cpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    run = record(models.Line(0, 0), datasets.line(500), loss=losses.mse, optimizer=SGD, steps=0)
    assert run.meta["device"] == "cpu"
    assert run.meta["device_reason"] == "small: 1,000 parameters x samples a step"


def stopping(prediction, target):
    raise RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA")


class Stopping(models.Line):
    def _apply(self, *args, **kwargs):
        stopping(args, kwargs)


def test_a_gpu_that_stops_says_how_to_go_on() -> None:
    call = partial(record, data=datasets.line(5), optimizer=SGD, steps=3)
    calls = iter([losses.mse, stopping])
    with pytest.raises(RecordingError, match=r"cpu stopped \(CUDA error: .* start a new process"):
        call(models.Line(0, 0), loss=lambda *pair: next(calls)(*pair))
    with pytest.raises(RecordingError, match=r"cpu does not work here \(CUDA error: .* use device"):
        call(Stopping(0, 0), loss=losses.mse)


GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def pictures(device: str):
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Unflatten(1, (1, 12, 12)), nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.1), nn.Flatten(), nn.Linear(100, 10)),
    )
    data, loss = datasets.shapes(120, size=12), losses.cross_entropy
    return record(net, data, loss=loss, optimizer=SGD, steps=40, batch_size=50, device=device)


@pytest.mark.gpu
@GPU
def test_a_gpu_computes_the_same_bits_again() -> None:
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    one, other = pictures("cuda"), pictures("cuda")
    assert np.array_equal(one.params, other.params) and np.array_equal(one.loss, other.loss)
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == before


@pytest.mark.gpu
@GPU
def test_a_few_runs_that_a_gpu_captures_are_recorded_one_by_one() -> None:
    problem = (models.MLP((2, 8, 1)), datasets.spirals(60))
    settings = dict(loss=losses.nll, steps=20, device="cuda")
    runs = sweep(*problem, optimizer=torch.optim.SGD, lr=[0.1, 0.2], **settings)
    for rate, run in zip([0.1, 0.2], runs.values(), strict=True):
        alone = record(*problem, optimizer=partial(torch.optim.SGD, lr=rate), **settings)
        assert run.meta == alone.meta and run.meta["cuda_graph"] == "captured"
        assert np.array_equal(run.params, alone.params)


@pytest.mark.gpu
@GPU
def test_a_run_from_a_gpu_goes_where_there_is_none(tmp_path) -> None:
    run = record(
        models.MLP((2, 8, 1)),
        datasets.spirals(60),
        loss=losses.nll,
        optimizer=SGD,
        steps=20,
        device="cuda",
    )
    assert run.problem.model.layers[0].weight.is_cuda
    (tmp_path / "run").write_bytes(pickle.dumps(run))
    script = (
        "import pickle, sys; import numpy as np; from render.recording import landscape\n"
        "run = pickle.load(open(sys.argv[1], 'rb'))\n"
        "np.savez(sys.argv[2], run.predict(run.x, [0, 20]), landscape(run, 'pca', grid=5).loss)"
    )
    command = [sys.executable, "-c", script, tmp_path / "run", tmp_path / "found.npz"]
    subprocess.run(command, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_allclose(run.predict(run.x, [0, 20]), found["arr_0"], rtol=1e-4, atol=1e-5)
    here = landscape(run, "pca", grid=5).loss
    np.testing.assert_allclose(here, found["arr_1"], rtol=1e-4, atol=1e-5)
