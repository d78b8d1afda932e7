"""The exporter as a matplotlib writer, for any animation of anyone's."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.animation import AbstractMovieWriter
from matplotlib.figure import Figure

from render.errors import ExportError, InputError
from render.export.encoding import encoder_of, keeps_alpha
from render.export.ffmpeg import matplotlib_ffmpeg
from render.export.formats import Stream, check_rate, check_sides
from render.export.save import SLOWEST_FPS, exact_rate
from render.export.sink import Frame, open_sink
from render.film.canvas import LayeredCanvas
from render.film.checks import expect, is_number
from render.film.themed import drawing_turn

__all__ = ["MovieWriter"]

_LOOKS = {"facecolor", "edgecolor", "transparent"}  # savefig's options that the canvas takes
_NOT_ALLOWED = ("dpi", "bbox_inches", "format")  # they would change the frame's size or form


class MovieWriter(AbstractMovieWriter):
    """Saves any matplotlib animation: `anim.save("x.mp4", writer=render.MovieWriter(fps=30))`.

    The suffix chooses the format. Frames have the pixels that `savefig` gives, and only what
    changed since the last frame is drawn again. An odd size is completed by repeating the last
    row or column. Nothing is left behind when saving fails.

    fps: frames a second. codec, bitrate (kbit/s), extra_args (of ffmpeg), metadata: as for
    matplotlib's own writers; by default the format's settings. `ffmpeg` is the one that
    matplotlib's setting `animation.ffmpeg_path` finds, and the one we bring where the default
    setting finds none, or one without the format's own encoder. APNG and WebP keep what
    is transparent, WebM and other films do where something of the first frame is.
    """

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        if not is_number(fps, SLOWEST_FPS, 1000):
            raise InputError(
                f"fps={fps!r} is not a rate from {SLOWEST_FPS} to 1000 frames a second"
            )
        if isinstance(extra_args, str):
            raise InputError(
                f"extra_args={extra_args!r} is one string; give a list of arguments, such as "
                f"{extra_args.split()}"
            )
        expect(
            "codec", codec, codec is None or isinstance(codec, str), "a codec of ffmpeg's, or None"
        )
        named = metadata is None or isinstance(metadata, Mapping)
        expect("metadata", metadata, named, "a mapping such as {'title': 'My talk'}, or None")
        number = bitrate is None or is_number(bitrate, -math.inf)
        expect("bitrate", bitrate, number, "a number of kbit/s, or None for the format's quality")
        super().__init__(fps=fps, metadata=dict(metadata or {}), codec=codec, bitrate=bitrate)  # type: ignore[arg-type]
        self._codec = codec
        self._bitrate = bitrate
        self._extra_args = tuple(extra_args or ())
        self._stack = ExitStack()
        self._is_open = False

    @classmethod
    def isAvailable(cls) -> bool:  # noqa: N802 - matplotlib's name
        """Whether there is an ffmpeg to run."""
        try:
            return bool(matplotlib_ffmpeg())
        except ExportError:
            return False

    def setup(self, fig: Figure, outfile: str | PathLike[str], dpi: float | None = None) -> None:
        """Open the file; matplotlib calls this before the first frame."""
        if self._is_open:
            raise ExportError(
                f"{outfile}: this writer is still writing {self.outfile}; finish that first, or "
                "use a writer for each file"
            )
        path = Path(fspath(outfile))
        super().setup(fig, path, dpi=dpi)
        rate = exact_rate(self.fps)
        check_rate(path, rate)
        width, height = self.frame_size
        check_sides(path, width, height)
        stream = Stream(
            width=width,
            height=height,
            fps=rate,
            codec=self._codec,
            bitrate=self._bitrate,
            extra_args=self._extra_args,
            metadata=self.metadata,
            ffmpeg=matplotlib_ffmpeg(encoder_of(path, self._codec)),
        )
        self._keeps_alpha = keeps_alpha(path, stream)
        self._inches = fig.get_size_inches()
        self._frames = 0
        with ExitStack() as stack:
            self._sink = stack.enter_context(open_sink(path, stream))
            self._looks: dict[str, Any] = {} if self._keeps_alpha else {"transparent": False}
            self._canvas = LayeredCanvas(fig, dpi=self.dpi, **self._looks)
            stack.callback(lambda: self._canvas.close())  # the one that is open by then
            stack.callback(self._close)
            self._stack = stack.pop_all()
            self._is_open = True

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Draw the figure as `savefig` would, and send it to the encoder.

        A figure that changed its size gets back the one that it had at first, as matplotlib's own
        writers do it: a film has one. Raises TypeError for options that would change the size or
        the form of the frame.
        """
        for option in _NOT_ALLOWED:
            if option in savefig_kwargs:
                raise TypeError(f"grab_frame got an unexpected keyword argument {option!r}")
        if not self._is_open:
            raise ExportError(
                "no file is open for this frame; grab frames between setup and finish, or within "
                "`with writer.saving(figure, path, dpi):`"
            )
        if not self._keeps_alpha:  # or axes would lose their own colour
            savefig_kwargs["transparent"] = False
        if not np.array_equal(self.fig.get_size_inches(), self._inches):
            self.fig.set_size_inches(*self._inches)
        with drawing_turn, _uncropped():
            frame, damage = self._draw(savefig_kwargs)
        self._sink.write(self._frames, frame, damage)
        self._frames += 1

    def finish(self) -> None:
        """Complete the file."""
        self._stack.close()

    @contextmanager
    def saving(
        self,
        fig: Figure,
        outfile: str | PathLike[str],
        dpi: float | None,
        *args: Any,
        **kwargs: Any,
    ) -> Iterator[Self]:
        """Open the file, and complete it on leaving, or remove it when an error passes."""
        self.setup(fig, outfile, dpi, *args, **kwargs)
        with matplotlib.rc_context({"savefig.bbox": None}), self._stack:
            yield self

    def _supports_transparency(self) -> bool:
        """Whether matplotlib leaves a figure's colour to us, which may change between frames.

        Where the format has no alpha, we lay what is transparent on white.
        """
        return True

    def _close(self) -> None:
        self._is_open = False

    def _draw(self, savefig_kwargs: dict[str, Any]) -> tuple[Frame, Any]:
        """Draw with the options of this frame; they seldom change between frames."""
        if not savefig_kwargs.keys() <= _LOOKS:
            return self._draw_with_savefig(savefig_kwargs)
        if not _same(savefig_kwargs, self._looks):
            self._canvas.close()
            self._canvas = LayeredCanvas(self.fig, dpi=self.dpi, **savefig_kwargs)
            self._looks = dict(savefig_kwargs)
        return self._canvas.draw(), self._canvas.damage

    def _draw_with_savefig(self, savefig_kwargs: dict[str, Any]) -> tuple[Frame, Any]:
        """Draw a frame in full, for options that only savefig knows."""
        self._canvas.close()
        buffer = io.BytesIO()
        self.fig.savefig(buffer, format="rgba", dpi=self.dpi, **savefig_kwargs)
        self._canvas = LayeredCanvas(self.fig, dpi=self.dpi, **self._looks)
        width, height = self.frame_size
        frame = np.frombuffer(buffer.getbuffer(), np.uint8).reshape(height, width, 4)
        return frame, ((0, 0, width, height),)


@contextmanager
def _uncropped() -> Iterator[None]:
    """Have savefig give the whole figure, also where a style asks for the box around its ink."""
    asked = matplotlib.rcParams["savefig.bbox"]
    if asked is None:
        yield
        return
    matplotlib.rcParams["savefig.bbox"] = None
    try:
        yield
    finally:
        matplotlib.rcParams["savefig.bbox"] = asked


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sets of options are equal; colours may be arrays."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )
