"""A matplotlib figure drawn frame after frame, with the pixels of a full redraw."""

from __future__ import annotations

from render.film.canvas.layered import LayeredCanvas, Rect

__all__ = ["LayeredCanvas", "Rect"]
