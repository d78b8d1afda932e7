"""The recording itself: parameters, gradient and loss of each step, one row a step.

A small model's step takes tens of microseconds, so writing a row has to take very few. On the
CPU, numpy copies small arrays several times faster than torch's operators do; on other devices
one operator copies all tensors of a row into buffers that are read back when they are full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.recording.problem import to_numpy

__all__ = ["DeviceRows", "HostRows", "Rows", "open_rows"]

Array = npt.NDArray[Any]

_WINDOW_ROWS = 1024
_WINDOW_BYTES = 64 * 2**20
_DEVICE_BYTES = 256 * 2**20


class Rows(Protocol):
    """Where rows are written: `add` once a row, `finish`, then read the arrays.

    params: (rows, P). loss: (rows,). grad_norm: (rows,), float64.
    """

    params: Array
    loss: Array
    grad_norm: Array

    def add(self, loss: Tensor) -> None:
        """Write the next row: the parameters, their gradients, and the loss at them."""

    def finish(self) -> None:
        """Complete the arrays."""


def open_rows(params: Sequence[nn.Parameter], loss: Tensor, rows: int) -> Rows:
    """Return the fitting place for `rows` rows of these parameters and losses like `loss`."""
    if all(p.device.type == "cpu" and p.dtype != torch.bfloat16 for p in params):
        return HostRows(params, loss, rows)
    return DeviceRows(params, loss, rows)


class HostRows:
    """Rows of parameters on the CPU, which numpy reads without a copy."""

    def __init__(self, params: Sequence[nn.Parameter], loss: Tensor, rows: int) -> None:
        self._params = params
        self._columns = _columns(params)
        width = sum(p.numel() for p in params)
        self.params: Array = np.empty((rows, width), dtype=np.result_type(*map(_kind, params)))
        self.loss: Array = np.empty(rows, dtype=_kind(loss))
        self.grad_norm: Array = np.empty(rows)
        row_bytes = width * self.params.itemsize
        window = _rows_within(_WINDOW_BYTES, row_bytes, min(rows, _WINDOW_ROWS))
        self._grads: Array = np.zeros((window, width), dtype=self.params.dtype)
        self._losses: list[Tensor] = []
        self._start = 0
        self._look()

    def add(self, loss: Tensor) -> None:
        """Write the next row."""
        at = len(self._losses)
        if at == len(self._grads):
            self._settle()
            at = 0
        row, grads = self.params[self._start + at], self._grads[at]
        if [p.data_ptr() for p in self._params] != self._addresses:
            self._look()  # an optimizer may give a parameter new storage
        for param, columns, values in zip(self._params, self._columns, self._values, strict=True):
            row[columns] = values
            if param.grad is not None:
                grads[columns] = param.grad.numpy().ravel()
        self._losses.append(loss.detach())

    def finish(self) -> None:
        """Complete the arrays."""
        self._settle()

    def _settle(self) -> None:
        """Turn a window of losses and gradients into numbers.

        The norms are taken in float64, where the squares of large gradients do not overflow.
        """
        count = len(self._losses)
        here = slice(self._start, self._start + count)
        self.loss[here] = to_numpy(torch.stack(self._losses).reshape(count))
        gradients = torch.from_numpy(self._grads[:count])
        self.grad_norm[here] = torch.linalg.vector_norm(
            gradients, dim=1, dtype=torch.float64
        ).numpy()
        self._grads[:] = 0
        self._losses.clear()
        self._start += count

    def _look(self) -> None:
        """Note where each parameter lies, and look at it as a flat array."""
        self._values = [p.detach().numpy().reshape(-1) for p in self._params]
        # reshape copies a parameter that is not contiguous: `add` then looks again each time
        self._addresses = [p.data_ptr() if p.is_contiguous() else -1 for p in self._params]


class DeviceRows:
    """Rows of parameters on any device; nothing here waits for it until a buffer is full."""

    def __init__(self, params: Sequence[nn.Parameter], loss: Tensor, rows: int) -> None:
        self._params = params
        self._columns = _columns(params)
        width = sum(p.numel() for p in params)
        kind = _promoted(params)
        row_bytes = 2 * sum(p.numel() * p.element_size() for p in params)
        self._length = _rows_within(_DEVICE_BYTES, row_bytes, rows)
        self._kept = [self._buffer(p) for p in params]
        self._grads = [self._buffer(p) for p in params]
        self._losses = torch.empty(self._length, dtype=loss.dtype, device=loss.device)
        self._filled = self._done = 0
        self._window: list[tuple[Tensor, ...]] = []
        self._params_out = torch.empty((rows, width), dtype=kind)
        self._loss_out = torch.empty(rows, dtype=loss.dtype)
        self._norm_out = torch.empty(rows, dtype=torch.float64)

    def add(self, loss: Tensor) -> None:
        """Write the next row."""
        if self._filled == self._length:
            self._read_back()
        at = self._filled % _WINDOW_ROWS
        if at == 0:
            self._open_window()
        values = [p.detach() for p in self._params]
        values += [torch.zeros_like(p) if p.grad is None else p.grad for p in self._params]
        torch._foreach_copy_([*self._window[at]], [*values, loss.detach().reshape(())])
        self._filled += 1

    def finish(self) -> None:
        """Complete the arrays."""
        self._read_back()
        self.params: Array = to_numpy(self._params_out)
        self.loss: Array = to_numpy(self._loss_out)
        self.grad_norm: Array = to_numpy(self._norm_out)

    def _buffer(self, param: nn.Parameter) -> Tensor:
        return torch.empty((self._length, *param.shape), dtype=param.dtype, device=param.device)

    def _open_window(self) -> None:
        """Make the views of the next rows all at once, which is far cheaper than one by one."""
        rows = slice(self._filled, self._filled + _WINDOW_ROWS)
        buffers = [*self._kept, *self._grads, self._losses]
        self._window = list(zip(*(buffer[rows].unbind(0) for buffer in buffers), strict=True))

    def _read_back(self) -> None:
        here = slice(self._done, self._done + self._filled)
        norms = []
        for columns, kept, grads in zip(self._columns, self._kept, self._grads, strict=True):
            self._params_out[here, columns] = (
                kept[: self._filled].reshape(self._filled, -1).to(self._params_out)
            )
            flat = grads[: self._filled].reshape(self._filled, -1)
            norms.append(torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64))
        self._norm_out[here] = torch.linalg.vector_norm(torch.stack(norms), dim=0).cpu()
        self._loss_out[here] = self._losses[: self._filled].cpu()
        self._done += self._filled
        self._filled = 0


def _kind(tensor: Tensor) -> np.dtype[Any]:
    return to_numpy(tensor.detach().reshape(-1)[:0]).dtype


def _columns(params: Sequence[nn.Parameter]) -> list[slice]:
    columns, start = [], 0
    for param in params:
        columns.append(slice(start, start + param.numel()))
        start += param.numel()
    return columns


def _rows_within(limit: int, row_bytes: int, rows: int) -> int:
    return max(1, min(rows, limit // max(row_bytes, 1)))


def _promoted(params: Sequence[nn.Parameter]) -> torch.dtype:
    kind = params[0].dtype
    for param in params[1:]:
        kind = torch.promote_types(kind, param.dtype)
    return kind
