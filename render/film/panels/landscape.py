"""The loss over a plane through the space of parameters, and a run as seen from that plane."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from render.errors import InputError
from render.film.panels.contours import Levels, draw_contours
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.series import row_at
from render.film.styles import run_styles
from render.film.wrapping import room_pt, wrapped

if TYPE_CHECKING:
    from render.recording.planes import Landscape
    from render.recording.trajectory import Trajectory

__all__ = ["LandscapePanel", "variance_share"]

_LEVELS = 15
_LEAST_RATIO = 1e-4  # a loss that reaches zero has no lower level than this part of the highest
_TITLE_PT, _WORDS_PT = 13.0, 12.0
_RING = np.linspace(0.0, 2 * np.pi, 97)


@dataclass(frozen=True)
class LandscapePanel(RunPanel):
    """Contours of the loss over a plane, and each run's projection into it up to a step.

    landscape: what `render.landscape(run, …)` returned. The contours stand in ratio, so that both
    the slopes and the floor show. The dot is the point of the plane nearest to the run. The ring
    around it tells how far away the run is: its radius is the run's Euclidean distance from the
    plane, in the plane's own units. Where it is wide, the run is not on the surface drawn.
    Above the picture stand the share of a run's variance that lies in the plane, and its distance
    now: of the run that the plane was made from, else the first, named where there are several;
    where the axes count in other units than the parameters, in those too.
    title: what the plane is. x_label, y_label: by default the landscape's names.
    Raises InputError when a run has other parameters than the landscape.
    """

    _: KW_ONLY
    landscape: Landscape
    title: str = "plane"
    x_label: str | None = None
    y_label: str | None = None

    def __post_init__(self) -> None:
        """Check that the runs have the landscape's parameters."""
        super().__post_init__()
        if not hasattr(self.landscape, "directions"):
            raise InputError(
                f"LandscapePanel: landscape is a {type(self.landscape).__name__!r}; "
                "pass what landscape() returned"
            )
        for run in self.runs.values():
            self.landscape.project(run.params[:1])

    def __call__(self, ax: Axes) -> Update:
        """Draw the contours; return the update that draws the paths up to a step."""
        land = self.landscape
        labels = zip((self.x_label, self.y_label), land.names, strict=True)
        x_label, y_label = (name if label is None else label for label, name in labels)
        ax.set(xlabel=x_label, ylabel=y_label, aspect="equal", anchor="S")
        ax.grid(False)
        draw_contours(ax, land.a, land.b, land.loss, _levels(land.loss))
        ax.set(xlim=land.a[[0, -1]], ylim=land.b[[0, -1]])
        styles = run_styles(self.runs)
        movers = [
            _draw_path(ax, land, run, styles[label] | {"label": label})
            for label, run in self.runs.items()
        ]
        movers.append(self._draw_words(ax))
        return together(movers)

    @property
    def _described(self) -> tuple[str, Trajectory]:
        """The run that the plane was made from, with its label; the first where it is not here."""
        for label, run in self.runs.items():
            path, _ = self.landscape.project(run)
            if np.array_equal(path, self.landscape.path, equal_nan=True):
                return label, run
        return next(iter(self.runs.items()))

    def _draw_words(self, ax: Axes) -> Update:
        """State what the plane leaves out: variance of the whole run, distance at the step."""
        label, run = self._described
        whose = f" of {label}" if len(self.runs) > 1 else ""
        share = variance_share(self.landscape, run.params)
        _, distance = self.landscape.project(run)
        title = ax.set_title(
            f"{self.title}: {100 * share:.1f}% of variance{whose}",
            fontsize=_TITLE_PT,
            pad=_pad_pt(1),
        )
        words = ax.annotate(
            "", (0, 1), (0, 6), "axes fraction", textcoords="offset points", fontsize=_WORDS_PT
        )
        unit = float(np.sqrt(abs(np.linalg.det(_ring_shape(self.landscape.directions)))))

        def told(away: float) -> str:
            on_axes = "" if np.isclose(unit, 1.0, rtol=0.01) else f" (axes: {away * unit:.2f})"
            return f"ring{whose}: {away:.2f} off the plane{on_axes}"

        furthest = told(float(distance[np.isfinite(distance)].max(initial=0.0)))
        font, room, lines = words.get_fontproperties(), 0.0, 1

        def move(step: int) -> None:
            nonlocal room, lines
            if room_pt(ax) != room:
                room = room_pt(ax)
                lines = wrapped(furthest, room, font).count("\n") + 1
                ax.set_title(title.get_text(), fontsize=_TITLE_PT, pad=_pad_pt(lines))
            now = told(distance[row_at(run, step)])
            words.set_text(now if lines == 1 else wrapped(now, room, font))

        return move


def _pad_pt(lines: int) -> float:
    """How far above the axes their title is, for so many lines of words below it."""
    return 8 + 1.4 * _WORDS_PT * lines


def variance_share(landscape: Landscape, params: NDArray[Any]) -> float:
    """Return the share of the variance of parameters (T, P) along the plane's two directions.

    In a PCA plane that is the sum of `landscape.explained`.
    """
    finite = params[np.isfinite(params).all(axis=1)].astype(np.float64)
    centred = finite - finite.mean(axis=0)
    basis, _ = np.linalg.qr(landscape.directions.T)
    total = float((centred**2).sum())
    return float(((centred @ basis) ** 2).sum()) / total if total else 1.0


def _draw_path(ax: Axes, land: Landscape, run: Trajectory, style: dict[str, Any]) -> Update:
    """Draw the start as a small circle, the projected path, the current point and its ring.

    Halos in the paper's colour lie below all lines, so that they stand out from any shade.
    """
    paper, color = matplotlib.rcParams["axes.facecolor"], style["color"]
    path, distance = land.project(run)
    ring_of_one = _unit_ring(land.directions)
    ax.plot(*path[:1].T, marker="o", markerfacecolor=paper, color=color, linestyle="none")
    halos = [ax.plot([], [], "-", linewidth=4, color=paper, zorder=2.5)[0] for _ in range(2)]
    (line,) = ax.plot([], [], linewidth=2, zorder=3, **style)
    (ring,) = ax.plot([], [], ":", linewidth=2, zorder=3, color=color)
    (dot,) = ax.plot(
        [], [], marker="o", markersize=11, color=color, markeredgecolor=paper, zorder=4
    )

    def move(step: int) -> None:
        now = row_at(run, step)
        wide = path[now, :, None] + distance[now] * ring_of_one
        for lines, points in (((halos[0], line), path[: now + 1].T), ((halos[1], ring), wide)):
            for drawn in lines:
                drawn.set_data(*points)
        dot.set_data(*path[now : now + 1].T)

    return move


def _unit_ring(directions: NDArray[Any]) -> NDArray[Any]:
    """The coordinates (2, n) of the plane's points at distance 1 from its origin."""
    return np.asarray(_ring_shape(directions) @ np.stack([np.cos(_RING), np.sin(_RING)]))


def _ring_shape(directions: NDArray[Any]) -> NDArray[Any]:
    """The matrix (2, 2) from the circle of radius 1 to the plane's points at distance 1."""
    triangle = np.linalg.cholesky(directions @ directions.T)
    return np.asarray(np.linalg.inv(triangle.T))


def _levels(loss: NDArray[Any]) -> Levels:
    """Levels in equal ratios, so that slopes and floor show; where there is no ratio, by area."""
    finite = loss[np.isfinite(loss)]
    if not finite.size or not 0 <= finite.min() < finite.max():
        return "area"
    high = float(finite.max())
    low = max(float(finite.min()), _LEAST_RATIO * high)
    return [float(level) for level in np.geomspace(low, high, _LEVELS)]
