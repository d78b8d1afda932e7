"""The history of a model's buffers: state that training moves beside the parameters."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.problem import to_numpy

__all__ = ["Buffers"]


class Buffers:
    """The history of the buffers that an evaluation moves, such as running statistics."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._start = {name: value.detach().clone() for name, value in model.named_buffers()}
        self._kept: dict[str, list[Tensor]] | None = None

    def keep(self, due: bool) -> None:
        """Note the buffers after an evaluation: they belong to the next row, if that one is kept.

        The first call finds out, by their values, which buffers move at all.
        """
        if not self._start:
            return
        now = dict(self._model.named_buffers())
        if self._kept is None:
            self._kept = {
                name: [start]
                for name, start in self._start.items()
                if not torch.equal(start, now[name])
            }
        if due:
            for name, values in self._kept.items():
                values.append(now[name].detach().clone())

    def history(self, rows: int) -> dict[str, npt.NDArray[Any]]:
        """Return arrays of `rows` rows by name; the last evaluation may have made one too many."""
        kept = self._kept or {}
        return {name: to_numpy(torch.stack(values[:rows])) for name, values in kept.items()}
