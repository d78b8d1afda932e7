"""Many runs at once: the same problem with other rates, starts, seeds, batches or optimizers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from render.errors import InputError, RecordingError, RenderError
from render.problem.dataset import Dataset
from render.problem.shown import shown
from render.problem.surfaces import Surface
from render.recording import compiler, memory, together
from render.recording.keep import Keep
from render.recording.kinds import kind_of
from render.recording.loop import recorded, session_device
from render.recording.problem import Loss, own_data
from render.recording.request import Metrics, OptimizerFactory, Request, SchedulerFactory
from render.recording.sessions import Session, active
from render.recording.settings import label
from render.recording.task import Task, prepare
from render.recording.trajectory import Trajectory

__all__ = ["sweep"]


@compiler.not_loaded()
def sweep(
    model: nn.Module | Sequence[nn.Module] | Mapping[str, nn.Module],
    data: Dataset | Surface,
    *,
    loss: Loss | None = None,
    optimizer: OptimizerFactory | Sequence[OptimizerFactory] | Mapping[str, OptimizerFactory],
    steps: int,
    lr: Iterable[float] | Mapping[str, float] | None = None,
    batch_size: int | Sequence[int | None] | Mapping[str, int | None] | None = None,
    seed: int | Sequence[int] | Mapping[str, int] = 0,
    scheduler: SchedulerFactory | None = None,
    metrics: Metrics | None = None,
    validation: Dataset | None = None,
    clip: float | None = None,
    keep: Keep | None = None,
    device: str = "auto",
) -> dict[str, Trajectory]:
    """Record a run for each value of what varies: a mapping from labels to runs, for any panel.

    What varies is given as a list, or as a mapping from labels: `lr` (the optimizer is then
    called with `lr=` as well), `model` (several starts), `seed`, `batch_size` and `optimizer`.
    Where several vary, every combination is recorded. Labels read "lr 0.1, batch 8". The other
    arguments are those of `record`.

    Runs of the same shape advance together, in one computation for all of them: their numbers
    equal those of separate `record` calls to rounding, and `meta["together"]` says how many they
    were. The rest are recorded one after another, to the same bits as `record` gives. A run that
    diverges changes no other. Raises InputError and RecordingError as `record` does; an error in
    one run ends the sweep, and names that run.
    """
    session = active()
    request = partial(
        Request,
        data=data,
        loss=loss,
        steps=steps,
        scheduler=scheduler,
        metrics=list(metrics) if isinstance(metrics, Iterator) else metrics,  # for every run
        validation=validation,
        clip=clip,
        keep=keep,
        device=session_device(device, session),
    )
    starts, made = _labelled("model", model), _labelled("optimizer", optimizer)
    sizes, seeds = _numbers("batch", batch_size), _numbers("seed", seed)
    variants: dict[str, Task] = {}
    for choices in itertools.product(made, _rates(lr), starts, sizes, seeds):
        name = ", ".join(choice.label for choice in choices if choice.label)
        if name in variants:
            raise InputError(f"sweep: two runs are labelled {shown(name)}; choose other labels")
        with _named(name if variants else ""):  # what fails in the first may fail in all
            variants[name] = prepare(_varied(request, *(choice.value for choice in choices)))
    with torch.inference_mode(False):
        return _recorded(variants, session)


def _varied(
    request: Callable[..., Request],
    optimizer: Any,
    lr: float | None,
    model: Any,
    size: Any,
    seed: Any,
) -> Request:
    """Return the request of one combination."""
    made = partial(optimizer, lr=lr) if callable(optimizer) and lr is not None else optimizer
    return request(model=model, optimizer=made, batch_size=size, seed=seed)


def _recorded(variants: dict[str, Task], session: Session | None) -> dict[str, Trajectory]:
    tasks = list(variants.values())
    loops = [memory.loop_bytes(task.model, task.steps, task.keep) for task in tasks]
    needed = sum(int(task.meta["recording_bytes"]) for task in tasks) - sum(loops) + max(loops)
    memory.check(needed, f"sweep: {len(tasks)} runs of {tasks[0].steps} steps")
    if session is not None and session.replay is not None:
        return {name: recorded(task, session) for name, task in variants.items()}
    variants = _sharing(variants)
    done = _together(list(variants.values()), session.progress if session else None)
    runs = {}
    for name, task in variants.items():
        run = done.get(task)
        if run is None:  # built anew: what was tried before may have moved its schedule
            with _named(name):
                run = recorded(replace(prepare(task.request), own=task.own), session)
        elif session is not None:
            session.runs.append(run)
        runs[name] = run
    return runs


def _sharing(variants: dict[str, Task]) -> dict[str, Task]:
    """Have all runs hold one copy of the data; a surface has one for each type of its points."""
    copies = {task.data.x.dtype: task.data for task in variants.values()}
    own = {kind: own_data(data) for kind, data in copies.items()}
    return {name: replace(task, own=own[task.data.x.dtype]) for name, task in variants.items()}


@contextmanager
def _named(run: str) -> Iterator[None]:
    """Name the run in an error."""
    try:
        yield
    except (InputError, RecordingError) as exc:
        if not run:
            raise
        told = str(exc).removeprefix("record: ")
        raise type(exc)(f"sweep: the run {shown(run)}: {told}") from exc


@dataclass(frozen=True)
class _Choice:
    """One value of what varies, and its part of the label."""

    label: str
    value: Any


def _together(tasks: list[Task], progress: together.Progress | None) -> dict[Task, Trajectory]:
    """Return the runs that could advance together."""
    groups: dict[object, list[Task]] = {}
    for task in tasks:
        kind = kind_of(task)
        if kind is not None:
            groups.setdefault(kind, []).append(task)
    done: dict[Task, Trajectory] = {}
    for group in groups.values():
        try:
            runs = together.recorded(group, progress) if len(group) > 1 else None
        except RenderError:
            runs = None  # one by one, it shows in the run that it comes from
        if runs is not None:
            done |= dict(zip(group, runs, strict=True))
    return done


def _labelled(what: str, value: Any) -> list[_Choice]:
    """Return the choices of models or optimizers."""
    if isinstance(value, Mapping):
        named = _by_label(what, value)
    elif isinstance(value, Sequence) and not isinstance(value, (str, nn.Sequential)):
        if what == "model":
            named = {f"start {at + 1}": entry for at, entry in enumerate(value)}
        else:
            named = {label(entry): entry for entry in value}
            if len(named) < len(value):
                raise InputError(
                    "sweep: optimizer lists one name twice; give a mapping from labels, such as "
                    "{'momentum 0.9': partial(torch.optim.SGD, momentum=0.9), …}"
                )
    else:
        return [_Choice("", value)]
    if not named:
        raise InputError(f"sweep: {what} is empty; give at least one")
    return [_Choice(name, entry) for name, entry in named.items()]


def _by_label(what: str, given: Mapping[Any, Any]) -> dict[str, Any]:
    named = {str(name): entry for name, entry in given.items()}
    if len(named) < len(given):
        raise InputError(f"sweep: {what} has two labels that read the same; choose others")
    return named


def _rates(lr: Any) -> list[_Choice]:
    if lr is None:
        return [_Choice("", None)]
    named = _by_label("lr", lr) if isinstance(lr, Mapping) else None
    try:
        listed = isinstance(lr, Iterable) and not isinstance(lr, bytes)
        rates = np.asarray(list(lr if named is None else named.values()) if listed else lr)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths
        rates = np.empty(0)
    if rates.ndim != 1 or rates.size == 0 or rates.dtype.kind not in "iuf":
        raise InputError(
            f"sweep: lr is {shown(lr)}; give a list of rates, such as [0.01, 0.1, 1.0]"
        )
    values = [float(rate) for rate in rates]
    if named is not None:
        return [_Choice(*pair) for pair in zip(named, values, strict=True)]
    for digits in range(6, 18):  # as many as tell them apart
        labels = [f"lr {rate:.{digits}g}" for rate in values]
        if len(set(labels)) == len(set(values)):
            break
    return _distinct("lr", [_Choice(*pair) for pair in zip(labels, values, strict=True)])


def _numbers(what: str, value: Any) -> list[_Choice]:
    value = _plain(value)
    if value is None or isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return [_Choice("", value)]
    named = _by_label(what, value) if isinstance(value, Mapping) else None
    values = [_plain(entry) for entry in (value if named is None else named.values())]
    if not values:
        raise InputError(f"sweep: {what} is empty; give at least one")
    if named is not None:
        return [_Choice(*pair) for pair in zip(named, values, strict=True)]
    shown = [f"{what} {'all' if entry is None else entry}" for entry in values]
    return _distinct(what, [_Choice(*pair) for pair in zip(shown, values, strict=True)])


def _plain(value: Any) -> Any:
    """Return an array as a list, and one number of it as Python's."""
    try:
        return value.tolist() if hasattr(value, "tolist") else value
    except (RuntimeError, NotImplementedError):  # a tensor without numbers
        return value


def _distinct(what: str, choices: list[_Choice]) -> list[_Choice]:
    labels = [choice.label for choice in choices]
    for name in labels:
        if labels.count(name) > 1:
            raise InputError(
                f"sweep: {what} lists {name.removeprefix(what + ' ')} twice; give each value once"
            )
    return choices
