"""The loss over a plane through the space of parameters, as numpy arrays.

Imports without torch, so that a process that only draws never pays for it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from render.errors import InputError
from render.recording.trajectory import Trajectory, asarray

__all__ = ["Landscape"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Landscape:
    """The loss at origin + a * directions[0] + b * directions[1], for every a and b.

    origin: (P,). directions: (2, P). a: (na,). b: (nb,). loss: (nb, na), over all the data, with
    the model in evaluation mode: `ax.contour(land.a, land.b, land.loss)` draws it.
    path: (T, 2), the run's coordinates (a, b): of the nearest point of the plane at each row.
    distance: (T,), the Euclidean distance of the parameters from the plane at each row. Where it
    is not small beside the path's own extent, the run is not on the surface that is shown.
    explained: the two shares of the path's variance, in a PCA plane; else None.
    names: of the two coordinates, for axis labels.

    All arrays are read-only; origin, directions, path and distance are float64.
    """

    origin: Array
    directions: Array
    a: Array
    b: Array
    loss: Array
    path: Array
    distance: Array
    explained: tuple[float, float] | None
    names: tuple[str, str]

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, np.ndarray):
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, entry.name, view)

    def __repr__(self) -> str:
        shares = ""
        if self.explained is not None:
            shares = f", explained={self.explained[0]:.1%} + {self.explained[1]:.1%}"
        return f"Landscape({self.names[0]}, {self.names[1]}, loss={self.loss.shape}{shares})"

    def project(self, run: Trajectory | npt.ArrayLike) -> tuple[Array, Array]:
        """Return (T, 2) coordinates and (T,) distances of another run, or of (T, P) parameters.

        Raises InputError where it has other parameters.
        """
        params = run.params if isinstance(run, Trajectory) else asarray(run)
        fits = params.ndim == 2 and params.shape[1] == len(self.origin)
        if not fits or params.dtype.kind not in "iuf":
            raise InputError(
                f"landscape: the parameters have shape {params.shape} and type {params.dtype}; "
                f"they must be (T, {len(self.origin)}) real numbers, a row for each point"
            )
        return project(params, self.origin, self.directions)


def project(params: Array, origin: Array, directions: Array) -> tuple[Array, Array]:
    """Return the coordinates of the plane's nearest points, (T, 2), and the distances, (T,)."""
    solve = np.linalg.pinv(directions)
    path, distance = np.empty((len(params), 2)), np.empty(len(params))
    rows = max(1, 2**22 // max(params.shape[1], 1))
    for start in range(0, len(params), rows):
        here = slice(start, start + rows)
        with np.errstate(invalid="ignore", over="ignore"):  # a run that diverged
            way = params[here].astype(np.float64) - origin
            path[here] = way @ solve
            distance[here] = np.linalg.norm(way - path[here] @ directions, axis=1)
    return path, distance
