"""What the documentation prints is what the code does."""

import dataclasses
import re
import runpy
from pathlib import Path

import pytest

from render.film import panels
from render.film.legibility import check
from render.scene import find, load, shipped

DOCS = Path(__file__).parent.parent / "docs"
SCRIPTS = re.findall(
    r"```python\n# (\w+\.py)\n(.*?)```", (DOCS / "your-first-scene.md").read_text(), re.DOTALL
)


def test_the_page_has_its_scripts():
    assert [name for name, _ in SCRIPTS] == ["first.py", "rates.py", "own.py", "measured.py"]


@pytest.mark.parametrize(("name", "code"), SCRIPTS, ids=[name for name, _ in SCRIPTS])
def test_a_script_of_the_page_makes_a_film(name, code, tmp_path):
    script = tmp_path / name
    script.write_text(code)
    (summary,) = find(str(script))
    film = dataclasses.replace(load(summary)(), seconds=3, fps=10).resized(640, 360)
    assert [str(finding) for finding in check(film, stills=3)] == []


def test_the_page_names_every_panel():
    public = [getattr(panels, name) for name in panels.__all__]
    drawn = {kind.__name__ for kind in public if isinstance(kind, type) and hasattr(kind, "steps")}
    table = re.findall(r"^\| `(\w+)` \|", (DOCS / "your-first-scene.md").read_text(), re.MULTILINE)
    assert set(table) == drawn - {"RunPanel"} and len(table) == len(drawn) - 1


EXAMPLES = re.findall(r"```python\n(.*?)```", (DOCS / "recording.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_an_example_of_recording_runs(number):
    exec(compile(EXAMPLES[number], f"recording.md, example {number}", "exec"), {})


def test_the_gallery_shows_every_scene():
    made = runpy.run_path(str(DOCS / "make_gallery.py"))
    assert (DOCS / "gallery.md").read_text() == made["page"](shipped())
    pictures = {path.stem for path in (DOCS / "gallery").iterdir()}
    assert pictures == {summary.name for summary in shipped()}
