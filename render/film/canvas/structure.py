"""The structure of a figure: what decides in which order and where its artists are drawn.

When none of it has changed, an artist can be drawn again alone. When any of it has, matplotlib
draws the whole figure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection as ArtistCollection
from matplotlib.colors import get_named_colors_mapping
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import fontManager
from matplotlib.image import _ImageBase
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetBox
from matplotlib.patches import Patch
from matplotlib.quiver import QuiverKey
from matplotlib.spines import Spine
from matplotlib.table import Table
from matplotlib.text import Text

from render.film.canvas.fresh import FRESH
from render.film.canvas.order import is_plain
from render.film.canvas.ticks import all_axes
from render.film.canvas.titles import TitlePlaces
from render.film.canvas.watch import Watch

_INDEPENDENT = (
    AnnotationBbox,
    ArtistCollection,
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


def draws_alike(artist: Artist) -> bool:
    """Whether drawing this artist once leaves nothing that a second drawing reads."""
    return type(artist).__module__.startswith("matplotlib.")


def tells_of_limits(figure: Figure) -> bool:
    """Whether drawing a figure finds limits of which someone is told, who may change anything."""
    return any(_tells_of_limits(axes) for axes, _ in _axes_within(figure, []))


def is_settled(figure: Figure) -> bool:
    """Whether a second drawing of a figure finds the limits that the first does."""
    return not any(
        _tells_of_limits(axes) or _waits_for_the_first(axes) for axes in all_axes(figure)
    )


class Structure:
    """The structure of a figure as it was at one moment, and that of each axes in it.

    An axes on which no other axes depends may be restless: it is then drawn again as a whole.
    """

    def __init__(self, figure: Figure) -> None:
        self._containers = _containers(figure)
        self.axes: list[Any] = [c for c in self._containers if isinstance(c, Axes)]
        self._every = list(_axes_within(figure, []))  # those too that are drawn in one piece
        self._families = self._current_families()
        self._figures = self._current_figures()
        self._settings = _current_settings()
        self._lists = [value for value in self._settings if isinstance(value, list)]
        self._listed = [value.copy() for value in self._lists]  # they may be written in place
        self._watches: dict[Any, list[Watch]] = {axes: [] for axes in self.axes}
        self._watched: dict[Any, dict[int, object]] = {}
        self._followed: dict[Any, set[Axes]] = {}  # axes that others may read
        self._titles = TitlePlaces()

    def watch(self, parent: Any, fixed: Iterable[Artist]) -> None:
        """Begin to watch an axes, and `fixed`: its artists on which others depend.

        For `parent` that is a figure, watch only these.
        """
        self._titles.forget(parent)
        watches = [Watch([parent], containers=True)] if isinstance(parent, Axes) else []
        known = {key: thing for watch in watches for key, thing in watch.seen.items()}
        watches.append(Watch(fixed, known=known))
        self._watches[parent] = watches
        self._watched[parent] = {**known, **watches[-1].seen}
        self._followed[parent] = {axes for watch in watches for axes in watch.axes}

    def watched(self, parent: Any) -> dict[int, object]:
        """All things that are watched with an axes, by their `id`: its artists need not."""
        return self._watched.get(parent, {})

    def forget(self, parent: Any) -> None:
        """Take an axes as restless from now on."""
        self._watches[parent] = []
        self._watched[parent] = {}
        self._titles.forget(parent)

    def restless(self) -> list[Any] | None:
        """Return the axes that changed or are not watched, or None: the figure changed."""
        if any(_waits_for_the_first(axes) or _tells_of_limits(axes) for axes, _ in self._every):
            return None
        for axes, containers in self._every:
            if axes.get_aspect() != "auto" or all(map(_is_drawn, containers)):
                axes._unstale_viewLim()
        if (
            self._families != self._current_families()
            or self._figures != self._current_figures()
            or self._settings != _current_settings()
            or self._lists != self._listed
        ):
            return None
        restless = [
            parent
            for parent, watches in self._watches.items()
            if not watches or any(watch.changed() for watch in watches)
        ]
        self._add_followers(restless)
        return restless if self.stand_alone(restless) else None

    def animated(self) -> list[tuple[Any, Any]]:
        """Return what figures do not draw, though layouts make room for it; and each's parent."""
        figures = [each for each in self._containers if isinstance(each, FigureBase)]
        children = [(child, each) for each in figures for child in each.get_children()]
        return [(child, parent) for child, parent in children if child.get_animated()]

    def place(self, restless: Collection[Any], renderer: Any) -> None:
        """Give axes their places, as a figure does with all its axes before it draws the first."""
        for axes, _ in self._every:
            in_one_piece = axes not in self.axes  # as 3D ones, which draw their patch first
            if axes in restless or (in_one_piece and axes._stale is not FRESH):
                locator = axes.get_axes_locator()
                axes.apply_aspect(locator(axes, renderer) if locator else None)

    def place_titles(self, parent: Any, restless: Collection[Any], renderer: Any) -> None:
        """Place the titles of an axes, as it does before it draws its artists."""
        resting = [axes for axes in self.axes if axes not in restless and self._watches[axes]]
        self._titles.place(parent, resting, renderer)

    def _add_followers(self, restless: list[Any]) -> None:
        """Add those whose ticks or places follow restless axes, and those that follow them."""
        count = -1
        while count != len(restless):
            count = len(restless)
            for parent, axes in self._followed.items():
                if parent not in restless and not axes.isdisjoint(restless):
                    restless.append(parent)

    def stand_alone(self, restless: Collection[Any]) -> bool:
        """Whether these are axes on whose limits, places and labels no other axes depends."""
        if not restless:
            return True
        nested = [child for axes in self.axes for child in axes.child_axes]
        return not any(map(_is_placed, self.axes)) and all(
            isinstance(axes, Axes)
            and axes not in nested
            and not axes.child_axes
            and all(other in restless for other in _joined(axes))
            for axes in restless
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
            (
                *figure.bbox.extents.tolist(),
                figure.get_visible(),
                figure.dpi,
                is_plain(figure),
                figure.get_figure(root=True).suppressComposite,
                *[[list(map(id, group)) for group in groups] for groups in _aligned(figure)],
            )
            for figure in figures
        ]


def _current_settings() -> list[Any]:
    """Return the values of all settings, the colours that have names, and the number of fonts."""
    colors, fonts = get_named_colors_mapping(), fontManager.ttflist
    return [*dict.values(mpl.rcParams), *colors.values(), len(fonts)]


def _aligned(figure: Any) -> Collection[Any]:
    """Return the groups of axes whose labels or titles a figure aligns."""
    groups: Collection[Any] = figure._align_label_groups.values()
    return groups


def _containers(container: Artist) -> list[Any]:
    """Return a container and those in it, at any depth, whose children can be drawn alone."""
    result = [container]
    for child in container.get_children():
        if is_plain(child):
            result += _containers(child)
    return result


def _axes_within(container: Artist, outer: list[Artist]) -> Iterator[tuple[Any, list[Artist]]]:
    """Yield all axes in a container at any depth, each with itself and what it is drawn in."""
    for child in container.get_children():
        if isinstance(child, Axes):
            yield child, [*outer, child]
        if isinstance(child, (Axes, FigureBase)):
            yield from _axes_within(child, [*outer, child])


def _is_drawn(artist: Artist) -> bool:
    return artist.get_visible() and not artist.get_animated()


def _tells_of_limits(axes: Any) -> bool:
    """Whether limits wait to be found of which someone will be told: after what was drawn by then.

    What is done on being told may change what was drawn before, and shows in the next frame only.
    """
    listeners = axes.callbacks.callbacks
    return bool(listeners) and any(
        f"{name}lim_changed" in listeners
        and any(other._stale_viewlims[name] for other in group.get_siblings(axes))
        for name, group in axes._shared_axes.items()
        if name in axes._stale_viewlims
    )


def _waits_for_the_first(axes: Any) -> bool:
    """Whether limits that axes share wait to be found, and depend on which of them is read first.

    Drawing reads them in an order of its own: labels and titles in line read other axes' early.
    """
    groups = axes._shared_axes
    return any(
        stale and any(_scales_otherwise(axes, other, name) for other in group.get_siblings(axes))
        for name, stale in axes._stale_viewlims.items()
        if axes in (group := groups[name])
    )


def _scales_otherwise(axes: Any, other: Any, name: str) -> bool:
    """Whether two axes that share the limits called `name` would find others for the same data."""
    return (
        any(
            getattr(axes, each) != getattr(other, each)
            for each in (f"_{name}margin", "use_sticky_edges", "_tight")
        )
        or axes._axis_map[name]._get_autoscale_on() != other._axis_map[name]._get_autoscale_on()
    )


def _is_placed(axes: Any) -> bool:
    """Whether a locator says where the axes is; a colour bar's own looks at no other axes."""
    locator = axes.get_axes_locator()
    if type(locator).__name__ == "_ColorbarAxesLocator":
        locator = locator._orig_locator
    return locator is not None


def _joined(axes: Any) -> set[Any]:
    """Return the axes that share a place, limits, or the alignment of labels with an axes."""
    groups = [axes._twinned_axes, *axes._shared_axes.values()]
    for figure in (axes.get_figure(root=False), axes.get_figure(root=True)):
        groups += _aligned(figure)
    return {other for group in groups if axes in group for other in group.get_siblings(axes)}
