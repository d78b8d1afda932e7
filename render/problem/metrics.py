"""Metrics: numbers to watch, which the optimizer does not see."""

from __future__ import annotations

import torch
from torch import Tensor

from render.errors import InputError
from render.problem.checks import check_tensors

__all__ = ["accuracy"]


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the share of right predictions, between 0 and 1.

    Either logits of shape (n,) with targets 0 and 1 of shape (n,): above 0 means label 1. Or
    class logits of shape (n, classes) with whole-number targets of shape (n,): the largest wins.
    A NaN is never right.
    """
    check_tensors("accuracy", prediction, target)
    if prediction.ndim == 1 and prediction.shape == target.shape:
        right = (prediction > 0) == (target > 0.5)
        return torch.mean((right & ~prediction.isnan()).float())
    classes = prediction.ndim == 2 and target.ndim == 1 and len(prediction) == len(target)
    if classes and prediction.shape[1] > 1 and not target.is_floating_point():
        right = prediction.argmax(dim=1) == target
        return torch.mean((right & ~prediction.isnan().any(dim=1)).float())
    raise InputError(
        f"accuracy: the prediction has shape {tuple(prediction.shape)} and the target "
        f"{tuple(target.shape)} {target.dtype}; give logits (n,) with targets 0 and 1 (n,), or "
        "class logits (n, classes) with whole-number targets (n,)"
    )
