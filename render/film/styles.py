"""Line styles of runs: one colour and one dash each, the same in every panel of a film."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from render.film.theme import rc_params
from render.film.wrapping import width_pt

__all__ = ["draw_legend", "next_color", "run_styles", "shared_labels"]

_MOST_COLUMNS = 6
_HANDLE, _PAD, _SPACING = 2.4, 0.8, 1.6  # of a legend's columns, in sizes of its letters

_labels: ContextVar[tuple[str, ...]] = ContextVar("labels", default=())
_unlabelled: ContextVar[str] = ContextVar("unlabelled", default="")


@contextmanager
def shared_labels(labels: Iterable[str], unlabelled: str = "") -> Iterator[None]:
    """Give the labels of a film's runs, in order, to the panels built in this context.

    unlabelled: the label that a run without one has in another panel. Where it has none, its style
    comes after those of the legend.
    """
    every = list(dict.fromkeys(labels))
    rest = [unlabelled] if "" in every else []
    ordered = dict.fromkeys([*filter(None, every), *rest])
    token, other = _labels.set(tuple(ordered)), _unlabelled.set(unlabelled)
    try:
        yield
    finally:
        _labels.reset(token)
        _unlabelled.reset(other)


def run_styles(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the colour and dash of each run, by label, from the theme's property cycle.

    Each time that the colours are used up, they come with other dashes. A cycle without dashes
    gets those of the theme "light".
    """
    names = {label: label or _unlabelled.get() for label in labels}
    every = dict.fromkeys([*_labels.get(), *names.values()])
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    dashed = cycle if "linestyle" in cycle[0] else list(rc_params("light")["axes.prop_cycle"])
    dashes = [style["linestyle"] for style in dashed]
    styles = {}
    for number, label in enumerate(every):
        again, place = divmod(number, len(cycle))
        styles[label] = cycle[place] | {"linestyle": dashes[(place + again) % len(dashes)]}
    return {label: styles[name] for label, name in names.items()}


def next_color() -> str:
    """Return the theme's first colour that no run of the film has."""
    colors = [style["color"] for style in matplotlib.rcParams["axes.prop_cycle"]]
    return to_hex(colors[max(1, len(_labels.get())) % len(colors)])


def draw_legend(figure: Figure) -> None:
    """Name the runs below the panels, once for the whole film, where nothing is covered."""
    labels = [label for label in _labels.get() if label]
    if not labels:
        return
    handles = [Line2D([], [], **style) for style in run_styles(labels).values()]
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=_columns(figure, labels),
        frameon=False,
        handlelength=_HANDLE,
        handletextpad=_PAD,
        columnspacing=_SPACING,
    )


def _columns(figure: Figure, labels: list[str]) -> int:
    """As many columns as the picture is wide enough for, and its rows fill."""
    font = FontProperties(size=matplotlib.rcParams["legend.fontsize"])
    beside_pt = (_HANDLE + _PAD + _SPACING) * font.get_size_in_points()
    widths_pt = [width_pt(label, font) + beside_pt for label in labels]
    room_pt = 0.97 * 72.0 * figure.get_figwidth() + _SPACING * font.get_size_in_points()
    for columns in range(min(len(labels), _MOST_COLUMNS), 1, -1):
        widest_pt = [max(column) for column in np.array_split(widths_pt, columns)]
        rows = math.ceil(len(labels) / columns)
        if columns == math.ceil(len(labels) / rows) and sum(widest_pt) <= room_pt:
            return columns
    return 1
