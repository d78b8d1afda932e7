"""The loss over two parameters as a surface in space, and the paths that runs take on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_whole, expect, is_number
from render.film.panels.box import Box, Move, draw_axes, draw_walls, thin_lines
from render.film.panels.camera import Camera, Horizon
from render.film.panels.contours import levels_of
from render.film.panels.loss_surface import LossSurface
from render.film.panels.meshing import coarser
from render.film.panels.panel import Update
from render.film.panels.paths import Path as RunPath
from render.film.panels.relief import draw_levels, draw_sheet, draw_sides
from render.film.panels.series import row_at
from render.film.styles import run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Surface3D"]

Array = NDArray[Any]

_SWEEP = 50.0  # degrees that the camera goes around, unless told otherwise
_DEGREES_A_HORIZON = 4.0  # between azimuths at which it is computed what hides what
_PIECE = 0.04  # of a path, at most, in which it follows the surface; the box is 2 wide
_MOST_PIECES = 75  # of one step: more than the box's diagonal takes
_STAR = {"marker": "*", "markersize": 13, "zorder": 2.2, "around": "markeredgecolor"}
_RING = {"marker": "o", "zorder": 3.1, "around": "markerfacecolor"}
_PALE = 0.4  # alpha of a mark behind the surface
_CLOSEST = 0.004  # states nearer than this to one another are one point of a path


@dataclass(frozen=True)
class Surface3D(LossSurface):
    """The loss over two parameters as a surface in space, seen from a camera that moves slowly.

    Each run's path lies on the surface: between two steps it follows the loss below the straight
    way. Where the surface hides it, the path is thin and pale; minima that it hides are pale too.

    parameters, x_range, y_range, levels, minima, title, x_label, y_label, left: as `LossSurface`
    has them, with the same colours. equal: not here, for the floor is a square.
    azimuth: the camera's first and last, in degrees from the first parameter's axis towards the
    second's; by default it stands where the surface's near sides are lowest. elevation: of the
    camera, in degrees. grid: points along each side at which the loss is computed.
    Raises InputError as `LossSurface` does, and for a camera or a grid that cannot be.
    """

    _: KW_ONLY
    grid: int = 97
    azimuth: tuple[float, float] | None = None
    elevation: float = 42.0

    def __post_init__(self) -> None:
        """Check the camera too."""
        super().__post_init__()
        degrees = is_number(self.elevation, 5, 85)
        expect("Surface3D: elevation", self.elevation, degrees, "5 to 85 degrees above the floor")
        given = self.azimuth if isinstance(self.azimuth, tuple | list) else ()
        turns = self.azimuth is None or (len(given) == 2 and all(map(is_number, given)))
        expect("Surface3D: azimuth", self.azimuth, turns, "two angles in degrees, (first, last)")
        if self.equal:
            raise InputError(
                "Surface3D: the floor is a square whatever its ranges; leave out equal"
            )
        check_whole("Surface3D: grid", self.grid, 3)

    def prepare(self, steps: Any) -> None:
        """Compute the surface, the paths on it, and how far the camera is at each step."""
        shown, first = np.unique(np.asarray(list(steps), dtype=int), return_index=True)
        if len(shown) > 1:
            first[0] = first[1] - 1  # the camera rests while the film holds its first step
            self._computed["shown"] = shown
            self._computed["share"] = (first - first[0]) / (first[-1] - first[0])
        if "loss" in self._computed:
            return
        self._computed["loss"] = self._losses(*self._axes())
        box = self._box
        for label, run in self.runs.items():
            states = box.floor(self._states(run))
            ways, last = _ways(states)
            self._computed[f"states {label}"] = self._placed(states)
            self._computed[f"way {label}"] = self._placed(ways)
            self._computed[f"last {label}"] = last
        starts = [self._computed[f"states {label}"][:1] for label in self.runs]
        self._computed["starts"] = np.unique(np.concatenate(starts), axis=0)
        self._computed["minima"] = self._placed(box.floor(self._minima()))

    def __call__(self, ax: Axes) -> Update:
        """Draw the surface; return the update that moves camera, paths and points."""
        self.prepare(())
        columns, names = self._columns(), next(iter(self.runs.values())).names
        labels = zip((self.x_label, self.y_label), columns, strict=True)
        x_name, y_name = (names[at] if label is None else label for label, at in labels)
        camera = Camera(azimuth=self._azimuth(), elevation=self.elevation)
        box, heights = self._box, self._heights
        coarse = coarser(heights)
        levels = box.height(levels_of(self._computed["loss"], self.levels))
        horizon_of = partial(Horizon.of, heights=coarse, angles=_angles(*camera.azimuth))
        movers = [
            draw_axes(ax, box, camera, (x_name, y_name, "loss")),
            draw_walls(ax, box, camera, horizon_of),
            draw_sheet(ax, camera, coarse, levels),
            draw_sides(ax, camera, coarse),
            draw_levels(ax, camera, heights, levels, horizon_of),
            _draw_points(ax, camera, self._computed["minima"], _STAR, horizon_of),
            _draw_points(ax, camera, self._computed["starts"], _RING, horizon_of),
        ]
        styles = run_styles(self.runs)
        for label, run in self.runs.items():
            way, last, states = (
                self._computed[f"{name} {label}"] for name in ("way", "last", "states")
            )
            style = styles[label] | {"label": label}
            movers.append(_draw_path(ax, camera, run, states, (way, last), horizon_of(way), style))
        ranges = self._axes()
        ways = {label: RunPath(run, self._states(run), *ranges) for label, run in self.runs.items()}
        say = self._draw_words(ax, ways)
        for line in ax.lines:
            line.set_in_layout(False)  # an empty one would count as a point in a corner
        shown = self._computed.get("shown", np.array([0, max(self.steps, 1)]))
        shares = self._computed.get("share", np.array([0.0, 1.0]))

        def update(step: int) -> None:
            angle = camera.angle(float(np.interp(step, shown, shares)))
            for move in movers:
                move(step, angle)
            say(step)

        return update

    @property
    def _box(self) -> Box:
        """The box around the surface."""
        loss = self._computed["loss"]
        finite = loss[np.isfinite(loss)]
        if not finite.size:
            raise InputError("Surface3D: the loss is finite nowhere in the ranges that are shown")
        (x_low, *_, x_high), (y_low, *_, y_high) = self._axes()
        heights = (float(finite.min()), float(finite.max()))
        return Box(x=(x_low, x_high), y=(y_low, y_high), z=heights)

    @property
    def _heights(self) -> Array:
        """The surface in the box, (ny, nx); where the loss is not finite, as high as it gets."""
        loss = self._computed["loss"]
        return self._box.height(np.where(np.isfinite(loss), loss, self._box.z[1]))

    def _azimuth(self) -> tuple[float, float]:
        """Where the camera stands: what was asked for, or in front, on the lower side."""
        if self.azimuth is not None:
            return self.azimuth
        heights = self._heights
        middle = -135.0 if heights[:, 0].mean() < heights[:, -1].mean() else -45.0
        return middle - _SWEEP / 2, middle + _SWEEP / 2

    def _placed(self, floor: Array) -> Array:
        """Lift points of the floor (n, 2) to the surface: (n, 3), NaN where they lie outside."""
        a, b = self._columns()
        run = next(iter(self.runs.values()))
        finite = np.isfinite(run.params).all(axis=1)
        inside = (np.abs(floor) <= 1).all(axis=1)
        rows = np.repeat(run.params[finite][-1:], int(inside.sum()), axis=0)
        rows[:, a], rows[:, b] = self._box.parameters(floor[inside]).T
        placed = np.full((len(floor), 3), np.nan)
        if len(rows):
            heights = self._box.height(run.loss_at(rows))
            placed[inside] = np.column_stack([floor[inside], heights])
        return placed


def _angles(first: float, last: float) -> Array:
    count = 2 + int(abs(last - first) / _DEGREES_A_HORIZON)
    return np.linspace(min(first, last), max(first, last), count)


def _ways(states: Array) -> tuple[Array, Array]:
    """Return points along a path of states (T, 2), and the last point up to each state, (T,)."""
    points, last = [states[:1]], np.zeros(len(states), dtype=int)
    count = 1
    for row in range(1, len(states)):
        start, end = points[-1][-1], states[row]
        length = float(np.hypot(*(end - start)))
        if not length < _CLOSEST:  # or it is not finite
            pieces = (
                int(np.clip(np.ceil(length / _PIECE), 1, _MOST_PIECES))
                if np.isfinite(length)
                else 1
            )
            points.append(start + (end - start) * np.linspace(0, 1, pieces + 1)[1:, None])
            count += pieces
        last[row] = count - 1
    return np.concatenate(points), last


def _draw_points(
    ax: Axes,
    camera: Camera,
    places: Array,
    marker: dict[str, Any],
    horizon_of: Callable[[Array], Horizon],
) -> Move:
    """Mark places on the surface, in ink; pale where it hides them."""
    ink, paper = matplotlib.rcParams["axes.edgecolor"], matplotlib.rcParams["axes.facecolor"]
    colors = {"color": ink, marker["around"]: paper}
    style = {name: value for name, value in marker.items() if name != "around"}
    look = {"linestyle": "none", "clip_on": False} | style | colors
    marks, pale = (ax.plot([], [], alpha=alpha, **look)[0] for alpha in (None, _PALE))
    horizon = horizon_of(places)

    def move(step: int, angle: float) -> None:
        seen = camera.project(places, angle)
        behind = horizon.hides(angle, camera.elevation)
        for line, points in (marks, seen[~behind]), (pale, seen[behind]):
            if len(points) or np.size(line.get_xdata()):  # else it rests, and need not be drawn
                line.set_data(*points.T)

    return move


def _draw_path(
    ax: Axes,
    camera: Camera,
    run: Trajectory,
    states: Array,
    path: tuple[Array, Array],
    horizon: Horizon,
    style: dict[str, Any],
) -> Move:
    """Draw the path as a line, the current point as a dot.

    states: (T, 3). path: points (n, 3), and the last of them up to each state, (T,).
    """
    way, last = path
    paper, color = matplotlib.rcParams["axes.facecolor"], style["color"]
    hidden = thin_lines(ax, color, 1.2, 0.55, 2.9)
    halo = [withStroke(linewidth=4.2, foreground=paper)]
    (line,) = ax.plot([], [], linewidth=2.2, zorder=3, clip_on=False, path_effects=halo, **style)
    point = {"marker": "o", "linestyle": "none", "color": color, "clip_on": False}
    (dot,) = ax.plot([], [], markersize=12, markeredgecolor=paper, zorder=4, **point)

    def move(step: int, angle: float) -> None:
        row = row_at(run, step)
        now = last[row]
        seen = camera.project(way[: now + 1], angle)
        behind = horizon.hides(angle, camera.elevation)[: now + 1]
        dot.set_data(*camera.project(states[row : row + 1], angle).T)
        dot.set_alpha(0.55 if behind[now] else None)
        if behind.any() or len(hidden.get_path()) > 1:  # else it rests, and need not be drawn
            pieces = np.where(behind[:, None], seen, np.nan)
            hidden.set_path(Path(pieces if behind.any() else pieces[:1]))
        line.set_data(*np.where(behind[:, None], np.nan, seen).T)

    return move
