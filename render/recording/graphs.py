"""Steps as a CUDA graph: all the kernel launches of a row become one.

A small model's step takes the GPU a few microseconds and the CPU some hundred to launch. A graph
is launched whole, so nothing in a row may come from the host: the row's number, by which samples
are chosen and buffers written, lives on the device.

The first rows run eagerly on a stream of their own, which is the warm-up that capturing asks for;
they are real rows, so no parameter has to be put back afterwards.
Source: https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from render.recording.hooks import gradient_hooks, module_hooks, step_is_altered
from render.recording.reach import Reach
from render.recording.rows import Rows
from render.recording.selection import Selection
from render.recording.starting import check_gradients, first_loss
from render.recording.stepping import clearing, clipping
from render.recording.task import Task

__all__ = ["DeviceRow", "objection", "run_rows"]

_EAGER_ROWS = 3
_WAITS = "called a synchronizing CUDA operation"  # in torch's warning
# They keep all state on the device: with `capturable` where that is an option of theirs.
_CAPTURED = (
    *("ASGD", "Adadelta", "Adam", "AdamW", "Adamax"),
    *("NAdam", "RAdam", "RMSprop", "Rprop", "SGD"),
)


def objection(task: Task) -> str | None:
    """Return why a run's rows cannot be captured as a CUDA graph, or None."""
    kind = type(task.optimizer)
    if task.device.type != "cuda":
        return "not on CUDA"
    if not kind.__module__.startswith("torch.optim.") or kind.__name__ not in _CAPTURED:
        return f"{kind.__name__} is not one of torch's {', '.join(_CAPTURED)}"
    if task.scheduler is not None:
        return "a scheduler changes the rate from the host"
    if not task.keep.whole or task.keep.every != 1:
        return "keep is not all"
    hooks = gradient_hooks(task.model) or module_hooks(task.request.model)
    if hooks or step_is_altered(task.optimizer):
        return "model or optimizer have hooks, which may act on the host"
    if any(True for _ in task.model.buffers()):
        return "the model has buffers"
    if task.batch_size is not None and len(task.data) % task.batch_size:
        return "the last batch of an epoch is short"
    return None


class DeviceRow:
    """One row: loss and gradient, written down, then the update; all of it on the device."""

    def __init__(self, task: Task, selection: Selection, plan: Tensor | None) -> None:
        self.task, self._selection = task, selection
        self._x, self._y = (side.detach().to(task.device) for side in (task.data.x, task.data.y))
        self._plan = None if plan is None else plan.to(task.device)
        self.clear = clearing(task.optimizer, list(task.model.parameters()))
        self._clip = clipping(task)
        self._at = torch.zeros(1, dtype=torch.int64, device=task.device)  # in the log's buffers
        self._number = torch.zeros_like(self._at)  # in the run
        self._log: Rows | None = None
        for group in task.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = task.device.type == "cuda"

    @property
    def log(self) -> Rows:
        """Where the rows are written; the first row makes it."""
        assert self._log is not None
        return self._log

    def __call__(self) -> None:
        """Write the row, and update. `wrote` has to follow."""
        first, optimizer = self._log is None, self.task.optimizer
        self.write()
        self._clip()
        exact = first and any(group.get("capturable") for group in optimizer.param_groups)
        with _counting_in_float64() if exact else nullcontext():
            optimizer.step()
        self._at.add_(1)
        self._number.add_(1)

    def write(self) -> None:
        """Write the row: parameters, gradients and the loss. `wrote` has to follow."""
        task, x, y = self.task, self._x, self._y
        if self._plan is not None:
            samples = self._plan.index_select(0, self._number)[0]
            x, y = x.index_select(0, samples), y.index_select(0, samples)
        self.clear()
        first = self._log is None
        loss = first_loss(task, x, y) if first else task.loss(task.model(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        if first:
            check_gradients(task.model, self._selection.params)
            self._log = Rows(self._selection, loss, task.steps + 1)
        self.log.write(self._at, loss)

    def wrote(self) -> None:
        """Count a row; the buffers begin anew when they were full."""
        if self.log.wrote():
            self._at.zero_()


def run_rows(row: DeviceRow, steps: int, report: Callable[[int], None]) -> tuple[Rows, str]:
    """Run `steps` rows with their updates, and the last row; return them, and how they were run.

    All of them run on one stream: autograd's nodes, which a model may keep, belong to a stream.
    """
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # which it leaves, too, where capturing fails and does not
        told = _run_rows(row, steps, side, report)
    torch.cuda.current_stream().wait_stream(side)
    return row.log, told


def _run_rows(
    row: DeviceRow, steps: int, side: torch.cuda.Stream, report: Callable[[int], None]
) -> str:
    model, loss = row.task.model, row.task.loss
    first, waits, reach = min(_EAGER_ROWS, steps), False, None
    for number in range(first):
        if number < _EAGER_ROWS - 1:
            row()
            # after a call: what it makes once, it may keep
            reach = Reach(model, loss, apart=model.parameters())
        else:
            with _waiting() as told:
                row()
            waits = bool(told)
        row.wrote()
    again: Callable[[], None] = row
    against = None
    if steps <= first:
        against = "there are few rows"
    elif waits:
        against = "a row waits for the device, as reading a number back does"
    elif reach is None or not reach.known or reach.has_moved():
        against = "model or loss change as they are called, or may"
    else:
        row.clear()
        graph, drawn = torch.cuda.CUDAGraph(), torch.cuda.get_rng_state()
        try:
            # torch's own capture stream stays on the device of its first use in the process
            with _told_once(), torch.cuda.graph(graph, stream=side):
                row()
            again = graph.replay
        except RuntimeError as error:
            against = str(error).splitlines()[0]
            _give_up(graph, drawn)
    for number in range(first, steps):
        again()
        row.wrote()
        report(number)
    row.write()
    row.wrote()
    report(steps)
    return "captured" if against is None else f"eager: {against}"


_failed: list[torch.cuda.CUDAGraph] = []
"""Graphs whose capture failed: torch's allocator may go on pointing to them."""


def _give_up(graph: torch.cuda.CUDAGraph, drawn: torch.Tensor) -> None:
    """Leave a capture that failed: torch goes on taking its generator for captured.

    The generator gets a state of its own again, which holds the numbers of `drawn`.
    """
    _failed.append(graph)
    device = torch.cuda.current_device()
    fresh = torch.Generator(device=f"cuda:{device}")
    fresh.set_state(drawn)
    torch.cuda.default_generators[device].graphsafe_set_state(fresh.graphsafe_get_state())


@contextmanager
def _told_once() -> Iterator[None]:
    """Keep torch from warning that a graph is empty, where capturing fails at its beginning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The CUDA Graph is empty")
        yield


@contextmanager
def _waiting() -> Iterator[list[str]]:
    """Collect torch's warnings of operations that wait for the device.

    Capturing forbids them, and a capture that fails can leave torch's generator unusable.
    """
    found: list[str] = []
    mode = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True, action="always") as told:
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode(mode)
    found += [line for line in map(str, (each.message for each in told)) if _WAITS in line]


@contextmanager
def _counting_in_float64() -> Iterator[None]:
    """Have an optimizer's first step keep its count of steps in float64.

    On the device 1 - beta**step is computed from that count: in float32 it loses digits that the
    host keeps, and RAdam takes another branch.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
