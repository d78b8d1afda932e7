"""The README's scene runs as it is printed."""

import re
from pathlib import Path

from render.scene import find, load

README = Path(__file__).parent.parent / "README.md"


def test_the_scene_is_short_and_makes_a_film(tmp_path):
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    assert len(code.splitlines()) < 20
    script = tmp_path / "talk.py"
    script.write_text(code)
    (summary,) = find(str(script))
    film = load(summary)(steps=20)
    assert (film.title, film.frames) == ("Gradient descent fits a line", 240)
    assert len(film.figure(-1).axes) == 2


def test_the_films_picture_is_small_enough_for_a_page():
    picture = README.parent / "outputs" / "linear_regression.gif"
    assert picture.name in README.read_text()
    assert picture.stat().st_size <= 300_000
