"""Losses: from a prediction and its target to one number."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from render.errors import InputError
from render.problem.checks import check_tensors
from render.problem.least_squares import least_squares
from render.problem.penalties import penalised

__all__ = ["cross_entropy", "least_squares", "mse", "nll", "penalised"]

_SMALLEST_PROBABILITY = 1e-5
_LARGEST_LOGIT = math.log((1 - _SMALLEST_PROBABILITY) / _SMALLEST_PROBABILITY)


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error. Both arguments have the same shape."""
    _check_shapes("mse", prediction, target)
    return torch.mean((prediction - target) ** 2)


def nll(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of labels 0 and 1 (or probabilities between them).

    The probability sigmoid(logit) is clamped to [1e-5, 1 - 1e-5]: beyond that the loss is
    constant and its gradient zero. The clamp is put on the logits, whose loss
    log(1 + exp(-logit)) does not round to zero or overflow as the probability would.
    """
    _check_shapes("nll", logits, target)
    clamped = torch.clamp(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)
    return functional.binary_cross_entropy_with_logits(clamped, target.to(logits.dtype))


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross entropy of class logits (n, classes) and classes (n,).

    The classes are whole numbers from 0. One logit for two classes goes to `nll` instead.
    """
    check_tensors("cross_entropy", logits, target)
    fits = logits.ndim == 2 and target.ndim == 1 and len(logits) == len(target)
    if not fits or logits.shape[1] < 2 or target.is_floating_point():
        raise InputError(
            f"cross_entropy: the prediction has shape {tuple(logits.shape)} and the target "
            f"{tuple(target.shape)} {target.dtype}; give logits (n, classes) and whole-number "
            "classes (n,), or use nll for one logit a sample"
        )
    return functional.cross_entropy(logits, target.long())


def _check_shapes(loss: str, prediction: Tensor, target: Tensor) -> None:
    check_tensors(loss, prediction, target)
    if prediction.shape != target.shape:
        raise InputError(
            f"{loss}: the prediction has shape {tuple(prediction.shape)} and the target "
            f"{tuple(target.shape)}; they must be the same, so reshape one of them "
            "(a trailing 1 goes away with .squeeze(-1))"
        )
