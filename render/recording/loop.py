"""Recording a run: a torch training loop that writes down every step."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.errors import InputError, RecordingError, RenderError
from render.problem.dataset import Dataset
from render.recording import evaluation
from render.recording.batches import draw
from render.recording.buffers import Buffers
from render.recording.problem import Loss, Problem, layout_of, to_numpy
from render.recording.replay import replayed
from render.recording.rows import Rows, open_rows
from render.recording.sessions import Progress, active
from render.recording.task import Metrics, OptimizerFactory, SchedulerFactory, Task, prepare
from render.recording.trajectory import Trajectory

__all__ = ["record"]


def record(
    model: nn.Module,
    data: Dataset,
    *,
    loss: Loss,
    optimizer: OptimizerFactory,
    steps: int,
    batch_size: int | None = None,
    scheduler: SchedulerFactory | None = None,
    metrics: Metrics | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Trajectory:
    """Optimise a copy of `model` on `data` and record every one of `steps` updates.

    loss: (prediction, target) -> scalar. optimizer: a callable taking parameters, such as
    `partial(torch.optim.Adam, lr=0.1)`. scheduler: a callable taking the optimizer, stepped once
    an update. batch_size: samples a step, every sample once an epoch in an order drawn from
    `seed`; None, or the size of the data, takes all of them. metrics: name -> callable
    (prediction, target), or a list of callables, over all the data. device: "auto", "cpu",
    "cuda" or "cuda:N".

    The same seed on the same device gives the same bits; `model` and torch's global generators
    stay as they were. A run that diverges goes on to its end with the numbers it has. Raises
    InputError for an argument that is not allowed, RecordingError where the run cannot be made.
    """
    session = active()
    replaying = session is not None and session.replay is not None
    if replaying:
        device = "cpu"
    elif device == "auto" and session is not None and session.device is not None:
        device = session.device
    task = prepare(
        model,
        data,
        loss=loss,
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        scheduler=scheduler,
        metrics=metrics,
        seed=seed,
        device=device,
    )
    if session is None:
        return _recorded(task, None)
    run = replayed(task, session.next_stored()) if replaying else _recorded(task, session.progress)
    session.runs.append(run)
    return run


def _recorded(task: Task, progress: Progress | None) -> Trajectory:
    devices = [task.device] if task.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            torch.default_generator.manual_seed(task.seed)
            if devices:
                torch.cuda.manual_seed(task.seed)
            return _run(task, progress)
    except (torch.OutOfMemoryError, MemoryError) as exc:
        raise RecordingError(
            f"record: {task.device} ran out of memory; use a smaller batch_size, fewer steps, or "
            "another device"
        ) from exc


def _run(task: Task, progress: Progress | None) -> Trajectory:
    model, optimizer, steps = task.model, task.optimizer, task.steps
    params = list(model.parameters())
    plan = _plan(task)
    batches = _batches(task, plan)
    moving = Buffers(model)
    step = _stepper(task)
    clear = _clearing(optimizer, params)
    report = _reporter(progress, steps)
    rates: list[float | Tensor] = []
    log: Rows | None = None
    for row in range(steps + 1):
        x, y = next(batches)
        clear()
        if log is None:
            loss = _first(task, x, y)
            log = open_rows(params, loss, steps + 1)
        else:
            loss = task.loss(model(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        log.add(loss)
        rate = optimizer.param_groups[0].get("lr", float("nan"))
        rates.append(rate.detach().clone() if isinstance(rate, Tensor) else rate)
        report(row)
        if row < steps:
            step(x, y, loss)
        moving.keep()
    assert log is not None
    log.finish()
    return _trajectory(task, log, plan, rates, moving.history())


def _trajectory(
    task: Task,
    log: Rows,
    plan: Tensor | None,
    rates: list[float | Tensor],
    buffers: dict[str, Any],
) -> Trajectory:
    problem = Problem(model=task.model.eval(), loss=task.loss, data=task.data)
    metrics = {
        name: evaluation.metric(problem, measure, log.params, buffers)
        for name, measure in task.metrics.items()
    }
    task.optimizer.zero_grad()
    return Trajectory(
        params=log.params,
        loss=log.loss,
        lr=np.array([float(rate) for rate in rates]),
        grad_norm=log.grad_norm,
        batch=None if plan is None else plan.numpy().astype(np.int32),
        metrics=metrics,
        layout=layout_of(task.model),
        x=to_numpy(task.data.x),
        y=to_numpy(task.data.y),
        meta=task.meta,
        buffers=buffers,
        source=problem,
    )


def _plan(task: Task) -> Tensor | None:
    if task.batch_size is None:
        return None
    return draw(len(task.data), task.batch_size, task.steps + 1, task.seed)


def _batches(task: Task, plan: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the samples of each row."""
    x, y = task.data.x.detach().to(task.device), task.data.y.detach().to(task.device)
    if plan is None:
        while True:
            yield x, y
    lengths = (plan >= 0).sum(dim=1).tolist()
    short = min(lengths) < plan.shape[1]
    for samples, length in zip(plan.to(task.device), lengths, strict=True):
        at = samples[:length] if short else samples
        yield x[at], y[at]


def _first(task: Task, x: Tensor, y: Tensor) -> Tensor:
    """Return the first loss, or say what is wrong with model, loss or data."""
    name = type(task.model).__name__
    try:
        loss: object = task.loss(task.model(x), y)
    except (RenderError, torch.OutOfMemoryError):
        raise
    except Exception as exc:  # whatever a user's model or loss raises
        reason = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise RecordingError(
            f"record: {name} or its loss failed on x of shape {tuple(x.shape)} and y of shape "
            f"{tuple(y.shape)} ({reason}); check that they fit together"
        ) from exc
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise InputError(
            f"record: the loss returns {got}; it must return one number as a tensor, for example "
            "by .mean()"
        )
    if not loss.requires_grad:
        raise InputError(
            f"record: the loss does not depend on the parameters of {name}; compute it from the "
            "prediction with torch operations, without detach(), item() or numpy"
        )
    return loss


def _clearing(optimizer: Optimizer, params: list[nn.Parameter]) -> Callable[[], None]:
    """Return the optimizer's `zero_grad`, or where it is torch's own, what that does at its core.

    Without its profiling and grouping, it gives back the time that recording takes.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if type(optimizer).zero_grad is not Optimizer.zero_grad or held != {id(p) for p in params}:
        return optimizer.zero_grad

    def clear() -> None:
        for param in params:
            param.grad = None

    return clear


def _stepper(task: Task) -> Callable[[Tensor, Tensor, Tensor], None]:
    """Return the update: the optimizer's step, then the scheduler's."""
    optimizer, scheduler = task.optimizer, task.scheduler
    advance = _scheduling(scheduler)
    if not _needs_closure(optimizer):

        def step(x: Tensor, y: Tensor, loss: Tensor) -> None:
            optimizer.step()
            advance(loss)

        return step

    def step_with_closure(x: Tensor, y: Tensor, loss: Tensor) -> None:
        # torch's own optimizers first call the closure where they are: that is known already
        known = [loss] if type(optimizer).__module__.startswith("torch.optim.") else []

        def closure() -> Tensor:
            if known:
                return known.pop()
            optimizer.zero_grad()
            again = task.loss(task.model(x), y)
            again.backward()  # type: ignore[no-untyped-call]
            return again

        optimizer.step(closure)  # type: ignore[arg-type]  # torch's own take tensors
        advance(loss)

    return step_with_closure


def _needs_closure(optimizer: Optimizer) -> bool:
    parameters = list(inspect.signature(optimizer.step).parameters.values())
    return bool(parameters) and parameters[0].default is inspect.Parameter.empty


def _scheduling(scheduler: Any) -> Callable[[Tensor], None]:
    if scheduler is None:
        return lambda loss: None
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return lambda loss: scheduler.step(loss.detach())
    return lambda loss: scheduler.step()


def _reporter(progress: Progress | None, steps: int) -> Callable[[int], None]:
    """Return a function that passes on at most ten rows a second, and the last one."""
    if progress is None:
        return lambda row: None
    due = 0.0

    def report(row: int) -> None:
        nonlocal due
        now = time.perf_counter()
        if now >= due or row == steps:
            due = now + 0.1
            progress(row, steps)

    return report
