"""The tape: what an artist draws, recorded as commands with copies of their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.path import Path
from matplotlib.transforms import Transform

from render.film.canvas.boxes import Box
from render.film.canvas.clips import Clip, takes_mask
from render.film.canvas.commands import Command, PixelsReadError
from render.film.canvas.extents import clip_box, extent
from render.film.canvas.frozen import FrozenPaths, freeze_path
from render.film.canvas.glyphs import Glyph, TextCommand

_CLIPS_KEPT = 64
_FEW = 16  # paths


class Tape:
    """Stands in for the compiled rasterizer and records its calls as commands."""

    def __init__(self, width: int, height: int, dpi: float) -> None:
        self.commands: list[Command] = []
        self._frame = (width, height, dpi)
        self._clips: dict[tuple[int, Any], Clip] = {}
        self._clip_boxes: dict[bytes | None, Box] = {}
        self._paths = FrozenPaths()

    def _record(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        width, height, dpi = self._frame
        frozen = tuple([self._freeze(value) for value in args])
        frozen_kwargs = {key: self._freeze(value) for key, value in kwargs.items()}
        gc = frozen[-1] if name == "draw_text_image" else frozen[0]
        clip = self._clip(gc)
        if name == "draw_markers" and gc._clippath is not None:
            clip = (0, 0, width, height)  # there Agg clips by the path alone
            gc._clippath = gc._clippath.beyond_rectangle()
        box = extent(name, frozen, clip, height, dpi)
        own_clip = gc._clippath if takes_mask(name, frozen, gc._clippath) else None
        self.commands.append(Command(name, frozen, frozen_kwargs, box, clip, own_clip))

    def again(
        self, commands: Iterable[Command], path: Path, transform: Transform
    ) -> Iterator[Command]:
        """Yield the commands that draw another path, or its markers, in the same ways."""
        _, height, dpi = self._frame
        frozen = freeze_path(path), np.array(transform.get_matrix())
        for command in commands:
            at = 1 if command.name == "draw_path" else 3
            args = (*command.args[:at], *frozen, *command.args[at + 2 :])
            box = extent(command.name, args, command.clip, height, dpi)
            yield Command(command.name, args, command.kwargs, box, command.clip, command.own_clip)

    def _clip(self, gc: Any) -> Box:
        rectangle = gc._cliprect
        key = None if rectangle is None else rectangle.tobytes()
        if key not in self._clip_boxes:
            if len(self._clip_boxes) >= _CLIPS_KEPT:
                self._clip_boxes.clear()
            width, height, _ = self._frame
            self._clip_boxes[key] = clip_box(rectangle, width, height)
        return self._clip_boxes[key]

    def draw_text(self, gc: GraphicsContextBase, glyphs: list[Glyph]) -> None:
        """Record the glyphs of a text."""
        frozen = self._freeze_gc(gc)
        self.commands.append(TextCommand(frozen, glyphs, self._clip(frozen)))

    def draw_path(self, *args: Any, **kwargs: Any) -> None:
        """Record a path."""
        self._record("draw_path", args, kwargs)

    def draw_markers(self, *args: Any, **kwargs: Any) -> None:
        """Record a marker at each vertex of a path."""
        self._record("draw_markers", args, kwargs)

    def draw_path_collection(self, *args: Any, **kwargs: Any) -> None:
        """Record a collection of paths; matplotlib passes none to learn what a renderer can."""
        if not (len(args) > 2 and isinstance(args[2], list) and not args[2]):
            self._record("draw_path_collection", args, kwargs)

    def draw_quad_mesh(self, *args: Any, **kwargs: Any) -> None:
        """Record a mesh of quadrilaterals."""
        self._record("draw_quad_mesh", args, kwargs)

    def draw_gouraud_triangles(self, *args: Any, **kwargs: Any) -> None:
        """Record shaded triangles."""
        self._record("draw_gouraud_triangles", args, kwargs)

    def draw_image(self, *args: Any, **kwargs: Any) -> None:
        """Record an image."""
        self._record("draw_image", args, kwargs)

    def draw_text_image(self, *args: Any, **kwargs: Any) -> None:
        """Record a glyph."""
        self._record("draw_text_image", args, kwargs)

    def copy_from_bbox(self, *args: Any) -> Any:
        """Refuse to read pixels: there are none."""
        raise PixelsReadError("copy_from_bbox")

    def __getattr__(self, name: str) -> Any:
        raise PixelsReadError(name)

    def _freeze(self, value: Any) -> Any:
        """Return a copy that later changes of the figure do not reach."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, GraphicsContextBase):
            return self._freeze_gc(value)
        if isinstance(value, np.ndarray):
            return value.copy()
        if isinstance(value, Path):
            return freeze_path(value)
        if isinstance(value, Transform):
            return np.array(value.get_affine().get_matrix())
        if isinstance(value, tuple):
            return tuple([self._freeze(item) for item in value])
        if isinstance(value, list):
            if len(value) > _FEW and all(type(item) is Path for item in value):
                return self._paths.freeze(value)
            return [self._freeze(item) for item in value]
        if isinstance(value, np.generic):
            return value
        try:
            return np.array(memoryview(value))  # the bitmap of a text, before matplotlib 3.11
        except TypeError:
            kind = type(value).__name__
            raise PixelsReadError(f"an argument of type {kind} cannot be recorded") from None

    def _freeze_gc(self, gc: GraphicsContextBase) -> GraphicsContextBase:
        frozen: Any = object.__new__(type(gc))
        state = frozen.__dict__
        state.update(gc.__dict__)
        if state["_cliprect"] is not None:
            state["_cliprect"] = np.array(state["_cliprect"])
        if state["_clippath"] is not None:
            path, transform = state["_clippath"].get_transformed_path_and_affine()
            state["_clippath"] = self._freeze_clip(path, transform, gc)
        offset, dashes = state["_dashes"]
        if dashes is not None:
            state["_dashes"] = (offset, tuple(dashes))
        state["_rgb"] = tuple(state["_rgb"])
        return frozen  # type: ignore[no-any-return]

    def _freeze_clip(self, path: Path, transform: Transform, gc: Any) -> Clip:
        """Return one object for equal clips, which is quicker to compare."""
        matrix = np.array(transform.get_affine().get_matrix())
        clip = Clip(path, matrix, rectangle=gc._cliprect, snap=gc.get_snap())
        if len(self._clips) >= _CLIPS_KEPT:
            self._clips.clear()
        return self._clips.setdefault((id(path), clip.look), clip)
