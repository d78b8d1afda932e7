"""The axes of a figure, those within others among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["every_axes"]


def every_axes(within: Any) -> Iterator[Axes]:
    """Yield the axes of a figure, or of an axes, each followed by its insets."""
    for axes in within.axes if isinstance(within, Figure) else within.child_axes:
        yield axes
        yield from every_axes(axes)
