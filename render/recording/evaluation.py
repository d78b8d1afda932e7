"""A model at many parameter vectors at once: predictions, losses, metrics.

Many small models are one large computation under `torch.vmap`. Chunks keep each operation's
result within the processor's cache, and all of them within a bound on memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from render.errors import InputError, RecordingError, RenderError
from render.recording.problem import Problem, to_numpy

__all__ = ["losses", "metric", "predictions"]

Array = npt.NDArray[Any]
State = dict[str, Tensor]

_MEMORY_BYTES = 256 * 2**20
_CACHE_BYTES = {"cpu": 2 * 2**20, "cuda": 64 * 2**20}
_LOOPED = (nn.modules.conv._ConvNd, nn.RNNBase, nn.modules.batchnorm._BatchNorm)


def predictions(
    problem: Problem, x: object, params: Array, buffers: Mapping[str, Array]
) -> Array:
    """Return the model's output at x for each row of `params`, (S, P): (S, n, ...)."""
    model = problem.model
    inputs = _inputs(x, problem.data.x)

    def predict(state: State) -> Tensor:
        output: object = functional_call(model, state, (inputs,))
        if not isinstance(output, Tensor):
            raise RecordingError(
                f"predict: the model returns a {type(output).__name__}; it must return one tensor"
            )
        return output

    return _each(predict, model, params, buffers)


def losses(problem: Problem, params: Array, buffers: Mapping[str, Array]) -> Array:
    """Return the loss over all the data for each row of `params`, (K, P): (K,)."""
    return metric(problem, problem.loss, params, buffers)


def metric(
    problem: Problem,
    measure: Callable[[Tensor, Tensor], object],
    params: Array,
    buffers: Mapping[str, Array],
) -> Array:
    """Return measure(prediction, target) over all the data for each row of `params`: (K,)."""
    model = problem.model
    place = next(model.parameters()).device
    x, y = problem.data.x.to(place), problem.data.y.to(place)
    label = getattr(measure, "__name__", type(measure).__name__)

    def value(state: State) -> Tensor:
        number = torch.as_tensor(measure(functional_call(model, state, (x,)), y))
        if number.numel() != 1:
            raise InputError(
                f"{label} returns shape {tuple(number.shape)}; it must return one number"
            )
        return number.reshape(())

    return _each(value, model, params, buffers)


def _inputs(x: object, like: Tensor) -> Tensor:
    """Return x as a tensor of the data's type, or say what shape is missing."""
    try:
        inputs = torch.tensor(np.asarray(x))
    except (TypeError, ValueError, RuntimeError) as exc:
        raise InputError(f"predict: x ({type(x).__name__}) is not an array of numbers") from exc
    if inputs.ndim != like.ndim or inputs.shape[1:] != like.shape[1:]:
        shape = ", ".join(("n", *map(str, like.shape[1:]))) + ("," if like.ndim == 1 else "")
        raise InputError(f"predict: x has shape {tuple(inputs.shape)}; the data's is ({shape})")
    return inputs


def _each(
    function: Callable[[State], Tensor],
    model: nn.Module,
    params: Array,
    buffers: Mapping[str, Array],
) -> Array:
    """Return function(state) for the state in each row, stacked along the first axis."""
    model.eval()
    place = next(model.parameters()).device
    with torch.no_grad(), torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        sizes = _Sizes()
        with sizes:
            first = function(_state(model, params, buffers, 0) if len(params) else {})
        example = to_numpy(first)
        result = np.empty((len(params), *example.shape), dtype=example.dtype)
        chunk = min(len(params), sizes.rows_at_once(place.type))
        if chunk < 2 or any(isinstance(module, _LOOPED) for module in model.modules()):
            chunk = 1
        for start in range(0, len(params), chunk):
            rows = slice(start, min(start + chunk, len(params)))
            if chunk > 1:
                try:
                    result[rows] = _together(function, model, params, buffers, rows)
                    continue
                except RenderError:
                    raise
                except Exception:  # vmap refuses what it cannot batch in many ways
                    chunk_failed = True
            for row in range(rows.start, rows.stop):
                result[row] = to_numpy(function(_state(model, params, buffers, row)))
    return result


def _together(
    function: Callable[[State], Tensor],
    model: nn.Module,
    params: Array,
    buffers: Mapping[str, Array],
    rows: slice,
) -> Array:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="There is a performance drop")
        stacked: Tensor = torch.vmap(function)(_states(model, params, buffers, rows))
        return to_numpy(stacked)


def _states(
    model: nn.Module, params: Array, buffers: Mapping[str, Array], rows: slice
) -> State:
    """Return the parameters and buffers in `rows`, each with a leading axis."""
    state: State = {}
    place = next(model.parameters()).device
    table = torch.tensor(params[rows], device=place)
    column = 0
    for name, param in model.named_parameters():
        values = table[:, column : column + param.numel()]
        state[name] = values.reshape(-1, *param.shape).to(param.dtype)
        column += param.numel()
    named = dict(model.named_buffers())
    for name, history in buffers.items():
        like = named[name]
        state[name] = torch.tensor(history[rows], dtype=like.dtype, device=like.device)
    return state


def _state(
    model: nn.Module, params: Array, buffers: Mapping[str, Array], row: int
) -> State:
    stacked = _states(model, params, buffers, slice(row, row + 1))
    return {name: values[0] for name, values in stacked.items()}


class _Sizes(TorchDispatchMode):
    """Adds up the bytes that the operations inside it produce."""

    def __init__(self) -> None:
        super().__init__()
        self.widest = 1
        self.total = 1

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation and note the size of its results."""
        made = func(*args, **(kwargs or {}))
        for value in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(value, Tensor):
                size = value.numel() * value.element_size()
                self.widest = max(self.widest, size)
                self.total += size
        return made

    def rows_at_once(self, place: str) -> int:
        """Return how many evaluations to batch: in the cache, and within the memory bound."""
        return min(_CACHE_BYTES[place] // self.widest, _MEMORY_BYTES // self.total)
