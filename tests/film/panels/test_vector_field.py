import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from render import datasets, losses, models, record, surfaces
from render.errors import InputError
from render.film.panels.vector_field import VectorField

DOMAIN = {"x_range": (-4.0, 4.0), "y_range": (-4.0, 4.0), "grid": 21}


def run_on(surface, start=(1.5, -0.5), dtype=torch.float64, steps=3):
    return record(
        models.Point(*start, dtype=dtype),
        surface,
        optimizer=lambda params: torch.optim.SGD(params, lr=1e-3),
        steps=steps,
    )


def drawn(panel):
    axes = Figure(figsize=(5, 5)).add_subplot()
    update = panel(axes)
    (field,) = (child for child in axes.get_children() if isinstance(child, Quiver))
    return axes, update, field


def gradient_by_autograd(surface, points):
    at = torch.tensor(points, requires_grad=True)
    surface.function(at[:, 0], at[:, 1]).sum().backward()
    return at.grad.numpy()


@pytest.mark.parametrize("name", ["himmelblau", "rosenbrock", "beale", "camel", "rastrigin"])
@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.float64, 2e-4), (torch.float32, 2e-3)])
def test_the_gradient_is_that_of_automatic_differentiation(name, dtype, accuracy):
    surface = getattr(surfaces, name)
    panel = VectorField(run_on(surface, dtype=dtype), **DOMAIN)
    panel.prepare(())
    xs, ys = panel._places()
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    exact = gradient_by_autograd(surface, points)
    found = panel._computed["gradient"].reshape(-1, 2)
    typical = np.linalg.norm(exact, axis=1).max()
    assert np.abs(found - exact).max() <= accuracy * typical


def test_the_gradient_of_a_line_fit_is_that_by_hand():
    data = datasets.line(50, seed=3, dtype=torch.float64)
    run = record(
        models.Line(-1.0, 1.0, dtype=torch.float64),
        data,
        loss=losses.mse,
        optimizer=lambda params: torch.optim.SGD(params, lr=0.01),
        steps=2,
    )
    panel = VectorField(run, grid=11, arrows=5)
    panel.prepare(())
    x, y = data.x.numpy(), data.y.numpy()
    for i, b in enumerate(panel._places()[1]):
        for j, a in enumerate(panel._places()[0]):
            by_hand = 2 * (a * x + b - y)
            expected = [(x * by_hand).mean(), by_hand.mean()]
            assert panel._computed["gradient"][i, j] == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("ranges", [(8.0, 8.0), (8.0, 1.0)])
def test_arrows_point_down_the_gradient_on_the_picture(ranges):
    width, height = ranges
    surface = surfaces.himmelblau
    panel = VectorField(
        run_on(surface), x_range=(-4, width - 4), y_range=(1, 1 + height), grid=21, arrows=9
    )
    _, _, field = drawn(panel)
    exact = gradient_by_autograd(surface, np.asarray(field.XY, dtype=float))
    arrows = np.column_stack([field.U, field.V])
    along = arrows / arrows[:, :1] * exact[:, :1]  # parallel in the axes' units, which scale alike
    assert along == pytest.approx(exact, rel=1e-3, abs=1e-2)
    assert ((arrows * exact).sum(axis=1) < 0).all()


def test_steeper_is_longer_and_no_arrow_reaches_the_next():
    panel = VectorField(run_on(surfaces.himmelblau), **DOMAIN, equal=True, arrows=15)
    _, _, field = drawn(panel)
    exact = np.linalg.norm(gradient_by_autograd(surfaces.himmelblau, np.asarray(field.XY)), axis=1)
    length = np.hypot(field.U, field.V)
    assert length == pytest.approx(length.max() * (exact / exact.max()) ** 0.35, rel=1e-3)
    assert length.max() < 8 / 15


def test_no_arrow_stands_at_a_point_without_slope():
    flat = surfaces.of(lambda x, y: 0 * x + 0 * y + 1.0, start=(0.0, 0.0))
    _, _, field = drawn(VectorField(run_on(flat), **DOMAIN))
    assert len(field.XY) == 0


def test_names_of_minima_are_kept_clear_of_arrows():
    minima = {"here": (3.0, 2.0)}
    panel = VectorField(run_on(surfaces.himmelblau), **DOMAIN, minima=minima, arrows=25)
    axes, _, field = drawn(panel)
    (text,) = [text for text in axes.texts if text.get_text() == "here"]
    box = text.get_window_extent()
    inside = [box.contains(*place) for place in axes.transData.transform(field.XY)]
    assert not any(inside)
    bare = VectorField(run_on(surfaces.himmelblau), **DOMAIN, minima=[(3.0, 2.0)])
    axes, _, field = drawn(bare)
    assert not [text for text in axes.texts if text.get_text()]
    assert len(field.XY) == 17 * 17


def test_the_field_rests_while_the_path_moves():
    run = run_on(surfaces.himmelblau, steps=20)
    axes, update, field = drawn(VectorField(run, **DOMAIN))
    update(0)
    before = field.U.copy(), field.V.copy()
    update(20)
    np.testing.assert_array_equal(before, (field.U, field.V))
    assert any(np.array_equal(line.get_xydata(), run.params[:21]) for line in axes.lines)


def test_too_few_arrows_are_an_error():
    with pytest.raises(InputError, match="arrows=2 is not a whole number of at least 3"):
        VectorField(run_on(surfaces.himmelblau), arrows=2)


def test_arrows_in_a_long_panel_are_as_far_apart_in_both_ways():
    axes = Figure(figsize=(9, 2)).add_subplot()
    VectorField(run_on(surfaces.himmelblau), **DOMAIN)(axes)
    (field,) = (child for child in axes.get_children() if isinstance(child, Quiver))
    places = [np.unique(side) for side in axes.transData.transform(field.XY).round(3).T]
    assert len(places[0]) == 17
    apart = [np.diff(side).mean() for side in places]
    assert 0.6 < apart[0] / apart[1] < 1.7
    assert abs(places[1].mean() - (axes.bbox.y0 + axes.bbox.height / 2)) < apart[1] / 2
