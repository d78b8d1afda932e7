"""Pictures of a figure without some of its artists, of which nothing else moves for that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from render.film.canvas.commands import PixelsReadError
from render.film.canvas.recorder import Recorder

__all__ = ["Layers", "Picture", "blank", "layers"]

Picture = npt.NDArray[np.uint8]
Draw = Callable[..., None]


class Layers(Protocol):
    """A figure as it is drawn now.

    texts: those that are drawn, each once, in drawing order, and where: in pixels from the lower
    left corner.
    """

    texts: dict[Text, Bbox]

    def without(self, artists: Iterable[Artist]) -> Picture:
        """Return the picture, uint8, (height, width, 3), row 0 on top, without these artists."""


def layers(figure: Figure, apart: Iterable[Artist]) -> Layers:
    """Draw a figure.

    apart: what may be left out, besides texts.
    """
    try:
        return _Recorded(figure, apart)
    except PixelsReadError:  # an artist that is no sequence of commands
        return _Redrawn(figure)


def blank(figure: Figure) -> RendererAgg:
    """Return a renderer of the figure's size, with nothing drawn yet."""
    return RendererAgg(*_size(figure), figure.dpi)  # type: ignore[no-untyped-call]


class _Recorded:
    """Draws once, and plays the commands of what is not left out."""

    def __init__(self, figure: Figure, apart: Iterable[Artist]) -> None:
        recorder = Recorder(*_size(figure), figure.dpi)
        self.texts: dict[Text, Bbox] = {}
        self._figure = figure
        self._parts: dict[int, list[range]] = defaultdict(list)

        def noted(draw: Draw, artist: Artist, *args: Any, **kwargs: Any) -> None:
            if recorder.is_filtering:
                raise PixelsReadError("a part of what a filter draws cannot be left out")
            start = len(recorder.tape.commands)
            draw(*args, **kwargs)
            self._parts[id(artist)].append(range(start, len(recorder.tape.commands)))

        with _texts_noted_in(self.texts), _texts_drawn_by(noted), _drawn_by(noted, apart):
            self._commands = recorder.record(figure)

    def without(self, artists: Iterable[Artist]) -> Picture:
        left_out = {
            at for artist in artists for part in self._parts.get(id(artist), ()) for at in part
        }
        renderer = blank(self._figure)
        for at, command in enumerate(self._commands):
            if at not in left_out:
                command.play(renderer._renderer)
        return _picture(renderer)


class _Redrawn:
    """Draws again for each picture."""

    def __init__(self, figure: Figure) -> None:
        self.texts: dict[Text, Bbox] = {}
        self._figure = figure
        with _texts_noted_in(self.texts):
            figure.draw(blank(figure))

    def without(self, artists: Iterable[Artist]) -> Picture:
        renderer = blank(self._figure)
        with _drawn_by(_not_drawn, artists):
            self._figure.draw(renderer)
        return _picture(renderer)


@contextmanager
def _texts_noted_in(texts: dict[Text, Bbox]) -> Iterator[None]:
    """Note the texts that are written, and where they are meanwhile.

    Others end in that method only if there is something to write, and at a place on the picture
    that they may have for this moment alone, as those in space.
    """
    own = Text.draw

    def draw(text: Text, renderer: Any, *args: Any, **kwargs: Any) -> None:
        own(text, renderer, *args, **kwargs)
        if _is_written(text):
            box = Text.get_window_extent(text, renderer)
            if np.isfinite(box.extents).all():
                texts[text] = box

    Text.draw = draw  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Text.draw = own  # type: ignore[method-assign]


@contextmanager
def _texts_drawn_by(noted: Callable[..., None]) -> Iterator[None]:
    """Have noted(draw, text, renderer) draw every text, of those too that axes make meanwhile."""
    own = [(kind, vars(kind)["draw"]) for kind in _kinds(Text) if "draw" in vars(kind)]
    for kind, draw in own:
        kind.draw = _method(noted, draw)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for kind, draw in own:
            kind.draw = draw  # type: ignore[method-assign]


def _method(noted: Callable[..., None], draw: Draw) -> Any:
    return lambda text, *args, **kwargs: noted(partial(draw, text), text, *args, **kwargs)


@contextmanager
def _drawn_by(noted: Callable[..., None], artists: Iterable[Artist]) -> Iterator[None]:
    """Have noted(draw, artist, renderer) draw these. That they stay visible keeps the layout."""
    own = [(artist, vars(artist).get("draw")) for artist in {id(a): a for a in artists}.values()]
    for artist, _ in own:
        artist.draw = partial(noted, artist.draw, artist)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for artist, draw in own:
            if draw is None:
                del artist.draw
            else:
                artist.draw = draw  # type: ignore[method-assign]


def _not_drawn(draw: Draw, artist: Artist, *args: Any, **kwargs: Any) -> None:
    """Draw nothing."""


def _kinds(kind: type[Text]) -> Iterator[type[Text]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _is_written(text: Text) -> bool:
    return text.get_visible() and bool(text.get_text().strip())


def _size(figure: Figure) -> tuple[int, int]:
    width, height = (round(float(side)) for side in figure.bbox.size)
    return width, height


def _picture(renderer: RendererAgg) -> Picture:
    return np.asarray(renderer.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
