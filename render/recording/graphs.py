"""Steps as a CUDA graph: all the kernel launches of a row become one.

A small model's step takes the GPU a few microseconds and the CPU some hundred to launch. A graph
is launched whole, so nothing in a row may come from the host: the row's number, by which samples
are chosen and buffers written, lives on the device.

The first rows run eagerly on a stream of their own, which is the warm-up that capturing asks for;
they are real rows, so no parameter has to be put back afterwards.
Source: https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from render.recording.hooks import gradient_hooks
from render.recording.rows import Rows
from render.recording.stepping import clearing, clipping
from render.recording.task import Task

__all__ = ["DeviceRow", "objection", "run_rows"]

_EAGER_ROWS = 3
# They keep all state on the device: with `capturable` where that is an option of theirs.
_CAPTURABLE = ("Adadelta", "Adam", "AdamW", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop")
_ON_DEVICE = (*_CAPTURABLE, "SGD")


def objection(task: Task) -> str | None:
    """Return why a run's rows cannot be captured as a CUDA graph, or None."""
    kind = type(task.optimizer)
    if task.device.type != "cuda":
        return "not on CUDA"
    if not kind.__module__.startswith("torch.optim.") or kind.__name__ not in _ON_DEVICE:
        return f"{kind.__name__} may keep state on the host"
    if task.scheduler is not None:
        return "a scheduler changes the rate from the host"
    if not task.keep.whole or task.keep.every != 1:
        return "keep is not all"
    if gradient_hooks(task.model):
        return "the model has gradient hooks, which may act on the host"
    if any(True for _ in task.model.buffers()):
        return "the model has buffers"
    if task.batch_size is not None and len(task.data) % task.batch_size:
        return "the last batch of an epoch is short"
    return None


class DeviceRow:
    """One row: loss and gradient, written down, then the update; all of it on the device."""

    def __init__(self, task: Task, log: Rows, plan: Tensor | None) -> None:
        self._task, self._log = task, log
        self._x, self._y = (side.detach().to(task.device) for side in (task.data.x, task.data.y))
        self._plan = None if plan is None else plan.to(task.device)
        self.clear = clearing(task.optimizer, list(task.model.parameters()))
        self._clip = clipping(task)
        self.at = torch.zeros(1, dtype=torch.int64, device=task.device)  # in the log's buffers
        self._number = torch.zeros_like(self.at)  # in the run
        for group in task.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = task.device.type == "cuda"

    def __call__(self) -> None:
        """Write the row, and update."""
        self.write()
        self._clip()
        self._task.optimizer.step()
        self.at.add_(1)
        self._number.add_(1)

    def write(self) -> None:
        """Write the row: parameters, gradients and the loss."""
        x, y = self._x, self._y
        if self._plan is not None:
            samples = self._plan.index_select(0, self._number)[0]
            x, y = x.index_select(0, samples), y.index_select(0, samples)
        self.clear()
        loss = self._task.loss(self._task.model(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        self._log.write(self.at, loss)


def run_rows(row: DeviceRow, log: Rows, steps: int, report: Callable[[int], None]) -> str:
    """Run `steps` rows with their updates, and the last row; return how they were run."""
    first = min(_EAGER_ROWS, steps)
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(first):
            row()
            _written(row, log)
    torch.cuda.current_stream().wait_stream(side)
    again: Callable[[], None] = row
    told = "captured"
    if steps > first:
        row.clear()
        graph = torch.cuda.CUDAGraph()
        try:
            # torch's own capture stream stays on the device of its first use in the process
            with torch.cuda.graph(graph, stream=side):
                row()
            again = graph.replay
        except RuntimeError as error:  # such as a loss that reads a number back
            told = f"eager: {str(error).splitlines()[0]}"
    for number in range(first, steps):
        again()
        _written(row, log)
        report(number)
    row.write()
    _written(row, log)
    report(steps)
    return told


def _written(row: DeviceRow, log: Rows) -> None:
    """Count a row; the buffers begin anew when they were full."""
    if log.wrote():
        row.at.zero_()
