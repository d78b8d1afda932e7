"""Measuring films: times in turn, frames, quality, ffmpeg alone, and the machine."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import matplotlib
import numpy as np

from render.export.encoding import encoding_of, raw_input
from render.export.formats import Stream

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
REPEATS = 3


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(*works: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Median seconds of each piece of work, repeated in turn."""
    times = [[timed(work) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def lossless_frames(animation) -> list[np.ndarray]:
    """Every frame of an animation as matplotlib draws it in full."""
    frames = []
    for frame in range(animation._save_count):
        animation._func(frame)
        animation._fig.canvas.draw()
        frames.append(np.asarray(animation._fig.canvas.buffer_rgba()).copy())
    return frames


def ssim(path: Path, frames: list[np.ndarray], rate: int) -> float:
    """Structural similarity of a film to its lossless frames, over all planes."""
    height, width = frames[0].shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}", "-r", str(rate)]
    # Both sides become RGB: what a viewer sees, whatever the file stores.
    same = "format=gbrp"
    chain = f"[0:v]settb=1/{rate},setpts=N,{same}[a];[1:v]settb=1/{rate},setpts=N,{same}[b];"
    done = subprocess.run(
        [
            *(FFMPEG, "-hide_banner", "-i", str(path), *raw, "-i", "-"),
            *("-lavfi", f"{chain}[a][b]ssim", "-f", "null", "-"),
        ],
        input=b"".join(frame.tobytes() for frame in frames),
        stderr=subprocess.PIPE,
        check=True,
    )
    return float(done.stderr.decode().rsplit("All:", 1)[1].split()[0])


def frame_count(path: Path) -> int:
    """The number of frames in a film."""
    return imageio_ffmpeg.count_frames_and_secs(str(path))[0]


def ffmpeg_alone(path: Path, frames: list[np.ndarray], fps: Fraction) -> None:
    """Encode RGBA frames from memory with our arguments, but for the frames' own pixels."""
    height, width = frames[0].shape[:2]
    stream = Stream(width=width, height=height, fps=fps)
    ours = list(encoding_of(path, stream, transparent=False).arguments)
    arguments = [*raw_input(stream, "rgba"), *ours[ours.index("pipe:0") + 1 :]]
    command = [FFMPEG, "-loglevel", "error", "-y", *arguments, "-pix_fmt", "yuv420p", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for frame in frames:
            process.stdin.write(frame)
        process.stdin.close()


def machine() -> str:
    """What the numbers were measured on."""
    ffmpeg = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True).stdout.split()[2]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"matplotlib {matplotlib.__version__}, ffmpeg {ffmpeg}"
    )
