"""A renderer that records drawing commands instead of drawing."""

from __future__ import annotations

from typing import Any

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg

from render.film.canvas.commands import Command, PixelsReadError, Tape
from render.film.canvas.glyphs import Glyphs


class Recorder(RendererAgg):
    """Takes the place of Agg's renderer while artists are drawn; `agg` is its rasterizer, unused.

    Filters (`Artist.set_agg_filter`) do draw, on rasterizers of their own, and are recorded as the
    image that they give.
    """

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)  # type: ignore[no-untyped-call]
        self.agg: Any = self._renderer
        self.tape = Tape(int(width), int(height), dpi)
        self._glyphs = Glyphs()
        self._renderer: Any = self.tape
        self._update_methods()  # type: ignore[no-untyped-call]

    def record(self, artist: Artist) -> list[Command]:
        """Draw one artist and return its commands."""
        outer, self.tape.commands = self.tape.commands, []
        try:
            artist.draw(self)
            return self.tape.commands
        finally:
            self.tape.commands = outer

    def _draw_text_glyphs_and_boxes(
        self, gc: Any, x: Any, y: Any, angle: Any, glyphs: Any, boxes: Any
    ) -> None:
        """Draw a text with glyphs that are rendered once (matplotlib 3.11 calls this)."""
        kept = ((self._glyphs.font(font), *place) for font, *place in glyphs)
        super()._draw_text_glyphs_and_boxes(gc, x, y, angle, kept, boxes)  # type: ignore[no-untyped-call]

    def buffer_rgba(self) -> memoryview:
        """Return the pixels of the filter that is being drawn."""
        if self._renderer is self.tape:
            raise PixelsReadError("buffer_rgba")
        return memoryview(self._renderer)

    @property
    def is_filtering(self) -> bool:
        """Whether drawing goes to a filter's rasterizer and not to the tape."""
        return self._renderer is not self.tape

    def reset(self) -> None:
        """Forget what an interrupted drawing left open."""
        self._filter_renderers.clear()
        self._renderer = self.tape
        self._raster_depth = 0
        self._rasterizing = False
        self.tape.commands = []
        self._update_methods()  # type: ignore[no-untyped-call]
