"""What a panel is, and what panels that show runs have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import matplotlib

from render.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from render.recording.trajectory import Trajectory

__all__ = ["Panel", "RunPanel", "Update", "legend_above", "run_styles"]

Update = Callable[[int], object]
"""Moves a panel's artists to a step; the picture depends on nothing but the step."""


class Panel(Protocol):
    """Draws one axes of a film: called once with the axes, it returns `update(step)`.

    A panel may also have `steps` (the last step it can show), `runs` (by label, read by an even
    timeline), `prepare(steps)` (told once which steps will be shown, so that it can compute them
    together) and `projection` (of its axes, such as "3d").
    """

    def __call__(self, ax: Axes, /) -> Update:
        """Draw what stays, and return the function that moves the rest."""
        ...


@dataclass(frozen=True)
class RunPanel:
    """A panel of one run, or of several by the label that a legend shows."""

    run: Trajectory | Mapping[str, Trajectory]

    def __post_init__(self) -> None:
        """Raise InputError when what was given is not a run."""
        if not self.runs:
            raise InputError(f"{type(self).__name__} needs at least one run")
        for run in self.runs.values():
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
        return max(run.steps for run in self.runs.values())


def run_styles(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give each run its line style (colour, dash) from the theme, the same in every panel."""
    return dict(zip(labels, matplotlib.rcParams["axes.prop_cycle"](), strict=False))


def legend_above(ax: Axes) -> None:
    """Put the legend in a row above the axes, where it covers no data."""
    handles, labels = ax.get_legend_handles_labels()
    if any(labels):
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=len(labels),
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.2,
            columnspacing=1.4,
            handlelength=2.2,
        )
