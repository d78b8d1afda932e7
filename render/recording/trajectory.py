"""A recorded run, as numpy arrays.

Imports without torch, and unpickles without it: a process that only draws never pays for it.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from render.errors import InputError, RecordingError
from render.problem.shown import shown
from render.recording.packing import PackedProblem, pack
from render.recording.shapes import check_arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from render.recording.problem import Problem

__all__ = ["Array", "Trajectory", "asarray"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trajectory:
    """A run of T - 1 updates: row k of every array is the state after k updates.

    params: (T, P), a column for each number in `model.parameters()`, named in `names`.
    loss: (T,), the loss the optimizer saw at params[k]: over all the data, or over `batch[k]`.
    lr: (T,), the rate of update k -> k + 1 (of the first parameter group); NaN if it has none.
    grad_norm: (T,), the L2 norm of the gradient of loss[k], before the optimizer changes it.
    batch: (T, B), the samples whose gradient makes update k -> k + 1, padded with -1 in a short
        last batch of an epoch; None for full-batch runs.
    metrics: (T,) each, over all the data, with the model in evaluation mode.
    layout: name and shape of each parameter tensor, in the order of the columns.
    x, y: the data. buffers: (T, ...) each, the model's buffers that training moves (the running
        statistics of batch normalisation); none where `final` is given.
    meta: how the run was made: optimizer, loss, seed, device, versions.
    every: the updates between two rows: 1, but for runs recorded with `keep=Keep(every=…)`, whose
        row k is the state after k * every updates.
    final: all P parameters after the last update, in a run that keeps only tensors or directions
        of them (whose `params` has a column for each number kept); else None.
    source: the model and loss, packed or not; use `problem`.

    All arrays are read-only. Raises InputError for parameters and losses that do not fit together.
    """

    params: Array
    loss: Array
    lr: Array
    grad_norm: Array
    batch: Array | None
    metrics: Mapping[str, Array]
    layout: tuple[tuple[str, tuple[int, ...]], ...]
    x: Array
    y: Array
    meta: Mapping[str, str | int | float]
    buffers: Mapping[str, Array] = field(default_factory=dict)
    every: int = 1
    final: Array | None = None
    source: Problem | PackedProblem | None = None

    def __post_init__(self) -> None:
        check_arrays(self)
        for entry in fields(self):
            object.__setattr__(self, entry.name, _locked(getattr(self, entry.name)))

    def __repr__(self) -> str:
        made = ", ".join(
            f"{key}={self.meta[key]}" for key in ("optimizer", "loss") if key in self.meta
        )
        end = "" if self.diverged_at is None else f", diverged at {self.diverged_at}"
        return f"Trajectory(steps={self.steps}, params={self.params.shape[1]}, {made}{end})"

    @property
    def steps(self) -> int:
        """The number of updates, T - 1."""
        return len(self.loss) - 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each column of `params`: "slope", or "0.weight[3,1]" in a tensor."""
        return tuple(
            f"{name}[{','.join(map(str, index))}]" if shape else name
            for name, shape in self.layout
            for index in itertools.product(*map(range, shape))
        )

    @cached_property
    def diverged_at(self) -> int | None:
        """The first row whose loss or a parameter is not finite, or None."""
        finite = np.isfinite(self.loss) & np.isfinite(self.params).all(axis=1)
        return None if finite.all() else int(np.argmin(finite))

    @cached_property
    def data_loss(self) -> Array:
        """The loss over all the data, (T,): `loss` itself for full-batch runs.

        For mini-batch runs it is computed when first asked for, with the model in evaluation
        mode. Raises RecordingError for a run without its model.
        """
        if self.batch is None:
            return self.loss
        from render.recording import evaluation

        return _lock(evaluation.losses(self._attached(), self.params, self.buffers))

    @cached_property
    def problem(self) -> Problem | None:
        """The model, loss and data, for evaluating at other parameters; None when unknown."""
        if isinstance(self.source, PackedProblem):
            return self.source.unpack(self.x, self.y)
        return self.source

    def column(self, name: str) -> int:
        """Return the column of `params` that holds the parameter `name`."""
        try:
            return self.names.index(str(name))
        except ValueError:
            close = difflib.get_close_matches(str(name), self.names, n=1)
            some = ", ".join(self.names[:6]) + (", ..." if len(self.names) > 6 else "")
            hint = f"did you mean {close[0]!r}?" if close else f"there are {some}"
            raise InputError(f"the run has no parameter {shown(name)}; {hint}") from None

    def predict(self, x: object, steps: int | Sequence[int] | Array) -> Array:
        """Return the model's predictions at x after each of `steps` updates.

        x is an array like the data's x, of any length n. Several steps are evaluated in batched
        calls of bounded memory: the result has shape (len(steps), n, ...); a single step gives
        (n, ...). Negative steps count from the end. The model is in evaluation mode. The last bit
        may depend on the steps asked together, where n is not a multiple of 16: matrix products
        round differently on unaligned memory. Raises InputError for steps outside the run,
        RecordingError for a run without its model.
        """
        from render.recording import evaluation

        rows = self._rows(steps)
        at = rows.reshape(-1)
        buffers = {name: values[at] for name, values in self.buffers.items()}
        values = evaluation.predictions(self._attached(), x, self.params[at], buffers)
        return values[0] if rows.ndim == 0 else values

    def loss_at(self, params: npt.ArrayLike) -> Array:
        """Return the loss over all the data at each row of `params`, of shape (K, P): (K,).

        Evaluated in batched calls of bounded memory, with the model in evaluation mode and the
        last row's buffers. Raises InputError for another shape, RecordingError for a run without
        its model.
        """
        from render.recording import evaluation

        points = asarray(params)
        width = self.params.shape[1]
        if points.ndim != 2 or points.shape[1] != width or points.dtype.kind not in "iuf":
            raise InputError(
                f"loss_at: params has shape {points.shape} and type {points.dtype}; it must be "
                f"real numbers (K, {width}), a row for each point"
            )
        last = {
            name: np.broadcast_to(values[-1], (len(points), *values.shape[1:]))
            for name, values in self.buffers.items()
        }
        return evaluation.losses(self._attached(), points, last)

    def gradient_norms(self, tensors: Sequence[str] | None = None) -> Array:
        """Return the L2 norm of the gradient in each parameter tensor at each row, (T, tensors).

        It is the gradient of the loss over all the data, with the model in evaluation mode.
        tensors: names as in `layout`; by default the weights, which are those with two axes or
        more. Evaluated in batched calls of bounded memory. Raises InputError for names that the
        run does not have, RecordingError for a run without its model.
        """
        from render.recording import gradients

        return gradients.norms(self._attached(), tensors, self.params, self.buffers)

    def attach(self, model: nn.Module, loss: Callable[..., Any]) -> Self:
        """Return this run with the model and loss that it was recorded with.

        A run loaded from a file is numbers only; with these it can `predict` again. Raises
        InputError for a model with other parameters.
        """
        from render.recording.problem import attached

        return replace(self, source=attached(self, model, loss))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the run to an `.npz` file, whole or not at all. The model is not written."""
        from render.recording.storage import save_runs

        save_runs(path, [self])

    @classmethod
    def load(cls, path: str | PathLike[str], problem: Problem | None = None) -> Trajectory:
        """Read the run that `save` wrote; raise RecordingError for any other file."""
        from render.recording.storage import load_run

        return load_run(path, problem)

    def _attached(self) -> Problem:
        if self.problem is None:
            raise RecordingError(
                "this run holds numbers only, not its model, so it cannot be evaluated elsewhere; "
                "attach what it was recorded with: run = run.attach(model, loss)"
            )
        if self.final is not None:
            raise RecordingError(
                f"this run was recorded with keep={self.meta.get('keep')}, without the parameters "
                "that it takes to evaluate its steps; record metrics=, or keep=Keep(every=…)"
            )
        return self.problem

    def _rows(self, steps: int | Sequence[int] | Array) -> Array:
        """Return `steps` as row numbers counted from the start."""
        rows = asarray(steps)
        if rows.size == 0:
            rows = rows.astype(np.int64)
        if rows.ndim > 1 or not np.issubdtype(rows.dtype, np.integer):
            raise InputError(f"steps is {shown(steps)}; give a whole number or a sequence of them")
        outside = rows[(rows < -self.steps - 1) | (rows > self.steps)]
        if outside.size:
            raise InputError(f"step {outside.flat[0]} is outside the run's 0 ... {self.steps}")
        return rows % (self.steps + 1)

    def __getstate__(self) -> dict[str, Any]:
        state = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        if "data_loss" in vars(self):  # known here, it spares the other process torch
            state["data_loss"] = self.data_loss
        return {**state, "source": pack(self.source)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, _locked(value))


def asarray(values: object) -> Array:
    """Return an array, of the type object where the values make none."""
    try:
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths
        return np.empty((), dtype=object)


def _lock(array: Array) -> Array:
    """Return a read-only view, which leaves the caller's own array as it was."""
    view = array.view()
    view.flags.writeable = False
    return view


def _locked(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _lock(value)
    if isinstance(value, Mapping):
        return {key: _locked(entry) for key, entry in value.items()}
    return value
