"""Claims: what a layout engine reads of an artist when it makes room for it.

Engines look at the box around an axes with all that belongs to it. An artist that is clipped to its
axes, or lies within it, does not widen that box: however it changes, it claims nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.offsetbox import AnnotationBbox, OffsetBox

from render.film.canvas.foreign import is_foreign
from render.film.canvas.titles import is_title
from render.film.canvas.trust import is_of_known_class

Claim = tuple[float, ...] | None
_Child = tuple[Any, Any]

_NOTHING: Claim = None
_UNKNOWN: Claim = (float("nan"),)  # equal to no other
_CLIPS_ITSELF = (AnnotationBbox, OffsetBox)  # whatever their own clipping says
_MEASURES = ("get_tightbbox", "get_window_extent", "get_in_layout", "_fully_clipped_to_axes")


class Claims:
    """What all artists of a figure claim at one moment, when their titles have been placed.

    `drawn`, `undrawn`: each artist with its axes or figure; nobody watches what is not drawn.
    """

    def __init__(self, drawn: Iterable[_Child], undrawn: Iterable[_Child], renderer: Any) -> None:
        self._renderer = renderer
        self._undrawn = list(undrawn)
        every = [*drawn, *self._undrawn]
        self._claims = {id(child): _claim_of(child, parent, renderer) for child, parent in every}

    def stand(self, changed: Iterable[_Child]) -> bool:
        """Whether artists that changed claim what they did."""
        return all(
            _same(self._claims.get(id(child), _UNKNOWN), _claim_of(child, parent, self._renderer))
            for child, parent in [*changed, *self._undrawn]
        )


def _claim_of(artist: Any, parent: Any, renderer: Any) -> Claim:
    """Return what a child of an axes or of a figure claims."""
    if isinstance(artist, Axes) or not _is_measured_by_matplotlib(artist):
        return _UNKNOWN
    if not isinstance(parent, Axes):
        return _claim_on_figure(artist, parent, renderer)
    around = parent.get_window_extent(renderer)
    if is_title(artist, parent):
        return _claim_of_title(artist, parent, around, renderer)
    if not (artist.get_visible() and artist.get_in_layout()):
        return _NOTHING
    if not isinstance(artist, _CLIPS_ITSELF) and artist._fully_clipped_to_axes():
        return _NOTHING
    box = artist.get_tightbbox(renderer)
    if box is None or not (0 < box.width < float("inf") and 0 < box.height < float("inf")):
        return _NOTHING
    inside = around.x0 <= box.x0 and box.x1 <= around.x1
    inside = inside and around.y0 <= box.y0 and box.y1 <= around.y1
    return _NOTHING if inside else tuple(box.extents)


def _claim_of_title(title: Any, parent: Any, around: Any, renderer: Any) -> Claim:
    """Engines take a title as one pixel wide, but for one of axes nested in others."""
    if not title.get_visible():
        return _NOTHING
    box = title.get_window_extent(renderer)
    middle = (box.x0 + box.x1) / 2
    if parent.get_subplotspec() and around.x0 < middle - 1 and middle + 1 < around.x1:
        return (box.y0, box.y1)
    return tuple(box.extents)


def _same(one: Claim, other: Claim) -> bool:
    """Whether two claims are the same, to the last bit."""
    return one is other is None or (one is not None and one == other and one is not _UNKNOWN)


def _claim_on_figure(artist: Artist, figure: Any, renderer: Any) -> Claim:
    """Engines make room for a figure's titles, as high or wide as they are, and its legends."""
    titles = figure._suptitle, figure._supxlabel, figure._supylabel
    if isinstance(artist, Legend):
        around: Any = artist.get_tightbbox(renderer)
        return tuple(around.extents)
    if not (any(artist is title for title in titles) and artist.get_in_layout()):
        return _NOTHING
    box: Any = artist.get_tightbbox(renderer)
    return (box.x0, box.x1) if artist is figure._supylabel else (box.y0, box.y1)


def _is_measured_by_matplotlib(artist: Artist) -> bool:
    return (
        is_of_known_class(artist)
        and not is_foreign(artist)
        and not any(name in vars(artist) for name in _MEASURES)
    )
