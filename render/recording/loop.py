"""Recording a run: a torch training loop that writes down every step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.errors import RecordingError, RenderError
from render.problem.dataset import Dataset
from render.problem.surfaces import Surface
from render.recording import compiler, memory
from render.recording.batches import Batches, draw
from render.recording.buffers import Buffers
from render.recording.compiled import Compiled
from render.recording.faults import first_line, has_stopped, whence
from render.recording.generators import seeded
from render.recording.graphs import DeviceRow, objection, run_rows
from render.recording.keep import Keep
from render.recording.problem import Loss, Problem, own_data, to_numpy
from render.recording.replay import replayed
from render.recording.request import Metrics, OptimizerFactory, Request, SchedulerFactory
from render.recording.rows import Rows
from render.recording.selection import Selection
from render.recording.sessions import Progress, Session, active, blamed
from render.recording.starting import first_backward, first_loss
from render.recording.stepping import clearing, rate_of, stepper
from render.recording.task import Task, prepare
from render.recording.trajectory import Trajectory
from render.recording.watching import LiveMetrics, after

__all__ = ["record", "recorded", "reporter", "session_device"]


@compiler.not_loaded()
def record(
    model: nn.Module,
    data: Dataset | Surface,
    *,
    loss: Loss | None = None,
    optimizer: OptimizerFactory,
    steps: int,
    batch_size: int | None = None,
    scheduler: SchedulerFactory | None = None,
    metrics: Metrics | None = None,
    validation: Dataset | None = None,
    clip: float | None = None,
    keep: Keep | None = None,
    seed: int = 0,
    device: str = "auto",
    compile: bool = False,
) -> Trajectory:
    """Optimise a copy of `model` on `data` and record every one of `steps` updates.

    data: a Dataset, or a surface, which is a loss too, for a `models.Point`. loss: (prediction,
    target) -> scalar. optimizer: a callable taking the list of parameters, such as
    `partial(torch.optim.Adam, lr=0.1)`; it may sort them into groups or leave some out. With
    `partial(torch.optim.LBFGS, max_iter=1, max_eval=25)` each inner step of L-BFGS is a step of the
    run, also of one with a line search.
    scheduler: a callable taking the optimizer, stepped once an update. batch_size: samples a
    step, every sample once an epoch in an order drawn from `seed`; None, or the size of the data,
    takes all of them. metrics: name -> callable (prediction, target), or a list of callables,
    over all the data. validation: samples that are not learnt from; their loss and metrics become
    the metrics "val_loss", "val_accuracy" and so on. clip: scale each gradient down to this L2
    norm; the norm recorded is that before. keep: what of a large model is kept; None keeps all,
    (steps + 1) x P numbers, beside at most 16 MiB of buffers: `meta["recording_bytes"]`. device:
    "auto", "cpu", "cuda" or "cuda:N". compile: fuse whole steps with `torch.compile`: numbers equal
    to rounding, steps several times as fast, once half a minute or more of compiling is over
    (`meta["compiled"]`; docs/recording.md has figures). On the CPU, for torch's own optimizers
    without closure and scheduler; needs a C++ compiler.

    The same seed on the same device gives the same bits; `model` and torch's global generators
    stay as they were. A run that diverges goes on to its end with the numbers it has. Raises
    InputError for an argument that is not allowed, RecordingError where the run cannot be made,
    before it starts where it would not fit into memory.
    """
    session = active()
    request = Request(
        model=model,
        data=data,
        loss=loss,
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        scheduler=scheduler,
        metrics=metrics,
        validation=validation,
        clip=clip,
        keep=keep,
        seed=seed,
        device=session_device(device, session),
        compile=compile,
    )
    return recorded(prepare(request), session)


def recorded(task: Task, session: Session | None) -> Trajectory:
    """Return the run of a task that is prepared: recorded, or the session's stored one."""
    with torch.inference_mode(False):
        if session is None:
            return _guarded(task, None)
        if session.replay is not None:
            run = replayed(task, session.next_stored())
        else:
            run = _guarded(task, session.progress)
    session.runs.append(run)
    return run


def session_device(asked: str, session: Session | None) -> str:
    """Return the device that the session leaves of what was asked for."""
    if session is not None and session.replay is not None:
        return "cpu"
    if session is None or session.device is None or not isinstance(asked, str):
        return asked
    return session.device if asked == "auto" else asked


def _guarded(task: Task, progress: Progress | None) -> Trajectory:
    try:
        with seeded(task.device, task.seed), torch.enable_grad():
            return _run(task, progress)
    except (torch.OutOfMemoryError, MemoryError) as exc:
        raise RecordingError(
            f"record: {task.device} ran out of memory; use a smaller batch_size, fewer steps, or "
            "another device"
        ) from exc
    except RenderError:
        raise
    except Exception as exc:  # whatever a user's model, loss, optimizer or scheduler raises
        if has_stopped(exc):  # some steps after the one that is to blame
            raise RecordingError(
                f"record: {task.device} stopped ({first_line(exc)}), as it does for a label that "
                "is no class; start a new process with device='cpu', which tells where"
            ) from exc
        made = "" if task.scheduler is None else f", scheduler {type(task.scheduler).__name__}"
        raise RecordingError(
            f"record: the run failed after its first loss ({type(exc).__name__}: "
            f"{first_line(exc)}); check model {type(task.model).__name__}, loss, optimizer "
            f"{type(task.optimizer).__name__}{made} and batch_size{whence(exc)}"
        ) from exc


def _run(task: Task, progress: Progress | None) -> Trajectory:
    selection, report = Selection(task.model, task.keep), reporter(progress, task.steps)
    if task.device.type == "cuda":
        against = objection(task)
        if against is None:
            return _run_on_device(task, selection, report)
        task.meta["cuda_graph"] = f"eager: {against}"
    return _run_in_steps(task, selection, report)


_LESS = (
    "fewer steps, or keep less of it, such as keep=Keep(every=10); "
    "a run with keep=Keep(tensors=[…]) holds no buffers"
)


def _run_in_steps(task: Task, selection: Selection, report: Callable[[int], None]) -> Trajectory:
    model, optimizer, steps, every = task.model, task.optimizer, task.steps, task.keep.every
    count = steps // every + 1
    batches = Batches(task)
    samples = iter(batches)
    moving = Buffers(model if task.keep.whole else nn.Module())  # rows are not evaluated elsewhere
    clear = clearing(optimizer, selection.params)
    step = stepper(task, clear)
    live = None if task.keep.whole else LiveMetrics(task)
    rates: list[float | Tensor] = []
    log: Rows | None = None
    fused: Compiled | None = None
    row = 0
    while row <= steps:
        if fused is not None and row + fused.rows <= steps:
            fused([next(samples) for _ in range(fused.rows)], every, row)
            rates.extend(rates[:1] * len(range(-row % every, fused.rows, every)))
            row += fused.rows
            report(row - 1)
            moving.keep(row % every == 0)
            continue
        x, y = next(samples)
        clear()
        if live is not None and row % every == 0:
            live.look()
        if log is None:
            loss = first_loss(task, x, y)
            log = Rows(selection, loss, count)
            first_backward(task, loss, selection.params)
        else:
            loss = task.loss(model(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
        if row % every == 0:
            log.add(loss)
            rates.append(rate_of(optimizer))
            if live is not None:
                live.add()
        report(row)
        if row < steps:
            step(x, y, loss)
        row += 1
        moving.keep(row % every == 0)
        if row == 1:
            memory.check(moving.taken(count), f"record: {count} rows of the model's buffers", _LESS)
            if task.request.compile:
                fused = Compiled(task, log, even=batches.even)
                task.meta["compiled"] = fused.told
    assert log is not None
    log.finish()
    task.meta["recording_bytes"] = int(task.meta["recording_bytes"]) + moving.taken(count)
    return _trajectory(task, selection, log, batches.kept, rates, moving.history(count), live)


def _run_on_device(task: Task, selection: Selection, report: Callable[[int], None]) -> Trajectory:
    """Record a run whose rows need nothing from the host, as a CUDA graph."""
    size, plan = task.batch_size, None
    if size is not None:
        plan = draw(len(task.data), size, task.steps + 1, task.seed)
    log, told = run_rows(DeviceRow(task, selection, plan), task.steps, report)
    task.meta["cuda_graph"] = told
    log.finish()
    rates: list[float | Tensor] = [task.optimizer.param_groups[0]["lr"]] * (task.steps + 1)
    batch = None if plan is None else plan.numpy().astype(np.int32)
    return _trajectory(task, selection, log, batch, rates, {}, None)


def _trajectory(
    task: Task,
    selection: Selection,
    log: Rows,
    batch: npt.NDArray[Any] | None,
    rates: list[float | Tensor],
    buffers: dict[str, Any],
    live: LiveMetrics | None,
) -> Trajectory:
    data, x, y = task.own or own_data(task.data)
    problem = Problem(model=task.model.eval(), loss=task.loss, data=data)
    if live is None:
        metrics, final = after(task, problem, log.params, buffers), None
    else:
        metrics = live.history()
        final = np.concatenate([to_numpy(p).reshape(-1) for p in selection.params])
    if log.off_plane is not None:
        metrics["off_plane"] = log.off_plane
    for param in selection.params:
        param.grad = None
    return Trajectory(
        params=log.params,
        loss=log.loss,
        lr=np.array([float(rate) for rate in rates]),
        grad_norm=log.grad_norm,
        batch=batch,
        metrics=metrics,
        layout=selection.layout,
        x=x,
        y=y,
        meta=task.meta,
        buffers=buffers,
        every=task.keep.every,
        final=final,
        source=problem,
    )


def reporter(progress: Progress | None, steps: int) -> Callable[[int], None]:
    """Return a function that passes on at most ten rows a second, and the last one."""
    if progress is None:
        return lambda row: None
    tell, due = blamed(progress), 0.0

    def report(row: int) -> None:
        nonlocal due
        now = time.perf_counter()
        if now >= due or row == steps:
            due = now + 0.1
            tell(row, steps)

    return report
