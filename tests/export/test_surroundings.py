"""What surrounds a film in the process that made it is there for all that draw it."""

import subprocess
import sys

import matplotlib
import pytest
from fontTools.ttLib import TTFont

SCRIPT = '''
import warnings
from pathlib import Path
import matplotlib
from matplotlib import colors, font_manager, scale
from matplotlib.projections import register_projection
from matplotlib.axes import Axes
from render import Film, scene

class Halved(scale.LinearScale):
    name = "halved"

class Own(Axes):
    name = "own"

font_manager.fontManager.addfont(Path(__file__).with_name("lecture.ttf"))
matplotlib.colormaps.register(colors.ListedColormap(["red", "blue"], name="mine"))
matplotlib.color_sequences.register("ours", ["green", "blue"])
colors.get_named_colors_mapping()["brand"] = "#c8400a"
scale.register_scale(Halved)
register_projection(Own)

@scene
def s() -> Film:
    """S."""
    def panel(ax):
        ax.imshow([[0, 1]], cmap="mine")
        ax.set_yscale("halved")
        text = ax.text(0, 0, "", family="Lecture", weight=700, color="brand")
        def update(step):
            if step % 4 == 0:
                print("step", step)
            text.set_text(f"{step} \\u4e16")
            warnings.warn("careful")
        return update
    panel.projection = "own"
    return Film([panel], seconds=1, fps=10, size=(160, 90), title="")
'''


@pytest.fixture
def drawn_by(tmp_path):
    """Draw the script's film with some processes; return its stills and what was told."""
    font = TTFont(matplotlib.get_data_path() + "/fonts/ttf/DejaVuSerif-Bold.ttf")
    for record in font["name"].names:
        if record.nameID in (1, 4, 6, 16):
            record.string = "Lecture"
    font.save(tmp_path / "lecture.ttf")
    (tmp_path / "s.py").write_text(SCRIPT)

    def drawn(jobs):
        (tmp_path / jobs).mkdir()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "render", "s.py", "-q"),
                "--jobs",
                jobs,
                "-o",
                f"{jobs}/%d.png",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        stills = [path.read_bytes() for path in sorted((tmp_path / jobs).iterdir())]
        return stills, done.stdout.replace(f"{jobs}/", ""), done.stderr

    return drawn


def test_several_processes_draw_and_say_what_one_does(drawn_by):
    (alone, paths, told), (shared, their_paths, theirs) = drawn_by("1"), drawn_by("2")
    assert alone == shared and len(set(alone)) == 10
    assert their_paths == paths == "".join(f"{number}.png\n" for number in range(10))
    for words in ("Warning: careful (s.py, line 34)\n", "Lecture lacks letters"):
        assert told.count(words) == theirs.count(words) == 1, (told, theirs)
    assert "step 8" in told and "step 8" in theirs
