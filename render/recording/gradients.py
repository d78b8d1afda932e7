"""The gradient of the loss, tensor by tensor, along a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call, grad

from render.errors import InputError
from render.problem.shown import shown
from render.recording import evaluation
from render.recording.generators import one_at_a_time

if TYPE_CHECKING:
    from render.recording.problem import Problem
    from render.recording.trajectory import Array

__all__ = ["norms"]


def norms(
    problem: Problem, tensors: Sequence[str] | None, params: Array, buffers: Mapping[str, Array]
) -> Array:
    """Return the L2 norm of the loss's gradient in each tensor for each row of `params`: (K, n).

    tensors: names of parameter tensors; by default those with two axes or more. Raises InputError
    where there are none, or none of that name.
    """
    model = problem.model
    with one_at_a_time:
        known = dict(model.named_parameters())
    if not (tensors is None or isinstance(tensors, Iterable)):
        raise InputError(
            f"gradient_norms: tensors is {shown(tensors)}; give names of {', '.join(known)}"
        )
    asked = [tensors] if isinstance(tensors, str) else list(tensors or ())
    chosen = asked or [name for name, values in known.items() if values.ndim >= 2]
    unknown = [name for name in chosen if name not in list(known)]
    if unknown or not chosen:
        wrong = f"has no tensor {shown(unknown[0])}" if unknown else "has no tensor with two axes"
        raise InputError(
            f"gradient_norms: the run {wrong}; give tensors= some of {', '.join(known)}"
        )
    place = evaluation.place_of(model)
    x, y = (side.to(place, copy=True) for side in (problem.data.x, problem.data.y))

    def of(state: Mapping[str, Tensor]) -> Tensor:
        def loss(moved: Mapping[str, Tensor]) -> Tensor:
            prediction = functional_call(model, {**state, **moved}, (x,))
            return evaluation.measured(problem.loss, prediction, y)

        at = {name: state[name] for name in chosen}
        try:
            gradients: Mapping[str, Tensor] = grad(loss)(at)
        except torch.OutOfMemoryError:
            raise
        except Exception as exc:  # such as that of a model that differentiates itself
            try:
                gradients = _by_graph(loss, at)
            except Exception:
                raise exc from None
        return torch.stack([_norm(gradients[name]) for name in chosen])

    return evaluation.each(of, model, params, buffers)


def _norm(gradient: Tensor) -> Tensor:
    """Return the L2 norm in double precision: squares of small gradients would vanish in single."""
    kind = torch.complex128 if gradient.is_complex() else torch.float64
    norm: Tensor = torch.linalg.vector_norm(gradient, dtype=kind)
    return norm


def _by_graph(
    loss: Callable[[Mapping[str, Tensor]], Tensor], at: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the gradient of the loss as a training loop computes it."""
    moved = {name: values.detach().requires_grad_() for name, values in at.items()}
    with torch.enable_grad():
        found = torch.autograd.grad(loss(moved), list(moved.values()), materialize_grads=True)
    return dict(zip(moved, found, strict=True))
