"""Write docs/gallery.md and its pictures from the shipped scenes.

python docs/make_gallery.py             # all of it
python docs/make_gallery.py momentum    # these scenes' pictures, and the page

A picture is the frame at two thirds of the film, where a run has a shape, 640 pixels wide.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from render.scene import Summary, find, load, shipped

FOLDER = Path(__file__).parent
PAGE = FOLDER / "gallery.md"
COLOURS = 256  # of a picture: those of the runs stay as they are, which a median cut mixes

HEAD = """\
# Gallery

Each scene is one idea, one short script, and yours to copy: `scenes/NAME.py`. The command below a
picture makes the film, 1920 x 1080, in `outputs/`; `-s` changes a setting, `--theme dark` the
colours, `-o` the file. `render --list` prints this list. How to
[write your own](your-first-scene.md).

"""


def page(scenes: list[Summary]) -> str:
    """Return the page's text."""
    return HEAD + "\n".join(map(entry, scenes))


def entry(summary: Summary) -> str:
    """Return what the page says of a scene."""
    settings = ", ".join(f"`{name}={value}`" for name, value in summary.settings.items())
    return (
        f"## {summary.title}\n\n"
        f"![{summary.title}](gallery/{summary.name}.png)\n\n"
        f"    render {summary.name}\n\n"
        f"Settings: {settings}\n"
    )


def picture(summary: Summary) -> bytes:
    """Return a PNG of the scene's film."""
    film = load(summary)()
    film = film.resized(1280, round(1280 * film.size[1] / film.size[0]))
    figure = film.figure(film.frames * 2 // 3)
    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").reduce(2)
    data = io.BytesIO()
    drawn.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        data, "png", optimize=True
    )
    return data.getvalue()


def main() -> None:
    """Write the page, and the pictures that were asked for."""
    chosen = [scene for name in sys.argv[1:] for scene in find(name)] or shipped()
    folder = FOLDER / "gallery"
    folder.mkdir(exist_ok=True)
    for summary in chosen:
        data = picture(summary)
        (folder / f"{summary.name}.png").write_bytes(data)
        print(f"{summary.name}: {len(data) / 1e3:.0f} kB", flush=True)
    PAGE.write_text(page(shipped()))


if __name__ == "__main__":
    main()
