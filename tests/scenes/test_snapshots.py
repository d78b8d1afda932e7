"""Three frames of every shipped scene look as they did when we looked at them."""

import pytest

from render.scene import shipped

SCENES = [summary.name for summary in shipped()]


@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.mpl_image_compare(style="default", savefig_kwargs={"dpi": "figure"}, tolerance=2)
def test_frame(shipped_film, name, where):
    film = shipped_film(name)
    width, height = film.size
    film = film.resized(round(540 * width / height), 540)
    return film.figure({"first": 0, "middle": film.frames // 2, "last": -1}[where])
