"""Layouts that stand: where everything is already as a layout engine would have it.

An engine computes the layout anew for every `savefig` and every idle draw, which takes longer than
the drawing itself. What it computes follows from where the axes are and from what their artists
claim. So, when so many computations in a row have moved nothing and no claim has changed since, as
many more move nothing either.

How many, that matters: rounding may take a layout around in a circle of two, three or more.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine

from render.film.canvas.ticks import all_axes

_COMPUTE: dict[type, Any] = {
    kind: kind.execute for kind in (ConstrainedLayoutEngine, TightLayoutEngine)
}
_SIDES = ("left", "right", "bottom", "top", "wspace", "hspace", "_wspace", "_hspace")


class Standing:
    """Counts how often a figure's layout is computed, and sees whether that moves anything."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._engine: Any = None
        self._computed = 0  # since the last frame
        self._skipped = 0  # and left out
        self._period = 0  # so many computations move nothing; 0: not known
        self._places: Any = None
        self._titles: list[tuple[Any, Any]] = []

    def adopt(self) -> None:
        """Take the figure's engine as the one to look at, if it is one of matplotlib's own."""
        engine: Any = self._figure.get_layout_engine()
        if engine is self._engine:
            return
        self.close()
        if type(engine) in _COMPUTE and "execute" not in vars(engine):
            self._engine = engine
            engine.execute = partial(self._compute, engine)

    def close(self) -> None:
        """Give the engine its method back."""
        if self._engine is not None:
            del self._engine.execute
        self._engine, self._period, self._places = None, 0, None

    def skip(self) -> None:
        """Leave out one computation, as of an idle draw: it may be owed later."""
        self._skipped += 1

    def returns_after(self, count: int) -> bool:
        """Whether all would be back in its place after so many computations, and those left out."""
        return self._period > 0 and (self._skipped + count) % self._period == 0

    def owed(self) -> int:
        """Return how many computations were left out since the last frame; forget them."""
        owed, self._skipped = self._skipped, 0
        return owed

    def end_frame(self) -> bool:
        """Note where everything is after a drawing; return whether it is where it was before."""
        places = None if self._engine is None else self._now()
        is_back = places is not None and places == self._places
        self._period = self._computed if is_back else 0
        self._places, self._computed = places, 0
        self._titles = [(title, _mark(title)) for title in self._figure_titles()]
        return self._period > 0

    def is_arranged_as_before(self) -> bool:
        """Whether places, grids and the engine's settings are as at the end of the last frame."""
        return self._engine is not None and self._now() == self._places

    def put_titles_back(self) -> None:
        """Put titles of figures where the engine puts them: `suptitle` places them each time."""
        engine = self._engine
        if type(engine) is not ConstrainedLayoutEngine:
            return
        for title, (x, y, va, follows) in self._titles:
            if not (follows and title._autopos):
                continue
            is_beside = title is title.get_figure(root=False)._supylabel
            now = title.get_position()
            place = (x, now[1]) if is_beside else (now[0], y)
            if place != now:
                title.set_position(place)
            if getattr(engine, "_compress", False) and title.get_va() != va:
                title.set_va(va)

    def _compute(self, engine: Any, figure: Any) -> Any:
        self._computed += 1
        return _COMPUTE[type(engine)](engine, figure)

    def _now(self) -> Any:
        figures = _with_nested(self._figure)
        return (
            dict(self._engine._params),
            getattr(self._engine, "_compress", None),
            [each.bbox.extents.tolist() for each in figures],
            [dict(vars(each.subplotpars)) for each in figures],
            [_mark(title) for title in self._figure_titles()],
            [_place(axes) for axes in all_axes(self._figure)],
        )

    def _figure_titles(self) -> list[Any]:
        every = _with_nested(self._figure)
        titles = [(each._suptitle, each._supxlabel, each._supylabel) for each in every]
        return [title for group in titles for title in group if title is not None]


def _with_nested(figure: Any) -> list[Any]:
    """Return a figure and its subfigures, at any depth."""
    return [figure, *(each for child in figure.subfigs for each in _with_nested(child))]


def _mark(title: Any) -> tuple[Any, ...]:
    """Where a figure's title is, and whether the engine says so."""
    return (*title.get_position(), title.get_va(), getattr(title, "_autopos", False))


def _place(axes: Any) -> tuple[Any, ...]:
    """Where an axes is, and what its grid says."""
    grids, spec = [], axes.get_subplotspec()
    while spec is not None:
        grid = spec.get_gridspec()
        sides = [getattr(grid, name, None) for name in _SIDES]
        ratios = [tuple(grid.get_width_ratios()), tuple(grid.get_height_ratios())]
        grids.append((spec.num1, spec.num2, grid.get_geometry(), *sides, *ratios))
        spec = getattr(grid, "_subplot_spec", None)
    boxes = axes.get_position(original=True), axes.get_position()
    bars = [dict(bar._colorbar_info) for bar in getattr(axes, "_colorbars", ())]
    return [box.extents.tolist() for box in boxes], grids, bars
