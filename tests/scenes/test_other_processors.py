"""Scenes look the same on a processor that sums in another order.

How a matrix product is summed depends on the processor, and so do the last bits of a network's run.
Where training is chaotic they grow until they show: in a spike that comes sooner, a bin that moves.
"""

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from matplotlib.testing.compare import calculate_rms

from render.film.drawing import Drawing
from render.scene import find, load

BASELINE = Path(__file__).parents[1] / "baseline"


def summed_backwards(x, weight, bias=None):
    """Return what torch's `linear` does; features, and in the gradient points, come last first."""
    product = (x.flip(0, -1) @ weight.flip(-1).T).flip(0)
    return product if bias is None else product + bias


@pytest.mark.parametrize(
    "name",
    [
        "decision_boundary",
        "early_stopping",
        "loss_landscape",
        "overfitting",
        "weights_and_gradients",
    ],
)
def test_a_trained_network_looks_the_same(name, shipped_film, monkeypatch):
    plain = shipped_film(name)
    monkeypatch.setattr(torch.nn.functional, "linear", summed_backwards)
    (summary,) = find(name)
    film = load(summary)()
    pairs = zip(film.runs, plain.runs, strict=True)
    assert not all(np.array_equal(one.params, other.params) for one, other in pairs)
    width, height = film.size
    drawing = Drawing(film.resized(round(540 * width / height), 540))
    for where, frame in {"first": 0, "middle": film.frames // 2, "last": film.frames - 1}.items():
        with drawing.theme():
            drawing.show(frame)
            drawing.figure.canvas.draw()
        drawn = np.asarray(drawing.figure.canvas.buffer_rgba())[..., :3]
        assert difference(drawn, f"{name}-{where}") < 2, where


def test_the_race_ends_the_same_without_vector_instructions(tmp_path):
    command = [sys.executable, "-m", "render", "optimizer_race", "--frames", "359", "-q"]
    subprocess.run(
        [*command, "--size", "960x540", "-o", tmp_path / "last.png"],
        env=os.environ | {"ATEN_CPU_CAPABILITY": "default"},
        check=True,
    )
    assert difference(iio.imread(tmp_path / "last.png"), "optimizer_race-last") < 2


def difference(drawn, name):
    """Return the root mean square difference from a snapshot, out of 255."""
    kept = iio.imread(BASELINE / f"test_frame_{name}.png", mode="RGB")
    return calculate_rms(kept.astype(float), drawn)
