"""Pictures of one frame: as it is, without its texts, and without its data too."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox
from matplotlib.patches import StepPatch
from matplotlib.quiver import Quiver
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from render.film.insets import every_axes
from render.film.legibility.layers import Layers, Picture, blank, layers

__all__ = ["FrameView", "children", "differ", "name_of", "name_of_axes"]

Place = tuple[object, ...]
Ink = tuple[tuple[int, int], npt.NDArray[np.bool_]]  # the first row and column, and which pixels
_VISIBLE = 25  # of 255, in any channel
_DATA = (Line2D, PathCollection, LineCollection, Quiver, StepPatch)


@dataclass(frozen=True, eq=False)
class FrameView:
    """A figure at one frame; its pictures are uint8, (height, width, 3), row 0 on top.

    Spines are left out of all of them: they lie above data, and are no background of it.
    """

    figure: Figure
    frame: int

    @cached_property
    def texts(self) -> list[Text]:
        """The texts that are drawn, each once, in drawing order."""
        return list(self._layers.texts)

    @cached_property
    def data(self) -> list[Artist]:
        """The artists that stand for data: lines, points, arrows, histograms."""
        return [
            artist
            for axes in self.figure.axes
            if axes.get_visible()
            for artist in children(axes)
            if isinstance(artist, _DATA) and artist.get_visible()
        ]

    @cached_property
    def bars(self) -> list[Artist]:
        """The bars: data that words may be written on."""
        return [
            bar
            for axes in every_axes(self.figure)
            for bars in axes.containers
            if isinstance(bars, BarContainer)
            for bar in bars.patches
        ]

    @cached_property
    def legends(self) -> list[Legend | AnchoredOffsetbox]:
        """The legends of the figure and of its axes, and boxes of words that stand like these."""
        return [*self.figure.findobj(Legend), *self.figure.findobj(AnchoredOffsetbox)]

    @cached_property
    def whole(self) -> Picture:
        """Everything."""
        return self._without()

    @cached_property
    def without_texts(self) -> Picture:
        """Everything but texts."""
        return self._without(self.texts)

    @cached_property
    def background(self) -> Picture:
        """Neither texts nor data: axes, grids, images, contours, surfaces."""
        return self._without(self.texts, self.data)

    def without_legends(self, legends: Sequence[Artist]) -> tuple[Picture, Picture]:
        """Two pictures without texts and some of the legends: with data, and without."""
        with_data = self._without(self.texts, legends)
        return with_data, self._without(self.texts, legends, self.data, self.bars)

    def _without(self, *artists: Sequence[Artist]) -> Picture:
        return self._layers.without(itertools.chain(self._spines, *artists))

    @cached_property
    def _layers(self) -> Layers:
        return layers(self.figure, [*self._spines, *self.data, *self.bars, *self.legends])

    @cached_property
    def _spines(self) -> list[Artist]:
        return [spine for axes in every_axes(self.figure) for spine in axes.spines.values()]

    def ink(self, text: Text, box: Bbox) -> npt.NDArray[np.bool_]:
        """Which pixels a text covers, were it alone on the picture, in a part of its own box."""
        (top, left), whole = self._inks.get(id(text)) or self._draw_alone(text)
        rows, columns = self.pixels(box)
        return whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]

    def _draw_alone(self, text: Text) -> Ink:
        at = self.pixels(self.box(text))
        picture = np.asarray(self._sheet.buffer_rgba())  # type: ignore[no-untyped-call]
        picture[(*at, slice(3))] = self.without_texts[at]  # in place of what other texts left here
        text.draw(self._sheet)
        ink = differ(picture[(*at, slice(3))], self.without_texts[at])
        self._inks[id(text)] = (at[0].start, at[1].start), ink
        return self._inks[id(text)]

    @cached_property
    def _inks(self) -> dict[int, Ink]:
        return {}

    @cached_property
    def _sheet(self) -> RendererAgg:
        """Where texts are drawn one by one."""
        sheet = blank(self.figure)
        picture = np.asarray(sheet.buffer_rgba())  # type: ignore[no-untyped-call]
        picture[..., :3], picture[..., 3] = self.without_texts, 255
        return sheet

    def place(self, artist: Artist) -> Place:
        """Where in the figure an artist stands, by which it is found again in other frames."""
        return self._places.get(id(artist), (id(artist),))

    def axes_of(self, text: Text) -> Axes | None:
        """The axes that a text, such as a tick's label, belongs to; None for the figure's own."""
        place = self.place(text)
        places = ((axes, self.place(axes)) for axes in self.figure.axes)
        return next((axes for axes, above in places if place[: len(above)] == above), None)

    @cached_property
    def _places(self) -> dict[int, Place]:
        return dict(_places(self.figure, ()))

    def box(self, text: Text) -> Bbox:
        """Where a text stands, in pixels from the lower left corner."""
        return self._layers.texts[text]

    def pixels(self, box: Bbox) -> tuple[slice, slice]:
        """Return the rows and columns of a picture inside a box."""
        height, width = self.whole.shape[:2]
        columns = _clipped(box.x0, box.x1, width)
        rows = _clipped(height - box.y1, height - box.y0, height)
        return rows, columns


def differ(one: Picture, other: Picture) -> npt.NDArray[np.bool_]:
    """Return in which pixels an eye notices a difference, (height, width)."""
    change = np.maximum(one, other) - np.minimum(one, other)
    return np.asarray(change.max(axis=-1, initial=0) > _VISIBLE)


def name_of(artist: Artist) -> str:
    """Return words by which a user finds an artist."""
    if isinstance(artist, Text):
        text = " ".join(artist.get_text().split())
        return f"text {text[:40] + '…' if len(text) > 40 else text!r}"
    label = str(artist.get_label())
    kind = type(artist).__name__
    return f"{kind} {label!r}" if label and not label.startswith("_") else kind


def name_of_axes(axes: Any) -> str:
    """Return words by which a user finds an axes: in a film, the name of its panel."""
    title = axes.get_title(loc="left") or axes.get_ylabel() or axes.get_xlabel()
    figure: Any = axes.get_figure(root=True)
    return f"axes {axes.get_label() or title or list(every_axes(figure)).index(axes)}"


def children(axes: Any) -> Iterator[Artist]:
    """Yield what an axes and its insets draw on their grounds."""
    ground = (axes.patch, *axes.spines.values())
    yield from (artist for artist in axes.get_children() if artist not in ground)
    for inset in axes.child_axes:
        yield from children(inset)


def _places(artist: Artist, place: Place) -> Iterator[tuple[int, Place]]:
    """Yield the ids of all that an artist holds, and where: at each level, the how manieth."""
    counts: Counter[str] = Counter()
    for child in artist.get_children():
        kind = type(child).__name__
        here = (*place, kind, counts[kind])
        counts[kind] += 1
        yield id(child), here
        yield from _places(child, here)


def _clipped(low: float, high: float, size: int) -> slice:
    first = int(np.clip(np.floor(low), 0, size))
    return slice(first, max(first, int(np.clip(np.ceil(high), 0, size))))
