"""A surface in space: lit faces, the sides it is cut off at, and lines that lie on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Bbox, IdentityTransform, Transform
from numpy.typing import NDArray

from render.film.panels.box import Move, thin_lines
from render.film.panels.camera import Camera, Horizon, visible_order
from render.film.panels.contours import shades

__all__ = ["Sheet", "draw_levels", "draw_sheet", "draw_sides"]

Array = NDArray[Any]

_SHADES = 64
_CORNERS = 32  # of a line across the box: more are not seen
_FEWEST = 20  # of a small loop, if it has as many: with fewer it looks like a polygon
_LIGHT = np.array([-0.35, -0.5, 1.0])
_AMBIENT = 0.74
_UNSEEN_PX = 0.5  # a line may be drawn so far from where it is
_LAP = 0.002  # how far, a pixel or so, the sides reach over the faces, which are not antialiased
_SIDES_INK = (0.20, 0.32)  # how dark the two near sides are


class Sheet(Collection):
    """A grid of lit quadrangles, drawn in the order of the grid: the last one covers the others.

    One call of the renderer draws all of them, four times as fast as the polygons of a collection.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.corners: Array = np.zeros((2, 2, 2))
        self.colors: Array = np.zeros((1, 1, 4))

    def set_faces(self, corners: Array, colors: Array) -> None:
        """Set the faces' corners (ny + 1, nx + 1, 2) and colours (ny, nx, 4)."""
        self.corners, self.colors = np.ascontiguousarray(corners), np.ascontiguousarray(colors)
        self.stale = True

    def get_datalim(self, transData: Transform) -> Bbox:  # noqa: N803  matplotlib's own name
        """Return what the faces cover."""
        seen = self.corners.reshape(-1, 2)
        return Bbox([seen.min(axis=0), seen.max(axis=0)])

    def draw(self, renderer: Any) -> None:
        """Draw the faces, without antialiasing: with it, seams would show between them."""
        if not self.get_visible():
            return
        gc = renderer.new_gc()
        gc.set_clip_rectangle(self.get_clip_box())
        gc.set_clip_path(self.get_clip_path())
        gc.set_linewidth(0.0)
        rows, columns = self.colors.shape[:2]
        renderer.draw_quad_mesh(
            gc,
            self.get_transform().frozen(),
            columns,
            rows,
            self.corners,
            np.zeros((1, 2)),
            IdentityTransform(),
            self.colors.reshape(-1, 4),
            False,
            np.zeros((0, 4)),
        )
        gc.restore()
        self.stale = False


def draw_sheet(ax: Axes, camera: Camera, heights: Array, levels: Array) -> Move:
    """Draw the lit faces of a surface with heights (ny, nx) over the box.

    levels: heights between which the colour changes by the same amount, as contours have them.
    """
    corners = np.stack([*np.meshgrid(*_sides(heights)), heights], axis=-1)
    colors = _lit(heights, levels)
    sheet = Sheet(zorder=1)
    sheet.set_in_layout(False)
    ax.add_collection(sheet, autolim=False)

    def move(step: int, angle: float) -> None:
        order = visible_order(angle)
        sheet.set_faces(camera.project(corners, angle)[order], colors[order])

    return move


def draw_sides(ax: Axes, camera: Camera, heights: Array) -> Move:
    """Draw the two near sides below the surface, as of a block that was cut."""
    paper = np.array(to_rgb(matplotlib.rcParams["axes.facecolor"]))
    ink = np.array(to_rgb(matplotlib.rcParams["axes.edgecolor"]))
    colors = [paper + share * (ink - paper) for share in _SIDES_INK]
    sides = [PathPatch(Path(np.zeros((1, 2))), facecolor=color, linewidth=0) for color in colors]
    for side in sides:
        side.set(zorder=1.1, in_layout=False, clip_on=False)
        ax.add_artist(side)
    xs, ys = _sides(heights)
    heights = heights + _LAP

    def move(step: int, angle: float) -> None:
        turn = np.radians(angle)
        x, column = (1.0, -1) if np.cos(turn) >= 0 else (-1.0, 0)
        y, row = (1.0, -1) if np.sin(turn) >= 0 else (-1.0, 0)
        first = np.column_stack([np.full(len(ys), x), ys, heights[:, column]])[:: int(y)]
        second = np.column_stack([xs, np.full(len(xs), y), heights[row]])[:: -int(x)]
        # The first ends a little behind the second: no background shows through between them.
        around = np.concatenate([first, second[:2]]), [-1, len(first), 0]
        for side, (top, ends) in zip(sides, (around, (second, [-1, 0])), strict=True):
            outline = np.concatenate([top, top[ends] * [1, 1, 0]])
            side.set_path(Path(camera.project(outline, angle)))

    return move


def draw_levels(
    ax: Axes, camera: Camera, heights: Array, levels: Array, horizon_of: Callable[[Array], Horizon]
) -> Move:
    """Draw lines of equal height on the surface, where it does not hide them."""
    lines = _level_lines(heights, levels)
    horizon = horizon_of(lines)
    paper = matplotlib.rcParams["axes.facecolor"]
    patch = thin_lines(ax, paper, 0.7, 0.6, 1.05)

    def move(step: int, angle: float) -> None:
        seen = camera.project(lines, angle)
        seen[horizon.hides(angle, camera.elevation)] = np.nan
        path = Path(seen)
        path.simplify_threshold = _UNSEEN_PX
        patch.set_path(path)

    return move


def _sides(heights: Array) -> tuple[Array, Array]:
    rows, columns = heights.shape
    return np.linspace(-1, 1, columns), np.linspace(-1, 1, rows)


def _level_lines(heights: Array, levels: Array) -> Array:
    """Places in the box along the lines, with NaN between them: (n, 3)."""
    lines = contour_generator(*_sides(heights), heights, line_type=LineType.Separate)
    every = max(1, (len(heights) - 1) // _CORNERS)  # a line has a corner at each of the grid's
    pieces = [np.full((1, 3), np.nan)]
    for level in levels[1:-1:2]:
        for line in lines.lines(level):
            step = max(1, min(every, len(line) // _FEWEST))
            corners = np.concatenate([line[:-1:step], line[-1:]])
            pieces += [np.column_stack([corners, np.full(len(corners), level)]), pieces[0]]
    return np.concatenate(pieces)


def _lit(heights: Array, levels: Array) -> Array:
    """The colour of each face, from its height and from how the light falls: (ny, nx, 4)."""
    xs, ys = _sides(heights)
    along, across = np.gradient(heights, ys, xs)
    normals = np.stack([-across, -along, np.ones_like(heights)], axis=-1)
    light = normals @ (_LIGHT / np.linalg.norm(_LIGHT)) / np.linalg.norm(normals, axis=-1)
    share = np.interp(heights, levels, np.linspace(1.0, 0.0, len(levels)))
    cmap = LinearSegmentedColormap.from_list("heights", shades(_SHADES), N=8 * _SHADES)
    colors = cmap(share)
    bright = _AMBIENT + (1.06 - _AMBIENT) * np.clip(light, 0.0, 1.0)
    colors[..., :3] = np.clip(colors[..., :3] * bright[..., None], 0.0, 1.0)
    around = colors[:-1, :-1] + colors[1:, :-1] + colors[:-1, 1:] + colors[1:, 1:]
    return np.asarray(around / 4)
