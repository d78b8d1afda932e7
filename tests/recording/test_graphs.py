"""A row that lives on the device records what the loop records; on CUDA, as a graph."""

from functools import partial

import numpy as np
import pytest
import torch

from render.problem import datasets, losses, models
from render.recording import record
from render.recording.batches import draw
from render.recording.graphs import DeviceRow, objection, run_rows
from render.recording.request import Request
from render.recording.rows import Rows
from render.recording.selection import Selection
from render.recording.task import prepare

STEPS = 23
OPTIMIZERS = {
    "SGD": partial(torch.optim.SGD, lr=0.1),
    "momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": partial(torch.optim.Adam, lr=0.1),
    "AdamW": partial(torch.optim.AdamW, lr=0.1, amsgrad=True),
    "RMSprop": partial(torch.optim.RMSprop, lr=0.01, centered=True),
    "NAdam": partial(torch.optim.NAdam, lr=0.01),
    "RAdam": partial(torch.optim.RAdam, lr=0.01),
    "Adadelta": partial(torch.optim.Adadelta, lr=1.0),
    "Adamax": partial(torch.optim.Adamax, lr=0.01),
    "ASGD": partial(torch.optim.ASGD, lr=0.01),
    "Rprop": partial(torch.optim.Rprop, lr=0.01),
}
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def request(optimizer=OPTIMIZERS["SGD"], **changes):
    return Request(
        **{
            "model": models.MLP((1, 5, 1), seed=3),
            "data": datasets.sine(40, seed=1),
            "loss": losses.mse,
            "optimizer": optimizer,
            "steps": STEPS,
        }
        | changes
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_row_on_the_device_is_the_loops(name, batch_size, monkeypatch):
    """The same rows, here run on the CPU, through buffers that fill up several times."""
    asked = request(OPTIMIZERS[name], batch_size=batch_size, clip=0.5)
    task = prepare(asked)
    selection = Selection(task.model, task.keep)
    plan = None if batch_size is None else draw(40, batch_size, STEPS + 1, task.seed)
    monkeypatch.setitem(Rows.__init__.__globals__["WINDOW_BYTES"], "cpu", 1000)
    log = Rows(selection, torch.zeros(()), STEPS + 1)
    row = DeviceRow(task, log, plan)
    for number in range(STEPS + 1):
        row() if number < STEPS else row.write()
        if log.wrote():
            row.at.zero_()
    log.finish()
    run = record(**{key: value for key, value in vars(asked).items()})
    assert np.array_equal(log.params, run.params)
    assert np.array_equal(log.loss, run.loss)
    assert log.grad_norm == pytest.approx(run.grad_norm, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"optimizer": partial(torch.optim.Adagrad, lr=0.1)}, "Adagrad may keep state"),
        ({"scheduler": partial(torch.optim.lr_scheduler.StepLR, step_size=3)}, "scheduler"),
        ({"batch_size": 7}, "short"),
        ({"model": torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))}, "buffers"),
    ],
)
def test_what_needs_the_host_is_not_captured(changes, words):
    task = prepare(request(**changes))
    object.__setattr__(task, "device", torch.device("cuda"))
    against = objection(task)
    assert against is None if words is None else words in against


def test_on_the_cpu_nothing_is_captured():
    assert objection(prepare(request(OPTIMIZERS["SGD"]))) == "not on CUDA"


@pytest.mark.gpu
@NO_GPU
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_graph_records_what_an_eager_loop_does(name, batch_size, monkeypatch):
    asked = vars(request(OPTIMIZERS[name], batch_size=batch_size, device="cuda"))
    graph = record(**asked)
    assert graph.meta["cuda_graph"] == "captured"
    monkeypatch.setattr("render.recording.loop.objection", lambda task: "asked for")
    eager = record(**asked)
    assert eager.meta["cuda_graph"] == "eager: asked for"
    assert graph.params == pytest.approx(eager.params, rel=1e-4, abs=1e-6)
    assert graph.loss == pytest.approx(eager.loss, rel=1e-4, abs=1e-6)


@pytest.mark.gpu
@NO_GPU
def test_a_loss_that_reads_a_number_back_runs_eagerly():
    def reading(prediction, target):
        loss = losses.mse(prediction, target)
        return loss * (1.0 if loss.item() > -1 else 0.0)

    run = record(**vars(request(OPTIMIZERS["SGD"], loss=reading, device="cuda")))
    assert run.meta["cuda_graph"].startswith("eager: ")
    assert np.isfinite(run.loss).all()


@pytest.mark.gpu
@NO_GPU
@pytest.mark.parametrize("graph", [True, False])
def test_nothing_in_the_loop_waits_for_the_device(graph, monkeypatch):
    read_back, made = Rows._read_back, Rows.__init__

    def reading(self):
        torch.cuda.set_sync_debug_mode("default")
        read_back(self)

    def from_here(work):
        def forbidden(*args):
            torch.cuda.set_sync_debug_mode("error")
            return work(*args)

        return forbidden

    monkeypatch.setattr(Rows, "_read_back", reading)
    if graph:
        monkeypatch.setattr("render.recording.loop.run_rows", from_here(run_rows))
    else:
        monkeypatch.setattr("render.recording.loop.objection", lambda task: "asked for")
        monkeypatch.setattr(Rows, "__init__", from_here(made))
    try:
        record(**vars(request(OPTIMIZERS["Adam"], device="cuda")))
    finally:
        torch.cuda.set_sync_debug_mode("default")
