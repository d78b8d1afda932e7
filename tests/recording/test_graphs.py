"""A row that lives on the device records what the loop records; on CUDA, as a graph."""

import sys
import warnings
from contextlib import contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from render.errors import InputError
from render.problem import datasets, losses, models
from render.recording import Keep, record
from render.recording.batches import draw
from render.recording.graphs import DeviceRow, objection
from render.recording.loop import _run_on_device
from render.recording.memory import WINDOW_BYTES
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
    "RAdam": partial(torch.optim.RAdam, lr=0.01, betas=(0.9, 0.9999)),
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
    plan = None if batch_size is None else draw(40, batch_size, STEPS + 1, task.seed)
    monkeypatch.setitem(WINDOW_BYTES, "cpu", 1000)
    row = DeviceRow(task, Selection(task.model, task.keep), plan)
    for number in range(STEPS + 1):
        row() if number < STEPS else row.write()
        row.wrote()
    row.log.finish()
    run = record(**{key: value for key, value in vars(asked).items()})
    assert np.array_equal(row.log.params, run.params)
    assert np.array_equal(row.log.loss, run.loss)
    assert row.log.grad_norm == pytest.approx(run.grad_norm, rel=1e-12)


READS_BACK = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}


class Imitation(TorchDispatchMode):
    """A GPU's streams and graphs, on the CPU.

    A capture keeps operators and their tensors, and takes back what they wrote; a replay runs them
    again, on the same tensors, without any Python of the model, the loss or the optimizer.
    """

    def __init__(self):
        super().__init__()
        self.mode, self.tape, self.replays = 0, None, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in READS_BACK and self.mode:
            warnings.warn("called a synchronizing CUDA operation", stacklevel=2)
        if self.tape is None or func.namespace != "aten":
            return func(*args, **kwargs)
        if func in READS_BACK:
            raise RuntimeError("operation not permitted when stream is capturing")
        before = [(tensor, tensor.clone()) for tensor in written(func, args, kwargs)]
        made = func(*args, **kwargs)
        self.tape.append((func, args, kwargs, before, made))
        return made

    @contextmanager
    def graph(self, graph, stream):
        self.tape = graph.tape
        with torch.random.fork_rng(devices=[]):
            yield
        self.tape = None
        with torch.no_grad():
            for *_, before, _ in reversed(graph.tape):
                for tensor, value in before:
                    tensor.copy_(value)

    def new_graph(self):
        tape = []

        @torch.no_grad()
        def replay():
            self.replays += 1
            for func, args, kwargs, _, made in tape:
                again = func(*args, **kwargs)
                if made is None or any(value.alias_info for value in func._schema.returns):
                    continue  # a view, or what was written
                for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                    old.copy_(new)

        return SimpleNamespace(tape=tape, replay=replay)

    def set_mode(self, mode):
        self.mode = {"default": 0, "warn": 1, "error": 2}.get(mode, mode)


def written(func, args, kwargs):
    named = {value.name: value for value in func._schema.arguments}
    pairs = [*zip(func._schema.arguments, args, strict=False)]
    pairs += [(named[name], value) for name, value in kwargs.items()]
    return [
        tensor
        for argument, value in pairs
        if argument.alias_info is not None and argument.alias_info.is_write
        for tensor in tree_leaves(value)
    ]


@pytest.fixture
def imitation(monkeypatch):
    """Record a request with imitated graphs, and return the run and the number of replays."""
    device = Imitation()
    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name, value in {
        "Stream": lambda: stream,
        "current_stream": lambda: stream,
        "stream": lambda stream: nullcontext(),
        "CUDAGraph": device.new_graph,
        "graph": device.graph,
        "get_rng_state": torch.get_rng_state,
        "get_sync_debug_mode": lambda: device.mode,
        "set_sync_debug_mode": device.set_mode,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    for name in ("adadelta", "adam", "adamax", "asgd", "nadam", "radam", "rmsprop", "rprop"):
        module = sys.modules[f"torch.optim.{name}"]
        monkeypatch.setattr(module, "_get_capturable_supported_devices", lambda **_: ["cpu"])
    made = DeviceRow.__init__

    def capturable(row, task, *rest):
        made(row, task, *rest)
        for group in task.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = True

    monkeypatch.setattr(DeviceRow, "__init__", capturable)

    def recorded(asked):
        task = prepare(asked)
        selection = Selection(task.model, task.keep)
        torch.manual_seed(task.seed)
        with device:
            return _run_on_device(task, selection, lambda row: None), device.replays

    return recorded


MODELS = {"MLP": models.MLP((1, 5, 1), seed=3), "scalars": models.Line(-1.0, 1.0)}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("foreach", [False, True], ids=["", "foreach"])
@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_replays_of_a_row_are_the_loops(name, batch_size, foreach, model, imitation, monkeypatch):
    """Nothing that a row needs comes from Python, which ran in the first rows only."""
    optimizer = partial(OPTIMIZERS[name], foreach=foreach)
    asked = request(optimizer, batch_size=batch_size, clip=0.5, model=model)
    loop = record(**vars(asked))
    monkeypatch.setitem(WINDOW_BYTES, "cpu", 1000)
    run, replays = imitation(asked)
    assert (run.meta["cuda_graph"], replays) == ("captured", STEPS - 3)
    np.testing.assert_allclose(run.params, loop.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.loss, loop.loss, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.grad_norm, loop.grad_norm, rtol=1e-4, atol=1e-6)
    assert np.array_equal(run.lr, loop.lr)
    assert batch_size is None or np.array_equal(run.batch, loop.batch)


class Counting(nn.Module):
    """Changes with its own calls."""

    def __init__(self):
        super().__init__()
        self.slope, self.calls = nn.Parameter(torch.tensor(0.5)), 0

    def forward(self, x):
        self.calls += 1
        return self.slope * x / self.calls


def reading(prediction, target):
    loss = losses.mse(prediction, target)
    return loss * (1.0 if loss.item() > -1 else 0.0)


EAGER = {
    "reads a number back": (dict(loss=reading), "a row waits for the device"),
    "counts its calls": (dict(model=Counting()), "model or loss change as they are called"),
    "few steps": (dict(steps=3), "there are few rows"),
    "no steps": (dict(steps=0), "there are few rows"),
}


@pytest.mark.parametrize(("changes", "words"), EAGER.values(), ids=EAGER)
def test_what_a_graph_cannot_hold_runs_eagerly_to_the_same_numbers(changes, words, imitation):
    asked = request(**changes)
    run, replays = imitation(asked)
    assert replays == 0 and run.meta["cuda_graph"].startswith(f"eager: {words}")
    assert np.array_equal(run.params, record(**vars(asked)).params)


def test_noise_is_drawn_anew_in_each_replay(imitation):
    model = nn.Sequential(models.MLP((1, 5, 2), seed=3), nn.Dropout(0.5), nn.Linear(2, 1))
    asked = request(model=model, data=datasets.of(torch.rand(40, 1), torch.rand(40, 1)))
    run, _ = imitation(asked)
    loop = record(**vars(asked))
    assert run.meta["cuda_graph"] == "captured"
    np.testing.assert_allclose(run.params, loop.params, rtol=1e-4, atol=1e-6)


class Preparing(models.Line):
    """Makes something at its first call."""

    def __init__(self):
        super().__init__(-1.0, 1.0)
        self.scale = None

    def forward(self, x):
        self.scale = self.scale or 2.0
        return super().forward(x) * self.scale


def test_a_model_that_changes_in_its_first_call_only_is_captured(imitation):
    asked = request(model=Preparing())
    run, replays = imitation(asked)
    assert run.meta["cuda_graph"] == "captured" and replays == STEPS - 3
    assert np.array_equal(run.params, record(**vars(asked)).params)


def test_a_sparse_gradient_says_so(imitation):
    model = nn.Sequential(nn.Embedding(5, 1, sparse=True), nn.Flatten(0))
    data = datasets.Dataset(torch.arange(5), torch.zeros(5))
    with pytest.raises(InputError, match=r"gradient of 0\.weight is sparse"):
        imitation(request(model=model, data=data))


def watched_steps(params):
    optimizer = torch.optim.SGD(params, lr=0.1)
    optimizer.register_step_post_hook(lambda *_: None)
    return optimizer


def watched_model():
    model = models.MLP((1, 5, 1))
    model.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"loss": losses.penalised(losses.mse, lambda model: 0.0)}, None),
        ({"optimizer": partial(torch.optim.Adagrad, lr=0.1)}, "Adagrad is not one of torch's"),
        ({"optimizer": watched_steps}, "hooks"),
        ({"model": watched_model()}, "hooks"),
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
    run = record(**vars(request(OPTIMIZERS["SGD"], loss=reading, device="cuda")))
    assert run.meta["cuda_graph"].startswith("eager: a row waits")
    assert np.isfinite(run.loss).all()


@pytest.mark.gpu
@NO_GPU
def test_a_capture_that_fails_leaves_stream_and_generator_as_they_were(monkeypatch):
    """Here it is not seen before."""
    monkeypatch.setattr("render.recording.graphs._WAITS", "nothing")
    before = torch.cuda.current_stream(), torch.cuda.get_rng_state()
    run = record(**vars(request(OPTIMIZERS["SGD"], loss=reading, device="cuda")))
    assert run.meta["cuda_graph"].startswith("eager: ")
    assert torch.cuda.current_stream() == before[0]
    assert torch.equal(torch.cuda.get_rng_state(), before[1])
    assert torch.rand(3, device="cuda").shape == (3,)
    torch.cuda.empty_cache()
    with pytest.raises(torch.OutOfMemoryError):
        torch.empty(2**50, dtype=torch.int8, device="cuda")
    again = record(**vars(request(OPTIMIZERS["SGD"], device="cuda")))
    assert again.meta["cuda_graph"] == "captured"


ASKED = {
    "full": {},
    "batches": {"batch_size": 8},
    "short batch": {"batch_size": 12},
    "clip": {"clip": 0.5},
    "schedule": {"scheduler": partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=STEPS)},
    "every": {"keep": Keep(every=3), "steps": 24},
    "tensors": {"keep": Keep(tensors=["layers.0.weight"])},
    "metric": {"metrics": {"worst": lambda prediction, y: (prediction - y).abs().max()}},
}
QUIET = [(name, "full") for name in OPTIMIZERS if name != "ASGD"]  # which starts from numbers


@pytest.mark.gpu
@NO_GPU
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize(("name", "asked"), [*QUIET, *(("Adam", name) for name in ASKED)])
@pytest.mark.parametrize("graph", [True, False], ids=["graph", "eager"])
def test_nothing_in_the_loop_waits_for_the_device(name, asked, graph, monkeypatch):
    read_back, made = Rows._read_back, Rows.__init__

    def forbidden(self, *args):
        made(self, *args)
        torch.cuda.set_sync_debug_mode("error")

    def allowed(self):
        torch.cuda.set_sync_debug_mode("default")
        read_back(self)

    monkeypatch.setattr(Rows, "__init__", forbidden)
    monkeypatch.setattr(Rows, "_read_back", allowed)
    call = partial(request, OPTIMIZERS[name], device="cuda", **ASKED[asked])
    graph = graph and objection(prepare(call())) is None
    if not graph:
        monkeypatch.setattr("render.recording.loop.objection", lambda task: "asked for")
    try:
        run = record(**vars(call()))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert run.meta["cuda_graph"] == ("captured" if graph else "eager: asked for")
