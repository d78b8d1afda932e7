"""Data of which nothing is in the picture is named."""

import numpy as np
import pytest
from matplotlib.patches import PathPatch
from matplotlib.path import Path

NOTHING_SEEN = "axes 0: shows its data in none of 3 stills"


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda ax: ax.plot([0, 0.5, 1], [np.nan] * 3), NOTHING_SEEN),
        (lambda ax: ax.plot([0, 0.5, 1], [0.5, np.nan, 0.5]), NOTHING_SEEN),
        (lambda ax: ax.plot([0, 1], [3, 4]), NOTHING_SEEN),
        (lambda ax: (ax.set(yscale="log", ylim=(0.1, 1)), ax.plot([0, 1], [-1, 0])), NOTHING_SEEN),
        (lambda ax: ax.scatter([3, 4], [3, 4]), NOTHING_SEEN),
        (lambda ax: ax.stairs([1, 2], [4, 5, 6]), NOTHING_SEEN),
        (lambda ax: ax.fill_between([-5, 5], -5, -4), NOTHING_SEEN),
        (lambda ax: (ax.imshow(np.eye(3)), ax.set(xlim=(4, 5), ylim=(4, 5))), NOTHING_SEEN),
        (lambda ax: (ax.pcolormesh(np.eye(3)), ax.set(xlim=(4, 5))), NOTHING_SEEN),
        (
            lambda ax: (ax.plot([0, 1], [0, 1]), ax.plot([0, 1], [3, 4], label="far")),
            "Line2D 'far' of axes 0: is seen in none of 3 stills",
        ),
    ],
)
def test_data_that_is_never_seen_is_named(found, still, draw, words):
    (finding,) = found(still(draw))
    assert words in finding


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ax.plot([], []),
        lambda ax: ax.plot([np.nan], [np.nan], "o"),
        lambda ax: ax.plot([-5, 5], [0.5, 0.5]),
        lambda ax: ax.scatter([], []),
        lambda ax: ax.fill_between([-5, 5], -5, 5),
        lambda ax: ax.quiver([0.5], [0.5], [1], [1]),
        lambda ax: ax.tripcolor([0, 1, 0], [0, 0, 1], [1, 2, 3.0], shading="gouraud"),
        lambda ax: ax.plot([0, 1], np.array([[np.nan] * 2, [0, 1]]).T, "C1"),
        lambda ax: (
            ax.plot([0, 1], [np.nan] * 2, "C1"),
            ax.add_patch(PathPatch(Path([[0, 0], [1, 1]]), fill=False, edgecolor="C1", alpha=0.5)),
        ),
        lambda ax: ax.inset_axes((0.2, 0.2, 0.5, 0.5)).plot([0, 1], [0, 1]),
    ],
)
def test_data_that_is_seen_or_not_there_yet_passes(found, still, draw):
    assert found(still(draw)) == []


def test_a_panel_that_starts_empty_passes(found):
    def panel(ax):
        (line,) = ax.plot([], [])
        ax.set(xlim=(0, 9), ylim=(0, 9))
        return lambda step: line.set_data(range(step), range(step))

    assert found(panel) == []
