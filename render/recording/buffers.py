"""The history of a model's buffers: state that training moves beside the parameters."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.problem import to_numpy

__all__ = ["Buffers"]


class Buffers:
    """The history of the buffers that an evaluation moves, such as running statistics.

    There is none of a buffer that is sparse, that the model drops, or that changes shape or type.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._start = {
            name: value.detach().clone()
            for name, value in model.named_buffers()
            if value.layout == torch.strided
        }
        self._still: dict[str, _Touch | None] = dict.fromkeys(self._start)
        self._kept: dict[str, list[Tensor]] = {}
        self._rows = 1

    def keep(self, due: bool) -> None:
        """Note the buffers after an evaluation: they belong to the next row, if that one is kept.

        A buffer moves from the row on where its values first differ from those at the start.
        """
        if not self._start:
            return
        now = dict(self._model.named_buffers())
        gone = self._start.keys() - now.keys()
        for name in gone:
            for held in (self._start, self._still, self._kept):
                held.pop(name, None)
        for name in [name for name in self._still if self._moves(name, now[name])]:
            del self._still[name]
            self._kept[name] = [self._start[name]] * self._rows
        if due:
            for name, values in self._kept.items():
                values.append(now[name].detach().clone())
            self._rows += 1

    def history(self, rows: int) -> dict[str, npt.NDArray[Any]]:
        """Return arrays of `rows` rows by name; the last evaluation may have made one too many."""
        kept = {name: self._kept[name][:rows] for name in self._start if name in self._kept}
        return {
            name: to_numpy(torch.stack(values))
            for name, values in kept.items()
            if all(_alike(value, values[0]) for value in values)
        }

    def taken(self, rows: int) -> int:
        """Return the bytes that `rows` rows of what has moved so far take, while arrays are made.

        They are held three times then: row by row, in one piece, and as the array.
        """
        sizes = [
            self._start[name].numel() * self._start[name].element_size() for name in self._kept
        ]
        return 3 * rows * sum(sizes)

    def _moves(self, name: str, value: Tensor) -> bool:
        """Say whether a still buffer has moved; values are compared only where it was touched."""
        touched = (value, value._version)
        before, self._still[name] = self._still[name], touched
        if before is not None and before[0] is value and before[1] == touched[1]:
            return False
        start = self._start[name]
        return not (_alike(start, value) and torch.equal(start, value))


def _alike(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors can be rows of one array."""
    return (one.shape, one.dtype, one.layout) == (other.shape, other.dtype, other.layout)


_Touch = tuple[Tensor, int]
"""A buffer, and how often operations had changed it in place."""
