"""What of the parameters goes into a row: all of them, some tensors, or coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from render.recording.keep import Keep, kept_layout
from render.recording.problem import layout_of

__all__ = ["Projection", "Selection"]

_CHUNK_BYTES = 32 * 2**20


class Selection:
    """The parameters that a row holds (`chosen`), and how they are projected, if they are."""

    def __init__(self, model: nn.Module, keep: Keep | None = None) -> None:
        self.layout = kept_layout(keep or Keep(), layout_of(model))
        self.params = list(model.parameters())
        self.chosen = self.params
        self.projection: Projection | None = None
        if keep is not None and keep.directions is not None:
            directions = torch.tensor(np.asarray(keep.directions, dtype=float), device="cpu")
            self.projection = Projection(directions, self.params)
        elif keep is not None and keep.tensors is not None:
            named = dict(model.named_parameters())
            self.chosen = [named[name] for name, _ in self.layout]


class Projection:
    """Coordinates of the way from the start along directions, and the distance off their plane."""

    def __init__(self, directions: Tensor, params: Sequence[nn.Parameter]) -> None:
        self._start = torch.cat([p.detach().reshape(-1).double() for p in params])
        self._directions = directions.to(self._start)
        self._solve = torch.linalg.pinv(self._directions)
        self.width = len(directions)

    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return (W, D) coordinates and (W,) distances of W rows of parameters, (W, P)."""
        size = max(1, _CHUNK_BYTES // (8 * max(rows.shape[1], 1)))
        coordinates, distances = [], []
        for start in range(0, len(rows), size):
            way = rows[start : start + size].double() - self._start
            at = way @ self._solve
            coordinates.append(at)
            distances.append(torch.linalg.vector_norm(way - at @ self._directions, dim=1))
        return torch.cat(coordinates), torch.cat(distances)
