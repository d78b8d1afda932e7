"""Peak memory of saving a film: ours and ffmpeg's, in MiB, each in a process of its own.

python benchmarks/export_memory.py 3000 film.mp4
"""

from __future__ import annotations

import re
import sys
import threading
import time
from pathlib import Path

from lecture_film import lecture_animation

from render import MovieWriter


def peak(process: str) -> tuple[str, float]:
    """A process's name, and the most memory it has held."""
    # The mark of the process's own image: what getrusage tells includes its parent's.
    told = Path(f"/proc/{process}/status").read_text()
    mark = re.search(r"VmHWM:\s+(\d+)", told)
    return re.search(r"Name:\t(.*)", told)[1], int(mark[1]) / 1024 if mark else 0.0


def watch(peaks: list[float]) -> None:
    """Note for ever how much each encoder holds."""
    while True:
        for children in Path("/proc/self/task").glob("*/children"):
            for process in children.read_text().split():
                try:
                    name, mark = peak(process)
                except OSError:  # it has ended
                    continue
                if name.startswith("ffmpeg"):
                    peaks.append(mark)
        time.sleep(0.05)


def main() -> None:
    frames, path = int(sys.argv[1]), sys.argv[2]
    peaks = [0.0]
    threading.Thread(target=watch, args=[peaks], daemon=True).start()
    animation = lecture_animation(size=(1280, 720), frames=frames)
    animation.save(path, writer=MovieWriter(fps=30))
    print(peak("self")[1], max(peaks))


if __name__ == "__main__":
    main()
