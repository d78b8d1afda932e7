"""The pixels of the figure's own canvas, made only when someone reads them.

`draw_idle` on an Agg canvas draws the whole figure at once, and `savefig` leaves its picture there.
Both are put off here until the pixels are read, through the canvas or its renderer. What a drawing
leaves behind other than pixels is the positions that a layout engine computes, limits that are
found in an order of their own, as by the first drawing of all, and what artists read of others that
are drawn later: an idle draw that may leave any is gone through without a picture. Where someone is
told of drawings it is drawn at once. Once someone has read the pixels of an idle draw, those that
follow are drawn at once: what the figure shows may be changed before it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import animation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render.film.canvas.engines import computes, draw_nothing
from render.film.canvas.structure import is_settled

_READERS = ("buffer_rgba", "copy_from_bbox", "restore_region", "tostring_argb")


class OwnPixels:
    """Puts off the drawings of one canvas until it is closed.

    `are_settled` is asked whether no artist would come out otherwise after an idle draw,
    `skip_layout` whether it would compute a layout that stands already.
    """

    def __init__(
        self,
        figure: Figure,
        canvas: Any,
        are_settled: Callable[[], bool],
        skip_layout: Callable[[], bool],
    ) -> None:
        self._figure = figure
        self._canvas = canvas
        self._are_settled = are_settled
        self._skip_layout = skip_layout
        self._renderer: Any = None
        self._pending: Callable[[], None] | None = None
        self._idle_is_read = False
        self._is_drawn = False
        self.idle_dpi: float | None = None  # of the last idle draw, since the last frame
        canvas.draw_idle = self._draw_later
        for name in _READERS:
            setattr(canvas, name, self._pixels_first(getattr(canvas, name)))

    def show(self, picture: np.ndarray) -> None:
        """Have the canvas show a picture, which must stay as it is until the next call."""
        self._is_drawn = True
        self.idle_dpi = None
        self._prepare_renderer()
        renderer = self._renderer

        def copy() -> None:
            np.asarray(renderer._renderer)[:] = picture

        self._pending = copy

    def draw(self, *, twice: bool) -> np.ndarray:
        """Draw the figure on its canvas, in full; return the picture.

        `twice`: it is gone through once before, for what that leaves behind.
        """
        self._is_drawn = True
        self._prepare_renderer()
        if twice:
            draw_nothing(self._figure, self._renderer)
        self._draw()
        return np.array(np.asarray(self._renderer._renderer))

    def close(self) -> None:
        """Give the canvas and its renderer their methods back."""
        for name in ("draw_idle", *_READERS):
            vars(self._canvas).pop(name, None)
        self._release_renderer()

    def _prepare_renderer(self) -> None:
        renderer = self._canvas.get_renderer()
        if renderer is not self._renderer:
            self._release_renderer()
            self._renderer = renderer
            for name in _READERS:
                setattr(renderer, name, self._pixels_first(getattr(renderer, name)))
            renderer.clear = self._pending_dropped(renderer.clear)

    def _release_renderer(self) -> None:
        if self._renderer is not None:
            for name in (*_READERS, "clear"):
                vars(self._renderer).pop(name, None)
            self._renderer._update_methods()
            self._renderer = None

    def _draw_later(self, *_: object, **__: object) -> None:
        self.idle_dpi = self._figure.dpi
        if not hasattr(self._canvas, "renderer"):
            self._prepare_renderer()
        if self._idle_is_read or is_listened_to(self._canvas):
            self._draw()
            return
        is_settled_now = self._is_drawn and is_settled(self._figure) and self._are_settled()
        if not is_settled_now or (computes(self._figure) and not self._skip_layout()):
            self._is_drawn = True
            self._prepare_renderer()
            draw_nothing(self._figure, self._renderer)
        self._pending = self._draw_late

    def _draw(self) -> None:
        draw: Callable[[Any], None] = FigureCanvasAgg.draw
        draw(self._canvas)

    def _draw_late(self) -> None:
        self._idle_is_read = True
        self._draw()

    def _pending_dropped(self, clear: Callable[[], Any]) -> Callable[[], Any]:
        """Wrap the start of any drawing on the canvas: what was put off before is over."""

        def begin() -> Any:
            self._pending = None
            return clear()

        return begin

    def _pixels_first(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any, **kwargs: Any) -> Any:
            if self._pending is not None:
                make, self._pending = self._pending, None
                make()
            return method(*args, **kwargs)

        return read


def is_listened_to(canvas: Any) -> bool:
    """Whether someone is told of every drawing, and may then paint on the canvas."""
    listeners = canvas.callbacks.callbacks.get("draw_event", {}).values()
    return any(
        getattr(listener(), "__module__", None) != animation.__name__ for listener in listeners
    )
