"""Curves over the steps: the loss, or a metric, up to the current step."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from render.errors import InputError
from render.film.panels.panel import RunPanel, Update
from render.film.styles import run_styles

if TYPE_CHECKING:
    pass

__all__ = ["LossCurve", "MetricCurve"]

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class LossCurve(RunPanel):
    """The loss of one or several runs, drawn up to the current step.

    scale: of the loss axis. step_scale: of the step axis ("log" starts at step 1).
    over: "data" is the loss over all the data; "batch" is the loss that the optimizer saw.
    x_label, y_label: the axes' labels.
    """

    _: KW_ONLY
    scale: Scale = "linear"
    step_scale: Scale = "linear"
    over: Literal["data", "batch"] = "data"
    x_label: str = "step"
    y_label: str = "loss"

    def __call__(self, ax: Axes) -> Update:
        """Draw the axes; return the update that draws the curves up to a step."""
        series = {
            label: run.data_loss if self.over == "data" else run.loss
            for label, run in self.runs.items()
        }
        return _draw_curves(ax, self, series)


@dataclass(frozen=True)
class MetricCurve(RunPanel):
    """A recorded metric of one or several runs, drawn up to the current step.

    metric: its name in `record(metrics=…)`. The other fields are as in `LossCurve`.
    Raises InputError when a run has no such metric.
    """

    metric: str = "accuracy"
    _: KW_ONLY
    scale: Scale = "linear"
    step_scale: Scale = "linear"
    x_label: str = "step"
    y_label: str | None = None

    def __post_init__(self) -> None:
        """Check that every run has the metric."""
        super().__post_init__()
        for run in self.runs.values():
            if self.metric not in run.metrics:
                known = ", ".join(run.metrics) or "none"
                raise InputError(
                    f"MetricCurve: no metric {self.metric!r} was recorded; there are: {known}"
                )

    def __call__(self, ax: Axes) -> Update:
        """Draw the axes; return the update that draws the curves up to a step."""
        series = {label: run.metrics[self.metric] for label, run in self.runs.items()}
        return _draw_curves(ax, self, series)


def _draw_curves(
    ax: Axes, panel: LossCurve | MetricCurve, series: dict[str, NDArray[Any]]
) -> Update:
    """Draw one curve a run, with a dot at the current step."""
    if panel.y_label is None:
        assert isinstance(panel, MetricCurve)
        ax.set_ylabel(panel.metric)
    else:
        ax.set_ylabel(panel.y_label)
    ax.set_xlabel(panel.x_label)
    _set_limits(ax, panel, list(series.values()))
    movers = [
        _draw_curve(ax, label, values, run_styles(series)[label], panel.step_scale)
        for label, values in series.items()
    ]

    def update(step: int) -> None:
        for move in movers:
            move(step)

    return update


def _draw_curve(
    ax: Axes, label: str, values: NDArray[Any], style: dict[str, Any], step_scale: Scale
) -> Update:
    first = 1 if step_scale == "log" else 0
    steps = np.arange(len(values))
    (line,) = ax.plot([], [], label=label, **style)
    (dot,) = ax.plot([], [], marker="o", linestyle="none", color=style["color"], clip_on=False)

    def move(step: int) -> None:
        now = min(step, len(values) - 1)
        line.set_data(steps[first : now + 1], values[first : now + 1])
        dot.set_data(steps[max(first, now) : now + 1], values[max(first, now) : now + 1])

    return move


def _set_limits(ax: Axes, panel: LossCurve | MetricCurve, series: list[NDArray[Any]]) -> None:
    """Fix both axes for the whole film, so that nothing jumps."""
    last = max(len(values) for values in series) - 1
    ax.set_xscale(panel.step_scale)
    ax.set_xlim(1 if panel.step_scale == "log" else 0, max(last, 2))
    finite = np.concatenate([values[np.isfinite(values)] for values in series])
    if panel.scale == "log":
        finite = finite[finite > 0]
        ax.set_yscale("log")
    if finite.size == 0:
        return
    low, high = float(finite.min()), float(finite.max())
    if panel.scale == "log":
        ratio = max(high / low, 1.1) ** 0.06
        ax.set_ylim(low / ratio, high * ratio)
    else:
        margin = 0.06 * ((high - low) or 1.0)
        ax.set_ylim(low - margin, high + margin)
