"""What `record` and `sweep` are asked for, as it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from render.problem.dataset import Dataset
from render.problem.surfaces import Surface
from render.recording.keep import Keep
from render.recording.problem import Loss

__all__ = ["Metric", "Metrics", "OptimizerFactory", "Request", "SchedulerFactory"]

Metric = Callable[[Tensor, Tensor], object]
Metrics = Mapping[str, Metric] | Iterable[Metric]
OptimizerFactory = Callable[[Any], Optimizer]
SchedulerFactory = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """The arguments of one `record` call; nothing is checked yet."""

    model: nn.Module
    data: Dataset | Surface
    loss: Loss | None
    optimizer: OptimizerFactory
    steps: int
    batch_size: int | None = None
    scheduler: SchedulerFactory | None = None
    metrics: Metrics | None = None
    validation: Dataset | None = None
    clip: float | None = None
    keep: Keep | None = None
    seed: int = 0
    device: str = "auto"
    compile: bool = False
