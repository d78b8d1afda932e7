"""The box around a surface in space: from numbers to places in it, and its axes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from render.film.panels.camera import Camera, Horizon
from render.film.wrapping import extent_pt

__all__ = ["Box", "Move", "draw_axes", "draw_walls", "thin_lines"]

Array = NDArray[Any]
Range = tuple[float, float]
Move = Callable[[int, float], object]
"""Moves artists to a step, as a camera at an azimuth, in degrees, sees it."""

_TOP = 1.0  # the height of the box, whose floor is 2 x 2
_BELOW = 0.06  # of the range of heights: what the lowest point stands above the floor
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (0.0, _TOP)])
_ROOM = (0.27, 0.24, 0.14)  # for labels: at the sides, below, above
_TICK_PT = (19.0, 13.0)  # from an edge to the middle of a tick's label: across, down
_LABEL_PT = (32.0, 34.0)
_HALF_LETTER_PT = 3.6
_PLACES_A_PX = 4  # where a label may stand
_EXACT = 0.01  # of the distance between ticks, by which a written one may be off
_PIECES = 24  # of a line on a wall, each drawn unless it is hidden
_LOOKS = 9  # of the camera, to find where labels reach farthest


@dataclass(frozen=True, kw_only=True)
class Box:
    """Ranges of two parameters and of the loss, and the box, [-1, 1]^2 x [0, 1], they fill."""

    x: Range
    y: Range
    z: Range

    def height(self, loss: Array) -> Array:
        """Return how high losses stand in the box."""
        low, high = self.z
        span = (high - low) or 1.0
        share = (np.asarray(loss, dtype=float) - low) / span
        return np.asarray(_TOP * (share + _BELOW) / (1 + _BELOW))

    def floor(self, points: Array) -> Array:
        """Return where points (..., 2) of the parameters stand on the floor."""
        low, high = np.array([self.x, self.y], dtype=float).T
        return np.asarray(2 * (np.asarray(points, dtype=float) - low) / (high - low) - 1)

    def parameters(self, floor: Array) -> Array:
        """Return the parameters at points (..., 2) of the floor."""
        low, high = np.array([self.x, self.y], dtype=float).T
        return np.asarray(low + (high - low) * (np.asarray(floor, dtype=float) + 1) / 2)


def thin_lines(ax: Axes, color: str, width: float, alpha: float, zorder: float) -> PathPatch:
    """Add a patch for many lines, with NaN between them; set its path to move them."""
    patch = PathPatch(
        Path(np.zeros((1, 2))), fill=False, edgecolor=color, linewidth=width, alpha=alpha
    )
    patch.set(zorder=zorder, in_layout=False, clip_on=False)
    ax.add_artist(patch)
    return patch


def draw_axes(ax: Axes, box: Box, camera: Camera, names: tuple[str, str, str]) -> Move:
    """Draw the ticks and the names of the axes, at the edges where the camera sees them best."""
    ax.set_axis_off()
    # Labels that are not there must not line up with those of the axes beside.
    ax.xaxis.set_label_position("top")
    ax.yaxis.set_label_position("right")
    ax.set_aspect("equal", adjustable="box")
    _set_limits(ax, camera)
    rc = matplotlib.rcParams
    x_ticks, y_ticks = (_ticks(*side, 0.05) for side in (box.x, box.y))
    z_ticks = _z_ticks(box)
    levels = box.height(z_ticks)
    across = [_texts(ax, ticks, rc["xtick.labelsize"]) for ticks in (x_ticks, y_ticks, z_ticks)]
    titles = [_text(ax, name, rc["axes.labelsize"]) for name in names]
    along = [_share(x_ticks, box.x), _share(y_ticks, box.y)]
    counts = [*map(len, across), 1, 1, 1]
    anchors = {near: _anchors(near, along, levels) for near in itertools.product((-1, 1), (-1, 1))}

    def places(angle: float) -> tuple[Array, Array]:
        """Where on the picture the texts are anchored, and how far from there, in points."""
        near = _near(angle)
        offsets_pt = _offsets_pt(camera, angle, near, names)
        return camera.project(anchors[near], angle), np.repeat(offsets_pt, counts, axis=0)

    texts = [*across[0], *across[1], *across[2], *titles]
    _keep_room(ax, texts, camera, places)

    def move(step: int, angle: float) -> None:
        points, offsets_pt = places(angle)
        offsets_pt = _rounded(ax, points, offsets_pt)
        for text, point, offset in zip(texts, points.tolist(), offsets_pt.tolist(), strict=True):
            _put(text, point, offset)

    return move


def _anchors(near: tuple[int, int], along: Sequence[Array], levels: Array) -> Array:
    """Where on the box's edges the ticks' labels and the names belong, (n, 3)."""
    x, y = near
    left = (x, -y) if x == y else (-x, y)
    first = [(at, y, 0.0) for at in along[0]]
    second = [(x, at, 0.0) for at in along[1]]
    third = [(*left, level) for level in levels]
    return np.array([*first, *second, *third, (0.0, y, 0.0), (x, 0.0, 0.0), (*left, _TOP)])


def _offsets_pt(
    camera: Camera, angle: float, near: tuple[int, int], names: Sequence[str]
) -> list[Array]:
    """How far from there they stand: the labels of each axis, and each name."""
    x, y = near
    outwards = [_outwards(camera, angle, middle) for middle in ((0.0, y), (x, 0.0))]
    rooms = [_LABEL_PT + np.array([_HALF_LETTER_PT * len(name), 0.0]) for name in names[:2]]
    return [
        *[normal * _TICK_PT for normal in outwards],
        np.array([-_TICK_PT[0], 0.0]),
        *[normal * room for normal, room in zip(outwards, rooms, strict=True)],
        np.array([-10.0, 18.0]),
    ]


def draw_walls(ax: Axes, box: Box, camera: Camera, horizon_of: Callable[[Array], Horizon]) -> Move:
    """Draw the two far walls, where the surface does not hide them: posts, and lines at the ticks.

    The floor is always hidden.
    """
    patch = thin_lines(ax, matplotlib.rcParams["grid.color"], 1.0, 1.0, 0.5)
    across: list[Array] = []
    outwards: list[tuple[int, int]] = []
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        ends = np.array([(x - y, y - x), (x + y, y + x)])
        across += [np.column_stack([ends, [z, z]]) for z in (*box.height(_z_ticks(box)), _TOP)]
        outwards += [(x, y)] * (len(across) - len(outwards))
    for corner in itertools.product((-1, 1), (-1, 1)):
        across.append(np.array([(*corner, 0.0), (*corner, _TOP)]))
        outwards.append(corner)
    along = np.linspace(0, 1, _PIECES + 1)[:, None]
    lines = np.full((len(across), len(along) + 1, 3), np.nan)
    for line, (start, end) in zip(lines, across, strict=True):
        line[:-1] = start + along * (end - start)
    horizon = horizon_of(lines.reshape(-1, 3))

    def move(step: int, angle: float) -> None:
        behind = horizon.hides(angle, camera.elevation).reshape(lines.shape[:2])
        seen = ~behind & np.isfinite(lines[..., 0])
        kept = seen.copy()  # and a piece more, which the surface covers
        kept[:, 1:] |= seen[:, :-1]
        kept[:, :-1] |= seen[:, 1:]
        shown = np.array(outwards) @ _near(angle) <= 0
        places = np.where(kept[..., None], camera.project(lines, angle), np.nan)
        patch.set_path(Path(places[shown].reshape(-1, 2)))

    return move


def _set_limits(ax: Axes, camera: Camera) -> None:
    """Room for the box and its labels from wherever the camera looks."""
    seen = np.concatenate(
        [camera.project(_CORNERS, camera.angle(share)) for share in np.linspace(0, 1, 25)]
    )
    (left, low), (right, high) = seen.min(axis=0), seen.max(axis=0)
    side, below, above = _ROOM
    ax.set(xlim=(left - side, right + side), ylim=(low - below, high + above))


def _keep_room(
    ax: Axes,
    texts: list[Annotation],
    camera: Camera,
    places_of: Callable[[float], tuple[Array, Array]],
) -> None:
    """Put blanks where labels reach farthest in the film: the layout keeps room up to there.

    Labels are as large in a small panel as in a large one, where they lie within the limits.
    """
    extents = [extent_pt(text.get_text(), text.get_fontproperties()) for text in texts]
    halves = [(width / 2, (above + below) / 2) for width, above, below in extents]
    looks = [places_of(camera.angle(share)) for share in np.linspace(0, 1, _LOOKS)]
    places = np.concatenate([points for points, _ in looks])
    offsets = np.concatenate([offsets_pt for _, offsets_pt in looks])
    middle = np.array([np.mean(ax.get_xlim()), np.mean(ax.get_ylim())])
    for side, sign in itertools.product((0, 1), (-1, 1)):
        at = sign * places[:, side]
        beyond = sign * offsets[:, side] + np.tile(halves, (_LOOKS, 1))[:, side]
        for k in _farthest(at, beyond):
            point, offset = middle.copy(), np.zeros(2)
            point[side], offset[side] = sign * at[k], sign * beyond[k]
            blank = _text(ax, " ", matplotlib.rcParams["xtick.labelsize"])
            edge = ("left", "right") if side == 0 else ("bottom", "top")
            blank.set(in_layout=True, **{("ha", "va")[side]: edge[(sign + 1) // 2]})
            _put(blank, point.tolist(), offset.tolist())


def _farthest(at: Array, beyond: Array) -> list[int]:
    """Return for which k at[k] * scale + beyond[k] may be the largest, at some scale above 0."""

    def scale(one: int, other: int) -> float:
        """At which both reach equally far."""
        return float((beyond[one] - beyond[other]) / (at[other] - at[one]))

    found: list[int] = []
    for k in np.lexsort((-beyond, -at)).tolist():
        if found and beyond[k] <= beyond[found[-1]]:
            continue
        # The scale falls: one that is overtaken before it overtakes another is never the largest.
        while len(found) > 1 and scale(k, found[-1]) >= scale(found[-1], found[-2]):
            found.pop()
        found.append(k)
    return found


def _near(angle: float) -> tuple[int, int]:
    """The signs of x and y of the box's nearest edge."""
    turn = np.radians(angle)
    return (1 if np.cos(turn) >= 0 else -1), (1 if np.sin(turn) >= 0 else -1)


def _outwards(camera: Camera, angle: float, middle: tuple[float, float]) -> Array:
    """The direction, on the picture, away from the box and across one of its near edges."""
    x, y = middle
    start, end = camera.project(np.array([(x - y, y - x, 0.0), (x + y, y + x, 0.0)]), angle)
    right, up = (end - start) / np.linalg.norm(end - start)
    normal = np.array([up, -right])
    return normal if normal[1] < 0 else -normal


def _ticks(low: float, high: float, margin: float) -> Array:
    """Some three round numbers in a range, but for a margin, a share of it, at its ends."""
    low, high = low + margin * (high - low), high - margin * (high - low)
    locator = MaxNLocator(3, steps=[1, 2, 4, 5, 10])
    ticks = np.asarray(locator.tick_values(low, high))
    return np.asarray(ticks[(ticks >= low) & (ticks <= high)])


def _z_ticks(box: Box) -> Array:
    return _ticks(*box.z, -_BELOW / 2)


def _share(ticks: Array, side: Range) -> Array:
    return np.asarray(2 * (ticks - side[0]) / (side[1] - side[0]) - 1)


def _texts(ax: Axes, ticks: Array, size_pt: float) -> list[Annotation]:
    return [_text(ax, word, size_pt) for word in _written(ticks + 0.0)]


def _written(ticks: Array) -> list[str]:
    """Write ticks with as many digits as tell them apart, but six where these do."""
    apart = np.diff(ticks).min(initial=np.inf)
    digits = next(
        digits
        for digits in range(6, 18)
        if digits == 17
        or all(abs(float(f"{tick:.{digits}g}") - tick) <= _EXACT * apart for tick in ticks)
    )
    return [f"{tick:.{digits}g}".replace("-", "\N{MINUS SIGN}") for tick in ticks]


def _text(ax: Axes, words: str, size_pt: float) -> Annotation:
    text = ax.annotate(
        words,
        (0.0, 0.0),
        xytext=(0.0, 0.0),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=size_pt,
        annotation_clip=False,
    )
    text.set_in_layout(False)
    return text


def _put(text: Annotation, point: Sequence[float], offset_pt: Sequence[float]) -> None:
    text.xy = (point[0], point[1])
    text.set_position((offset_pt[0], offset_pt[1]))


def _rounded(ax: Axes, points: Array, offsets_pt: Array) -> Array:
    """Return the offsets that move texts to quarters of a pixel: their glyphs' bitmaps recur."""
    px_a_pt = ax.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    places_px = ax.transData.transform(points) + offsets_pt * px_a_pt
    moved_px = np.round(_PLACES_A_PX * places_px) / _PLACES_A_PX - places_px
    return np.asarray(offsets_pt + moved_px / px_a_pt)
