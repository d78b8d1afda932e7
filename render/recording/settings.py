"""Optimizers and schedulers in words: their names and settings, for a run's `meta`."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["architecture", "label", "settings"]

Plain = str | int | float


def label(function: object) -> str:
    """Return a callable's name: a partial's is that of the function inside."""
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def architecture(model: nn.Module) -> dict[str, Plain]:
    """Return a model's layers with their settings, and which parameters do not learn."""
    frozen = [name for name, param in model.named_parameters() if not param.requires_grad]
    layers = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(model))  # an object's place in memory
    return {"architecture": layers, "frozen": ", ".join(frozen) or "none"}


def settings(role: str, made: object) -> dict[str, Plain]:
    """Return an optimizer's or scheduler's class as `role`, its settings as `role.setting`.

    Further parameter groups are listed as `optimizer.1.lr` and so on.
    """
    named: dict[str, Plain] = {role: type(made).__name__}
    if isinstance(made, Optimizer):
        for index, group in enumerate(made.param_groups):
            prefix = f"{role}.{index}" if index else role
            named |= {f"{prefix}.{key}": _plain(value) for key, value in _chosen(group).items()}
        return named
    return named | {f"{role}.{key}": _plain(value) for key, value in _chosen(vars(made)).items()}


def _chosen(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is state rather than a setting."""
    state = {"params", "optimizer", "base_lrs", "last_epoch", "verbose", "param_names"}
    return {
        key: value for key, value in values.items() if key not in state and not key.startswith("_")
    }


def _plain(value: Any) -> Plain:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Tensor):
        return str(value.tolist())
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(str(_plain(entry)) for entry in value) + ")"
    if callable(value):
        return label(value)
    return str(value) if value is None else type(value).__name__
