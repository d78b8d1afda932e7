"""Where the panels of a film stand: as its mosaic says, or in a column where that is too narrow."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from math import log
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["mosaic_of"]

Mosaic = tuple[Any, Sequence[float] | None, Sequence[float] | None]
"""A mosaic as matplotlib takes it, and the ratios of its columns and rows."""

Sides = dict[str, tuple[float, float]]
"""Width and height of each panel, as shares of the picture's."""

_UPRIGHT = 1.4  # height by width, from where on panels side by side are narrow strips
_SIDE_BY_SIDE = 2  # panels, at most, in such a picture
_IN_A_COLUMN = 5  # panels, at most, where they stood in several rows


def mosaic_of(film: Film) -> Mosaic:
    """Return a film's mosaic, and the ratios of its columns and rows.

    In an upright picture panels side by side are narrow strips. There a single row becomes a
    column, and so do up to five panels of which more than two stand side by side, or which are
    nearer to squares in a column and leave no blanks; each keeps its share of the picture. A list
    of rows stays as it was given.
    """
    rows = _rows(film)
    mosaic = rows if film.mosaic is None else film.mosaic
    given = mosaic, film.width_ratios, film.height_ratios
    aspect = film.size[0] / film.size[1]
    if aspect * _UPRIGHT > 1 or not any(rows):
        return given
    if len(rows) == 1:
        along = film.height_ratios if film.width_ratios is None else film.width_ratios
        fits = along is None or len(along) == len(rows[0])
        return ([[name] for name in rows[0]], None, along) if fits else given
    try:
        sides = _sides(np.array(rows), film.width_ratios, film.height_ratios)
    except ValueError:
        return given  # matplotlib says what is wrong with it
    areas = {name: width * height for name, (width, height) in sides.items()}
    column = {name: (1.0, area / sum(areas.values())) for name, area in areas.items()}
    is_wide = any(len({*row} - {"."}) > _SIDE_BY_SIDE for row in rows)
    is_full = not any("." in row for row in rows)
    is_better = is_full and _off_square(column, aspect) < _off_square(sides, aspect)
    if len(areas) <= _IN_A_COLUMN and (is_wide or is_better):
        return [[name] for name in areas], None, list(areas.values())
    return given


def _rows(film: Film) -> list[list[str]]:
    """Return the names in each row of a film's mosaic; none of one that was given as a list."""
    if film.mosaic is None:
        return [list(film.panels_by_name)]
    if not isinstance(film.mosaic, str):
        return []
    if "\n" not in film.mosaic:
        return [list(row) for row in film.mosaic.split(";")]
    return [list(row) for row in inspect.cleandoc(film.mosaic).strip("\n").split("\n")]


def _sides(
    grid: Any, width_ratios: Sequence[float] | None, height_ratios: Sequence[float] | None
) -> Sides:
    """Return how wide and how high each panel of a grid of names is.

    Raises ValueError for one that is no grid, or has a panel that is no rectangle.
    """
    rows, columns = grid.shape
    widths, heights = _shares(width_ratios, columns), _shares(height_ratios, rows)
    within = {str(name): grid == name for name in dict.fromkeys(grid.flat) if name != "."}
    for name, at in within.items():
        if not (at == np.outer(at.any(axis=1), at.any(axis=0))).all():
            raise ValueError(f"{name} is not a rectangle")
    return {
        name: (float(widths[at.any(axis=0)].sum()), float(heights[at.any(axis=1)].sum()))
        for name, at in within.items()
    }


def _shares(ratios: Sequence[float] | None, count: int) -> Any:
    """Return the share that each column, or row, has of the picture, shape (count,).

    Raises ValueError when there are more ratios, or fewer.
    """
    every = np.ones(count) if ratios is None else np.asarray(ratios, dtype=float)
    if every.shape != (count,):
        raise ValueError(f"{count} ratios are needed")
    return every / every.sum()


def _off_square(sides: Sides, aspect: float) -> float:
    """Return how far panels are from squares: the mean of |log(width / height)|."""
    return mean(abs(log(aspect * width / height)) for width, height in sides.values())
