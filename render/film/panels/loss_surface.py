"""The loss over two parameters as contours, and the paths that the runs take on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_range, check_whole, expect
from render.film.panels.contours import Levels, Minima, draw_contours, draw_minima
from render.film.panels.labels import text_width_pt
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.paths import Path, draw_paths
from render.film.panels.series import leaves
from render.film.styles import run_styles
from render.film.wrapping import wrapped

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["LossSurface"]

_NEAR = 2.0  # of a run that leaves, the rows up to this many times the first loss are near
_FALLS = 1e3
_WORDS_PT = 11.0
_LAYOUT_WIDENS = 1.2  # axes are narrower before they are laid out
_TICKS = 6
_ON_THE_WAY = np.geomspace(1e-6, 1.0, 241)  # shares of a step at which the loss is looked up


@dataclass(frozen=True)
class LossSurface(RunPanel):
    """Filled contours of the loss over two parameters, with each run's path and current point.

    parameters: the two parameters, by name or column; by default the first two. The others stay
    at the first run's last finite row; the loss, with its data, is the first run's. x_range,
    y_range: what is shown; by default the paths, the minima and a margin; of a diverging run, what
    is near, and its way on across the valley for as long as the loss there is as low. grid: points
    along each side at which the loss is computed.
    levels: where contours are: "area" (each shade has a fixed share of the picture, so that a
    valley shows beside walls of any height), "log", "linear", or the heights themselves.
    minima: points that are marked, such as a surface's `minima`, or a mapping from their labels.
    title: above the axes, such as a surface's `formula`. equal: one scale for both axes.
    x_label, y_label: the axes' labels; by default the parameters' names.
    left: what is written above the axes, in the run's colour, once a run has left the picture
    for good, with {step} for the first step outside (of a run that keeps every tenth, for those
    among which it is); "" for nothing.
    Raises InputError when the runs have fewer than two parameters, or no such parameter.
    """

    _: KW_ONLY
    parameters: tuple[str | int, str | int] = (0, 1)
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    grid: int = 121
    levels: Levels = "area"
    minima: Minima = ()
    title: str = ""
    equal: bool = False
    x_label: str | None = None
    y_label: str | None = None
    left: str = "left the picture at step {step}"
    _computed: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    _each_minimum: ClassVar[str] = "minimum"  # what minima without a label of their own are called

    def __post_init__(self) -> None:
        """Check what was given."""
        super().__post_init__()
        for run in self.runs.values():
            if run.params.shape[1] < 2:
                raise InputError(
                    f"LossSurface needs two parameters; the run has {run.params.shape[1]}; "
                    f"show it over the steps, with Curve(run, {run.names[0]!r})"
                )
        self._columns()
        kind = type(self).__name__
        first = next(iter(self.runs.values()))
        if not np.isfinite(first.params).all(axis=1).any():
            raise InputError(f"{kind}: the run begins at nan or inf; start it at finite numbers")
        check_range(f"{kind}: x_range", self.x_range)
        check_range(f"{kind}: y_range", self.y_range)
        check_whole(f"{kind}: grid", self.grid, 2)
        finite = bool(np.isfinite(self._minima()).all())
        expect(f"{kind}: minima", self.minima, finite, "points of two finite numbers each")
        try:
            self.left.format(step=0)
        except (LookupError, ValueError) as error:
            raise InputError(
                f"{kind}: left={self.left!r} cannot be written; its one field is {{step}}"
            ) from error

    def prepare(self, steps: object) -> None:
        """Compute the surface."""
        if "loss" not in self._computed:
            self._computed["loss"] = self._losses(*self._axes())

    def __call__(self, ax: Axes) -> Update:
        """Draw the contours; return the update that draws the paths up to a step."""
        self._draw_ground(ax)
        xs, ys = self._axes()
        paths = {label: Path(run, self._states(run), xs, ys) for label, run in self.runs.items()}
        ways = [path.points for path in paths.values()]
        labels = draw_minima(ax, self.minima, ways, self._each_minimum)
        movers = [labels, draw_paths(ax, paths), self._draw_words(ax, paths)]
        return together(movers)

    def _draw_ground(self, ax: Axes) -> None:
        """Draw labels and contours, and fix the limits."""
        self.prepare(())
        names = next(iter(self.runs.values())).names
        a, b = self._columns()
        ax.set_xlabel(names[a] if self.x_label is None else self.x_label)
        ax.set_ylabel(names[b] if self.y_label is None else self.y_label)
        ax.locator_params(nbins=_TICKS)
        ax.grid(False)
        xs, ys = self._axes()
        draw_contours(ax, xs, ys, self._computed["loss"], self.levels)
        ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
        if self.equal:
            ax.set_aspect("equal")

    def _states(self, run: Trajectory) -> NDArray[np.float64]:
        """The two parameters at each row, shape (T, 2)."""
        return np.asarray(run.params[:, self._columns()], dtype=float)

    def _draw_words(self, ax: Axes, paths: Mapping[str, Path]) -> Update:
        """Say above the axes which runs have left, and keep room for it below the title."""
        gone = {label: path for label, path in paths.items() if self.left and path.leaves}
        texts = [
            f"{label}: {words}" if label else words
            for label, path in gone.items()
            for words in [self.left.format(step=path.first_outside)]
        ]
        columns = _columns_that_fit(ax, texts)
        if columns == 1:
            font = FontProperties(size=_WORDS_PT)
            texts = [wrapped(text, 72.0 * ax.bbox.width / ax.figure.dpi, font) for text in texts]
        ends = np.cumsum([text.count("\n") + 1 for text in texts])
        rows = -(-len(texts) // columns) if columns > 1 else int(ends[-1]) if texts else 0
        line_pt = 1.35 * _WORDS_PT
        if gone:
            # A title, even a blank one, keeps room in height alone: words may be wider.
            own_pt = 0.0 if self.title else 1.2 * float(ax.title.get_fontsize())
            pad_pt = matplotlib.rcParams["axes.titlepad"] + line_pt * rows - own_pt
            ax.set_title(self.title or " ", pad=pad_pt)
        else:
            ax.set_title(self.title)
        writers = []
        for number, (label, path) in enumerate(gone.items()):
            row, column = divmod(number, columns) if columns > 1 else (int(ends[number]) - 1, 0)
            words = ax.annotate(
                "",
                (column / columns, 1.0),
                xycoords="axes fraction",
                xytext=(0, 5 + line_pt * (rows - 1 - row)),
                textcoords="offset points",
                fontsize=_WORDS_PT,
                color=run_styles(self.runs)[label]["color"],
                in_layout=False,
            )
            writers.append((path, words, texts[number]))

        def move(step: int) -> None:
            for path, words, text in writers:
                words.set_text(text if path.is_gone(step) else "")

        return move

    def _columns(self) -> tuple[int, int]:
        run = next(iter(self.runs.values()))
        two = isinstance(self.parameters, tuple | list) and len(self.parameters) == 2
        kind = type(self).__name__
        expect(f"{kind}: parameters", self.parameters, two, "two parameters, by name or column")
        a, b = (
            run.column(parameter) if isinstance(parameter, str) else _column(run, parameter)
            for parameter in self.parameters
        )
        if a == b:
            raise InputError(f"{kind}: parameters names {run.names[a]!r} twice; give two")
        return a, b

    def _minima(self) -> NDArray[np.float64]:
        given = self.minima.values() if isinstance(self.minima, Mapping) else self.minima
        points = [np.asarray(point, dtype=np.float64) for point in given]
        if any(point.shape != (2,) for point in points):
            raise InputError(f"LossSurface: minima={self.minima!r}; give points (x, y)")
        return np.array(points).reshape(-1, 2)

    def _axes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The values of the two parameters at which the loss is computed."""
        ranges = []
        for side, given in enumerate((self.x_range, self.y_range)):
            column = self._columns()[side]
            values = [_near_rows(run)[:, column] for run in self.runs.values()]
            ranges.append(
                given or _padded_range(np.concatenate([*values, self._minima()[:, side]]))
            )
        x_range, y_range = ranges
        return np.linspace(*x_range, self.grid), np.linspace(*y_range, self.grid)

    def _losses(self, xs: NDArray[Any], ys: NDArray[Any]) -> NDArray[Any]:
        """The loss over the grid, shape (len(ys), len(xs))."""
        a, b = self._columns()
        run = next(iter(self.runs.values()))
        finite = np.isfinite(run.params).all(axis=1)
        points = np.repeat(run.params[finite][-1:], xs.size * ys.size, axis=0)
        points[:, a], points[:, b] = (side.reshape(-1) for side in np.meshgrid(xs, ys))
        return run.loss_at(points).reshape(ys.size, xs.size)


def _column(run: Trajectory, number: int) -> int:
    width = run.params.shape[1]
    if not -width <= number < width:
        raise InputError(f"LossSurface: the run has no column {number}; give 0 to {width - 1}")
    return int(number) % int(width)


def _columns_that_fit(ax: Axes, texts: Sequence[str]) -> int:
    """Two columns of words above the axes where both are about narrow enough, else one."""
    width_pt = _LAYOUT_WIDENS * 72.0 * ax.bbox.width / ax.figure.dpi
    widest_pt = max((text_width_pt(text, _WORDS_PT) for text in texts), default=0.0)
    return 2 if len(texts) > 1 and widest_pt < width_pt / 2 else 1


def _near_rows(run: Trajectory) -> NDArray[Any]:
    """The points for which the picture has room: of a run that leaves, the ones before it does."""
    rows = run.params[np.isfinite(run.params).all(axis=1)]
    loss = run.loss.astype(float)
    scale = max(abs(loss[0]), 1e-12)
    highest = loss[0] + (_NEAR - 1) * scale
    with np.errstate(invalid="ignore", over="ignore"):
        near = loss <= highest if leaves(run) else np.isfinite(loss)
        near &= loss >= loss[0] - _FALLS * scale
    near[0] = True
    until = len(near) if near.all() else int(np.argmin(near))
    if not leaves(run) or not until < len(rows):
        return rows[:until]
    way = _near_on_the_way(run, rows[until - 1], rows[until], highest)
    return np.concatenate([rows[:until], way])


def _near_on_the_way(
    run: Trajectory, start: NDArray[Any], end: NDArray[Any], highest: float
) -> NDArray[Any]:
    """Points of the step with which a run leaves, up to where the loss gets too high, (n, P)."""
    with np.errstate(over="ignore", invalid="ignore"):
        points = (start + _ON_THE_WAY[:, None] * (end - start)).astype(start.dtype)
    points = points[np.isfinite(points).all(axis=1)]
    high = ~(run.loss_at(points) <= highest)
    return np.asarray(points[: int(np.argmax(high)) if high.any() else len(points)])


def _padded_range(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin
