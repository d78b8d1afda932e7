"""What a panel is, and what panels that show runs have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from render.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from render.recording.trajectory import Trajectory

__all__ = ["Panel", "RunPanel", "Update", "together"]

Update = Callable[[int], object]
"""Moves a panel's artists to a step; the picture depends on nothing but the step."""


def together(movers: Sequence[Update]) -> Update:
    """Return the update that moves several things to a step, in order."""

    def update(step: int) -> None:
        for move in movers:
            move(step)

    return update


class Panel(Protocol):
    """Draws one axes of a film: called once with the axes, it returns `update(step)`.

    A panel may also have `steps` (the last step it can show, or None), `runs` (by label, read by an
    even timeline), `prepare(steps)` (told once which steps will be shown, so that it can compute
    them together), `projection` (of its axes, such as "3d") and `moves_axes` (True where its limits
    are meant to change between frames).
    """

    def __call__(self, ax: Axes, /) -> Update:
        """Draw what stays, and return the function that moves the rest."""
        ...


@dataclass(frozen=True)
class RunPanel:
    """A panel of one run, or of several by the label that the film's legend shows."""

    run: Trajectory | Mapping[str, Trajectory]

    def __post_init__(self) -> None:
        """Raise InputError when what was given is not a run."""
        if not self.runs:
            raise InputError(f"{type(self).__name__} needs at least one run")
        for label, run in self.runs.items():
            if not isinstance(label, str):
                raise InputError(
                    f"{type(self).__name__}: the label {label!r} is not text; write {str(label)!r}"
                )
            if not (hasattr(run, "params") and hasattr(run, "loss")):
                raise InputError(
                    f"{type(self).__name__}: {type(run).__name__!r} is not a run; pass what "
                    "record() returned, or a mapping from labels to such runs"
                )

    @property
    def runs(self) -> dict[str, Trajectory]:
        """The runs by label; a single run has the empty label."""
        return dict(self.run) if isinstance(self.run, Mapping) else {"": self.run}

    @property
    def steps(self) -> int:
        """The last step of the longest run."""
        return max(run.steps * run.every for run in self.runs.values())
