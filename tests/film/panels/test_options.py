"""What a panel cannot be given is an error that names the option and what it may be."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from render import datasets, losses, models, panels, record
from render.errors import InputError

WHOLE, RANGE = "is not a whole number of at least", r"is not two numbers, \(low, high\)"


@pytest.fixture(scope="module")
def run():
    descent = partial(torch.optim.SGD, lr=0.1)
    line = models.Line(1.0, 1.0)
    return record(line, datasets.line(9), loss=losses.mse, optimizer=descent, steps=3)


def test_a_run_that_begins_nowhere_has_no_surface(run):
    nowhere = replace(run, params=np.full_like(run.params, np.nan))
    with pytest.raises(InputError, match="VectorField: the run begins at nan or inf; start it"):
        panels.VectorField(nowhere)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda run: panels.LossSurface(run, grid=20.5), f"LossSurface: grid=20.5 {WHOLE} 2"),
        (lambda run: panels.Surface3D(run, grid="many"), "Surface3D: grid='many' is not a whole"),
        (lambda run: panels.LossSurface(run, x_range=5), f"LossSurface: x_range=5 {RANGE}"),
        (lambda run: panels.LossSurface(run, y_range=(1, 1)), f"y_range=.1, 1. {RANGE}"),
        (lambda run: panels.LossSurface(run, minima=[(0, np.nan)]), "minima=.* is not points of"),
        (lambda run: panels.LossSurface(run, left="at {when}"), "left='at {when}' cannot be"),
        (lambda run: panels.LossSurface(run, parameters=(0, 0)), "names .* twice"),
        (lambda run: panels.Curve(run, y_limits=3), f"Curve: y_limits=3 {RANGE}"),
        (lambda run: panels.Curve(run, y_limits=(0, np.nan)), f"y_limits=.0, nan. {RANGE}"),
        (lambda run: panels.Fit(run, y_limits=(1, 2, 3)), f"Fit: y_limits=.1, 2, 3. {RANGE}"),
        (lambda run: panels.Curve({4: run}), "Curve: the label 4 is not text; write '4'"),
        (lambda run: panels.Cloud(run, last=0), f"Cloud: last=0 {WHOLE} 2"),
        (lambda run: panels.Histograms(run, bins="auto"), "Histograms: bins='auto' is not a"),
        (lambda run: panels.VectorField(run, arrows=5.5), f"VectorField: arrows=5.5 {WHOLE} 3"),
        (lambda run: panels.Surface3D(run, azimuth=30), "azimuth=30 is not two angles in degrees"),
        (lambda run: panels.Surface3D(run, azimuth=(0, np.inf)), "azimuth=.* is not two angles"),
        (lambda run: panels.Surface3D(run, elevation="high"), "elevation='high' is not 5 to 85"),
        (lambda run: panels.Caption(None), "Caption: text=None is not text, or a function"),
        (lambda run: panels.Caption("a", size_pt=-2), "Caption: size_pt=-2 is not a size in"),
    ],
)
def test_what_an_option_may_be_is_told(run, make, message):
    with pytest.raises(InputError, match=message):
        make(run)
