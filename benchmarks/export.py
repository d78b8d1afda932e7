"""How fast a film is drawn and written, each row a ratio measured side by side in one run.

python benchmarks/export.py            # every row
python benchmarks/export.py 1 4 9      # these rows
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path

import imageio_ffmpeg
import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from render import MovieWriter
from render.export.encoding import encoding_of, raw_input
from render.export.formats import Stream
from render.film.canvas import LayeredCanvas

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
REPEATS = 3
FRAMES = 150


def lecture_animation(size=(1920, 1080), frames=FRAMES, points=500):
    """Two panels: points and a line; filled contours with a path, a dot and a text."""
    figure = Figure(figsize=(size[0] / 120, size[1] / 120), dpi=120)
    FigureCanvasAgg(figure)
    left, right = lecture_panels(frames, points)
    panels = [panel(ax) for panel, ax in zip((left, right), figure.subplots(1, 2), strict=True)]

    def update(frame):
        return [artist for panel in panels for artist in panel(frame)]

    return FuncAnimation(figure, update, frames=frames, init_func=lambda: update(0), interval=33)


def lecture_panels(frames=FRAMES, points=500):
    """The panels of that film, as functions of an axes."""
    slopes, intercepts = lecture_path(frames)

    def left(ax):
        rng = np.random.default_rng(0)
        x = rng.random(points)
        ax.scatter(x, 3 * x + 8 + rng.normal(0, 0.3, points), s=8)
        ax.set(xlim=(0, 1), ylim=(0, 12), xlabel="x", ylabel="y")
        (line,) = ax.plot([], [], color="C1", linewidth=3)

        def update(frame):
            line.set_data([0, 1], [intercepts[frame], slopes[frame] + intercepts[frame]])
            return [line]

        return update

    def right(ax):
        a, b = np.meshgrid(np.linspace(-2, 5, 100), np.linspace(0, 10, 100))
        ax.contourf(a, b, lecture_bowl(a, b), levels=20)
        ax.set(xlabel="slope", ylabel="intercept")
        (path,) = ax.plot([], [], color="C1")
        (dot,) = ax.plot([], [], "o", color="C1", markersize=10)
        text = ax.text(0.03, 0.95, "", transform=ax.transAxes, va="top", color="white")

        def update(frame):
            path.set_data(slopes[: frame + 1], intercepts[: frame + 1])
            dot.set_data(slopes[frame : frame + 1], intercepts[frame : frame + 1])
            text.set_text(f"step {frame}, slope {slopes[frame]:.3f}")
            return [path, dot, text]

        return update

    return [left, right]


def lecture_path(frames):
    """Slope and intercept in each frame."""
    run = 1 - np.exp(-np.linspace(0, 5, frames))
    return -1 + 4 * run, 1 + 7 * run**1.5


def lecture_bowl(a, b):
    """The loss over slope and intercept."""
    return (a - 3) ** 2 / 3 + (a - 3) * (b - 8) + (b - 8) ** 2


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(*works: Callable[[], object]) -> list[float]:
    """Median seconds of each piece of work, repeated in turn."""
    times = [[timed(work) for work in works] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def lossless_frames(animation) -> list[np.ndarray]:
    """Every frame of an animation as matplotlib draws it in full."""
    frames = []
    for frame in range(FRAMES):
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
    turns = [[saved_frame_time(each, folder) for each in animations] for _ in range(REPEATS)]
    saved = [statistics.median(column) for column in zip(*turns, strict=True)]
    times: list[list[float]] = [[], []]
    with ExitStack() as stack:
        canvases = [stack.enter_context(LayeredCanvas(each._fig)) for each in animations]
        for first in range(0, FRAMES, 10):  # in turn: the machine's speed drifts
            for each, canvas, taken in zip(animations, canvases, times, strict=True):
                taken.append(frame_times(each, canvas.draw, range(first, first + 10)))
    drawn = statistics.median(many / few for many, few in list(zip(*times, strict=True))[1:])
    return (
        f"{saved[0] / saved[1]:.2f} of its time ({saved[0] * 1e3:.1f} ms a frame); drawn without "
        f"encoder {drawn:.2f} ({statistics.median(times[0]) * 1e3:.2f} ms)"
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
    # The high-water mark of each process image: what getrusage tells includes the parent's.
    code = textwrap.dedent("""
        import re, sys, threading, time
        from pathlib import Path
        sys.path.insert(0, "benchmarks")
        from export import lecture_animation
        from render import MovieWriter

        def peak(process):
            told = Path(f"/proc/{process}/status").read_text()
            name, mark = re.search(r"Name:\\t(.*)", told)[1], re.search(r"VmHWM:\\s+(\\d+)", told)
            return name, int(mark[1]) / 1024 if mark else 0.0

        def watch():
            while True:
                for child in Path("/proc/self/task").glob("*/children"):
                    for process in child.read_text().split():
                        try:
                            name, mark = peak(process)
                        except OSError:  # it has ended
                            continue
                        if name.startswith("ffmpeg"):
                            highest[0] = max(highest[0], mark)
                time.sleep(0.05)

        highest = [0.0]
        threading.Thread(target=watch, daemon=True).start()
        animation = lecture_animation(size=(1280, 720), frames=int(sys.argv[1]))
        animation.save(sys.argv[2], writer=MovieWriter(fps=30))
        print(peak("self")[1], highest[0])
    """)
    told = []
    for suffix in (".mp4", ".gif"):
        peaks = []
        for frames in ("300", "3000"):
            done = subprocess.run(
                [sys.executable, "-c", code, frames, str(folder / f"film{suffix}")],
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


LIMITS_SCENE = '''
import numpy as np

from render import Film, scene

@scene
def moving() -> Film:
    """Six panels whose limits and ticks change in every frame."""
    x = np.linspace(0, 10, 500)
    def panel(ax):
        ax.plot(x, np.sin(x))
        ax.set(xlabel="x", ylabel="sin x")
        def update(step):
            ax.set(xlim=(-0.01 * step, 10 + 0.01 * step), ylim=(-1 - 0.01 * step, 1 + 0.01 * step))
        return update
    return Film(dict.fromkeys("abcdef", panel), mosaic="abc;def", seconds=20, fps=30)
'''


def row_7(folder: Path) -> str:
    """--jobs 2 against --jobs 1, where drawing dominates: limits change every frame."""
    (folder / "moving.py").write_text(LIMITS_SCENE)

    def render(jobs: int, size: str) -> None:
        command = [sys.executable, "-m", "render", str(folder / "moving.py"), "-q", "--size", size]
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
    global REPEATS
    commands = [[sys.executable, "-m", "render", option] for option in ("--help", "--list")]
    repeats, REPEATS = REPEATS, 11
    times = interleaved(
        *[
            lambda command=command: subprocess.run(command, capture_output=True, check=True)
            for command in commands
        ]
    )
    REPEATS = repeats
    return f"{times[0]:.2f} s and {times[1]:.2f} s"


SAME_IN_RENDER = '''
import sys

from render import Film, scene

sys.path.insert(0, {folder!r})
from export import lecture_panels

@scene
def lecture() -> Film:
    """Two panels."""
    return Film(lecture_panels(), size=(1920, 1080), fps=30, seconds=5)
'''


def row_10(folder: Path) -> str:
    """A film of the same content, whole process, against Manim Community (`MANIM` names it)."""
    manim = os.environ.get("MANIM") or shutil.which("manim")
    if manim is None:
        return "not measured: Manim is not installed; set MANIM to its command"
    script = Path(__file__).with_name("export_manim.py")
    options = ["--disable_caching", "-v", "ERROR", "--progress_bar", "none", "--fps", "30"]
    theirs = [manim, "render", *options, "-r", "1920,1080", "--media_dir", str(folder)]
    (folder / "lecture.py").write_text(SAME_IN_RENDER.format(folder=str(script.parent)))
    ours = [sys.executable, "-m", "render", str(folder / "lecture.py"), "-q"]
    mine, other = interleaved(
        lambda: subprocess.run(
            [*ours, "-o", str(folder / "ours.mp4")], check=True, capture_output=True
        ),
        lambda: subprocess.run([*theirs, str(script), "Lecture"], check=True, capture_output=True),
    )
    frames = [FRAMES, frame_count(next(folder.rglob("Lecture.mp4")))]
    mine, other = mine / frames[0], other / frames[1]
    return f"{other / mine:.1f}x faster ({mine * 1e3:.0f} against {other * 1e3:.0f} ms a frame)"


ROWS = {number: globals()[f"row_{number}"] for number in range(1, 11)}


def machine() -> str:
    """What the numbers were measured on."""
    ffmpeg = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True).stdout.split()[2]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"matplotlib {matplotlib.__version__}, ffmpeg {ffmpeg}"
    )


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
