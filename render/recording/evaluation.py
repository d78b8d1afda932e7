"""A model at many parameter vectors at once: predictions, losses, metrics.

Many small models are one large computation under `torch.vmap`. Chunks keep each operation's
result within the processor's cache, and all of them within a bound on memory.
"""

from __future__ import annotations

import time
import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.func import functional_call

from render.errors import InputError, RecordingError, RenderError
from render.recording.compiler import not_loaded
from render.recording.faults import first_line, whence
from render.recording.generators import forked, one_at_a_time
from render.recording.problem import Problem, to_numpy
from render.recording.sizes import Sizes

__all__ = [
    "called",
    "each",
    "fits_together",
    "is_looped",
    "losses",
    "measured",
    "metric",
    "place_of",
    "predictions",
    "refusing_loops",
    "unchanged",
]

Array = npt.NDArray[Any]


class Table(Protocol):
    """Rows of parameters, (K, P): an array, or what makes them when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Array: ...


State = dict[str, Tensor]

_WORTH_BATCHING = 8
_LOOPED = (nn.modules.conv._ConvNd, nn.RNNBase, nn.modules.batchnorm._BatchNorm)


def predictions(problem: Problem, x: object, params: Table, buffers: Mapping[str, Array]) -> Array:
    """Return the model's output at x for each row of `params`, (S, P): (S, n, ...)."""
    model = problem.model
    inputs = _inputs(x, problem.data.x).to(place_of(model))

    def predict(state: State) -> Tensor:
        output = called(model, state, inputs)
        if not isinstance(output, Tensor):
            raise RecordingError(
                f"predict: the model returns a {type(output).__name__}; it must return one tensor"
            )
        return output

    return each(predict, model, params, buffers)


def losses(problem: Problem, params: Table, buffers: Mapping[str, Array]) -> Array:
    """Return the loss over all the data for each row of `params`, (K, P): (K,)."""
    return metric(problem, problem.loss, params, buffers)


def metric(
    problem: Problem,
    measure: Callable[[Tensor, Tensor], object],
    params: Table,
    buffers: Mapping[str, Array],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Return measure(prediction, target) over all the data for each row of `params`: (K,).

    progress: called with (rows done, rows), about ten times a second.
    """
    model = problem.model
    place = place_of(model)
    x, y = (side.to(place, copy=True) for side in (problem.data.x, problem.data.y))

    def value(state: State) -> Tensor:
        return measured(measure, called(model, state, x), y)

    return each(value, model, params, buffers, progress)


def called(model: nn.Module, state: Mapping[str, Tensor], x: Tensor) -> Any:
    """Return the model's output at x, whatever it is.

    With gradients where it fails without: a model may differentiate itself. Raises InputError for
    one that changes x, which other rows need.
    """
    before = _version(x)
    try:
        output: object = functional_call(model, dict(state), (x,))
    except torch.OutOfMemoryError:
        raise
    except Exception as exc:  # whatever a user's model raises
        with torch.enable_grad():
            try:
                output = functional_call(model, dict(state), (x,))
            except Exception:
                raise exc from None
    if _version(x) != before:
        raise InputError(
            f"{type(model).__name__} changes its input in place where it is evaluated; take an "
            "operation that gives a new tensor, such as x.clamp(max=1) for x.clamp_(max=1)"
        )
    return output


def measured(
    measure: Callable[[Tensor, Tensor], object], prediction: Tensor, target: Tensor
) -> Tensor:
    """Return measure(prediction, target) as a tensor of shape (), or say what is wrong."""
    label, before = getattr(measure, "__name__", type(measure).__name__), _version(target)
    try:
        number = torch.as_tensor(measure(prediction, target), device=target.device)
    except (RenderError, torch.OutOfMemoryError):
        raise
    except Exception as exc:  # whatever a user's function raises
        raise RecordingError(
            f"{label} cannot be computed ({first_line(exc)}); it takes (prediction, target), "
            f"and must return one number{whence(exc)}"
        ) from exc
    if _version(target) != before:
        raise InputError(
            f"{label} changes the target in place, which other rows need; take an operation that "
            "gives a new tensor, such as torch.where(target > 0, 1, -1)"
        )
    if number.numel() != 1 or number.is_complex():
        kind = "a complex number" if number.is_complex() else f"shape {tuple(number.shape)}"
        raise InputError(f"{label} returns {kind}; it must return one number")
    return number.reshape(())


def place_of(model: nn.Module) -> torch.device:
    """Return the device of the model, which no other thread is evaluating meanwhile."""
    with one_at_a_time:
        return next(model.parameters()).device


def _version(values: Tensor) -> int:
    """Return how often operations have changed a tensor in place, as far as torch counts it."""
    return 0 if values.is_inference() else values._version


def is_looped(model: nn.Module) -> bool:
    """Say whether the model has parts that batch badly: convolutions and recurrences."""
    return any(isinstance(module, _LOOPED) for module in model.modules())


def fits_together(evaluate: Callable[[], object], place: str) -> bool:
    """Say whether an evaluation is so small that several at once are worth it."""
    with forked(), torch.no_grad(), Sizes() as sizes:
        try:
            evaluate()
        except Exception:  # the true error shows where it is raised to the user
            return False
    return bool(sizes.rows_at_once(place) >= _WORTH_BATCHING)


def _inputs(x: object, like: Tensor) -> Tensor:
    """Return x as a tensor of the data's type, or say what shape is missing."""
    try:
        values = (
            x.detach().to("cpu", copy=True)
            if isinstance(x, Tensor)
            else torch.tensor(np.array(x), device="cpu")
        )
        if values.is_complex():
            raise TypeError("complex")
        inputs = values.to(like.dtype)
        cut = not like.is_floating_point() and not torch.equal(inputs.to(values.dtype), values)
    except (TypeError, ValueError, RuntimeError) as exc:
        raise InputError(
            f"predict: x ({type(x).__name__}) is not an array of real numbers; give one like the "
            "data's x"
        ) from exc
    if cut:
        raise InputError(
            f"predict: x holds numbers that are not of the data's type, {like.dtype}; give whole "
            "numbers like those the model was recorded with"
        )
    if inputs.ndim != like.ndim or inputs.shape[1:] != like.shape[1:]:
        shape = ", ".join(("n", *map(str, like.shape[1:]))) + ("," if like.ndim == 1 else "")
        raise InputError(f"predict: x has shape {tuple(inputs.shape)}; the data's is ({shape})")
    return inputs


def each(
    function: Callable[[State], Tensor],
    model: nn.Module,
    params: Table,
    buffers: Mapping[str, Array],
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Return function(state) for the state in each row, stacked along the first axis.

    Threads take turns before the model is looked at: what it is to go back to is its own.
    """
    with not_loaded(), forked(place_of(model)), unchanged(model), torch.no_grad():
        model.eval()
        example, chunk = _probed(function, model, params, buffers)
        result = np.empty((len(params), *example.shape), dtype=example.dtype)
        start, due = 0, 0.0
        while start < len(params):
            rows = slice(start, min(start + chunk, len(params)))
            values = _together(function, model, params, buffers, rows) if chunk > 1 else None
            if values is None:
                chunk = 1
                rows = slice(start, start + 1)
                values = to_numpy(_alone(function, model, _state(model, params, buffers, start)))
            if values.dtype != result.dtype:  # such as that of max(0, 1 - …), at first 0
                result = result.astype(np.result_type(values, result), copy=False)
            result[rows] = values
            start = rows.stop
            if progress is not None and (time.monotonic() >= due or start == len(params)):
                due = time.monotonic() + 0.1
                progress(start, len(params))
    return result


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Restore what a module holds: `functional_call` leaves its tensors in one that is used twice,
    and a model may keep what it computes, also in lists and dicts.
    """
    held = [(kept, copy(kept)) for kept in _containers(model)]
    try:
        yield
    finally:
        for kept, before in held:
            kept.clear()
            (kept.extend if isinstance(kept, (list, deque)) else kept.update)(before)


_KEPT = (dict, OrderedDict, defaultdict, list, set, deque)


def _containers(model: nn.Module) -> list[Any]:
    """Return the containers that a model's modules hold, and those inside them."""
    found: dict[int, Any] = {}
    waiting: list[Any] = [vars(module) for module in model.modules()]
    while waiting:
        kept = waiting.pop()
        if type(kept) not in (*_KEPT, tuple) or id(kept) in found:
            continue
        found[id(kept)] = kept
        waiting += kept.values() if isinstance(kept, dict) else kept
    return [kept for kept in found.values() if type(kept) in _KEPT]


def _probed(
    function: Callable[[State], Tensor],
    model: nn.Module,
    params: Table,
    buffers: Mapping[str, Array],
) -> tuple[Array, int]:
    """Return the first row's value, and how many rows to evaluate together: 1 for one by one.

    Batching spares the overhead of small operations. Where a single evaluation fills the cache
    there is none to speak of, and convolutions and recurrences batch badly (measured: slower).
    """
    with Sizes() as sizes:
        first = _alone(function, model, _state(model, params, buffers, 0) if len(params) else {})
    # by the size of one row only, so that a row's value does not depend on its company
    chunk = sizes.rows_at_once(next(model.parameters()).device.type)
    return to_numpy(first), 1 if is_looped(model) or chunk < _WORTH_BATCHING else chunk


def _alone(function: Callable[[State], Tensor], model: nn.Module, state: State) -> Tensor:
    """Return the value for one state, or say what is wrong."""
    try:
        return function(state)
    except (RenderError, torch.OutOfMemoryError):
        raise
    except Exception as exc:  # whatever a user's model raises
        raise RecordingError(
            f"{type(model).__name__} cannot be evaluated here ({first_line(exc)}); give it data "
            f"like those it was recorded with{whence(exc)}"
        ) from exc


def _together(
    function: Callable[[State], Tensor],
    model: nn.Module,
    params: Table,
    buffers: Mapping[str, Array],
    rows: slice,
) -> Array | None:
    """Return the values of several rows in one batched call, or None where `vmap` cannot."""
    with refusing_loops():
        try:
            states = _states(model, params, buffers, rows)
            if rows.stop - rows.start == 1:  # a batch of one is multiplied by another routine
                states = {name: torch.cat([values, values]) for name, values in states.items()}
            stacked: Tensor = torch.vmap(function)(states)
            return to_numpy(stacked[: rows.stop - rows.start])
        except torch.OutOfMemoryError:
            raise
        except Exception:  # in as many ways as there are models; one by one, a true error shows
            return None


@contextmanager
def refusing_loops() -> Iterator[None]:
    """Have `vmap` fail at what it takes one by one, which is no faster together."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="There is a performance drop")
        yield


def _states(model: nn.Module, params: Table, buffers: Mapping[str, Array], rows: slice) -> State:
    """Return the parameters and buffers in `rows`, each with a leading axis."""
    state: State = {}
    place = next(model.parameters()).device
    table = torch.tensor(params[rows], device=place)
    column = 0
    for name, param in model.named_parameters():
        values = table[:, column : column + param.numel()]
        state[name] = values.reshape(len(table), *param.shape).to(param.dtype).contiguous()
        column += param.numel()
    return state | _moved(model, buffers, rows)


def _state(model: nn.Module, params: Table, buffers: Mapping[str, Array], row: int) -> State:
    """Return the parameters, with their attributes, and buffers in one row."""
    named = dict(model.named_parameters())
    whole = torch.tensor(params[row : row + 1][0], device=next(iter(named.values())).device)
    parts = torch.split(whole, [param.numel() for param in named.values()])
    state: State = {
        name: part.view(param.shape).to(param.dtype, copy=True)  # as aligned as the parameter
        for (name, param), part in zip(named.items(), parts, strict=True)
    }
    for name, param in named.items():
        vars(state[name]).update(vars(param))
    return state | _moved(model, buffers, row)


def _moved(model: nn.Module, buffers: Mapping[str, Array], rows: slice | int) -> State:
    """Return the buffers in `rows`."""
    named = dict(model.named_buffers()) if buffers else {}
    return {
        name: torch.tensor(history[rows], dtype=named[name].dtype, device=named[name].device)
        for name, history in buffers.items()
    }
