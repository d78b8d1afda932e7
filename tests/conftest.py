"""What the tests share: shipped scenes, each run once."""

import functools
import gc
import pickle
import re
import subprocess
import zlib
from dataclasses import dataclass

import imageio_ffmpeg
import matplotlib
import numpy as np
import pytest
from filelock import FileLock

from render.scene import find, load

matplotlib.use("agg")


def pytest_collection_finish():
    """Let the garbage collector not look through all that was imported, nor look often.

    Figures that are closed would keep it busy.
    """
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.fixture(scope="session")
def films(tmp_path_factory, worker_id):
    """Where the processes that test together keep the films that one of them recorded."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def shipped_film(films):
    """Return the film of a shipped scene, recorded once for all tests."""

    @functools.cache
    def film(name, **settings):
        kept = films / f"{name}-{zlib.crc32(repr(sorted(settings.items())).encode())}.film"
        with FileLock(f"{kept}.lock"):
            if kept.exists():
                return pickle.loads(kept.read_bytes())
            (summary,) = find(name)
            recorded = load(summary)(**settings)
            kept.write_bytes(pickle.dumps(recorded))
            return recorded

    return film


@pytest.fixture(autouse=True)
def matplotlib_settings_stay():
    """No test leaves matplotlib's settings changed."""
    with matplotlib.rc_context():
        yield


@dataclass(frozen=True)
class Decoded:
    """A film as ffmpeg decodes it: frames (n, height, width, 3), and what ffmpeg says of it."""

    frames: np.ndarray
    stream: str
    seconds: float

    @property
    def size(self):
        return self.frames.shape[2], self.frames.shape[1]

    @property
    def fps(self):
        return float(re.search(r"([\d.]+) fps", self.stream).group(1))


@pytest.fixture
def decode():
    """Decode a film file with ffmpeg."""

    def decoded(path):
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
        told = subprocess.run(ffmpeg, capture_output=True, text=True).stderr
        stream = next(line for line in told.splitlines() if "Video:" in line)
        width, height = map(int, re.search(r" ([1-9]\d*)x(\d+)", stream).groups())
        hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told).groups()
        raw = [*ffmpeg, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        pixels = subprocess.run(raw, capture_output=True, check=True).stdout
        return Decoded(
            frames=np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3),
            stream=stream,
            seconds=3600 * int(hours) + 60 * int(minutes) + float(seconds),
        )

    return decoded
