"""Where a run is computed is told."""

from __future__ import annotations

from functools import partial

import torch

from render.problem import datasets, losses, models
from render.recording import record

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
