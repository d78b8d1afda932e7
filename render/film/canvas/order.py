"""The true drawing order, taken from matplotlib while it draws.

Every container of artists, figure or axes, draws its children through one function of matplotlib's,
which gets them sorted. Watching that function cuts a full drawing into segments without a second
copy of matplotlib's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.image
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.image import _ImageBase
from matplotlib.projections.polar import PolarAxes

from render.film.canvas.foreign import is_foreign
from render.film.canvas.fresh import mark_fresh
from render.film.canvas.recorder import Recorder
from render.film.canvas.segments import Segment
from render.film.themed import ThemedFigure

_HOOK = "_draw_list_compositing_images"
_PLAIN_DRAWS = {Axes.draw, PolarAxes.draw, Figure.draw, SubFigure.draw}


def is_plain(container: object) -> bool:
    """Whether this container only draws its children, each of which may be drawn alone."""
    if not isinstance(container, (FigureBase, Axes)):
        return False
    kind = type(container)
    return (
        (kind is ThemedFigure or kind.draw in _PLAIN_DRAWS)
        and kind.__module__.startswith(("matplotlib.", ThemedFigure.__module__))
        and "draw" not in vars(container)
        and not container.get_rasterized()
        and container.get_agg_filter() is None
        and getattr(container, "_rasterization_zorder", None) is None
        and not _composites_images(container)
    )


def _composites_images(container: Artist) -> bool:
    """Whether neighbouring images are drawn as one."""
    root: Any = container.get_figure(root=True)
    wanted = root.suppressComposite is not None and not root.suppressComposite
    return wanted and any(isinstance(child, _ImageBase) for child in container.get_children())


def record_figure(figure: Figure, recorder: Recorder) -> tuple[list[Segment], bool]:
    """Let matplotlib draw the whole figure; return its segments in drawing order.

    The second value says whether each segment is the drawing of its artist alone.
    """
    taker = _OrderTaker(recorder, figure)
    with _watching(taker.draw_children), recorder.ticks.kept(figure):
        figure.draw(recorder)
    taker.close(figure)
    return taker.segments, taker.is_clean


def record_axes(axes: Any, recorder: Recorder) -> list[Segment]:
    """Let one axes draw itself and all its artists; return their segments in drawing order."""
    taker = _OrderTaker(recorder, axes)
    with _watching(taker.draw_children), recorder.ticks.kept(axes.get_figure(root=True)):
        axes.draw(recorder)
    taker.close(axes)
    return taker.segments


class _OrderTaker:
    """Cuts a drawing into segments."""

    def __init__(self, recorder: Recorder, root: Artist) -> None:
        self._recorder = recorder
        self._expected: Artist | None = root if is_plain(root) else None
        self.segments: list[Segment] = []
        self.is_clean = False

    def close(self, parent: Any) -> None:
        """End a segment of what `parent` drew by itself: a figure draws its patch first."""
        tape = self._recorder.tape
        if tape.commands:
            patch_alone = isinstance(parent, FigureBase) and parent is self._expected
            self.is_clean = self.is_clean and patch_alone
            mark_fresh(parent.patch)
            self.segments.append(Segment(parent.patch, parent, tape.commands))
            tape.commands = []

    def draw_children(
        self,
        original: Callable[..., None],
        renderer: Any,
        parent: Artist,
        artists: Sequence[Artist],
        suppress_composite: bool | None,
    ) -> None:
        """Draw sorted children, each in a segment of its own where the parent allows it."""
        if renderer is not self._recorder or renderer.is_filtering or parent is not self._expected:
            original(renderer, parent, artists, suppress_composite)
            return
        if isinstance(parent, Figure):
            self.is_clean = True
        self.close(parent)
        tape, ticks = self._recorder.tape, self._recorder.ticks
        for artist in artists:
            plain = is_plain(artist)
            self._expected = artist if plain else None
            ticks.keeps = isinstance(artist, Axis)
            artist.draw(renderer)
            ticks.keeps = False
            if is_foreign(artist):
                ticks.stop()
            self._expected = None
            if plain:
                self.close(artist)
            else:
                mark_fresh(artist)  # now, so that it shows when another changes it later
                self.segments.append(Segment(artist, parent, tape.commands))
                tape.commands = []


@contextmanager
def _watching(draw_children: Callable[..., None]) -> Iterator[None]:
    original = getattr(matplotlib.image, _HOOK)

    def hook(renderer: Any, parent: Any, artists: Any, suppress_composite: Any = None) -> None:
        draw_children(original, renderer, parent, artists, suppress_composite)

    setattr(matplotlib.image, _HOOK, hook)
    try:
        yield
    finally:
        setattr(matplotlib.image, _HOOK, original)
