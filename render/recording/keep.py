"""What is kept of a large model's parameters at each step."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from render.errors import InputError
from render.problem.checks import is_whole
from render.problem.shown import shown

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Keep", "check_keep", "kept_layout"]

Layout = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Keep:
    """What a run keeps: of which steps, and what of the parameters at each.

    every: keep every k-th step, the first and the last among them: `steps` must be a multiple.
        Row j of the run is then the state after j * every updates, in all its arrays.
    tensors: names of the parameter tensors to keep, or patterns such as "fc2.*".
    directions: (D, P), or a landscape's `directions`: keep the coordinates of the way from the
        start along them (least squares, in float64) instead of the parameters, and as the metric
        "off_plane" the distance from the plane through the start that they span.

    A run that keeps only tensors or directions cannot be evaluated at its steps; its metrics are
    computed while it is recorded, and `run.final` holds all the parameters after the last step.
    """

    every: int = 1
    tensors: Sequence[str] | None = None
    directions: npt.ArrayLike | None = None

    @property
    def whole(self) -> bool:
        """Whether all parameters are kept."""
        return self.tensors is None and self.directions is None

    def __str__(self) -> str:
        parts = [f"every={self.every}"] if self.every != 1 else []
        if self.tensors is not None:
            parts.append(f"tensors={list(self.tensors)}")
        if self.directions is not None:
            parts.append(f"directions={tuple(np.shape(self.directions))}")
        return "Keep(" + ", ".join(parts) + ")"


def check_keep(keep: object, model: nn.Module, steps: int) -> Keep:
    """Return what to keep, or raise InputError where it does not fit the model or the steps."""
    if keep is None:
        return Keep()
    if not isinstance(keep, Keep):
        raise InputError(
            f"record: keep is {shown(keep)}; give Keep(every=…, tensors=…, directions=…)"
        )
    every = keep.every
    if not is_whole(every) or every < 1:
        raise InputError(f"record: keep.every is {shown(every)}; give a whole number of at least 1")
    if steps % every:
        raise InputError(
            f"record: steps is {steps}, not a multiple of keep.every, {every}; take "
            f"{steps - steps % every} or {steps - steps % every + every} steps"
        )
    if keep.tensors is not None and keep.directions is not None:
        raise InputError("record: keep has both tensors and directions; choose one of them")
    keep = replace(keep, every=int(every))
    if keep.directions is not None:
        _check_directions(keep.directions, sum(p.numel() for p in model.parameters()))
    if keep.tensors is not None:
        _check_tensors(keep.tensors, [name for name, _ in model.named_parameters()])
    return keep


def kept_layout(keep: Keep, layout: Layout) -> Layout:
    """Return name and shape of each tensor in a row of the run."""
    if keep.directions is not None:
        return (("projection", (len(np.asarray(keep.directions)),)),)
    if keep.tensors is not None:
        patterns = keep.tensors
        return tuple(
            (name, shape)
            for name, shape in layout
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        )
    return layout


def _check_directions(directions: npt.ArrayLike, width: int) -> None:
    try:
        values = np.asarray(directions, dtype=float)
    except (TypeError, ValueError, RuntimeError) as exc:
        raise InputError(
            f"record: keep.directions ({type(directions).__name__}) is not an array of numbers; "
            f"give (D, {width}), a row for each direction"
        ) from exc
    if values.ndim != 2 or values.shape[1] != width or not len(values):
        raise InputError(
            f"record: keep.directions has shape {values.shape}; give (D, {width}), a row for each "
            "direction"
        )
    if not np.isfinite(values).all() or np.linalg.matrix_rank(values) < len(values):
        raise InputError(
            "record: keep.directions are not finite and linearly independent; give directions "
            "that span a plane"
        )


def _check_tensors(patterns: object, names: Sequence[str]) -> None:
    if isinstance(patterns, str) or not isinstance(patterns, Sequence) or not patterns:
        raise InputError(
            f"record: keep.tensors is {shown(patterns)}; give a list of names, such as "
            f"[{names[0]!r}]"
        )
    for pattern in patterns:
        if not any(fnmatchcase(name, str(pattern)) for name in names):
            close = difflib.get_close_matches(str(pattern), names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "there are " + ", ".join(names[:6])
            raise InputError(f"record: keep.tensors: no tensor is named {shown(pattern)}; {hint}")
