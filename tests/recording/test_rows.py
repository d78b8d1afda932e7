"""Rows come back in the order they were written in, whichever way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from render.recording import memory
from render.recording.rows import Rows
from render.recording.selection import Selection


@pytest.mark.parametrize("room", [2**20, 100, 1], ids=["one window", "small windows", "one row"])
def test_blocks_and_single_rows_may_alternate(monkeypatch, room: int) -> None:
    monkeypatch.setitem(memory.WINDOW_BYTES, "cpu", room)
    model = nn.Linear(2, 1)
    model.unused = nn.Parameter(torch.ones(1))
    loss = torch.zeros(())
    log = Rows(Selection(model), loss, rows=101)
    written = []
    for size in (1, 0, 3, 2, 0, 0, 70, 1, 0, 20):  # 0: a single row
        block = log.block(max(size, 1))
        for row in range(max(size, 1)):
            at = float(len(written))
            written.append(at)
            for buffer in block[:3]:
                buffer[row] = at
            block[-1][row] = -at
        if size:
            log.extend(block)
            continue
        with torch.no_grad():
            for param in model.parameters():
                param.fill_(at)
        model.weight.grad = torch.full((1, 2), 2.0)
        model.bias.grad = torch.full((1,), 1.0)
        log.add(torch.tensor(-at))
    log.finish()
    assert (log.params == np.array(written)[:, None]).all()
    assert (log.loss == -np.array(written)).all()
    np.testing.assert_allclose(log.grad_norm[[1, 7, 8, 80]], 3.0, rtol=1e-12)
