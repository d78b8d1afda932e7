"""Why the encoders are set as they are: time, size and SSIM of the alternatives.

python benchmarks/encoders.py              # every table
python benchmarks/encoders.py h264 gif     # these tables

Frames are drawn beforehand, so that only encoding is timed: of what each way does in this process
(converting, counting colours) and in ffmpeg. Rows are repeated in turn; times are medians.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from lecture_film import lecture_animation
from measuring import FFMPEG, interleaved, machine, ssim
from PIL import Image

from render.export.formats import FORMATS, Quality, Stream
from render.export.sink import open_sink
from render.film.canvas import LayeredCanvas

FPS = 30
REFERENCE = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]  # what FFMpegWriter uses

H264 = [
    "-preset ultrafast -crf 23",
    "-preset superfast -crf 22",
    "-preset veryfast -crf 18",
    "-preset veryfast -crf 20",
    "-preset veryfast -crf 22",
    "-preset veryfast -crf 22 -tune animation",
    "-preset veryfast -crf 22 -tune stillimage",
    "-preset veryfast -crf 22 -x264-params chroma-qp-offset=-3",
    "-preset veryfast -crf 22 -x264-params rc-lookahead=20:chroma-qp-offset=-3",
    "-preset veryfast -crf 22 -x264-params rc-lookahead=20:chroma-qp-offset=-3 -g 30",
    "-preset veryfast -crf 22 -x264-params rc-lookahead=10:chroma-qp-offset=-3",
    "-preset veryfast -crf 22 -x264-params rc-lookahead=10:weightp=0:chroma-qp-offset=-3",
]
WEBM = [
    "-c:v libvpx-vp9 -b:v 0 -crf 24 -row-mt 1 -deadline realtime -cpu-used 8 -tune-content screen",
    "-c:v libvpx-vp9 -b:v 0 -crf 24 -row-mt 1 -deadline realtime -cpu-used 6 -tune-content screen",
    "-c:v libvpx-vp9 -b:v 0 -crf 24 -row-mt 1 -deadline good -cpu-used 5",
    "-c:v libsvtav1 -preset 12 -crf 30",
    "-c:v libsvtav1 -preset 10 -crf 30",
]
GIF_GRAPH = "split[a][b];[a]palettegen[p];[b][p]paletteuse"


class Frames:
    """The frames of the lecture film, with what changed in each."""

    def __init__(self, size: tuple[int, int]) -> None:
        animation = lecture_animation(size)
        self.frames, self.damage = [], []
        with LayeredCanvas(animation._fig) as canvas:
            for number in range(animation._save_count):
                animation._func(number)
                self.frames.append(canvas.draw().copy())
                self.damage.append(canvas.damage)
        self.height, self.width = self.frames[0].shape[:2]

    def write(self, path: Path, quality: Quality = "full", damage: list | None = None) -> None:
        """Write a film with our settings."""
        changed = damage or self.damage
        stream = Stream(width=self.width, height=self.height, fps=Fraction(FPS), quality=quality)
        with open_sink(path, stream) as sink:
            for number, frame in enumerate(self.frames):
                sink.write(number, frame, changed[number])

    def pipe(self, path: Path, arguments: Sequence[str], pixels: str = "rgba") -> None:
        """Write a film with ffmpeg's own conversion, from RGBA."""
        size = f"{self.width}x{self.height}"
        source = ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", size]
        command = [FFMPEG, "-loglevel", "error", "-y", *source, "-framerate", str(FPS), "-i", "-"]
        with subprocess.Popen([*command, *arguments, str(path)], stdin=subprocess.PIPE) as process:
            for frame in self.frames:
                process.stdin.write(frame)

    def compare(self, ways: dict[str, tuple[Path, Callable[[], None]]]) -> None:
        """Print a table: a row a way, sizes relative to the first."""
        times = interleaved(*[work for _, work in ways.values()])
        print("\n| way | ms a frame | size | SSIM |\n|---|---|---|---|")
        first = next(iter(ways.values()))[0].stat().st_size
        for (name, (path, _)), seconds in zip(ways.items(), times, strict=True):
            size = path.stat().st_size
            quality = ssim(path, self.frames, FPS)
            milliseconds = seconds / len(self.frames) * 1e3
            print(f"| {name} | {milliseconds:.1f} | {size / first:.2f} | {quality:.5f} |")


def piped(film: Frames, folder: Path, rows: Sequence[Sequence[str]], suffix: str) -> dict:
    """Ways through ffmpeg alone, each with a file of its own."""
    ways = {}
    for number, arguments in enumerate(rows):
        path = folder / f"{number}{suffix}"
        ways[" ".join(arguments)] = (
            path,
            lambda path=path, arguments=arguments: film.pipe(path, arguments),
        )
    return ways


def h264(folder: Path) -> None:
    """Presets of x264, all fed with RGBA, and ours, fed with planes where frames changed."""
    film = Frames((1920, 1080))
    rows = [REFERENCE, *[[*REFERENCE, *row.split()] for row in H264]]
    ways = piped(film, folder, rows, ".mp4")
    for quality in ("full", "draft"):
        path = folder / f"{quality}.mp4"
        ways[f"ours, {quality}"] = (
            path,
            lambda path=path, quality=quality: film.write(path, quality),
        )
    everything = [((0, 0, film.width, film.height),)] * len(film.frames)
    ways["ours, as if everything changed in every frame"] = (
        folder / "whole.mp4",
        lambda: film.write(folder / "whole.mp4", damage=everything),
    )
    film.compare(ways)


def webm(folder: Path) -> None:
    """VP9 and AV1, fed with RGBA, and ours."""
    film = Frames((1920, 1080))
    rows = [["-pix_fmt", "yuv420p", *row.split()] for row in WEBM]
    ways = piped(film, folder, rows, ".webm")
    ways["ours"] = folder / "ours.webm", lambda: film.write(folder / "ours.webm")
    film.compare(ways)


def gif(folder: Path) -> None:
    """Pillow, a palette of each film's whole, and ours."""
    film = Frames((1280, 720))

    def pillow() -> None:
        pictures = [Image.fromarray(frame) for frame in film.frames]
        rest = {"save_all": True, "append_images": pictures[1:], "duration": 1000 // FPS, "loop": 0}
        pictures[0].save(folder / "pillow.gif", **rest)

    graph = folder / "graph.gif"
    film.compare(
        {
            "Pillow": (folder / "pillow.gif", pillow),
            "palettegen, paletteuse (all frames in memory)": (
                graph,
                lambda: film.pipe(graph, ["-lavfi", GIF_GRAPH]),
            ),
            "the same without dithering": (
                folder / "plain.gif",
                lambda: film.pipe(
                    folder / "plain.gif", ["-lavfi", f"{GIF_GRAPH}=dither=none:diff_mode=rectangle"]
                ),
            ),
            "ours": (folder / "ours.gif", lambda: film.write(folder / "ours.gif")),
        }
    )


def pictures(folder: Path) -> None:
    """Animated PNG and WebP, which are lossless."""
    film = Frames((1280, 720))
    ways = {}
    for suffix in (".apng", ".webp"):
        for quality in FORMATS[suffix].codecs:
            path = folder / f"{quality}{suffix}"
            ways[f"ours, {suffix}, {quality}"] = (
                path,
                lambda path=path, quality=quality: film.write(path, quality),
            )
    film.compare(ways)


TABLES = {table.__name__: table for table in (h264, webm, gif, pictures)}


def main() -> None:
    """Print the tables that were asked for."""
    warnings.filterwarnings("ignore", "Animation was deleted")  # its frames are drawn one by one
    os.environ["SVT_LOG"] = "0"  # AV1's encoder tells everything otherwise
    print(machine())
    for name in sys.argv[1:] or TABLES:
        print(f"\n**{name}**: {TABLES[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            TABLES[name](Path(folder))


if __name__ == "__main__":
    main()
