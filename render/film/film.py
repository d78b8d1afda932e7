"""The film: panels, a timeline, a size, a rate, a theme."""

from __future__ import annotations

import base64
import dataclasses
import math
import pickle
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray

from render.errors import InputError
from render.film.drawing import Drawing
from render.film.fault import origin
from render.film.panels.panel import Panel
from render.film.theme import HEIGHT_IN, Theme, rc_params
from render.film.timeline import Timeline
from render.scene import blame

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = ["Film"]

_DEFAULT_SECONDS = 10.0


@dataclass(frozen=True)
class Film:
    """Panels that show a run, frame by frame.

    A frame is a pure function of its number: `figure(40)` is the same picture first, last,
    twice, or in another process.

    panels: panels in one row, or a mapping from the names used in `mosaic` to panels.
    mosaic: the layout, as `matplotlib.pyplot.subplot_mosaic` takes it.
    width_ratios, height_ratios: of the mosaic's columns and rows.
    fps: frames a second. seconds: length of the film; by default 10, or what `Timeline(every=…)`
    needs to reach the last step.
    size: width and height in pixels. dpi: pixels an inch; by default such that the picture is
    5.4 inches high, for which the themes' text sizes are made.
    timeline: a `Timeline`, a pace ("linear", "log", "even"), or a function from frame to step.
    theme: "light", "dark", "print", a matplotlib style file, or a mapping of rcParams.
    title: above the panels; a scene fills it from its docstring when it is None; "" for none.
    steps: the last step; by default the longest of the panels' runs, or one step a frame.

    Raises InputError when a value is not allowed.
    """

    panels: Sequence[Panel] | Mapping[str, Panel]
    _: KW_ONLY
    mosaic: str | Sequence[Any] | None = None
    width_ratios: Sequence[float] | None = None
    height_ratios: Sequence[float] | None = None
    fps: float = 30
    seconds: float | None = None
    size: tuple[int, int] = (1920, 1080)
    dpi: float | None = None
    timeline: Timeline | str | Callable[[int], int] = "linear"
    theme: Theme = "light"
    title: str | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_panels(self)
        rc_params(self.theme)
        if isinstance(self.timeline, str):
            object.__setattr__(self, "timeline", Timeline(self.timeline))  # type: ignore[arg-type]

    @property
    def frames(self) -> int:
        """The number of frames."""
        every = self.timeline.every if isinstance(self.timeline, Timeline) else None
        if self.seconds is None and every is not None and self.last_step is not None:
            assert isinstance(self.timeline, Timeline)
            hold = round(self.timeline.hold_start * self.fps)
            hold += round(self.timeline.hold_end * self.fps)
            return hold + math.ceil(self.last_step / every) + 1
        seconds = _DEFAULT_SECONDS if self.seconds is None else self.seconds
        return max(1, round(seconds * self.fps))

    @property
    def last_step(self) -> int | None:
        """The last step that can be shown; None when neither a panel nor `steps` says."""
        known = [panel.steps for panel in self.panels_by_name.values() if hasattr(panel, "steps")]
        return self.steps if self.steps is not None else max(known, default=None)

    @property
    def panels_by_name(self) -> dict[str, Panel]:
        """The panels by the names that the layout uses."""
        if isinstance(self.panels, Mapping):
            return dict(self.panels)
        return {str(number): panel for number, panel in enumerate(self.panels)}

    @property
    def runs(self) -> list[Trajectory]:
        """The runs that the panels show, each once."""
        runs = {}
        for panel in self.panels_by_name.values():
            runs.update({id(run): run for run in getattr(panel, "runs", {}).values()})
        return list(runs.values())

    @property
    def labels(self) -> list[str]:
        """The labels of the panels' runs, in order."""
        panels = self.panels_by_name.values()
        return [label for panel in panels for label in getattr(panel, "runs", {})]

    @cached_property
    def shown_steps(self) -> NDArray[np.int64]:
        """The step that each frame shows, shape (frames,)."""
        if not isinstance(self.timeline, Timeline):
            assert callable(self.timeline)
            with blame("timeline", *origin(self.timeline)):
                return np.array([int(self.timeline(frame)) for frame in range(self.frames)])
        if self.last_step is None:
            return np.arange(self.frames)
        return self.timeline.steps(self.last_step, self.frames, self.fps, self.runs)

    def figure(self, frame: int) -> Figure:
        """Return a new figure that shows one frame; negative numbers count from the end.

        Raises InputError when there is no such frame.
        """
        drawing = Drawing(self)
        with drawing.theme():
            drawing.show(self.frame_number(frame))
        return drawing.figure

    def frame_number(self, frame: int) -> int:
        """Return the frame's number counted from 0. Raises InputError when there is none."""
        if not -self.frames <= frame < self.frames:
            raise InputError(f"frame {frame} is not among the film's {self.frames} frames")
        return frame % self.frames

    def animation(self) -> FuncAnimation:
        """Return the film as a matplotlib animation, on a figure of its own."""
        drawing = Drawing(self)

        def show(frame: int) -> list[Artist]:
            with drawing.theme():
                drawing.show(frame)
            return []

        return FuncAnimation(
            drawing.figure,
            show,
            frames=self.frames,
            init_func=lambda: show(0),
            interval=1000 / self.fps,
            cache_frame_data=False,
        )

    def prepare(self) -> None:
        """Let the panels compute what all frames need, so that a pickled film brings it along."""
        for name, panel in self.panels_by_name.items():
            if hasattr(panel, "prepare"):
                with blame(f"panel {name}", *origin(panel.prepare)):
                    panel.prepare(self.shown_steps)

    def save(self, path: str | Path, **options: Any) -> Path:
        """Write the film; the suffix chooses the format. Short for `render.save(film, path)`."""
        import render  # the public verb: this stage knows nothing of the exporter behind it

        return render.save(self, path, **options)[0]

    def resized(self, width: int, height: int) -> Film:
        """Return the same composition at another size: text and lines keep their proportion."""
        dpi = None if self.dpi is None else self.dpi * height / self.size[1]
        return dataclasses.replace(self, size=(width, height), dpi=dpi)

    @property
    def dots_per_inch(self) -> float:
        """Pixels an inch, chosen or given."""
        return self.dpi if self.dpi is not None else self.size[1] / HEIGHT_IN

    def __reduce__(self) -> tuple[Callable[[bytes], Film], tuple[bytes]]:
        """Pickle by value what a script defines, so that any process can draw the film."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return _restore, (cloudpickle.dumps(values),)

    def _repr_html_(self) -> str:
        """Show the film in a notebook, in place, as HTML5 video."""
        with tempfile.TemporaryDirectory() as folder:
            film = self.save(Path(folder) / "film.mp4").read_bytes()
        data = base64.b64encode(film).decode()
        return (
            f'<video width="{min(self.size[0], 960)}" controls autoplay loop muted playsinline '
            f'src="data:video/mp4;base64,{data}"></video>'
        )


def _restore(values: bytes) -> Film:
    return Film(**pickle.loads(values))


def _check_numbers(film: Film) -> None:
    if not 0 < film.fps <= 240:
        raise InputError(f"fps={film.fps:g} is not a rate above 0 and up to 240 frames a second")
    if film.seconds is not None and not 0 < film.seconds < math.inf:
        raise InputError(f"seconds={film.seconds} is not a length above 0")
    if film.steps is not None and film.steps < 0:
        raise InputError(f"steps={film.steps} is not a step number >= 0")
    if film.dpi is not None and not 1 <= film.dpi < math.inf:
        raise InputError(f"dpi={film.dpi} is not a resolution of at least 1 pixel an inch")
    if len(film.size) != 2 or not all(isinstance(n, int) and 16 <= n <= 16384 for n in film.size):
        raise InputError(
            f"size={film.size!r} is not a width and a height in whole pixels from 16 to 16384"
        )


def _check_panels(film: Film) -> None:
    panels = film.panels_by_name
    if not panels:
        raise InputError("a film needs at least one panel")
    for name, panel in panels.items():
        if not callable(panel):
            raise InputError(
                f"panel {name}: {type(panel).__name__!r} is not a panel; "
                "a panel is a function of a matplotlib axes that returns update(step)"
            )
