"""What the tests of the layered canvas share: small Agg figures, and a comparison with savefig."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from render.film.canvas import LayeredCanvas
from render.film.canvas.commands import Command, same

# States in the order in which they are drawn: forwards, and back to one of before.
STATES = (0, 3, 4, 5, 6, 7, 3)

Animated = tuple[Figure, Callable[[int], Any]]


@pytest.fixture(autouse=True)
def _small_agg_figures() -> Iterator[None]:
    with mpl.rc_context({"backend": "agg", "figure.figsize": (2.4, 1.8), "figure.dpi": 80}):
        yield
    plt.close("all")


def _full_redraws(build: Callable[[], Animated], states: Sequence[int]) -> list[bytes]:
    """Return every frame as savefig writes it, of a figure of its own."""
    with mpl.rc_context():
        figure, update = build()
        frames = []
        for state in states:
            update(state)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="rgba")
            frames.append(buffer.getvalue())
    return frames


def _assert_exact(build: Callable[[], Animated], states: Sequence[int] = STATES) -> None:
    expected = _full_redraws(build, states)
    before = np.empty((0, 0, 4), np.uint8)
    with mpl.rc_context():
        figure, update = build()
        with LayeredCanvas(figure) as canvas:
            for place, state in enumerate(states):
                update(state)
                picture = canvas.draw()
                assert picture.tobytes() == expected[place], f"frame {place}, state {state}"
                if before.shape == picture.shape:
                    undamaged = np.ones(picture.shape[:2], bool)
                    for x0, y0, x1, y1 in canvas.damage:
                        assert undamaged[y0:y1, x0:x1].all(), "rectangles overlap"
                        undamaged[y0:y1, x0:x1] = False
                    assert (picture[undamaged] == before[undamaged]).all()
                before = picture.copy()


@pytest.fixture
def assert_exact() -> Callable[..., None]:
    """Compare an animation drawn in layers with full redraws, and its damage with what changed."""
    return _assert_exact


def _with_idle_draws(build: Callable[[], Animated]) -> Callable[[], Animated]:
    def build_idle() -> Animated:
        figure, update = build()

        def update_and_draw(k: int) -> None:
            update(k)
            figure.canvas.draw_idle()

        return figure, update_and_draw

    return build_idle


@pytest.fixture
def with_idle_draws() -> Callable[..., Callable[[], Animated]]:
    """Let an animation end each update with an idle draw, as `Animation.save` does."""
    return _with_idle_draws


def _alike(ours: list[Command], theirs: list[Command]) -> bool:
    return len(ours) == len(theirs) and all(
        (one.name, one.box, one.clip) == (other.name, other.box, other.clip)
        and same(one.args, other.args)
        and same(one.kwargs, other.kwargs)
        for one, other in zip(ours, theirs, strict=True)
    )


@pytest.fixture
def alike() -> Callable[[list[Command], list[Command]], bool]:
    """Say whether two lists of commands are equal to the last bit."""
    return _alike
