"""A figure that carries its theme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

__all__ = ["ThemedFigure"]


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
        if self._inside:
            yield
            return
        with matplotlib.rc_context(self._rc_params):  # type: ignore[arg-type]
            self._inside = True
            try:
                yield
            finally:
                self._inside = False

    def draw(self, renderer: RendererBase) -> None:
        """Draw within the theme."""
        with self.theme():
            super().draw(renderer)
