"""Runs that advance together: one computation of all their losses and gradients a step.

The parameters of K runs are stacked; `vmap` of the gradient is traced once into plain operators,
which spares both the K-fold overhead of small operators and that of `vmap` and autograd. One
optimizer of torch's own, with rate 1, moves the stack: what follows from it for another rate is
a linear interpolation, since none of these optimizers keeps the rate in its state.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.optim import Optimizer, lr_scheduler

from render.errors import RenderError
from render.recording import evaluation
from render.recording.batches import draw
from render.recording.loop import reporter
from render.recording.memory import WINDOW_BYTES
from render.recording.problem import Problem, layout_of, to_numpy
from render.recording.sessions import Progress
from render.recording.stack import Stack
from render.recording.task import Task
from render.recording.trajectory import Trajectory
from render.recording.watching import after

__all__ = ["Progress", "kind_of", "recorded"]

Array = npt.NDArray[Any]

_ELEMENTWISE = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adamax,
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
)
"""Optimizers that treat every number alone, and whose update is its rate times a direction."""


def kind_of(task: Task) -> object | None:
    """Return what runs must have in common to advance together; None where a run cannot."""
    optimizer, model = task.optimizer, task.model
    groups, params = optimizer.param_groups, list(model.parameters())
    alone = (
        type(optimizer) not in _ELEMENTWISE
        or len(groups) != 1
        or [id(p) for p in groups[0]["params"]] != [id(p) for p in params]
        or isinstance(groups[0]["lr"], Tensor)
        or task.request.keep is not None
        or isinstance(task.scheduler, lr_scheduler.ReduceLROnPlateau)
        or bool(list(model.buffers()))
        or len({(p.dtype, p.requires_grad) for p in params}) > 1
        or not params[0].requires_grad
        or evaluation.is_looped(model)
    )
    if alone:
        return None
    settings = {key: value for key, value in groups[0].items() if key not in _OWN}
    return (type(optimizer), repr(settings), repr(model), layout_of(model), task.batch_size)


_OWN = ("params", "lr", "initial_lr")


def recorded(tasks: Sequence[Task], progress: Progress | None) -> list[Trajectory] | None:
    """Return the runs, or None where they cannot advance together after all."""
    rates = _rates(tasks)
    if rates is None or not _worthwhile(tasks[0]):
        return None
    plans = _plans(tasks)
    devices = [tasks[0].device] if tasks[0].device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        try:
            stack = Stack(tasks)
            history = _advance(tasks, stack, rates, plans, progress)
        except (RenderError, torch.OutOfMemoryError):
            raise
        except Exception:  # whatever vmap refuses; one by one, a true error shows
            return None
    own: Sequence[Tensor | None] = plans or [None for _ in tasks]
    runs = []
    for at, (task, plan) in enumerate(zip(tasks, own, strict=True)):
        if not _agrees(task, stack, history, plan, at):
            return None
        runs.append(_trajectory(task, history, rates, plan, at, len(tasks)))
    return runs


def _rates(tasks: Sequence[Task]) -> Array | None:
    """Return the rate of each step and run, (T, K); None where a schedule moves more than it."""
    columns = []
    for task in tasks:
        group = task.optimizer.param_groups[0]
        before = {key: value for key, value in group.items() if key not in _OWN}
        if task.scheduler is None:
            columns.append([float(group["lr"])] * (task.steps + 1))
            continue
        column = [float(group["lr"])]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
            for _ in range(task.steps):
                try:
                    task.scheduler.step()
                except Exception:  # one by one, it shows in its place
                    return None
                column.append(float(group["lr"]))
                if any(group[key] is not value for key, value in before.items()):
                    return None
        columns.append(column)
    return np.array(columns).T


def _worthwhile(task: Task) -> bool:
    """Say whether a step is so small that its operators' overhead counts."""
    size = task.batch_size or len(task.data)
    x, y = task.data.x[:size].to(task.device), task.data.y[:size].to(task.device)
    return evaluation.fits_together(lambda: task.loss(task.model(x), y), task.device.type)


class _History:
    """What the rows of all runs hold: raw (T, K * P) parameters, loss and grad_norm (T, K)."""

    def __init__(self, stack: Stack, rows: int) -> None:
        self._stack = stack
        width = stack.flat.numel()
        self.raw = torch.empty((rows, width), dtype=stack.flat.dtype)
        self.loss = torch.empty((rows, stack.runs), dtype=stack.loss_dtype)
        self.grad_norm = torch.empty((rows, stack.runs), dtype=torch.float64)
        window = WINDOW_BYTES["cpu"] // (width * stack.flat.element_size())
        self._window = torch.empty((max(1, min(rows, window)), width), dtype=stack.flat.dtype)
        self._slots = self._window.unbind(0)
        self._done = 0

    def add(self, row: int, loss: Tensor, gradient: Tensor) -> None:
        """Write a row; the parameters are the stack's."""
        if row - self._done == len(self._slots):
            self.settle(row)
        torch._foreach_copy_(
            [self.raw[row], self.loss[row], self._slots[row - self._done]],
            [self._stack.flat, loss, gradient],
        )

    def settle(self, end: int) -> None:
        """Turn the window's gradients, of rows up to `end`, into norms."""
        norms = self._stack.norms(self._window[: end - self._done])
        self.grad_norm[self._done : end] = norms
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
    update = _updater(tasks, stack, rates)
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


def _updater(tasks: Sequence[Task], stack: Stack, rates: Array) -> Callable[[int, Tensor], None]:
    """Return the update of all runs."""
    optimizer: Optimizer = tasks[0].request.optimizer([stack.flat])
    group = optimizer.param_groups[0]
    clip = tasks[0].request.clip
    if (rates == rates[:, :1]).all():
        lerp = None
    else:
        lerp = [stack.spread(torch.tensor(row)) for row in np.unique(rates, axis=0)]
        which = np.unique(rates, axis=0, return_inverse=True)[1].reshape(-1).tolist()
    before = torch.empty_like(stack.flat)

    def update(row: int, gradient: Tensor) -> None:
        stack.flat.grad = gradient if clip is None else stack.clipped(gradient, clip)
        if lerp is None:
            group["lr"] = float(rates[row, 0])
            optimizer.step()
            return
        group["lr"] = 1.0
        before.copy_(stack.flat)
        optimizer.step()
        torch.lerp(before, stack.flat, lerp[which[row]], out=stack.flat)

    return update


def _agrees(task: Task, stack: Stack, history: _History, plan: Tensor | None, run: int) -> bool:
    """Say whether the run's own model gives the recorded losses, at its first and last row.

    Tracing freezes what a model decides in Python: here that would show.
    """
    x, y = task.data.x.to(task.device), task.data.y.to(task.device)
    for row in (0, len(history.loss) - 1):
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
    problem = Problem(model=task.model.eval(), loss=task.loss, data=task.data)
    return Trajectory(
        params=params,
        loss=to_numpy(history.loss[:, run]),
        lr=rates[:, run].copy(),
        grad_norm=to_numpy(history.grad_norm[:, run]),
        batch=None if plan is None else plan.numpy().astype(np.int32),
        metrics=after(task, problem, params, {}),
        layout=layout_of(task.model),
        x=to_numpy(task.data.x),
        y=to_numpy(task.data.y),
        meta={**task.meta, "together": runs},
        source=problem,
    )
