"""Agg draws needles beyond nearly straight lines: boxes hold them, and films come out exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from render.film.canvas.tape import Tape

SIZE = 300
DRAWN = 50  # of each kind
Random = np.random.Generator


def ends(random: Random) -> Any:
    return random.uniform(60, 240, (2, 2))


def straight(random: Random, count: int = 8) -> Any:
    start, end = ends(random)
    return start + (end - start) * np.sort(random.random(count))[:, None]


def almost_straight(random: Random) -> Path:
    bend = 10.0 ** random.uniform(-14, -8)
    return Path(straight(random, 6) + random.normal(0, bend, (6, 2)))


def curve(random: Random) -> Path:
    start, end = ends(random)
    return Path([start, (start + end) / 2, end], [1, 3, 3])


def wave(random: Random) -> Path:
    """A wave whose points before and after its middle lie in one line with it."""
    x = np.linspace(-1, 1, 21)
    turned = Affine2D().rotate(random.uniform(0, 6)).translate(150, 150)
    return Path(turned.transform(np.column_stack([80 * x, 20 * np.sin(3 * x)])))


def closed(random: Random) -> Path:
    """A triangle that begins in the middle of a side."""
    (a, b), (c, _) = ends(random), ends(random)
    start = a + (b - a) * random.random()
    return Path([start, b, c, a, start], [1, 2, 2, 2, 79])


def there_and_back(random: Random) -> Path:
    start, end = ends(random)
    return Path(start + (end - start) * random.random(6)[:, None])


SHAPES: dict[str, Callable[[Random], Path]] = {
    "straight": lambda random: Path(straight(random)),
    "many points": lambda random: Path(straight(random, 200)),
    "repeated points": lambda random: Path(np.repeat(straight(random), 2, axis=0)),
    "two parts": lambda random: Path(
        [*straight(random, 4), *straight(random, 5)], [1, 2, 2, 2, 1, 2, 2, 2, 2]
    ),
    "almost straight": almost_straight,
    "curve": curve,
    "wave": wave,
    "closed": closed,
    "there and back": there_and_back,
}


def outside(shape: Path, *, join: str, width: float, dashes: Any = None) -> bool:
    """Whether a stroke leaves pixels outside the box of its command."""
    agg, tape = RendererAgg(SIZE, SIZE, 100), Tape(SIZE, SIZE, 100)
    gc = agg.new_gc()
    gc.set_linewidth(width)
    gc.set_joinstyle(join)
    if dashes:
        gc.set_dashes(0, dashes)
    agg.draw_path(gc, shape, Affine2D())
    tape.draw_path(gc, shape, Affine2D(), None)
    x0, y0, x1, y1 = tape.commands[0].box
    picture = np.asarray(agg.buffer_rgba())[..., 3].copy()
    picture[y0:y1, x0:x1] = 0
    return bool(picture.any())


@pytest.mark.parametrize("width", [1.0, 6.0])
@pytest.mark.parametrize("join", ["round", "bevel", "miter"])
@pytest.mark.parametrize("name", SHAPES)
def test_no_stroke_leaves_its_box(name, join, width):
    random = np.random.default_rng(5)
    shapes = [SHAPES[name](random) for _ in range(DRAWN)]
    assert not any(outside(shape, join=join, width=width) for shape in shapes)
    assert not any(outside(shape, join=join, width=width, dashes=[7, 3]) for shape in shapes[:9])


def test_needles_are_as_long_as_the_frame():
    """What the boxes are for: strokes that leave the box of their vertices by far."""
    random = np.random.default_rng(5)
    agg, far = RendererAgg(SIZE, SIZE, 100), 0
    for _ in range(600):
        points = straight(random)
        gc = agg.new_gc()
        agg.clear()
        agg.draw_path(gc, Path(points), Affine2D())
        rows = SIZE - 1 - np.nonzero(np.asarray(agg.buffer_rgba())[..., 3])[0]
        low, high = points[:, 1].min(), points[:, 1].max()
        far = max(far, int(max(low - rows.min(), rows.max() - high)))
    assert far > 20


@pytest.mark.parametrize("matrix", [np.diag([300.0, 1e-3, 1]), np.diag([1e-9, 2e9, 1])])
def test_lines_that_bend_keep_their_own_box(matrix):
    x = np.linspace(0, 1, 60)
    pixels = np.column_stack([60 + 180 * x, 150 + 50 * np.sin(9 * x)])
    shape = Path(Affine2D(matrix).inverted().transform(pixels))
    tape, gc = Tape(SIZE, SIZE, 100), RendererAgg(SIZE, SIZE, 100).new_gc()
    tape.draw_path(gc, shape, Affine2D(matrix), None)
    x0, y0, x1, y1 = tape.commands[0].box
    assert 50 <= x0 <= x1 <= 250
    assert 90 <= y0 <= y1 <= 210


@pytest.mark.parametrize("points", [[(0, 0)] * 4, [(0, np.nan)] * 4, [(0, 0), (1, 0), (2, 0)]])
def test_points_and_lines_along_an_axis_keep_their_own_box(points):
    tape, gc = Tape(SIZE, SIZE, 100), RendererAgg(SIZE, SIZE, 100).new_gc()
    tape.draw_path(gc, Path(points), Affine2D().translate(100, 100), None)
    x0, y0, x1, y1 = tape.commands[0].box
    assert x1 - x0 <= 12
    assert y1 - y0 <= 12


@pytest.mark.filterwarnings("error")
def test_a_line_that_ends_beyond_all_bounds_is_drawn_exactly(assert_exact):
    falls = -(10.0 ** np.array([0, 1, 5, 20, 50, 90, 120, 150, 155]))

    def build() -> tuple[Figure, Callable[[int], Any]]:
        fig, ax = plt.subplots(figsize=(3, 2))
        ax.set(xlim=(0, 9), ylim=(-1, 1))
        (line,) = ax.plot([])
        return fig, lambda k: line.set_data(range(k), falls[:k])

    assert_exact(build, range(10))


def test_a_regression_line_of_many_points_is_drawn_exactly(assert_exact):
    def build() -> tuple[Figure, Callable[[int], Any]]:
        fig, ax = plt.subplots(figsize=(4, 3), dpi=100)
        x, noise = np.linspace(0, 10, 20), np.random.default_rng(0).standard_normal(20)
        ax.scatter(x, 2 * x + noise, s=9)
        ax.set(xlim=(-5, 15), ylim=(-20, 40))
        (line,) = ax.plot(x, 0 * x, "r", lw=2)
        return fig, lambda k: line.set_ydata(2 * (1 - 0.97**k) * x + 0.1 * k)

    assert_exact(build, range(60, 75))


def test_straight_lines_of_a_collection_are_drawn_exactly(assert_exact):
    along = np.linspace(0, 1, 8)

    def build() -> tuple[Figure, Callable[[int], Any]]:
        fig, ax = plt.subplots(figsize=(4, 3), dpi=100)
        ax.set(xlim=(-2, 2), ylim=(-2, 2))
        rods = ax.add_collection(LineCollection([], lw=2))

        def update(k: int) -> None:
            turns = [number + k / 19 for number in range(5)]
            rods.set_segments(
                [
                    np.column_stack([number / 2 - 1 + along * np.cos(turn), along * np.sin(turn)])
                    for number, turn in enumerate(turns)
                ]
            )

        return fig, update

    assert_exact(build, range(29, 50))
