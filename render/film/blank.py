"""Panels that leave their axes blank: mostly, they draw with pyplot, on a figure of its own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from matplotlib.axes import Axes

from render.errors import InputError

__all__ = ["is_blank", "pyplot_watched"]


def is_blank(axes: Any) -> bool:
    """Whether an axes shows nothing but its frame."""
    titles = (axes.title, axes._left_title, axes._right_title)
    frame = {axes.patch, *axes.spines.values(), *axes._axis_map.values(), *titles}
    return (
        axes.axison
        and frame.issuperset(axes.get_children())
        and not any(title.get_text() for title in titles)
    )


@contextmanager
def pyplot_watched(axes_by_panel: Mapping[str, Axes]) -> Iterator[None]:
    """Watch panels being drawn, into this mapping's axes, for figures that pyplot opens meanwhile.

    Raises InputError, naming a panel whose axes stays blank then; warns where none does.
    """
    before = _open_figures()
    yield
    opened = _open_figures() - before
    if not opened:
        return
    blank = [name for name, axes in axes_by_panel.items() if is_blank(axes)]
    if blank:
        for number in opened:
            sys.modules["matplotlib.pyplot"].close(number)
        raise InputError(
            f"panel {blank[0]} draws with pyplot, on a figure of its own, and leaves its axes "
            "blank; draw on the axes that it is given: ax.plot(…) for plt.plot(…)"
        )
    warnings.warn(
        "a panel opened a figure of pyplot's, which is not in the film; what it draws with plt "
        "belongs on its axes: ax.set_title(…) for plt.title(…)",
        stacklevel=2,
    )


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())
