"""Films are laid out as matplotlib's engine has it, which asks for ticks far more often."""

from collections import Counter

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render.film import layout
from render.film.canvas.glyphs import KNOWN

SIZES = [(6.4, 3.6), (3.6, 6.4)]


def empty(size):
    figure = Figure(size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(size):
    """Labels in line, axes of a fixed shape, a logarithmic one, and a colour bar."""
    figure = empty(size)
    axes = figure.subplot_mosaic("ABC;DEC")
    axes["A"].plot([0, 1e6], [-1e-4, 3e-4])
    axes["B"].plot([0, 1], [1e5, 2e5])
    axes["C"].set(aspect="equal", xlim=(0, 1), ylim=(0, 9), title="a title")
    axes["D"].loglog([1, 1e3], [1e-7, 2])
    figure.colorbar(axes["E"].imshow(np.eye(3)), ax=axes["E"])
    for ax in axes.values():
        ax.set(xlabel="x", ylabel="y")
    figure.align_labels([axes[name] for name in "ABD"])
    return figure


def shared(size):
    """Limits that are shared with axes of a fixed shape, by whose length ticks are chosen."""
    figure = empty(size)
    a, b, c = figure.subplots(1, 3)
    a.sharex(c)
    b.sharey(c)
    c.set(aspect="equal", xlim=(0, 7), ylim=(0, 31))
    a.twinx().set(ylim=(0, 1e5), ylabel="twin")
    b.inset_axes((0.2, 0.2, 0.5, 0.5)).set_title("inset")
    return figure


def drawn(figure):
    """Where axes stand, and the picture."""
    figure.set_layout_engine(None)
    figure.canvas.draw()
    return [ax.get_position().bounds for ax in figure.axes], bytes(figure.canvas.buffer_rgba())


def engine_alone(figure):
    figure.get_layout_engine().execute(figure)
    for ax in figure.axes:
        ax.apply_aspect()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("build", [panels, shared])
def test_axes_stand_where_the_engine_alone_puts_them(build, size):
    ours, theirs = build(size), build(size)
    layout.arrange(ours)
    engine_alone(theirs)
    assert drawn(ours) == drawn(theirs)
    assert not any("_update_ticks" in vars(ax.xaxis) for ax in ours.axes)


@pytest.mark.skipif(not KNOWN, reason="this matplotlib finds ticks in another way")
def test_ticks_are_found_once_for_each_place(monkeypatch):
    asked = Counter()
    find = Axis._update_ticks

    def counted(axis):
        asked[id(axis)] += 1
        return find(axis)

    monkeypatch.setattr(Axis, "_update_ticks", counted)
    monkeypatch.setattr("render.film.canvas.ticks._FIND", counted)
    counts = []
    for arrange in (layout.arrange, engine_alone):
        asked.clear()
        arrange(panels(SIZES[0]))
        counts.append(asked.total())
    assert 2 * counts[0] < counts[1]
