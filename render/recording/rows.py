"""The recording itself: one row a step, written without waiting for the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["RowLog"]

_CHUNK_ROWS = 16_384
_CHUNK_BYTES = 256 * 2**20


class RowLog:
    """Parameters, gradients and loss of each step, gathered on the device.

    A row is the parameters, their gradients and the loss, end to end: one `torch.cat` copies it
    into a buffer that was allocated once. The buffer is read back when it is full (16,384 rows or
    256 MB), so that most runs read it once, at their end.
    """

    def __init__(self, params: Sequence[nn.Parameter], loss: Tensor, rows: int) -> None:
        self._params = params
        self._width = sum(p.numel() for p in params)
        kept = _promoted(params)
        kind = torch.promote_types(kept, loss.dtype)
        width = 2 * self._width + 1
        length = max(1, min(rows, _CHUNK_ROWS, _CHUNK_BYTES // (width * kind.itemsize)))
        self._buffer = torch.empty((length, width), dtype=kind, device=params[0].device)
        self._rows = self._buffer.unbind(0)
        self._filled = 0
        self._done = 0
        self._zeros = [torch.zeros_like(p.detach()).reshape(-1) for p in params]
        self._track()
        self.params = torch.empty((rows, self._width), dtype=kept)
        self.loss = torch.empty(rows, dtype=loss.dtype)
        self.grad_norm = torch.empty(rows, dtype=torch.float64)

    def add(self, loss: Tensor) -> None:
        """Write the next row: the parameters, their gradients, and the loss at them."""
        for param, address in zip(self._params, self._addresses, strict=True):
            if param.data_ptr() != address:  # an optimizer may give a parameter new storage
                self._track()
                break
        grads = [
            zero if p.grad is None else p.grad.reshape(-1)
            for p, zero in zip(self._params, self._zeros, strict=True)
        ]
        row = self._rows[self._filled]
        torch.cat([*self._flat, *grads, loss.detach().reshape(1)], out=row)
        self._filled += 1
        if self._filled == len(self._rows):
            self.flush()

    def flush(self) -> None:
        """Read the rows back from the device. This waits for it."""
        filled, width = self._buffer[: self._filled], self._width
        here = slice(self._done, self._done + self._filled)
        self.params[here] = filled[:, :width].to(self.params)
        self.grad_norm[here] = torch.linalg.vector_norm(
            filled[:, width:-1], dim=1, dtype=torch.float64
        ).cpu()
        self.loss[here] = filled[:, -1].to(self.loss)
        self._done += self._filled
        self._filled = 0

    def _track(self) -> None:
        """Look at the parameters' storage as flat vectors, without autograd."""
        contiguous = all(p.is_contiguous() for p in self._params)
        self._flat = [p.detach().reshape(-1) for p in self._params]
        # reshape copies a parameter that is not contiguous: -1 makes `add` look again each step
        self._addresses = [p.data_ptr() if contiguous else -1 for p in self._params]


def _promoted(params: Sequence[nn.Parameter]) -> torch.dtype:
    kind = params[0].dtype
    for param in params[1:]:
        kind = torch.promote_types(kind, param.dtype)
    return kind
