"""The recording itself: parameters, gradient and loss of each step, one row a step.

A small model's step takes tens of microseconds, so writing a row has to take very few: one
operator copies all tensors of a row onto a stage of few rows, through views that are made once.
A full stage goes into larger buffers, and nothing waits for the device until those are full and
read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.memory import WINDOW_BYTES
from render.recording.problem import as_numpy, to_numpy
from render.recording.selection import Selection

__all__ = ["Rows"]

Array = npt.NDArray[Any]

_NORM_NUMBERS = 2**18
"""Numbers of a gradient that become float64 at once, which doubles their memory."""

_STAGE = 64
"""Rows whose views are made once: many more would cost more to make than they save."""


class Rows:
    """Where rows are written: `add` once a row, `finish`, then read the arrays.

    params: (rows, columns). loss: (rows,). grad_norm: (rows,), float64. off_plane: (rows,),
    float64, where the parameters are projected, else None.
    """

    def __init__(self, selection: Selection, loss: Tensor, rows: int) -> None:
        self._params, self._chosen = selection.params, selection.chosen
        self._project = selection.projection
        self._columns = _columns(self._chosen)
        row_bytes = sum(p.numel() * p.element_size() for p in [*self._params, *self._chosen])
        limit = WINDOW_BYTES[loss.device.type]
        self._length = max(1, min(rows, limit // max(row_bytes, 1)))
        self._kept = [self._buffer(p) for p in self._chosen]
        self._grads = [self._buffer(p) for p in self._params]
        self._losses = torch.empty(
            (self._length, *loss.shape), dtype=loss.dtype, device=loss.device
        )
        self._no_grad = torch.no_grad()  # one for all rows: making it takes longer than entering
        self._buffers = [*self._kept, *self._grads, self._losses]
        self._direct = self._length <= _STAGE  # rows so large are written where they are read
        self._stage = self._buffers
        if not self._direct:
            self._stage = [torch.empty_like(buffer[:_STAGE]) for buffer in self._buffers]
        self._zeros: list[Tensor] | None = None  # for parameters without a gradient
        views = zip(*(staged.unbind(0) for staged in self._stage), strict=True)
        self._views = [list(row) for row in views]
        self._staged = self._filled = self._done = 0
        self.off_plane: Array | None = None
        width, kind = sum(p.numel() for p in self._chosen), _common_kind(self._chosen)
        if self._project is not None:
            width, kind = self._project.width, np.dtype(np.float64)
            self.off_plane = np.empty(rows)
        self.params: Array = np.empty((rows, width), dtype=kind)
        self.loss: Array = np.empty(rows, dtype=_kind(loss))
        self.grad_norm: Array = np.empty(rows)

    def add(self, loss: Tensor) -> None:
        """Write the next row: the parameters, their gradients, and the loss at them."""
        if self._staged == len(self._views) or self._filled + self._staged == self._length:
            self._clear_stage()
        views = self._views[self._staged + (self._filled if self._direct else 0)]
        values = [*self._chosen, *[p.grad for p in self._params], loss]
        with self._no_grad:
            if self._zeros is None:
                try:
                    torch._foreach_copy_(views, values)  # type: ignore[arg-type]  # None raises
                except TypeError:
                    self._zeros = [torch.zeros_like(view) for view in views]
            if self._zeros is not None:
                pairs = zip(values, self._zeros, strict=True)
                torch._foreach_copy_(views, [zero if own is None else own for own, zero in pairs])
        self._staged += 1

    def block(self, rows: int) -> list[Tensor]:
        """Return buffers for `rows` rows of parameters, gradients and the loss; all zero."""
        return [torch.zeros_like(buffer[:1]).repeat_interleave(rows, 0) for buffer in self._buffers]

    def extend(self, block: Sequence[Tensor]) -> None:
        """Write the rows of a block."""
        if self._staged:
            self._clear_stage()
        start, count = 0, len(block[0])
        while start < count:
            rows = min(count - start, self._length - self._filled)
            here, there = slice(self._filled, self._filled + rows), slice(start, start + rows)
            for buffer, values in zip(self._buffers, block, strict=True):
                buffer[here] = values[there]
            start += rows
            self._filled += rows
            if self._filled == self._length:
                self._read_back()

    def write(self, at: Tensor, loss: Tensor) -> None:
        """Write a row where `at`, a number on the device, says; `wrote` has to follow."""
        values = [*self._chosen, *[p.grad for p in self._params], loss]
        with self._no_grad:
            for buffer, value in zip(self._buffers, values, strict=True):
                if value is None:  # a parameter without a gradient
                    buffer.index_fill_(0, at, 0)
                else:
                    buffer.index_copy_(0, at, value.detach()[None])

    def wrote(self) -> bool:
        """Count a row of `write`; return whether the buffers were full, and are empty again."""
        self._filled += 1
        if self._filled < self._length:
            return False
        self._read_back()
        return True

    def finish(self) -> None:
        """Complete the arrays."""
        self._clear_stage()
        if self._filled:
            self._read_back()

    def _buffer(self, param: nn.Parameter) -> Tensor:
        return torch.empty((self._length, *param.shape), dtype=param.dtype, device=param.device)

    def _clear_stage(self) -> None:
        """Move the stage's rows into the buffers, and those into the arrays when they are full."""
        here = slice(self._filled, self._filled + self._staged)
        if not self._direct:
            for buffer, staged in zip(self._buffers, self._stage, strict=True):
                buffer[here] = staged[: self._staged]
        self._filled += self._staged
        self._staged = 0
        if self._filled == self._length:
            self._read_back()

    def _read_back(self) -> None:
        """Turn what the buffers hold into rows of the arrays.

        The norms are taken in float64, where the squares of large gradients do not overflow.
        """
        count = self._filled
        here = slice(self._done, self._done + count)
        kept = [_flat(buffer[:count]) for buffer in self._kept]
        if self._project is None:
            for columns, values in zip(self._columns, kept, strict=True):
                self.params[here, columns] = as_numpy(values)
        else:
            assert self.off_plane is not None
            at, distance = self._project(torch.cat(kept, dim=1))
            self.params[here], self.off_plane[here] = to_numpy(at), to_numpy(distance)
        norms = [_norms(buffer[:count]) for buffer in self._grads]
        self.grad_norm[here] = to_numpy(torch.linalg.vector_norm(torch.stack(norms), dim=0))
        self.loss[here] = to_numpy(self._losses[:count].reshape(count))
        self._done += count
        self._filled = 0


def _flat(rows: Tensor) -> Tensor:
    return rows.reshape(len(rows), rows[:1].numel())  # which may be 0


def _norms(rows: Tensor) -> Tensor:
    flat = _flat(rows)
    flat = flat if flat.is_floating_point() else flat.double()  # whole numbers that never move
    size = max(1, _NORM_NUMBERS // max(flat.shape[1], 1))
    starts = range(0, len(flat), size)
    parts = (flat[start : start + size] for start in starts)
    return torch.cat([torch.linalg.vector_norm(part, dim=1, dtype=torch.float64) for part in parts])


def _kind(tensor: Tensor) -> np.dtype[Any]:
    return to_numpy(tensor.detach().reshape(-1)[:0]).dtype


def _common_kind(tensors: Sequence[Tensor]) -> np.dtype[Any]:
    return np.result_type(*map(_kind, tensors))


def _columns(params: Sequence[nn.Parameter]) -> list[slice]:
    columns, start = [], 0
    for param in params:
        columns.append(slice(start, start + param.numel()))
        start += param.numel()
    return columns
