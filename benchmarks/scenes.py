"""What each shipped scene takes to make at 1920x1080, and ffmpeg alone on the same frames.

python benchmarks/scenes.py                 # every scene
python benchmarks/scenes.py momentum        # these scenes

record: running the script. export: `render.save` with its default choice of processes, against
ffmpeg alone, fed the same RGBA frames from memory, in turn: medians of three, and of eleven for
films of less than 100 frames, whose half a second is up to what the machine does beside them.
The last column but one is what recording and exporting take, as a part of the film's length.
"""

from __future__ import annotations

import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from measuring import REPEATS, ffmpeg_alone, interleaved, machine

import render
from render.film.drawing import Drawing
from render.scene import find, load, shipped

HD = (1920, 1080)  # `--quality hd`
SHORT = 100  # frames


def row(name: str, folder: Path) -> str:
    """Measure one scene."""
    (summary,) = find(name)
    scene = load(summary)
    start = time.perf_counter()
    film = scene().resized(*HD)
    record = time.perf_counter() - start
    drawing = Drawing(film)
    with drawing.theme():
        frames = []
        for number in range(film.frames):
            drawing.show(number)
            frames.append(drawing.canvas.draw().copy())
    export, alone = interleaved(
        lambda: render.save(film, folder / "film.mp4", jobs=None),
        lambda: ffmpeg_alone(folder / "alone.mp4", frames, Fraction(film.fps)),
        repeats=11 if film.frames < SHORT else REPEATS,
    )
    length = film.frames / film.fps
    size = (folder / "film.mp4").stat().st_size
    return (
        f"| `{name}` | {film.frames} | {record:.1f} | {export:.1f} | {export / alone:.2f} | "
        f"{(record + export) / length:.2f} | {size / 1e3:,.0f} kB |"
    )


def main() -> None:
    """Print the table."""
    render.record  # torch's import is not a scene's own time  # noqa: B018
    print(machine(), flush=True)
    print(
        "| scene | frames | s to record | s to export | export, ffmpeg alone = 1 | "
        "record and export, watching = 1 | size |\n|---|---|---|---|---|---|---|"
    )
    for name in sys.argv[1:] or [summary.name for summary in shipped()]:
        with tempfile.TemporaryDirectory() as folder:
            print(row(name, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
