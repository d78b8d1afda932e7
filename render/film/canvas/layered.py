"""The layered canvas itself: what the exporter and the matplotlib writer use."""

from __future__ import annotations

import io
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
from matplotlib import backend_bases
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render.film.canvas.boxes import Box
from render.film.canvas.commands import PixelsReadError
from render.film.canvas.engines import computes, engine_set_aside
from render.film.canvas.frames import Frames
from render.film.canvas.fresh import FRESH
from render.film.canvas.own_pixels import OwnPixels, is_listened_to
from render.film.canvas.private import is_as_known
from render.film.canvas.standing import Standing
from render.film.themed import ThemedFigure, drawing_turn

Rect = Box
_COMPUTED_BY_SAVEFIG = 1  # layouts: in a drawing that it goes through before it draws


class LayeredCanvas:
    """Draws a matplotlib figure frame after frame, redrawing only what changed.

    The pixels equal a full redraw's. `dpi` None means the figure's own; the other settings are
    those of `Figure.savefig`, None its default. While the canvas is open,
    `figure.canvas.draw_idle()`, which `Animation.save` calls before every frame, puts its drawing
    off until someone reads the pixels of `figure.canvas`.
    """

    def __init__(
        self,
        figure: Figure,
        *,
        dpi: float | None = None,
        facecolor: object = None,
        edgecolor: object = None,
        transparent: bool | None = None,
    ) -> None:
        self._figure = figure
        self._settings: dict[str, Any] = {
            "dpi": "figure" if dpi is None else dpi,
            "transparent": transparent,
        }
        for name, colour in (("facecolor", facecolor), ("edgecolor", edgecolor)):
            if colour is not None:
                self._settings[name] = colour
        self._frames: Frames | None = None
        self._standing = Standing(figure)
        self._in_full = not is_as_known(figure)
        self._moves = False
        self._twice = False
        self._picture = np.empty((0, 0, 4), np.uint8)
        self.damage: tuple[Rect, ...] = ()
        self._is_open = True
        self._adopt_canvas()

    def _adopt_canvas(self) -> None:
        """Take the figure's canvas as the one whose pixels are put off."""
        self._first_canvas: Any = self._figure.canvas
        if not isinstance(self._first_canvas, FigureCanvasAgg):
            FigureCanvasAgg(self._figure)  # becomes the figure's canvas
        self._canvas: Any = self._figure.canvas
        self._own_pixels = OwnPixels(
            self._figure, self._canvas, self._are_settled, self._skip_layout
        )

    def draw(self) -> np.ndarray:
        """Return the figure's pixels now, as `figure.savefig` would write them.

        (height, width, 4) uint8 RGBA, C-contiguous, valid until the next call. `damage` then holds
        disjoint rectangles (x0, y0, x1, y1), the far edges excluded, with every pixel that differs
        from the call before: the whole frame at first, none when nothing changed.
        """
        figure = self._figure
        if figure.canvas is not self._canvas:  # someone gave the figure another
            self._own_pixels.close()
            self._adopt_canvas()
        self._canvas.print_rgba = self._print  # savefig prepares the figure, and calls it
        try:
            theme = figure.theme() if isinstance(figure, ThemedFigure) else drawing_turn
            with theme:
                self._moves = self._layout_moves()
                with engine_set_aside(figure, keep=self._moves) as self._twice:
                    figure.savefig(io.BytesIO(), format="rgba", **self._settings)
        finally:
            del self._canvas.print_rgba
        return self._picture

    def _layout_moves(self) -> bool:
        """Whether the layout has to be computed for the next frame."""
        stands = self._layout_stands() and self._standing.returns_after(_COMPUTED_BY_SAVEFIG)
        if not computes(self._figure):
            return False
        if stands:
            self._standing.forget()
        else:
            self._standing.make_up()
        return not stands

    def _layout_stands(self) -> bool:
        self._standing.adopt()
        return self._frames is not None and self._frames.layout_stands()

    def _are_settled(self) -> bool:
        """Whether no artist would come out otherwise after an idle draw."""
        return self._frames is not None and self._frames.is_settled()

    def _skip_layout(self) -> bool:
        """Leave out what an idle draw computes, if that moves nothing."""
        stands = self._layout_stands()
        if stands:
            self._standing.skip()
        return stands

    def close(self) -> None:
        """Restore the figure to how it was. Closing twice does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        was_drawn, self._frames = self._frames is not None, None
        self._own_pixels.close()
        self._standing.close()
        if self._first_canvas is not self._canvas is self._figure.canvas:
            self._figure.set_canvas(self._first_canvas)
        if not was_drawn:
            return  # to look for artists finds ticks, and limits in an order of its own
        artists: list[Any] = []
        with suppress(Exception):  # a locator's, asked for ticks, as of dates out of range
            artists = self._figure.findobj()
        for artist in artists:
            if artist._stale is FRESH:
                artist._stale = False

    def __enter__(self) -> LayeredCanvas:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _print(self, file: object, **_: object) -> None:
        """Do what `FigureCanvasAgg.print_rgba` does, into the picture and not into a file."""
        if _is_asked_for_renderer(self._figure):
            FigureCanvasAgg.draw(self._canvas)  # type: ignore[no-untyped-call]
            return
        width, height = self._canvas.get_width_height(physical=True)
        if self._frames is None or self._frames.key != (width, height, self._figure.dpi):
            self._frames = Frames(self._figure, width, height, self._standing)
        if not (self._in_full or is_listened_to(self._canvas)):
            try:
                self._picture, self.damage = self._frames.draw(
                    rests=not self._moves, twice=self._twice, idle_dpi=self._own_pixels.idle_dpi
                )
                self._own_pixels.show(self._picture)
                return
            except PixelsReadError:
                self._in_full = True
        self._picture = self._own_pixels.draw(twice=self._twice)
        self._standing.forget()
        self.damage = ((0, 0, width, height),)


def _is_asked_for_renderer(figure: Figure) -> bool:
    """Whether matplotlib only asks which renderer would draw the figure."""
    draw = vars(figure).get("draw")
    return getattr(draw, "__module__", None) == backend_bases.__name__
