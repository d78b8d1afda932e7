"""The pixels that a command may touch are found from its finite points alone."""

import math

import numpy as np
import pytest
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.path import Path

from render.film.canvas.extents import extent

HEIGHT = 400
FRAME = (0, 0, 600, HEIGHT)


@pytest.mark.parametrize("missing", [[], [[np.nan, 5.0]], [[9.0, np.inf], [-np.inf, np.nan]]])
@pytest.mark.parametrize("count", [3, 16, 17, 500])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_path_reaches_as_far_as_its_finite_points(count, missing, order) -> None:
    drawn = np.random.default_rng(count).uniform((100, 150), (500, 250), (count, 2))
    finite = sorted(drawn.tolist())  # the first and the last reach farthest
    points = np.array([*missing, *finite, *missing], order=order)
    gc = GraphicsContextBase()
    gc.set_joinstyle("miter")
    gc.set_linewidth(0.0)
    left, top, right, bottom = extent("draw_path", (gc, Path(points), np.eye(3)), FRAME, HEIGHT, 72)
    xs, ys = zip(*finite, strict=True)
    reach = (math.floor(min(xs)) - left, math.ceil(max(xs)) - right)
    assert reach == (3, -3)
    reach = (math.floor(HEIGHT - max(ys)) - top, math.ceil(HEIGHT - min(ys)) - bottom)
    assert reach == (3, -3)


@pytest.mark.parametrize("count", [4, 40])
def test_a_path_without_a_finite_point_touches_nothing(count) -> None:
    path = Path(np.full((count, 2), np.nan))
    gc = GraphicsContextBase()
    left, top, right, bottom = extent("draw_path", (gc, path, np.eye(3)), FRAME, HEIGHT, 72)
    assert left >= right or top >= bottom
