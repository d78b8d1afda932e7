"""Paths copied as they are, so that later changes of the figure do not reach them."""

from __future__ import annotations

from itertools import accumulate
from operator import attrgetter
from typing import Any

import numpy as np
from matplotlib.path import Path

from render.film.canvas.arrays import hash_of

_KEPT = 16
_looks_of = attrgetter("should_simplify", "simplify_threshold", "_interpolation_steps")


def freeze_path(path: Path) -> Path:
    """Return a copy of a path."""
    vertices = np.array(path.vertices)
    codes = None if path.codes is None else np.array(path.codes)
    return _with(path, vertices, codes)


class FrozenPaths:
    """Copies the paths of collections, and gives the same copies while the paths stay.

    A map may have ten thousands whose colours alone change: to copy and compare them one by one
    takes longer than to draw them.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[Any, ...], list[Path]]] = {}

    def freeze(self, paths: list[Path]) -> list[Path]:
        """Return copies of paths, in a list that is not to be changed."""
        vertices = [np.asarray(path.vertices) for path in paths]
        codes = [path.codes for path in paths]
        coded = [np.asarray(code) for code in codes if code is not None]
        whole = np.concatenate(vertices)
        content = (
            list(map(len, vertices)),
            [code is not None for code in codes],
            list(map(_looks_of, paths)),
            whole.dtype,
            hash_of(whole),
            hash_of(np.concatenate(coded)) if coded else None,
        )
        found = self._kept.get(id(paths))
        if found is not None and found[0] == content:
            return found[1]
        ends = list(accumulate(content[0]))
        parts = [whole[end - length : end] for end, length in zip(ends, content[0], strict=True)]
        frozen = [
            _with(path, part, None if code is None else np.array(code))
            for path, part, code in zip(paths, parts, codes, strict=True)
        ]
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[id(paths)] = content, frozen
        return frozen


def _with(path: Path, vertices: np.ndarray, codes: np.ndarray | None) -> Path:
    """Return a path with other vertices and codes, and the rest as `path` has it."""
    frozen = object.__new__(type(path))
    state = frozen.__dict__
    state.update(path.__dict__)
    state["_vertices"], state["_codes"] = vertices, codes
    return frozen
