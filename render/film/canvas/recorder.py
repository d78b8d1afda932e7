"""A renderer that records drawing commands instead of drawing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib import ft2font
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg, get_hinting_flag

from render.film.canvas.commands import Command, PixelsReadError
from render.film.canvas.foreign import is_foreign
from render.film.canvas.glyphs import KNOWN, Glyph, Glyphs
from render.film.canvas.layouts import Layout, Layouts, line_height
from render.film.canvas.tape import Tape
from render.film.canvas.ticks import TicksOnce


class Recorder(RendererAgg):
    """Takes the place of Agg's renderer while artists are drawn; `agg` is its rasterizer, unused.

    Filters (`Artist.set_agg_filter`) do draw, on rasterizers of their own, and are recorded as the
    image that they give.
    """

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)  # type: ignore[no-untyped-call]
        self.agg: Any = self._renderer
        self.tape = Tape(int(width), int(height), dpi)
        self.ticks = TicksOnce()
        self._glyphs = Glyphs(height, dpi)
        self._layouts = Layouts()
        self._fonts: dict[int, Any] = {}
        self._lines: dict[int, tuple[float | None, ...]] = {}
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
            if is_foreign(artist):
                self.ticks.stop()

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Draw a text, with its layout from when it was measured."""
        if s and KNOWN and not ismath and Layouts.can(s, mtext):
            glyphs = self._layout(s, prop).glyphs
            self._draw_text_glyphs_and_boxes(gc, x, y, angle, glyphs, [])
        else:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # type: ignore[no-untyped-call]

    def get_text_width_height_descent(
        self, s: str, prop: Any, ismath: Any
    ) -> tuple[float, float, float]:
        """Measure a text, and keep the layout that this takes for when it is drawn."""
        size: tuple[float, float, float] | None = None
        if s and KNOWN and not ismath and Layouts.can(s, None):
            size = self._layout(s, prop).size
        return size or super().get_text_width_height_descent(s, prop, ismath)  # type: ignore[no-untyped-call]

    def _get_font_height_metrics(self, prop: Any) -> tuple[float | None, ...]:
        """Tell a text how high its font's lines are, of which matplotlib reads two tables else."""
        key = hash(prop)
        if key not in self._lines:
            font, points = self._prepare_font(prop), prop.get_size_in_points()
            self._lines[key] = line_height(font, points, self.dpi) if KNOWN else (None,) * 3
        return self._lines[key]

    def _layout(self, text: str, prop: Any) -> Layout:
        font = self._prepare_font(prop)
        flags = get_hinting_flag()  # type: ignore[no-untyped-call]
        return self._layouts.of(font, prop.get_size_in_points(), text, flags)

    def _prepare_font(self, font_prop: Any) -> Any:
        """Return a font at its size. Which one it is depends on settings: see `forget_fonts`."""
        key = hash(font_prop)  # by which matplotlib compares them
        if key not in self._fonts:
            self._fonts[key] = super()._prepare_font(font_prop)  # type: ignore[no-untyped-call]
        font = self._fonts[key]
        font.clear()
        font.set_size(font_prop.get_size_in_points(), self.dpi)
        return font

    def forget_fonts(self) -> None:
        """Look every font up again, as settings may have changed."""
        self._fonts.clear()
        self._lines.clear()

    def _draw_text_glyphs_and_boxes(
        self, gc: Any, x: Any, y: Any, angle: Any, glyphs: Any, boxes: Any
    ) -> None:
        """Record the glyphs of a text as one command."""
        if self.is_filtering or not KNOWN:
            super()._draw_text_glyphs_and_boxes(gc, x, y, angle, glyphs, boxes)  # type: ignore[no-untyped-call]
            return
        self.tape.draw_text(gc, self.place(gc, x, y, angle, glyphs))
        if boxes := list(boxes):  # strokes, of fractions and roots
            super()._draw_text_glyphs_and_boxes(gc, x, y, angle, (), boxes)  # type: ignore[no-untyped-call]

    def glyphs_of(self, text: str, prop: Any) -> list[Any]:
        """Return the glyphs of a line that `Layouts` can lay out, and where they stand in it."""
        return self._layout(text, prop).glyphs

    def place(
        self, gc: Any, x: float, y: float, angle: float, glyphs: Iterable[Any]
    ) -> list[Glyph]:
        """Return the glyphs of a text as they are drawn at a place."""
        mode = ft2font.RenderMode["NORMAL" if gc.get_antialiased() else "MONO"]
        flags = get_hinting_flag()  # type: ignore[no-untyped-call]
        return self._glyphs.place(x, y, angle, glyphs, flags, mode)

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
        """Begin a frame: forget the last one's ticks, and what an interrupted drawing left open."""
        self.ticks.begin()
        self._filter_renderers.clear()
        self._renderer = self.tape
        self._raster_depth = 0
        self._rasterizing = False
        self.tape.commands = []
        self._update_methods()  # type: ignore[no-untyped-call]
