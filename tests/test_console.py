"""What the command tells besides its results: warnings, each once and in one line."""

import subprocess
import sys
import textwrap
import warnings

from render.console import warnings_told_once

WARNS = '''
from render import Film, scene

@scene
def warns():
    """Подпись 标题."""
    import numpy as np

    def panel(ax):
        ax.set_xlabel("学习率")
        (line,) = ax.plot([0, 1], [0, 1])
        return lambda step: line.set_ydata(np.log([0, step]))

    return Film([panel], seconds=0.3, fps=10, size=(320, 180))
'''
LETTERS = "Warning: DejaVu Sans lacks letters of a text, and an empty box stands for each; name a"


def test_each_warning_is_one_line_that_names_the_script(tmp_path):
    (tmp_path / "own.py").write_text(textwrap.dedent(WARNS))
    command = [sys.executable, "-m", "render", "own.py", "-o", "film.mp4", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    letters, division = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, "film.mp4\n")
    assert letters.startswith(LETTERS)
    assert division == "Warning: divide by zero encountered in log (own.py, line 12)"


def test_warnings_are_shown_as_before_afterwards():
    before = warnings.showwarning
    with warnings_told_once():
        assert warnings.showwarning is not before
    assert warnings.showwarning is before
