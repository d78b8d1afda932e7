"""Runs that advance together: one computation of all their losses and gradients a step.

The parameters of K runs are stacked; `vmap` of the gradient is traced once into plain operators,
which spares both the K-fold overhead of small operators and that of `vmap` and autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from render.errors import RenderError
from render.recording import evaluation, memory
from render.recording.batches import draw
from render.recording.generators import forked
from render.recording.graphs import objection
from render.recording.loop import reporter
from render.recording.problem import Problem, layout_of, own_data, to_numpy
from render.recording.reach import Reach
from render.recording.schedules import rates_of
from render.recording.sessions import Progress
from render.recording.stack import Stack
from render.recording.starting import first_loss
from render.recording.task import Task
from render.recording.trajectory import Trajectory
from render.recording.updates import updater
from render.recording.watching import after

__all__ = ["Progress", "recorded"]

Array = npt.NDArray[Any]

_WORTH_A_STACK = 10
"""Runs that take as long together as one after another, where each is a CUDA graph."""


def recorded(tasks: Sequence[Task], progress: Progress | None) -> list[Trajectory] | None:
    """Return the runs, or None where they cannot advance together after all, or had better not."""
    if len(tasks) < _WORTH_A_STACK and all(objection(task) is None for task in tasks):
        return None
    with forked(tasks[0].device):
        return _recorded(tasks, progress)


def _recorded(tasks: Sequence[Task], progress: Progress | None) -> list[Trajectory] | None:
    rates, one = rates_of(tasks), tasks[0]
    if rates is None or not _fits(tasks):
        return None
    reach = Reach(one.model, one.loss)
    if not reach.known:  # before a call, which would move a user's own state
        return None
    plans = _plans(tasks)
    made = None
    if _worthwhile(one) and _uses_all(one) and not _moves(one, reach):
        made = _advanced(tasks, rates, plans, progress)
    if reach.has_moved():
        reach.restore()
        return None
    if made is None:
        return None
    stack, history = made
    own: Sequence[Tensor | None] = plans or [None for _ in tasks]
    runs = []
    for at, (task, plan) in enumerate(zip(tasks, own, strict=True)):
        if not _agrees(task, stack, history, plan, at):
            return None
        runs.append(_trajectory(task, history, rates, plan, at, len(tasks)))
    return runs


def _fits(tasks: Sequence[Task]) -> bool:
    """Say whether memory holds the rows of all runs twice: together, and then apart."""
    width = sum(p.numel() * p.element_size() for p in tasks[0].model.parameters())
    copies = 2 if tasks[0].scheduler is None else 3  # a rate for each number, too
    needed = copies * len(tasks) * (tasks[0].steps + 1) * width + memory.WINDOW_BYTES["cpu"]
    free = memory.free_bytes()
    return free is None or needed <= free


def _worthwhile(task: Task) -> bool:
    """Say whether a step is so small that its operators' overhead counts."""
    with torch.enable_grad():
        first_loss(task, *_first_batch(task))
    return evaluation.fits_together(lambda: _first_loss(task), task.device.type)


def _uses_all(task: Task) -> bool:
    """Say whether every parameter has a gradient: without one, an optimizer leaves it alone."""
    params = list(task.model.parameters())
    with torch.enable_grad():
        try:
            gradients = torch.autograd.grad(_first_loss(task), params, allow_unused=True)
        except Exception:  # one by one, it shows in its place
            return False
    return all(gradient is not None for gradient in gradients)


def _moves(task: Task, reach: Reach) -> bool:
    """Say whether calls change what they read, such as a count: tracing would freeze it."""
    short = len(task.data) % (task.batch_size or len(task.data))
    with torch.no_grad():
        _first_loss(task)
        if short:  # the last batch of an epoch
            _first_loss(task, short)
    return reach.has_moved()


def _advanced(
    tasks: Sequence[Task], rates: Array, plans: list[Tensor] | None, progress: Progress | None
) -> tuple[Stack, _History] | None:
    """Return the rows of all runs, or None where `vmap` cannot make them."""
    with torch.no_grad(), evaluation.refusing_loops():
        try:
            stack = Stack(tasks)
            return stack, _advance(tasks, stack, rates, plans, progress)
        except (RenderError, torch.OutOfMemoryError):
            raise
        except Exception:  # whatever vmap refuses; one by one, a true error shows
            return None


def _first_loss(task: Task, size: int | None = None) -> Tensor:
    x, y = _first_batch(task, size)
    return task.loss(task.model(x), y)


def _first_batch(task: Task, size: int | None = None) -> tuple[Tensor, Tensor]:
    size = size or task.batch_size or len(task.data)
    return task.data.x[:size].to(task.device), task.data.y[:size].to(task.device)


_WRITTEN_AT_ONCE = ("cpu",)
"""Devices that need not wait for one another where a row is written to the host's memory."""


class _History:
    """What the rows of all runs hold: raw (T, K * P) parameters, loss and grad_norm (T, K).

    On a GPU the last rows stay there, and are read back together: the loop waits for none.
    """

    def __init__(self, stack: Stack, rows: int) -> None:
        self._stack, flat = stack, stack.flat
        width, place = flat.numel(), flat.device
        window = memory.WINDOW_BYTES[place.type] // (width * flat.element_size())
        length = max(1, min(rows, window))
        self.raw = torch.empty((rows, width), dtype=flat.dtype, device="cpu")
        self.loss = torch.empty((rows, stack.runs), dtype=stack.loss_dtype, device="cpu")
        self.grad_norm = torch.empty((rows, stack.runs), dtype=torch.float64, device="cpu")
        self._window = torch.empty((length, width), dtype=flat.dtype, device=place)
        self._slots = self._window.unbind(0)
        self._direct = place.type in _WRITTEN_AT_ONCE
        self._raw, self._loss = self.raw, self.loss
        if not self._direct:
            self._raw = torch.empty_like(self._window)
            self._loss = torch.empty((length, stack.runs), dtype=stack.loss_dtype, device=place)
        self._done = 0

    def add(self, row: int, loss: Tensor, gradient: Tensor) -> None:
        """Write a row; the parameters are the stack's."""
        if row - self._done == len(self._slots):
            self.settle(row)
        at = row - self._done
        here = row if self._direct else at
        torch._foreach_copy_(
            [self._raw[here], self._loss[here], self._slots[at]],
            [self._stack.flat, loss, gradient],
        )

    def settle(self, end: int) -> None:
        """Turn the window's gradients, of rows up to `end`, into norms."""
        count = end - self._done
        self.grad_norm[self._done : end] = self._stack.norms(self._window[:count])
        if not self._direct:
            self.raw[self._done : end] = self._raw[:count]
            self.loss[self._done : end] = self._loss[:count]
        self._done = end


def _advance(
    tasks: Sequence[Task],
    stack: Stack,
    rates: Array,
    plans: list[Tensor] | None,
    progress: Progress | None,
) -> _History:
    rows = tasks[0].steps + 1
    sample = _sampler(tasks, plans)
    update = updater(tasks[0], stack, rates)
    report = reporter(progress, tasks[0].steps)
    history: _History | None = None
    for row in range(rows):
        gradient, loss = stack.step(*sample(row))
        if history is None:
            history = _History(stack, rows)
        history.add(row, loss, gradient)
        report(row)
        if row + 1 < rows:
            update(row, gradient)
    assert history is not None
    history.settle(rows)
    return history


def _plans(tasks: Sequence[Task]) -> list[Tensor] | None:
    """Return the samples of each run's batches, or None for full batches."""
    size = tasks[0].batch_size
    if size is None:
        return None
    made: dict[int, Tensor] = {}
    for task in tasks:
        if task.seed not in made:
            made[task.seed] = draw(len(task.data), size, task.steps + 1, task.seed)
    return [made[task.seed] for task in tasks]


def _sampler(
    tasks: Sequence[Task], plans: list[Tensor] | None
) -> Callable[[int], tuple[Tensor, Tensor, bool]]:
    """Return what gives the samples of a row, and whether each run has its own."""
    data, place = tasks[0].data, tasks[0].device
    x, y = data.x.detach().to(place), data.y.detach().to(place)
    if plans is None:
        return lambda row: (x, y, False)
    own = any(plan is not plans[0] for plan in plans)
    plan = (torch.stack(plans, dim=1) if own else plans[0]).to(place)
    lengths = (plans[0] >= 0).sum(dim=1).tolist()

    def sample(row: int) -> tuple[Tensor, Tensor, bool]:
        at = plan[row, ..., : lengths[row]]
        return x[at], y[at], own

    return sample


_CHECKED = 9
"""Rows of a run that are computed again."""


def _agrees(task: Task, stack: Stack, history: _History, plan: Tensor | None, run: int) -> bool:
    """Say whether the run's own model gives the recorded losses, at a few rows.

    Tracing freezes what a model decides in Python: here that would show.
    """
    x, y = task.data.x.to(task.device), task.data.y.to(task.device)
    for row in np.unique(np.linspace(0, len(history.loss) - 1, _CHECKED).round().astype(int)):
        expected = history.loss[row, run].double()
        stack.restore(task.model, history.raw[row], run)
        seen, wanted = x, y
        if plan is not None:
            at = plan[row][plan[row] >= 0].to(task.device)
            seen, wanted = x[at], y[at]
        with torch.no_grad():
            loss = task.loss(task.model(seen), wanted).reshape(()).double().cpu()
        if expected.isfinite() and not torch.isclose(loss, expected, rtol=1e-3, atol=1e-6):
            return False
        if row == 0 and not expected.isfinite() and loss.isfinite():
            return False
    return True


def _trajectory(
    task: Task, history: _History, rates: Array, plan: Tensor | None, run: int, runs: int
) -> Trajectory:
    params = Stack.unstacked(history.raw, layout_of(task.model), run, runs)
    data, x, y = task.own or own_data(task.data)
    problem = Problem(model=task.model.eval(), loss=task.loss, data=data)
    return Trajectory(
        params=params,
        loss=to_numpy(history.loss[:, run]),
        lr=rates[:, run].copy(),
        grad_norm=to_numpy(history.grad_norm[:, run]),
        batch=None if plan is None else plan.numpy().astype(np.int32),
        metrics=after(task, problem, params, {}),
        layout=layout_of(task.model),
        x=x,
        y=y,
        meta={**task.meta, "together": runs},
        source=problem,
    )
