"""Curves over the steps, drawn up to the current one: the loss, a metric, any series of a run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from render.errors import InputError
from render.film.checks import check_choice, check_range
from render.film.panels.panel import RunPanel, Update, together
from render.film.panels.series import (
    Scale,
    Series,
    check_series,
    in_words,
    limits_of,
    row_at,
    series_of,
    shown_part,
)
from render.film.styles import run_styles

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Curve"]

Limits = tuple[float, float] | None

_TO_STEP_1 = 0.4  # of a decade: from step 0 to step 1 on a logarithmic axis
_ABOVE_SPINES = 3.0
_ROUNDING = 1e-6  # of the largest value: float32 has seven digits


@dataclass(frozen=True)
class Curve(RunPanel):
    """Any series of one or several runs, drawn up to the current step.

    values: its name ("loss", "batch loss", "rate", "gradient", a metric's, a parameter's), a
    function from a run to an array (T,), or a mapping from each run's label to either: with
    `Curve({"train": run, "validation": run}, {"train": "loss", "validation": "val_loss"})` two
    series of one run share an axes. scale: of the value axis. step_scale: of the step axis ("log"
    keeps step 0, left of step 1). y_limits: of the value axis; by default room for every value of
    the film, but of a run that grows without bound only for those near its first. On a
    logarithmic one a curve leaves at the lower edge where it falls to zero, or so far that for most
    losses it is rounding; its dot stays at the edge. Negative values are gaps.
    x_label, y_label: the axes' labels; the y axis is called by the name of what it shows, such as
    "validation loss" for "val_loss", or by the words in which the names of several series end.
    Raises InputError when a run has no such series, or none a value that a logarithmic axis has.
    """

    values: Series | Mapping[str, Series] = "loss"
    _: KW_ONLY
    scale: Scale = "linear"
    step_scale: Scale = "linear"
    y_limits: Limits = None
    x_label: str = "step"
    y_label: str | None = None

    def __post_init__(self) -> None:
        """Check that every run has its series."""
        super().__post_init__()
        check_choice("scale", self.scale, Scale)
        check_choice("step_scale", self.step_scale, Scale)
        check_range(f"{type(self).__name__}: y_limits", self.y_limits)
        for label, run in self.runs.items():
            check_series(run, self._name(label), type(self).__name__)

    def __call__(self, ax: Axes) -> Update:
        """Draw the axes; return the update that draws the curves up to a step."""
        series = {
            label: series_of(run, self._name(label), type(self).__name__)
            for label, run in self.runs.items()
        }
        known = _common([self._name(label) for label in self.runs])
        ax.set(xlabel=self.x_label, ylabel=known if self.y_label is None else self.y_label)
        self._set_limits(ax, series)
        edge = None
        if self.scale == "log" and self.y_limits is None:
            edge = ax.get_ylim()[0]
            series = {label: _above_zero(values) for label, values in series.items()}
        styles = run_styles(series)
        movers = [
            _draw_curve(ax, run, series[label], styles[label] | {"label": label}, edge)
            for label, run in self.runs.items()
        ]
        return together(movers)

    def _name(self, label: str) -> Series:
        if not isinstance(self.values, Mapping):
            return self.values
        if label not in self.values:
            raise InputError(f"{type(self).__name__}: values has no series for the run {label!r}")
        return self.values[label]

    def _set_limits(self, ax: Axes, series: Mapping[str, NDArray[Any]]) -> None:
        """Fix both axes for the whole film, so that nothing jumps."""
        if self.step_scale == "log":
            ax.set_xscale("symlog", linthresh=1, linscale=_TO_STEP_1, subs=range(2, 10))
        else:
            ax.locator_params(axis="x", integer=True)
        ax.set_xlim(0, max(self.steps, 1))
        ax.set_yscale(self.scale)
        shown = np.concatenate([shown_part(self.runs[label], series[label]) for label in series])
        limits = self.y_limits or limits_of(shown, self.scale)
        if limits is None and shown.size:
            raise InputError(
                f"{type(self).__name__}: no value is above 0, where a logarithmic axis begins; "
                'give scale="linear"'
            )
        if limits is not None:
            ax.set_ylim(*limits)


def _above_zero(values: NDArray[Any]) -> NDArray[Any]:
    """Take zeros, and what rounding leaves of them, for tiny; below zero there is nothing."""
    finite = np.abs(values[np.isfinite(values)])
    negative = values < -_ROUNDING * finite.max(initial=0.0)
    return np.where(negative, np.nan, np.where(values <= 0, np.finfo(float).tiny, values))


def _common(names: Sequence[Series]) -> str:
    """Return the words in which all names end: "loss" of "loss" and "val_loss"."""
    if not all(isinstance(name, str) for name in names):
        return ""
    if len(set(names)) == 1:
        return in_words(str(names[0]))
    backwards = [re.split("[ _]", str(name))[::-1] for name in names]
    same = itertools.takewhile(lambda words: len(set(words)) == 1, zip(*backwards, strict=False))
    return " ".join(words[0] for words in list(same)[::-1])


def _draw_curve(
    ax: Axes, run: Trajectory, values: NDArray[Any], style: dict[str, Any], edge: float | None
) -> Update:
    """Draw a curve and its dot, which stays at a lower edge when it is given."""
    steps = np.arange(len(values)) * run.every
    (line,) = ax.plot([], [], **style)
    point = {"marker": "o", "linestyle": "none", "color": style["color"], "clip_on": False}
    paper = matplotlib.rcParams["axes.facecolor"]
    (dot,) = ax.plot([], [], zorder=_ABOVE_SPINES, markersize=9, markeredgecolor=paper, **point)
    dot.set_in_layout(False)  # without data it would count as a point in the picture's corner

    def move(step: int) -> None:
        now = row_at(run, step)
        line.set_data(steps[: now + 1], values[: now + 1])
        here = slice(now, now + 1)
        height = values[here] if edge is None else np.maximum(values[here], edge)
        low, high = sorted(ax.get_ylim())
        inside = (low <= height) & (height <= high)  # the dot is not clipped
        dot.set_data(steps[here][inside], height[inside])

    return move
