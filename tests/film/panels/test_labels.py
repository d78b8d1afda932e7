"""Labels of marks keep off paths in a picture of any shape, and stay where they are."""

from functools import partial

import pytest
import torch

from render import Film, models, panels, record, surfaces
from render.film.drawing import Drawing

VALLEY = surfaces.quadratic(10.0)


@pytest.fixture(scope="module")
def run():
    swing = partial(torch.optim.SGD, lr=0.18, momentum=0.5)
    return record(models.Point(-2.0, 0.8), VALLEY, optimizer=swing, steps=40)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("size", [(960, 540), (640, 480), (1080, 1920), (960, 300)])
def test_labels_keep_off_paths_and_stars_in_a_picture_of_any_shape(run, size, equal):
    panel = panels.LossSurface(
        run, minima={"minimum": (0, 0), "zero": (0.3, 0.1)}, equal=equal, y_range=(-1, 1)
    )
    drawing = Drawing(Film([panel] * 3, size=size, title=""))
    places = []
    for frame in (0, -1, 3):
        with drawing.theme():
            drawing.show(frame)
            drawing.figure.draw_without_rendering()
        places.append([text.get_position() for ax in drawing.figure.axes for text in ax.texts])
    assert places[0] == places[1] == places[2]
    for ax in drawing.figure.axes:
        points = ax.transData.transform([*run.params, (0, 0), (0.3, 0.1)])
        for text in ax.texts:
            box = super(type(text), text).get_window_extent()
            assert not any(box.contains(*point) for point in points), text
            assert ax.bbox.contains(*box.min) and ax.bbox.contains(*box.max), text
