"""A figure that carries its theme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

import matplotlib
from matplotlib.animation import FuncAnimation
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

__all__ = ["ThemedAnimation", "ThemedFigure", "drawing_turn", "in_theme"]

drawing_turn = RLock()
"""Held while anything is drawn: matplotlib's settings are those of the process, so threads take
turns. One that has its turn may draw another figure meanwhile."""


@contextmanager
def in_theme(rc_params: Mapping[str, Any]) -> Iterator[None]:
    """Give the context in which matplotlib has these settings; no other thread draws meanwhile."""
    with drawing_turn, matplotlib.rc_context(rc_params):  # type: ignore[arg-type]
        yield


class ThemedFigure(Figure):
    """A figure that is drawn with its film's rcParams, whoever draws it and when.

    Some settings are read only then: the colour "C1", new ticks, the font of formulas.
    """

    def __init__(self, rc_params: Mapping[str, Any], **options: Any) -> None:
        self._rc_params = dict(rc_params)
        self._inside = False
        super().__init__(**options)

    @contextmanager
    def theme(self) -> Iterator[None]:
        """Give the context in which the figure is moved and drawn; entered within itself, cheap."""
        with drawing_turn:
            if self._inside:
                yield
                return
            with in_theme(self._rc_params):
                self._inside = True
                try:
                    yield
                finally:
                    self._inside = False

    def draw(self, renderer: RendererBase) -> None:
        """Draw within the theme."""
        with self.theme():
            super().draw(renderer)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Save within the theme, which has settings of its own for what is saved."""
        with self.theme():
            super().savefig(*args, **kwargs)


class ThemedAnimation(FuncAnimation):
    """An animation that is saved in one turn, as matplotlib sets back all settings at its end."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save while no other thread draws."""
        with drawing_turn:
            super().save(*args, **kwargs)
