"""Where the panels of a film stand: as its mosaic says, or in a column where that is too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["mosaic_of"]

Mosaic = tuple[Any, Sequence[float] | None, Sequence[float] | None]
"""A mosaic as matplotlib takes it, and the ratios of its columns and rows."""

_SIDE_BY_SIDE = 2  # panels, at most, in an upright picture


def mosaic_of(film: Film) -> Mosaic:
    """Return a film's mosaic, and the ratios of its columns and rows.

    In an upright picture panels side by side are narrow strips. There a single row becomes a
    column, and so does a mosaic with more than two panels side by side, and one without blanks
    whose panels are nearer to squares in a column; each keeps its share of the picture. A list of
    rows stays as it was given.
    """
    if film.mosaic is None:
        rows = [list(film.panels_by_name)]
    elif isinstance(film.mosaic, str):
        rows = [list(row.strip()) for row in film.mosaic.replace(";", "\n").strip().split("\n")]
    else:
        rows = []
    mosaic = rows if film.mosaic is None else film.mosaic
    given = mosaic, film.width_ratios, film.height_ratios
    if film.size[0] >= film.size[1] or not any(rows):
        return given
    if len(rows) == 1:
        along = film.height_ratios if film.width_ratios is None else film.width_ratios
        return [[name] for name in rows[0]], None, along
    try:
        grid = np.array(rows)
        widths = _shares(film.width_ratios, grid.shape[1])
        heights = _shares(film.height_ratios, grid.shape[0])
    except ValueError:
        return given  # matplotlib says what is wrong with it
    names = [name for name in dict.fromkeys(grid.flat) if name != "."]
    within = {name: grid == name for name in names}
    sides = np.array(
        [(widths[at.any(axis=0)].sum(), heights[at.any(axis=1)].sum()) for at in within.values()]
    )
    areas = sides.prod(axis=1)
    column = np.stack([np.ones(len(sides)), areas / areas.sum()], axis=1)
    aspect = film.size[0] / film.size[1]
    is_wide = any(len({*row} - {"."}) > _SIDE_BY_SIDE for row in rows)
    if is_wide or ("." not in grid and _off_square(column, aspect) < _off_square(sides, aspect)):
        return [[name] for name in names], None, column[:, 1].tolist()
    return given


def _shares(ratios: Sequence[float] | None, count: int) -> Any:
    """Return the share that each column, or row, has of the picture, shape (count,).

    Raises ValueError when there are more ratios, or fewer.
    """
    every = np.ones(count) if ratios is None else np.asarray(ratios, dtype=float)
    if every.shape != (count,):
        raise ValueError(f"{count} ratios are needed")
    return every / every.sum()


def _off_square(sides: Any, aspect: float) -> float:
    """Return how far panels are from squares: the mean of |log(width / height)|."""
    return float(np.abs(np.log(aspect * sides[:, 0] / sides[:, 1])).mean())
