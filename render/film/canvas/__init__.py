"""A matplotlib figure drawn frame after frame, with the pixels of a full redraw.

How it works. matplotlib's Agg renderer is Python above seven calls of a compiled rasterizer, and
the picture is a pure function of the sequence of those calls.

1. `recorder` takes the renderer's place while matplotlib draws and records the calls as
   `commands`, with copies of their arguments and a box of the pixels each may touch (`extents`).
2. `order` cuts the recording into `segments`, one for each artist, in matplotlib's drawing order.
3. `watch` looks, before a frame, at everything an artist holds. Only an artist that changed, or
   that cannot be looked into, is drawn again, onto a tape of its own. If something changed on which
   other artists depend (`structure`: limits, positions, ticks, children, order, settings),
   matplotlib draws the whole figure again, and once more for the next frame, which shows whether
   drawing has settled.
4. The new commands are compared with the old. Where they differ, and there alone, is the damage.
5. `painter` repairs it: over a base that holds what lies below anything that moves, it plays, in
   order and unclipped, every command whose box meets the damage, and copies the damaged boxes out.

So a change that goes unnoticed is the one way to a wrong pixel; `watch` says what it cannot see. An
artist that reads pixels back while drawn turns all this off: each frame is then drawn in full. A
layout engine may move anything: a frame is recorded in full unless its layout stands (`standing`),
that is, unless nothing changed that the engine reads (`claims`).

`frames` joins the steps; `layered` is the class that others use; `own_pixels` lets idle draws wait.
"""

from __future__ import annotations

from render.film.canvas.layered import LayeredCanvas, Rect

__all__ = ["LayeredCanvas", "Rect"]
