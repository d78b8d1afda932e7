"""A figure that carries its theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
    around: gives a context of the film's own, in which it is moved and drawn too.
    """

    around: Callable[[], AbstractContextManager[object]] = nullcontext

    def __init__(self, rc_params: Mapping[str, Any], **options: Any) -> None:
        self._rc_params = dict(rc_params)
        self._inside = False
        super().__init__(**options)

    def theme(self) -> AbstractContextManager[None]:
        """Give the context in which the figure is moved and drawn; entered within itself, cheap."""
        return _theme_of(self)

    def draw(self, renderer: RendererBase) -> None:
        """Draw within the theme."""
        with self.theme():
            super().draw(renderer)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Save within the theme, which has settings of its own for what is saved."""
        with self.theme():
            super().savefig(*args, **kwargs)


@contextmanager
def _theme_of(figure: ThemedFigure) -> Iterator[None]:
    """Give a figure's context; no method, for what fails within is no failure of the figure."""
    with drawing_turn:
        if figure._inside:
            yield
            return
        with in_theme(figure._rc_params), figure.around():
            figure._inside = True
            try:
                yield
            finally:
                figure._inside = False


class ThemedAnimation(FuncAnimation):
    """An animation that is saved in one turn, as matplotlib sets back all settings at its end."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save while no other thread draws."""
        with drawing_turn:
            super().save(*args, **kwargs)
