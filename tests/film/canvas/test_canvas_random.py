"""A random figure under random operations: every frame equals a full redraw's, byte for byte."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from render.film.canvas import LayeredCanvas

PANELS = ("plain", "twin", "polar", "3d", "inset", "image", "shared")


def build(panels: list[str]) -> Figure:
    figure = plt.figure(figsize=(1.2 * len(panels), 1.2), dpi=60)
    for place, kind in enumerate(panels):
        projection = kind if kind in ("polar", "3d") else None
        axes: Any = figure.add_subplot(1, len(panels), place + 1, projection=projection)
        depth = [[0.5, 0.6]] if kind == "3d" else []
        axes.plot([0, 1], [0.2, 0.7], *depth, lw=3)
        axes.scatter([0.3, 0.6], [0.5, 0.2], *depth)
        if kind == "twin":
            axes.twinx().plot([0, 5], "r")
        if kind == "inset":
            axes.inset_axes([0.5, 0.5, 0.4, 0.4]).plot([1, 0])
        if kind == "shared":
            other = next((one for one in figure.axes if one.name == "rectilinear"), axes)
            if other is not axes:
                axes.sharey(other)
        if kind == "image":
            axes.imshow(np.eye(3), alpha=0.7, extent=(0, 1, 0, 1))
    figure.text(0.5, 0.5, "over all", rotation=20)
    return figure


def _in_every(pick: Callable[[Any], list[Any]], do: Callable[[Any, int], Any]) -> Any:
    """Return an operation on one of the artists that `pick` finds, if there is any."""

    def operate(figure: Figure, which: int, value: int) -> None:
        axes = figure.axes[which % len(figure.axes)]
        found = pick(axes)
        if found:
            do(found[which % len(found)], value)

    return operate


def _axes(axes: Any) -> list[Any]:
    return [axes]


def _flat(axes: Any) -> list[Any]:
    return [] if axes.name == "3d" else [axes]


def _lines(axes: Any) -> list[Any]:
    return list(axes.lines)


def _moves(line: Any, value: int) -> None:
    if hasattr(line, "set_data_3d"):
        line.set_data_3d([0, 1], [0, value / 10], [0.5, 0.6])
    else:
        line.set_data([0, 1], [0, value / 10])


def _writes_in_place(points: Any, value: int) -> None:
    points.get_offsets()[0, 0] = value / 10


def _clears(axes: Any, value: int) -> None:
    axes.clear()
    axes.plot([0, 1], [0, value])


def _sets_as_it_is(axes: Any, value: int) -> None:
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim(), title=axes.get_title())
    axes.set_xlabel(axes.get_xlabel())


OPERATIONS: dict[str, Callable[[Figure, int, int], Any]] = {
    "move a line": _in_every(_lines, _moves),
    "style a line": _in_every(_lines, lambda a, v: a.set(lw=v, alpha=0.1 + v / 12, ls="-:"[v % 2])),
    "mark a line": _in_every(_lines, lambda a, v: a.set(marker="os^"[v % 3], ms=2 * v)),
    "unclip": _in_every(_lines, lambda a, v: a.set_clip_on(bool(v % 2))),
    "hide": _in_every(lambda a: a.get_children(), lambda a, v: a.set_visible(bool(v % 2))),
    "reorder": _in_every(_lines, lambda a, v: a.set_zorder(v)),
    "remove": _in_every(_lines, lambda a, v: a.remove() if v > 6 else None),
    "add": _in_every(_flat, lambda a, v: a.plot([0, 1], [v / 10, 0])),
    "set offsets": _in_every(
        lambda a: [] if a.name == "3d" else list(a.collections),
        lambda a, v: a.set_offsets([(v / 10, 0.5), (0.1, 0.2)]),
    ),
    "write offsets": _in_every(
        lambda a: [] if a.name == "3d" else list(a.collections), _writes_in_place
    ),
    "set image": _in_every(lambda a: list(a.images), lambda a, v: a.set_data(np.eye(3) * v)),
    "set limits": _in_every(_flat, lambda a, v: a.set_ylim(0, 0.5 + v / 5)),
    "autoscale": _in_every(_flat, lambda a, v: (a.relim(), a.autoscale())),
    "margins": _in_every(_flat, lambda a, v: a.set_ymargin(v / 10)),
    "place": _in_every(_axes, lambda a, v: a.set_position((v / 20, 0.2, 0.4, 0.6))),
    "animate": _in_every(_axes, lambda a, v: a.set_animated(v > 6)),
    "align": lambda figure, which, v: figure.align_labels(),
    "lay out": lambda figure, which, v: figure.tight_layout() if v > 6 else None,
    "title": _in_every(_axes, lambda a, v: a.set_title("gy" * v, fontsize=6)),
    "label": _in_every(_axes, lambda a, v: a.set_xlabel("x" * (v // 2))),
    "legend": _in_every(_flat, lambda a, v: a.legend(["a", "b"], fontsize=5, loc=v)),
    "set as it is": _in_every(_axes, _sets_as_it_is),
    "grid": _in_every(_axes, lambda a, v: a.grid(bool(v % 2))),
    "colour axes": _in_every(_axes, lambda a, v: a.set_facecolor(str(v / 10))),
    "turn 3d": _in_every(
        lambda a: [a] if a.name == "3d" else [], lambda a, v: a.view_init(10 * v, 20 * v)
    ),
    "raise axes": _in_every(_axes, lambda a, v: a.set_zorder(v)),
    "clear": _in_every(_flat, _clears),
    "write text": lambda figure, which, v: figure.texts[0].set_text(f"{v}" * v),
    "move text": lambda figure, which, v: figure.texts[0].set_position((v / 10, which / 10)),
    "draw": lambda figure, which, v: figure.canvas.draw(),
    "draw idly": lambda figure, which, v: figure.canvas.draw_idle(),
    "measure": lambda figure, which, v: figure.get_tightbbox(),
    "nothing": lambda figure, which, v: None,
}

STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 9), st.integers(0, 9)),
        max_size=3,
    ),
    min_size=4,
    max_size=8,
)


def pictures(panels: list[str], steps: Any, draw: Callable[[Figure], Any]) -> list[bytes]:
    figure = build(panels)
    result = []
    for operations in steps:
        for name, which, value in operations:
            OPERATIONS[name](figure, which, value)
        result.append(draw(figure))
    return result


def by_savefig(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba")
    return buffer.getvalue()


@settings(
    max_examples=7,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(PANELS), min_size=1, max_size=3), STEPS)
@example(["plain", "3d"], [[], [], [], [("place", 1, 6)]])
@example(["plain", "shared"], [[("animate", 0, 9)], [], [], [("margins", 1, 3)]])
@example(["plain"], [[], [], [("draw", 0, 0)], [("move a line", 0, 3)]])
def test_any_sequence_of_changes_is_drawn_exactly(panels: list[str], steps: Any) -> None:
    expected = pictures(panels, steps, by_savefig)
    canvases: list[LayeredCanvas] = []
    before: list[np.ndarray] = []

    def by_layers(figure: Figure) -> bytes:
        if not canvases:
            canvases.append(LayeredCanvas(figure))
        picture = canvases[0].draw()
        if before:
            kept = np.ones(picture.shape[:2], bool)
            for x0, y0, x1, y1 in canvases[0].damage:
                kept[y0:y1, x0:x1] = False
            assert (picture[kept] == before[-1][kept]).all()
        before.append(picture.copy())
        return picture.tobytes()

    try:
        drawn = pictures(panels, steps, by_layers)
        differ = [n for n, (a, b) in enumerate(zip(expected, drawn, strict=True)) if a != b]
        assert not differ
    finally:
        for canvas in canvases:
            canvas.close()
        plt.close("all")
