"""Panels: each draws one axes of a film and returns the function that moves it to a step."""

from render.film.panels.caption import Caption
from render.film.panels.curves import Curve
from render.film.panels.fit import Fit, sigmoid
from render.film.panels.loss_surface import LossSurface
from render.film.panels.panel import Panel, RunPanel, Update
from render.film.panels.readout import Readout
from render.film.panels.series import distance_to, row_at

__all__ = [
    "Caption",
    "Curve",
    "Fit",
    "LossSurface",
    "Panel",
    "Readout",
    "RunPanel",
    "Update",
    "distance_to",
    "row_at",
    "sigmoid",
]
