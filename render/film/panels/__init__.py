"""Panels: each draws one axes of a film and returns the function that moves it to a step."""

from render.film.panels.fit import Fit, sigmoid
from render.film.panels.loss_curve import LossCurve, MetricCurve
from render.film.panels.loss_surface import LossSurface
from render.film.panels.panel import Panel, Update
from render.film.panels.readout import Readout

__all__ = [
    "Fit",
    "LossCurve",
    "LossSurface",
    "MetricCurve",
    "Panel",
    "Readout",
    "Update",
    "sigmoid",
]
