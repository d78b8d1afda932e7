"""The update of many runs: one optimizer of torch's own, and for each run its rate.

Where the runs have one rate, the optimizer moves their parameters. Where they have several, it
moves a tensor of zeros with rate 1: what it holds then is the direction, to the last bit whatever
the parameters are, for none of these optimizers keeps the rate in its state or looks at parameters,
but for their decay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.kinds import renewed
from render.recording.stack import Stack
from render.recording.task import Task

__all__ = ["updater"]

Array = npt.NDArray[Any]
Move = Callable[[int, Tensor], None]


def updater(task: Task, stack: Stack, rates: Array) -> Move:
    """Return the update of all runs after a row, given its gradient.

    task: any of them. rates: of each row and run, (T, K).
    """
    one, clip = bool((rates == rates[:, :1]).all()), task.request.clip
    move = _with_one_rate(task, stack, rates) if one else _with_many_rates(task, stack, rates)
    if clip is None:
        return move
    return lambda row, gradient: move(row, stack.clipped(gradient, clip))


def _with_one_rate(task: Task, stack: Stack, rates: Array) -> Move:
    optimizer = renewed(task.optimizer, [stack.flat])
    group = optimizer.param_groups[0]

    def move(row: int, gradient: Tensor) -> None:
        stack.flat.grad = gradient
        group["lr"] = float(rates[row, 0])
        optimizer.step()

    return move


def _with_many_rates(task: Task, stack: Stack, rates: Array) -> Move:
    flat = stack.flat
    direction = nn.Parameter(torch.zeros_like(flat), requires_grad=False)
    optimizer = renewed(task.optimizer, [direction])
    group = optimizer.param_groups[0]
    decay, decoupled = group["weight_decay"], group.get("decoupled_weight_decay", False)
    group["weight_decay"] = 0.0  # of the parameters, not of the direction
    pull = 0.0 if decoupled else -decay if group["maximize"] else decay
    distinct, inverse = np.unique(rates, axis=0, return_inverse=True)
    scales = [_spread(stack, row) for row in distinct]
    shrinks = [_spread(stack, 1 - row * decay) for row in distinct] if decoupled and decay else None
    which = inverse.reshape(-1).tolist()

    def move(row: int, gradient: Tensor) -> None:
        direction.grad = gradient.add(flat, alpha=pull) if pull else gradient
        direction.zero_()
        optimizer.step()
        if shrinks is not None:
            flat.mul_(shrinks[which[row]])
        flat.addcmul_(direction, scales[which[row]])

    return move


def _spread(stack: Stack, values: Array) -> Tensor:
    """Return a number for each parameter: in float32 for halves, as torch multiplies by rates."""
    kind = torch.promote_types(stack.flat.dtype, torch.float32)
    return stack.spread(torch.tensor(values, device="cpu")).to(kind)
