"""The matplotlib writer with codecs, metadata and an ffmpeg of a user's own."""

import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation

from render import MovieWriter
from render.errors import ExportError
from render.export.ffmpeg import ffmpeg_path, matplotlib_ffmpeg


@pytest.fixture
def figure():
    figure = plt.figure(figsize=(1, 1), dpi=40)
    yield figure
    plt.close(figure)


def save(figure, path, frames=3, draw=lambda number: None, transparent=None, **options):
    animation = FuncAnimation(figure, draw, frames=frames)
    writer = MovieWriter(fps=30, **options)
    animation.save(path, writer=writer, savefig_kwargs={"transparent": transparent})


def told(path):
    """What ffmpeg says of a file."""
    command = [ffmpeg_path(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def corner(path):
    """The first pixel of a film, with its alpha."""
    command = [ffmpeg_path(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return tuple(np.frombuffer(done.stdout[:4], np.uint8))


@pytest.mark.parametrize("frames", [3, 151])
def test_metadata_stays_however_many_parts_a_film_has(figure, tmp_path, frames):
    path = tmp_path / "film.mp4"
    save(figure, path, frames, metadata={"title": "My talk", "artist": "Me"})
    lines = [line.split() for line in told(path).splitlines()]
    assert ["title", ":", "My", "talk"] in lines
    assert ["artist", ":", "Me"] in lines


@pytest.mark.parametrize(
    ("name", "codec", "arguments", "alpha"),
    [
        ("film.mov", "qtrle", [], 0),
        ("film.mov", "png", ["-pix_fmt", "rgba"], 0),
        ("film.mov", "prores_ks", ["-profile:v", "4444", "-pix_fmt", "yuva444p10le"], 0),
        ("film.mkv", "ffv1", ["-pix_fmt", "bgra"], 0),
        ("film.mov", "mjpeg", [], 255),
        ("film.mp4", None, [], 255),
        ("film.apng", None, [], 0),
    ],
)
def test_what_is_transparent_stays_where_the_codec_has_alpha(
    figure, tmp_path, name, codec, arguments, alpha
):
    path = tmp_path / name
    save(figure, path, transparent=True, codec=codec, extra_args=arguments)
    assert corner(path)[3] == alpha
    if alpha:
        assert min(corner(path)[:3]) > 250  # laid on white


@pytest.fixture
def others_ffmpeg(tmp_path, monkeypatch):
    """Put an ffmpeg on the PATH that has no H.264."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ffmpeg"
    script.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "if 'encoder=libx264' in sys.argv: sys.exit(\"Codec 'libx264' is not recognized\")\n"
        "if 'libx264' in sys.argv: sys.exit(\"Unknown encoder 'libx264'\")\n"
        f"os.execv({ffmpeg_path()!r}, ['ffmpeg', *sys.argv[1:]])\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return script


def test_the_formats_own_settings_need_no_other_ffmpeg(figure, tmp_path, others_ffmpeg):
    assert matplotlib_ffmpeg() == str(others_ffmpeg)
    save(figure, tmp_path / "film.mp4")
    assert "h264" in told(tmp_path / "film.mp4")


def test_a_codec_of_ones_own_is_looked_for_in_the_ffmpeg_on_the_path(
    figure, tmp_path, others_ffmpeg
):
    save(figure, tmp_path / "film.avi", codec="mpeg4")
    assert "mpeg4" in told(tmp_path / "film.avi")
    with pytest.raises(ExportError, match="Unknown encoder 'nothing'") as caught:
        save(figure, tmp_path / "film.mp4", codec="nothing")
    message = str(caught.value)
    assert message.endswith(
        f"; this is {others_ffmpeg}: set rcParams['animation.ffmpeg_path'] to "
        "imageio_ffmpeg.get_ffmpeg_exe() for the one that comes with us"
    )
    assert not (tmp_path / "film.mp4").exists()
