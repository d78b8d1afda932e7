"""Panels that draw elsewhere than on the axes they are given."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest

from render import Film
from render.errors import InputError

SMALL = {"seconds": 0.2, "fps": 10, "size": (320, 180)}


def lines(ax):
    ax.plot([1, 2])
    ax.set_ylabel("y")
    return lambda step: None


def nothing(ax):
    return lambda step: None


def on_pyplot(ax):
    plt.plot([1, 2])
    return lambda step: plt.title(f"step {step}")


def later_on_pyplot(ax):
    return lambda step: plt.title(f"step {step}")


@pytest.fixture(autouse=True)
def no_figure_is_left():
    before = plt.get_fignums()
    yield
    assert plt.get_fignums() == before


@pytest.mark.parametrize("panel", [on_pyplot, later_on_pyplot])
def test_a_panel_that_draws_with_pyplot_alone_is_told(panel):
    with pytest.raises(InputError, match=r"panel b draws with pyplot.*ax\.plot\(…\) for plt\.plot"):
        Film({"a": lines, "b": panel}, **SMALL).figure(0)


def test_a_panel_that_leaves_a_pyplot_figure_open_is_warned_of():
    def panel(ax):
        lines(ax)
        return lambda step: plt.title(f"step {step}")

    with pytest.warns(UserWarning, match=r"ax\.set_title\(…\) for plt\.title"):
        Film([panel], **SMALL).figure(0)
    plt.close()


def test_figures_that_were_open_or_are_closed_again_are_nobodys_fault():
    other = plt.figure()

    def panel(ax):
        sketch = plt.figure(figsize=(1, 1))
        sketch.canvas.draw()
        ax.imshow(np.asarray(sketch.canvas.buffer_rgba()))
        plt.close(sketch)
        return lambda step: None

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Film([panel, nothing], **SMALL).figure(0)
    plt.close(other)


def test_a_panel_may_put_other_axes_in_the_place_of_its_own():
    def panel(ax):
        figure, place = ax.figure, ax.get_subplotspec()
        ax.remove()
        ax = figure.add_subplot(place, projection="3d")
        ax.plot([0, 1], [0, 1], [0, 1])
        return lambda step: ax.view_init(30, step)

    figure = Film([panel, lines], **SMALL).figure(0)
    assert [axes.name for axes in figure.axes] == ["rectilinear", "3d"]
