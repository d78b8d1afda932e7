"""Panels: each draws one axes of a film and returns the function that moves it to a step."""

from render.film.panels.caption import Caption
from render.film.panels.curves import Curve
from render.film.panels.fit import Fit, sigmoid
from render.film.panels.histograms import ByLayer, Histograms
from render.film.panels.landscape import LandscapePanel, variance_share
from render.film.panels.loss_surface import LossSurface
from render.film.panels.panel import Panel, RunPanel, Update
from render.film.panels.patience import Patience, stopping
from render.film.panels.probability_field import ProbabilityField
from render.film.panels.readout import Readout
from render.film.panels.series import distance_to, row_at
from render.film.panels.spread import Cloud, Spread, spread_of
from render.film.panels.surface_3d import Surface3D
from render.film.panels.vector_field import VectorField

__all__ = [
    "ByLayer",
    "Caption",
    "Cloud",
    "Curve",
    "Fit",
    "Histograms",
    "LandscapePanel",
    "LossSurface",
    "Panel",
    "Patience",
    "ProbabilityField",
    "Readout",
    "RunPanel",
    "Spread",
    "Surface3D",
    "Update",
    "VectorField",
    "distance_to",
    "row_at",
    "sigmoid",
    "spread_of",
    "stopping",
    "variance_share",
]
