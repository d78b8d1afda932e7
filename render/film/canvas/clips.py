"""Clip paths, copied as they are when something is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.path import Path

from render.film.canvas.frozen import freeze_path

__all__ = ["Clip", "takes_mask"]

_NOTHING = Path(np.empty((0, 2)))
_EQUAL = 1e-14
"""By how much two equal numbers of a transform may differ, as Agg's `affine_epsilon` has it."""


class Clip:
    """A clip path that stays as it is, shaped like `TransformedPath`; equal to those of its shape.

    of: the path it was copied from, by which Agg knows it. rectangle and snap: within what, and
    snapped how, the command that has it would have Agg render its mask.
    """

    def __init__(
        self, of: Path, matrix: np.ndarray, *, rectangle: np.ndarray | None, snap: bool | None
    ) -> None:
        self.of, self.snap = of, snap
        self.rectangle = None if rectangle is None else np.array(rectangle)
        self._pair = freeze_path(of), matrix
        codes = b"" if of.codes is None else np.asarray(of.codes).tobytes()
        self.matrix = matrix.tobytes()
        vertices = np.asarray(of.vertices)
        self.shape = vertices.tobytes(), codes, self.matrix
        self.is_drawn = bool(vertices.size and np.isfinite(vertices).all())  # or does not clip

    def get_transformed_path_and_affine(self) -> tuple[Path, np.ndarray]:
        """Return path and matrix, as Agg asks for them."""
        return self._pair

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clip) and self.shape == other.shape

    def __hash__(self) -> int:
        return hash(self.shape)

    @property
    def look(self) -> Any:
        """All that its mask depends on."""
        rectangle = None if self.rectangle is None else self.rectangle.tobytes()
        return self.shape, rectangle, self.snap

    def is_of(self, other: Clip) -> bool:
        """Whether Agg takes the two as one: the very same path, and transforms as near as that."""
        if self.of is not other.of or self.matrix == other.matrix:
            return self.of is other.of
        return bool((abs(self._pair[1] - other._pair[1]) <= _EQUAL).all())

    def beyond_rectangle(self) -> Clip:
        """Return it as commands have it whose clip rectangle does not bound its mask."""
        return Clip(self.of, self._pair[1], rectangle=None, snap=self.snap)

    def render(self, agg: Any) -> None:
        """Have Agg render its mask, and draw nothing."""
        gc: Any = GraphicsContextBase()
        gc._clippath, gc._cliprect, gc._linewidth = self, self.rectangle, 0.0
        gc.set_snap(self.snap)
        agg.draw_path(gc, _NOTHING, np.eye(3), None)


def takes_mask(name: str, args: Sequence[Any], clip: Clip | None) -> bool:
    """Whether a call of the rasterizer looks at the mask of its clip path."""
    if clip is None or not clip.is_drawn:
        return False
    if name == "draw_path_collection":
        return bool(len(args[2])) and bool(len(args[6]) or len(args[7]))
    return name != "draw_text_image"
