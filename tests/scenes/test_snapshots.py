"""Three frames of every shipped scene look as they did when we looked at them."""

from functools import lru_cache

import pytest

from render.film.drawing import Drawing
from render.scene import shipped

SCENES = [summary.name for summary in shipped()]


@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.mpl_image_compare(style="default", savefig_kwargs={"dpi": "figure"}, tolerance=2)
def test_frame(shipped_film, name, where):
    drawing, frames = drawing_of(shipped_film, name)
    with drawing.theme():
        drawing.show({"first": 0, "middle": frames // 2, "last": frames - 1}[where])
    return drawing.figure


@lru_cache(maxsize=1)
def drawing_of(shipped_film, name):
    """Lay a scene out once for its three frames; return the drawing, and how many there are."""
    film = shipped_film(name)
    width, height = film.size
    return Drawing(film.resized(round(540 * width / height), 540)), film.frames
