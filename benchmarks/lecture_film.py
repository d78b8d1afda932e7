"""The film that the export is measured with: two panels, one with points, one with contours."""

from __future__ import annotations

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FRAMES = 150


def lecture_animation(size=(1920, 1080), frames=FRAMES, points=500, layout=None):
    """Two panels: points and a line; filled contours with a path, a dot and a text.

    With a layout engine, a title counts the steps too.
    """
    figure = Figure(figsize=(size[0] / 120, size[1] / 120), dpi=120, layout=layout)
    FigureCanvasAgg(figure)
    left, right = lecture_panels(frames, points)
    panels = [panel(ax) for panel, ax in zip((left, right), figure.subplots(1, 2), strict=True)]

    def update(frame):
        if layout is not None:
            figure.axes[0].set_title(f"step {frame}")
        return [artist for panel in panels for artist in panel(frame)]

    return FuncAnimation(figure, update, frames=frames, init_func=lambda: update(0), interval=33)


def lecture_panels(frames=FRAMES, points=500):
    """The panels of that film, as functions of an axes."""
    slopes, intercepts = lecture_path(frames)

    def left(ax):
        rng = np.random.default_rng(0)
        x = rng.random(points)
        ax.scatter(x, 3 * x + 8 + rng.normal(0, 0.3, points), s=8)
        ax.set(xlim=(0, 1), ylim=(0, 12), xlabel="x", ylabel="y")
        (line,) = ax.plot([], [], color="C1", linewidth=3)

        def update(frame):
            line.set_data([0, 1], [intercepts[frame], slopes[frame] + intercepts[frame]])
            return [line]

        return update

    def right(ax):
        a, b = np.meshgrid(np.linspace(-2, 5, 100), np.linspace(0, 10, 100))
        ax.contourf(a, b, lecture_bowl(a, b), levels=20)
        ax.set(xlabel="slope", ylabel="intercept")
        (path,) = ax.plot([], [], color="C1")
        (dot,) = ax.plot([], [], "o", color="C1", markersize=10)
        text = ax.text(0.03, 0.95, "", transform=ax.transAxes, va="top", color="white")

        def update(frame):
            path.set_data(slopes[: frame + 1], intercepts[: frame + 1])
            dot.set_data(slopes[frame : frame + 1], intercepts[frame : frame + 1])
            text.set_text(f"step {frame}, slope {slopes[frame]:.3f}")
            return [path, dot, text]

        return update

    return [left, right]


def lecture_path(frames):
    """Slope and intercept in each frame."""
    run = 1 - np.exp(-np.linspace(0, 5, frames))
    return -1 + 4 * run, 1 + 7 * run**1.5


def lecture_bowl(a, b):
    """The loss over slope and intercept."""
    return (a - 3) ** 2 / 3 + (a - 3) * (b - 8) + (b - 8) ** 2
