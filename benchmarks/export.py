"""How fast a film is drawn and written, each row a ratio measured side by side in one run.

python benchmarks/export.py            # every row
python benchmarks/export.py 1 4 9      # these rows
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path

import matplotlib
from lecture_film import FRAMES, lecture_animation
from matplotlib.animation import FFMpegWriter, PillowWriter
from measuring import (
    FFMPEG,
    ffmpeg_alone,
    frame_count,
    interleaved,
    lossless_frames,
    machine,
    ssim,
    timed,
)

from render import MovieWriter
from render.film.canvas import LayeredCanvas

RENDER = [sys.executable, "-m", "render"]
TURNS = 11  # where a ratio is near 1, and the machine's own noise is larger than what is sought
SCENES = Path(__file__).with_name("export_scenes.py")


def row_1(folder: Path) -> str:
    """MP4 of two panels, against matplotlib's FFMpegWriter."""
    ours, theirs = folder / "ours.mp4", folder / "theirs.mp4"
    animation = lecture_animation()
    mine, other = interleaved(
        lambda: animation.save(ours, writer=MovieWriter(fps=30)),
        lambda: animation.save(theirs, writer=FFMpegWriter(fps=30)),
    )
    frames = lossless_frames(animation)
    quality = ssim(ours, frames, 30), ssim(theirs, frames, 30)
    size = ours.stat().st_size / theirs.stat().st_size
    return (
        f"{other / mine:.1f}x faster ({mine / FRAMES * 1e3:.1f} against "
        f"{other / FRAMES * 1e3:.1f} ms a frame); SSIM {quality[0]:.4f} against "
        f"{quality[1]:.4f}; size {size:.2f} of theirs"
    )


def row_2(folder: Path) -> str:
    """The same export, against ffmpeg alone, fed the same frames from memory."""
    animation = lecture_animation()
    frames = lossless_frames(animation)
    mine, alone = interleaved(
        lambda: animation.save(folder / "ours.mp4", writer=MovieWriter(fps=30)),
        lambda: ffmpeg_alone(folder / "alone.mp4", frames, Fraction(30)),
    )
    return f"{mine / alone:.2f} of its time ({mine:.2f} against {alone:.2f} s)"


def row_3(folder: Path) -> str:
    """GIF at 1280x720, against matplotlib's PillowWriter."""
    ours, theirs = folder / "ours.gif", folder / "theirs.gif"
    animation = lecture_animation(size=(1280, 720))
    mine, other = interleaved(
        lambda: animation.save(ours, writer=MovieWriter(fps=20)),
        lambda: animation.save(theirs, writer=PillowWriter(fps=20)),
    )
    frames = lossless_frames(animation)
    size = ours.stat().st_size / theirs.stat().st_size
    return (
        f"{other / mine:.1f}x faster ({mine / FRAMES * 1e3:.1f} against "
        f"{other / FRAMES * 1e3:.1f} ms a frame); {size:.2f} of the size; "
        f"SSIM {ssim(ours, frames, 20):.5f}"
    )


def frame_times(animation, draw: Callable[[], object], frames: range) -> float:
    """Median seconds of drawing a frame, without the animation's own update."""
    times = []
    for frame in frames:
        animation._func(frame)
        times.append(timed(draw))
    return statistics.median(times)


def row_4(folder: Path) -> str:
    """Drawing a frame of that film, without encoder, against a full draw."""
    animation = lecture_animation()
    with LayeredCanvas(animation._fig) as canvas:
        frame_times(animation, canvas.draw, range(5))
        layered = frame_times(animation, canvas.draw, range(5, FRAMES))
    full = frame_times(animation, animation._fig.canvas.draw, range(40))
    return f"{full / layered:.1f}x faster ({layered * 1e3:.2f} against {full * 1e3:.1f} ms)"


def row_5(folder: Path) -> str:
    """Time a frame with 1,000,000 static points, against 100: saved as MP4, and drawn only."""
    animations = [lecture_animation(points=points) for points in (1_000_000, 100)]
    turns = [[saved_frame_time(each, folder) for each in animations] for _ in range(TURNS)]
    saved = [many / few for many, few in turns]
    times: list[list[float]] = [[], []]
    with ExitStack() as stack:
        canvases = [stack.enter_context(LayeredCanvas(each._fig)) for each in animations]
        for first in range(0, FRAMES, 10):  # in turn: the machine's speed drifts
            for each, canvas, taken in zip(animations, canvases, times, strict=True):
                taken.append(frame_times(each, canvas.draw, range(first, first + 10)))
    drawn = statistics.median(many / few for many, few in list(zip(*times, strict=True))[1:])
    frame_ms = 1e3 * statistics.median(many for many, _ in turns)
    return (
        f"{statistics.median(saved):.2f} of its time ({min(saved):.2f} to {max(saved):.2f} in "
        f"{TURNS} turns; {frame_ms:.1f} ms a frame); drawn without encoder {drawn:.2f} "
        f"({statistics.median(times[0]) * 1e3:.2f} ms)"
    )


def saved_frame_time(animation, folder: Path) -> float:
    """Mean seconds a frame of saving an MP4, once the first frames are drawn."""
    writer = MovieWriter(fps=30)
    with writer.saving(animation._fig, folder / "film.mp4", animation._fig.dpi):
        for frame in range(FRAMES):
            if frame == 10:
                start = time.perf_counter()
            animation._func(frame)
            writer.grab_frame()
        return (time.perf_counter() - start) / (FRAMES - 10)


def row_6(folder: Path) -> str:
    """Peak memory of 3,000 frames, against 300."""
    script = str(Path(__file__).with_name("export_memory.py"))
    told = []
    for suffix in (".mp4", ".gif"):
        peaks = []
        for frames in ("300", "3000"):
            done = subprocess.run(
                [sys.executable, script, frames, str(folder / f"film{suffix}")],
                capture_output=True,
                text=True,
                check=True,
            )
            peaks.append([float(number) for number in done.stdout.split()])
        (short, short_ffmpeg), (long, long_ffmpeg) = peaks
        told.append(
            f"{suffix} {long / short:.3f}x ({short:.0f} to {long:.0f} MiB), "
            f"ffmpeg {long_ffmpeg / short_ffmpeg:.3f}x"
        )
    return "; ".join(told)


def row_7(folder: Path) -> str:
    """--jobs 2 against --jobs 1, where drawing dominates: limits change every frame."""

    def render(jobs: int, size: str) -> None:
        command = [*RENDER, f"{SCENES}::moving", "-q", "--size", size]
        subprocess.run(
            [*command, "--jobs", str(jobs), "-o", str(folder / "moving.mp4")],
            check=True,
            capture_output=True,
        )

    told = []
    for size in ("1280x720", "1920x1080"):
        two, one = interleaved(partial(render, 2, size), partial(render, 1, size))
        told.append(f"{size} {one / two:.2f}x faster ({two:.1f} against {one:.1f} s)")
    return "; ".join(told)


def row_8(folder: Path) -> str:
    """`record` against a bare torch loop: benchmarks/recording.py, case `line`."""
    command = [sys.executable, str(Path(__file__).with_name("recording.py")), "line"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].split(": ", 1)[1]


def row_9(folder: Path) -> str:
    """`render --help` and `render --list`, whole process."""
    commands = [[*RENDER, option] for option in ("--help", "--list")]
    times = interleaved(
        *[
            lambda command=command: subprocess.run(command, capture_output=True, check=True)
            for command in commands
        ],
        repeats=11,
    )
    return f"{times[0]:.2f} s and {times[1]:.2f} s"


def row_10(folder: Path) -> str:
    """A film of the same content, whole process, against Manim Community (`MANIM` names it)."""
    manim = os.environ.get("MANIM") or shutil.which("manim")
    if manim is None:
        return "not measured: Manim is not installed; set MANIM to its command"
    script = Path(__file__).with_name("export_manim.py")
    options = ["--disable_caching", "-v", "ERROR", "--progress_bar", "none", "--fps", "30"]
    theirs = [manim, "render", *options, "-r", "1920,1080", "--media_dir", str(folder)]
    ours = [*RENDER, f"{SCENES}::lecture", "-q"]
    mine, other = interleaved(
        lambda: subprocess.run(
            [*ours, "-o", str(folder / "ours.mp4")], check=True, capture_output=True
        ),
        lambda: subprocess.run([*theirs, str(script), "Lecture"], check=True, capture_output=True),
    )
    frames = [FRAMES, frame_count(next(folder.rglob("Lecture.mp4")))]
    mine, other = mine / frames[0], other / frames[1]
    return f"{other / mine:.1f}x faster ({mine * 1e3:.0f} against {other * 1e3:.0f} ms a frame)"


def row_11(folder: Path) -> str:
    """MP4 with a constrained layout and a title that counts, against matplotlib's FFMpegWriter."""
    animation = lecture_animation(layout="constrained")
    mine, other = interleaved(
        lambda: animation.save(folder / "ours.mp4", writer=MovieWriter(fps=30)),
        lambda: animation.save(folder / "theirs.mp4", writer=FFMpegWriter(fps=30)),
    )
    return (
        f"{other / mine:.1f}x faster ({mine / FRAMES * 1e3:.1f} against "
        f"{other / FRAMES * 1e3:.1f} ms a frame)"
    )


ROWS = {number: globals()[f"row_{number}"] for number in range(1, 12)}


def main() -> None:
    """Print the rows that were asked for."""
    matplotlib.rcParams["animation.ffmpeg_path"] = FFMPEG
    wanted = [int(argument) for argument in sys.argv[1:]] or list(ROWS)
    print(machine(), flush=True)
    print("| # | measurement | result |\n|---|---|---|")
    for number in wanted:
        with tempfile.TemporaryDirectory() as folder:
            result = ROWS[number](Path(folder))
        name = ROWS[number].__doc__.strip().rstrip(".")
        print(f"| {number} | {name} | {result} |", flush=True)


if __name__ == "__main__":
    main()
