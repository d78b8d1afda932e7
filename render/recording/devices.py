"""Where a run is computed."""

from __future__ import annotations

import torch
from torch import nn

from render.errors import InputError
from render.problem.shown import shown

__all__ = ["choose"]

_WORTH_A_GPU = 2_000_000
"""Parameters times samples a step, above which a GPU's speed outweighs its kernel launches."""


def choose(device: str, model: nn.Module, samples: int) -> tuple[torch.device, str]:
    """Return the device for steps of `model` over `samples` samples, and the reason.

    "auto" takes the GPU only for enough work: below 2,000,000 parameters x samples a step, the
    launches of its many small kernels take longer than the arithmetic does on the CPU. (Measured
    on an H100 beside 2 threads: eager steps of a network cost as much somewhere between 4,000,000
    and 30,000,000, captured ones less at any size; starting CUDA takes 2 to 3 s.)
    """
    if not isinstance(device, str) or device != "auto":
        return _named(device), "asked for"
    if not torch.cuda.is_available():
        return torch.device("cpu"), "no CUDA device"
    work = samples * sum(value.numel() for value in model.parameters())
    if work < _WORTH_A_GPU:
        return torch.device("cpu"), f"small: {work:,} parameters x samples a step"
    return torch.device("cuda"), f"large: {work:,} parameters x samples a step"


def _named(device: object) -> torch.device:
    try:
        found = torch.device(str(device))
    except (RuntimeError, ValueError):
        found = None
    if found is None or found.type not in ("cpu", "cuda"):
        raise InputError(f"device is {shown(device)}; choose auto, cpu, cuda or cuda:N")
    if found.type == "cuda":
        seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not 0 <= (found.index or 0) < seen:  # torch wraps large numbers around to below 0
            has = f"{seen} CUDA device(s)" if seen else "no CUDA device"
            raise InputError(
                f"device is {shown(device)}, but torch sees {has} here; choose auto or cpu"
            )
    return found
