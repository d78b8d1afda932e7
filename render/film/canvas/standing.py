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
from matplotlib.transforms import Bbox

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
        self._computed: list[Any] = []  # where each computation put the axes, since the last frame
        self._orbit: list[Any] = []  # the same, in the last frame
        self._skipped = 0  # computations left out since then
        self._period = 0  # after so many computations all is back in its place; 0: not known
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
        self.make_up()
        if self._engine is not None:
            del self._engine.execute
        self._engine, self._period, self._places = None, 0, None

    def skip(self) -> None:
        """Leave out one computation, as of an idle draw."""
        self._skipped += 1

    def returns_after(self, count: int) -> bool:
        """Whether all would be back in its place after so many computations, and those left out."""
        return self._period > 0 and (self._skipped + count) % self._period == 0

    def forget(self) -> None:
        """Forget what was computed and left out since the last frame that ended."""
        self._computed, self._skipped = [], 0

    def make_up(self) -> None:
        """Put the axes where the computations that were left out would have put them."""
        if self._period > 0 and self._skipped % self._period:
            pars, _, places = self._orbit[self._skipped % self._period - 1]
            vars(self._figure.subplotpars).update(pars)
            for axes, extents in places:
                axes._set_position(Bbox.from_extents(*extents))
        self._skipped = 0

    def end_frame(self) -> bool:
        """Note where everything is after a drawing; return whether it is where it was before."""
        places = None if self._engine is None else self._now()
        self._orbit, self._computed = self._computed, []
        self._period = 0
        if places is not None and places == self._places and self._orbit:
            if all(each == self._orbit[-1] for each in self._orbit):
                self._period = 1
            elif not self._figure.subfigs:  # which cannot be put back
                self._period = len(self._orbit)
        self._places, self._skipped = places, 0
        self._titles = [(title, _mark(title)) for title in self._figure_titles()]
        return self._period > 0

    def is_arranged_as_before(self) -> bool:
        """Whether places, grids and the engine's settings are as at the end of the last frame."""
        return self._period > 0 and self._now() == self._places

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
        result = _COMPUTE[type(engine)](engine, figure)
        self._computed.append(self._axes_places())
        return result

    def _axes_places(self) -> Any:
        """Where the axes are, as far as an engine decides it."""
        every = [(axes, axes.get_position(original=True)) for axes in all_axes(self._figure)]
        return (
            dict(vars(self._figure.subplotpars)),
            [each.bbox.extents.tolist() for each in _with_nested(self._figure)],
            [(axes, box.extents.tolist()) for axes, box in every],
        )

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
