"""Computing the loss over a plane through the space of a run's parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.errors import InputError, RecordingError
from render.problem.checks import check_whole, is_finite, is_whole
from render.problem.shown import shown
from render.recording import evaluation, memory
from render.recording.directions import filter_normalised, principal
from render.recording.planes import Landscape, project
from render.recording.problem import Problem, transposed
from render.recording.sessions import active, blamed
from render.recording.trajectory import Trajectory

__all__ = ["landscape"]

Array = npt.NDArray[Any]
Range = tuple[float, float]

_MARGIN = 0.25
_POINT_BYTES = 48  # its coordinates, while they are made and after, and its loss


def landscape(
    run: Trajectory,
    plane: str | tuple[str | int, str | int] = "pca",
    *,
    grid: int | tuple[int, int] = 51,
    a_range: Range | None = None,
    b_range: Range | None = None,
    at: int = -1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Landscape:
    """Compute the loss over a plane, and where the run goes as seen from it.

    plane: "pca", the two directions in which the run moved most (through the state at row `at`);
    "random", two filter-normalised random directions drawn from `seed` (through the same state;
    one unit changes each filter by its own norm, and frozen ones not at all); or two parameters,
    by name or column, which become the coordinates (the others stay as at row `at`). grid: points
    along a, or (na, nb). a_range, b_range: what is covered; by default the path and a margin, in a
    principal plane at least half as wide as long, in a random one -1 to 1. at: a row of the run,
    from either end; the last finite one for -1. progress: called with (points done, points); by
    default that of the session.

    The points are evaluated in batches of bounded memory, or one by one where that is faster: for
    convolutions, recurrences, and models that fill the processor's cache alone. Raises InputError
    for what is not allowed, RecordingError for a run without its model.
    """
    if not isinstance(run, Trajectory):
        raise InputError(
            f"landscape: run is a {type(run).__name__}; give one run, such as record(…) returns"
        )
    problem = _problem(run)
    check_whole("landscape", "seed", seed, least=0)
    if progress is not None and not callable(progress):
        raise InputError(
            f"landscape: progress is {shown(progress)}; give a callable (done, points)"
        )
    finite = np.flatnonzero(np.isfinite(run.params).all(axis=1))
    if not finite.size:
        raise InputError("landscape: no row of the run has finite parameters")
    row = _row(run, at, finite)
    counts = _counts(grid)
    memory.check(
        _POINT_BYTES * counts[0] * counts[1],
        f"landscape: {counts[0]:,} x {counts[1]:,} points",
        "a coarser grid=",
    )
    chosen = _plane(run, problem, plane, row, finite, seed)
    path, distance = project(run.params, chosen.origin, chosen.directions)
    ranges = _ranges((a_range, b_range), path[finite], chosen)
    a, b = (np.linspace(*ends, count) for ends, count in zip(ranges, counts, strict=True))
    points = _Points(chosen.origin, chosen.directions, a, b, run.params.dtype)
    session = active()
    told = progress or (session.progress if session is not None else None)
    loss = _losses(run, problem, points, row, None if told is None else blamed(told))
    return Landscape(
        origin=chosen.origin,
        directions=chosen.directions,
        a=a,
        b=b,
        loss=loss.reshape(b.size, a.size),
        path=path,
        distance=distance,
        explained=chosen.explained,
        names=chosen.names,
    )


@dataclass(frozen=True, kw_only=True)
class _Plane:
    """A plane, the range that shows it unless another is given, and its names."""

    origin: Array
    directions: Array
    names: tuple[str, str]
    default: Range | None = None
    explained: tuple[float, float] | None = None


class _Points:
    """The grid's points as rows of parameters, (nb * na, P), made when they are asked for."""

    def __init__(self, origin: Array, directions: Array, a: Array, b: Array, kind: Any) -> None:
        self._origin, self._directions, self._kind = origin, directions, kind
        self._at = np.stack([side.reshape(-1) for side in np.meshgrid(a, b)], axis=1)

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, rows: slice) -> Array:
        a, b = self._at[rows, :1], self._at[rows, 1:]
        # not as a product of matrices: numpy's threads for it would go on waiting beside torch's
        points = a * self._directions[0]
        points += b * self._directions[1]
        points += self._origin
        return np.asarray(points, dtype=self._kind)


def _problem(run: Trajectory) -> Problem:
    if run.final is not None:
        raise RecordingError(
            "landscape: the run was recorded without the parameters that it takes to evaluate it; "
            "record without keep=Keep(tensors=…, directions=…)"
        )
    if run.problem is None:
        raise RecordingError("landscape: the run lacks its model; use run.attach(model, loss)")
    return run.problem


def _losses(
    run: Trajectory,
    problem: Problem,
    points: _Points,
    row: int,
    progress: Callable[[int, int], None] | None,
) -> Array:
    buffers = {
        name: np.broadcast_to(values[row], (len(points), *values.shape[1:]))
        for name, values in run.buffers.items()
    }
    return evaluation.metric(problem, problem.loss, points, buffers, progress=progress)


def _plane(
    run: Trajectory, problem: Problem, plane: object, row: int, finite: Array, seed: int
) -> _Plane:
    here = run.params[row].astype(np.float64)
    if isinstance(plane, str) and plane == "pca":
        directions, explained = principal(run.params, finite)
        names = ("first principal direction", "second principal direction")
        return _Plane(origin=here, directions=directions, names=names, explained=explained)
    if isinstance(plane, str) and plane == "random":
        groups = transposed(problem.model)
        still = {
            name
            for name, param in problem.model.named_parameters()
            if not (param.requires_grad and param.is_floating_point())
        }
        directions = filter_normalised(run.params[row], run.layout, seed, groups, still)
        names = ("first random direction", "second random direction")
        return _Plane(origin=here, directions=directions, names=names, default=(-1.0, 1.0))
    if not isinstance(plane, tuple) or len(plane) != 2:
        raise InputError(
            f"landscape: plane is {shown(plane)}; choose 'pca', 'random', or two parameters such "
            f"as {run.names[:2]!r}"
        )
    columns = [_column(run, entry) for entry in plane]
    if columns[0] == columns[1]:
        raise InputError(f"landscape: plane names {run.names[columns[0]]} twice; choose two")
    directions = np.zeros((2, len(here)))
    directions[[0, 1], columns] = 1.0
    here[columns] = 0.0
    return _Plane(
        origin=here,
        directions=directions,
        names=(run.names[columns[0]], run.names[columns[1]]),
    )


def _column(run: Trajectory, entry: object) -> int:
    if isinstance(entry, str):
        return int(run.column(entry))
    width = run.params.shape[1]
    if not is_whole(entry) or not -width <= entry < width:
        raise InputError(f"landscape: the run has no column {shown(entry)}; give 0 to {width - 1}")
    return int(entry % width)


def _row(run: Trajectory, at: object, finite: Array) -> int:
    if not is_whole(at) or not -len(run.loss) <= at <= run.steps:
        raise InputError(f"landscape: at is {shown(at)}; give a row from 0 to {run.steps}")
    row = int(finite[-1]) if at == -1 else int(at) % len(run.loss)
    if row not in finite:
        raise InputError(
            f"landscape: the parameters at row {row} are not finite; choose one before "
            f"{run.diverged_at}"
        )
    return row


def _counts(grid: object) -> tuple[int, int]:
    counts = grid if isinstance(grid, tuple) else (grid, grid)
    if len(counts) != 2 or any(not is_whole(count) or count < 2 for count in counts):
        raise InputError(
            f"landscape: grid is {shown(grid)}; give points a side, at least 2, or (na, nb)"
        )
    return int(counts[0]), int(counts[1])


def _ranges(asked: Sequence[Range | None], path: Array, plane: _Plane) -> list[Range]:
    """Return what is covered along a and b; a principal plane that nothing asks for is no strip."""
    ranges = [
        _span(f"{'ab'[side]}_range", given, path[:, side], plane.default)
        for side, given in enumerate(asked)
    ]
    if plane.explained is None or any(given is not None for given in asked):
        return ranges
    least = max(high - low for low, high in ranges) / 2  # one unit measures both
    more = [max(0.0, least - (high - low)) / 2 for low, high in ranges]
    return [(low - by, high + by) for (low, high), by in zip(ranges, more, strict=True)]


def _span(name: str, given: Range | None, path: Array, default: Range | None) -> Range:
    if given is not None:
        listed = isinstance(given, (Sequence, np.ndarray)) and len(given) == 2
        if not listed or not all(map(is_finite, given)) or not given[0] < given[1]:
            raise InputError(
                f"landscape: {name} is {shown(given)}; give (low, high) with low < high"
            )
        return float(given[0]), float(given[1])
    if default is not None:
        return default
    low, high = float(path.min()), float(path.max())
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin
