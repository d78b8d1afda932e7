"""A scene that is recorded again starts from the same bits, wherever its numbers lie in memory."""

import numpy as np
import pytest

from render.scene import find, load


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("batch_sizes", {"n": 2048, "steps": 2}),
        ("schedules", {"n": 2048, "steps": 2}),
    ],
)
def test_a_scene_starts_from_the_same_bits_again(name, settings):
    (summary,) = find(name)
    draw = np.random.default_rng(0)
    seen, kept = set(), []
    for _ in range(15):
        kept += [np.empty(size, np.uint8) for size in draw.integers(1, 5000, 20)]
        film = load(summary)(**settings)
        minima = [np.array(getattr(panel, "minima", ())) for panel in film.panels_by_name.values()]
        numbers = [run.params[0] for run in film.runs] + minima
        seen.add(b"".join(values.tobytes() for values in numbers))
    assert len(seen) == 1
