"""The structure of a figure: what decides in which order and where its artists are drawn.

When none of it has changed, an artist can be drawn again alone. When any of it has, matplotlib
draws the whole figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import _ImageBase
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.offsetbox import OffsetBox
from matplotlib.patches import Patch
from matplotlib.quiver import QuiverKey
from matplotlib.spines import Spine
from matplotlib.table import Table
from matplotlib.text import Text

from render.film.canvas.order import is_plain
from render.film.canvas.watch import Watch

_INDEPENDENT = (
    Collection,
    Legend,
    Line2D,
    OffsetBox,
    Patch,
    QuiverKey,
    Table,
    Text,
    _ImageBase,
)


def is_independent(artist: Artist) -> bool:
    """Whether a change of this artist moves no other artist."""
    if isinstance(artist, Spine):
        return False
    module = type(artist).__module__
    if not module.startswith(("matplotlib.", "mpl_toolkits.")):
        return not isinstance(artist, Axes)
    return isinstance(artist, _INDEPENDENT) or module.startswith("mpl_toolkits.mplot3d.")


def is_title(artist: Artist, parent: Any) -> bool:
    """Whether this is one of an axes' titles, which it places together before it draws them."""
    return isinstance(artist, Text) and any(
        artist is getattr(parent, name, None) for name in ("title", "_left_title", "_right_title")
    )


def finds_its_place(artist: Artist) -> bool:
    """Whether this is a legend that looks for the emptiest corner: it depends on its neighbours."""
    return isinstance(artist, Legend) and artist._loc_real == 0  # type: ignore[attr-defined]


class Structure:
    """The structure of a figure as it was at one moment.

    `fixed` are the artists that others depend on, axis objects and spines.
    """

    def __init__(self, figure: Figure, fixed: Iterable[Artist]) -> None:
        self._containers = _containers(figure)
        self._axes: list[Any] = [c for c in self._containers if isinstance(c, Axes)]
        self._families = self._current_families()
        self._figures = self._current_figures()
        self._settings = list(dict.values(mpl.rcParams))
        self._watches = [Watch(self._axes, containers=True)]
        self._watches.append(Watch(fixed, known=self.watched))

    @property
    def watched(self) -> dict[int, object]:
        """All things that it watches, by their `id`: no artist need watch them too."""
        return {key: thing for watch in self._watches for key, thing in watch.seen.items()}

    def changed(self) -> bool:
        """Whether it is no longer so."""
        for axes in self._axes:
            axes._unstale_viewLim()
        return (
            self._families != self._current_families()
            or self._figures != self._current_figures()
            or self._settings != list(dict.values(mpl.rcParams))
            or any(watch.changed() for watch in self._watches)
        )

    def _current_families(self) -> list[Any]:
        """Return the children of every container with what decides their order."""
        result: list[Any] = []
        for container in self._containers:
            children: list[Any] = container.get_children()
            result += map(id, children)
            result += [child.zorder for child in children]
            result += [child._animated for child in children]
        return result

    def _current_figures(self) -> list[Any]:
        figures: list[Any] = [c for c in self._containers if isinstance(c, FigureBase)]
        return [
            (*figure.bbox.extents.tolist(), figure.get_visible(), figure.dpi, is_plain(figure))
            for figure in figures
        ]


def _containers(container: Artist) -> list[Any]:
    """Return a container and those in it, at any depth, whose children can be drawn alone."""
    result = [container]
    for child in container.get_children():
        if is_plain(child):
            result += _containers(child)
    return result
