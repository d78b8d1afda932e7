from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from render.errors import InputError
from render.problem import surfaces

KNOWN = [
    surfaces.rosenbrock,
    surfaces.rastrigin,
    surfaces.beale,
    surfaces.camel,
    surfaces.himmelblau,
    surfaces.quadratic(100.0),
    surfaces.quadratic(1.0),
    surfaces.saddle,
]
LOWEST = {"six-hump camel": -1.031628453489877}


@pytest.mark.parametrize("surface", KNOWN, ids=lambda surface: surface.name)
def test_gradients_vanish_at_the_minima_and_nothing_in_the_domain_is_lower(surface) -> None:
    lowest = LOWEST.get(surface.name, 0.0)
    for x, y in surface.minima:
        at = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        height = surface.loss(at, torch.zeros(1))
        height.backward()
        assert height.item() == pytest.approx(lowest, abs=1e-12)
        assert at.grad is not None and at.grad.abs().max() < 1e-12
        hessian = torch.autograd.functional.hessian(lambda p: surface.function(p[0], p[1]), at)
        assert (torch.linalg.eigvalsh(hessian) > 0).all()
    (x0, x1), (y0, y1) = surface.domain
    grid = surface(*np.meshgrid(np.linspace(x0, x1, 301), np.linspace(y0, y1, 301)))
    assert grid.shape == (301, 301) and (not surface.minima or grid.min() >= lowest - 1e-12)
    for x, y in (surface.start, *surface.minima):
        assert x0 <= x <= x1 and y0 <= y <= y1


def test_the_saddle_is_flat_at_the_origin_and_has_no_minimum() -> None:
    at = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    surfaces.saddle.loss(at, torch.zeros(1)).backward()
    assert at.grad is not None and at.grad.tolist() == [0, 0] and surfaces.saddle.minima == ()
    assert surfaces.saddle(1, 0) == 1 and surfaces.saddle(0, 1) == -1


def test_the_quadratic_has_the_condition_number_asked_for() -> None:
    function = surfaces.quadratic(25.0).function
    hessian = torch.autograd.functional.hessian(lambda p: function(p[0], p[1]), torch.ones(2))
    assert torch.linalg.cond(hessian).item() == pytest.approx(25)


@pytest.mark.parametrize("surface", KNOWN, ids=lambda surface: surface.name)
def test_each_has_a_formula_that_matplotlib_reads_and_a_source_to_look_up(surface) -> None:
    from matplotlib.mathtext import MathTextParser

    MathTextParser("path").parse(surface.formula)
    assert "doi:10." in surface.source or "arXiv:" in surface.source


def test_a_function_of_ones_own_is_a_surface() -> None:
    def bowl(x, y):
        return x**2 + y**2

    surface = surfaces.of(bowl, domain=((-1, 1), (-2, 2)), start=(0.5, 1.5))
    assert surface.name == "bowl" and surface(3, [4, 0]).tolist() == [25, 9]
    assert surfaces.of(lambda x, y: x * y).name == "surface"
    surfaces.of(lambda x, y: x.abs() * 2 if x.item() > 0 else y)  # a number that has no slope


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: surfaces.of(3), "function is 3; give a callable of x and y"),
        (lambda: surfaces.of(lambda x: x), "the function failed at the start (1.0, 1.0)"),
        (lambda: surfaces.of(lambda x, y: 3.0), "the function gives 3.0 at two numbers"),
        (lambda: surfaces.of(lambda x, y: torch.stack((x, y))), "gives shape (2,)"),
        (
            lambda: surfaces.of(lambda x, y: x, domain=((1, 1), (0, 1))),
            "the domain of x is (1, 1); give low < high",
        ),
        (lambda: surfaces.of(lambda x, y: x, domain=(0, 1)), "the domain of x is 0; give two"),
        (lambda: surfaces.of(lambda x, y: x, domain=3), "domain is 3; give ((x low, x high)"),
        (lambda: surfaces.of(lambda x, y: x, start=3), "start is 3; give two finite numbers"),
        (lambda: surfaces.of(lambda x, y: x, minima=(0, 0)), "a minimum is 0"),
        (lambda: surfaces.of(lambda x, y: x, minima=0), "minima is 0; give a list of points"),
        (lambda: surfaces.of(lambda x, y: (x + y).sum())([1, 2], 3), "element by element"),
        (
            lambda: surfaces.of(lambda x, y: x**2 if x > 0 else y**2)([1, 2], 3),
            "the function fails at points of shape (2,) (Boolean value of Tensor",
        ),
        (lambda: surfaces.of(lambda x, y: x, name=3), "name is 3; give a text"),
        (lambda: surfaces.beale(torch.ones(2, requires_grad=True), 1), "are not numbers"),
        (lambda: surfaces.beale.curvatures(torch.ones(2), 1), "the point is (tensor([1., 1.]), 1)"),
        (lambda: surfaces.beale("a", 1), "are not numbers that broadcast"),
        (lambda: surfaces.beale.curvatures("a", 1), "the point is ('a', 1)"),
        (lambda: surfaces.quadratic(0.5), "condition is 0.5; give a number of at least 1"),
        (
            lambda: surfaces.of(lambda x, y: math.sin(x) + y**2, start=(0.0, 3.0)),
            "torch loses the slope: it finds (0, 6) at the start, where differences give (1, 6)",
        ),
        (
            lambda: surfaces.of(lambda x, y: torch.tensor([x, y]).sum()),
            "it finds (0, 0) at the start, where differences give (1, 1)",
        ),
        (lambda: surfaces.of(lambda x, y: np.exp(x) + y), "the function failed at the start"),
        (
            lambda: surfaces.beale.loss(torch.zeros(3), torch.zeros(1)),
            "a surface takes a point, shape (2,), not a prediction of shape (3,)",
        ),
    ],
)
def test_what_is_not_a_surface_says_why(build, message: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_curvatures_are_those_of_second_differences() -> None:
    assert surfaces.quadratic(40.0).curvatures(0.3, -0.7) == pytest.approx([1, 40])
    x, y, h = -1.2, 0.7, 1e-4
    f = surfaces.rosenbrock
    by_x = (f(x + h, y) - 2 * f(x, y) + f(x - h, y)) / h**2
    by_y = (f(x, y + h) - 2 * f(x, y) + f(x, y - h)) / h**2
    mixed = f(x + h, y + h) - f(x + h, y - h) - f(x - h, y + h) + f(x - h, y - h)
    expected = np.linalg.eigvalsh([[by_x, mixed / 4 / h**2], [mixed / 4 / h**2, by_y]])
    assert f.curvatures(x, y) == pytest.approx(expected, rel=1e-5)
