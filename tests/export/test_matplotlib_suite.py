"""matplotlib's own animation tests pass with our writer in the place of ffmpeg's."""

import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib

SUITE = Path(matplotlib.__file__).parent / "tests" / "test_animation.py"

CONFTEST = """
from matplotlib.animation import writers
from matplotlib.testing.conftest import *
from render import MovieWriter

writers.register("ffmpeg")(MovieWriter)
"""


OTHERS = "html", "imagemagick", "pillow"  # writers that stay as they are


def test_matplotlibs_animation_tests_pass_with_our_writer(tmp_path):
    shutil.copy(SUITE, tmp_path)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "baseline_images").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    others = " and ".join(f"not {name}" for name in OTHERS)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-k", others]
    done = subprocess.run(
        [*command, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join(lines[-40:])
    ours = [line for line in lines if line.startswith("PASSED") and "ffmpeg-" in line]
    assert len(ours) >= 4, done.stdout
    assert not any(line.startswith(("FAILED", "ERROR")) for line in lines)
