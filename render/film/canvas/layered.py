"""The canvas itself: what the exporter and the matplotlib writer use."""

from __future__ import annotations

import io
from types import TracebackType

import numpy as np
from matplotlib.figure import Figure

Rect = tuple[int, int, int, int]


class LayeredCanvas:
    """Draws a matplotlib figure frame after frame; pixels equal a full redraw's."""

    def __init__(
        self,
        figure: Figure,
        *,
        dpi: float | None = None,
        facecolor: object = "auto",
        edgecolor: object = "auto",
        transparent: bool = False,
    ) -> None:
        self._figure = figure
        self._settings = {
            "dpi": "figure" if dpi is None else dpi,
            "facecolor": facecolor,
            "edgecolor": edgecolor,
            "transparent": transparent,
        }
        self.damage: tuple[Rect, ...] = ()

    def draw(self) -> np.ndarray:
        """Return the figure's pixels now: (height, width, 4) uint8 RGBA, valid until the next call."""
        buffer = io.BytesIO()
        self._figure.savefig(buffer, format="rgba", **self._settings)  # type: ignore[arg-type]
        dpi = self._settings["dpi"]
        width, height = self._figure.get_size_inches() * (
            self._figure.dpi if dpi == "figure" else dpi
        )
        self.damage = ((0, 0, int(width), int(height)),)
        return np.frombuffer(buffer.getbuffer(), np.uint8).reshape(int(height), int(width), 4)

    def close(self) -> None:
        """Restore the figure to how it was."""

    def __enter__(self) -> LayeredCanvas:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
