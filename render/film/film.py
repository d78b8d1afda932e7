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
from render.film.checks import expect, is_number, is_whole
from render.film.drawing import Drawing
from render.film.fault import origin
from render.film.limits import MOST_FRAMES, MOST_STEPS, RATES, RESOLUTIONS, SIDES, TINY
from render.film.panels.panel import Panel
from render.film.theme import SHORTER_SIDE_IN, Theme, rc_params
from render.film.themed import ThemedAnimation
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
    mosaic: the layout, as `matplotlib.pyplot.subplot_mosaic` takes it. A picture at least 1.4 times
    as high as wide has the panels of one row, also those of a mosaic such as "AAB", in one column,
    and the ratios with them. So it has up to five panels of other mosaics that would be narrow
    strips, each with its share of the picture. A mosaic of two side by side with blanks, and a list
    of rows, such as `[["A", "B"]]`, is laid out as it stands.
    width_ratios, height_ratios: of the mosaic's columns and rows.
    fps: frames a second. seconds: length of the film; by default 10, or what `Timeline(every=…)`
    needs to reach the last step.
    size: width and height in pixels. dpi: pixels an inch; by default such that the picture's
    shorter side, mostly its height, is 5.4 inches, for which the themes' text sizes are made.
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
        for name in ("fps", "seconds", "size", "dpi", "steps"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        _check_panels(self)
        _check_numbers(self)
        _check_layout(self)
        rc_params(self.theme)
        if isinstance(self.timeline, str):
            object.__setattr__(self, "timeline", Timeline(self.timeline))  # type: ignore[arg-type]
        _check_length(self)

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
        every = [getattr(panel, "steps", None) for panel in self.panels_by_name.values()]
        known = [steps for steps in every if steps is not None]
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
                steps = [self.timeline(frame) for frame in range(self.frames)]
            _check_steps(steps, self.last_step)
            return np.array([int(step) for step in steps])
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
        expect("frame", frame, is_whole(frame, -math.inf), "a frame's number")
        if not -self.frames <= frame < self.frames:
            raise InputError(
                f"frame {frame} is not among the film's {self.frames} frames, "
                f"0 to {self.frames - 1}; -1 is the last"
            )
        return frame % self.frames

    def animation(self) -> FuncAnimation:
        """Return the film as a matplotlib animation, on a figure of its own."""
        drawing = Drawing(self)

        def show(frame: int) -> list[Artist]:
            with drawing.theme():
                drawing.show(frame)
            return []

        return ThemedAnimation(
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
        dpi = None if self.dpi is None else self.dpi * min(width, height) / min(self.size)
        return dataclasses.replace(self, size=(width, height), dpi=dpi)

    @property
    def dots_per_inch(self) -> float:
        """Pixels an inch, chosen or given."""
        return self.dpi if self.dpi is not None else min(self.size) / SHORTER_SIDE_IN

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


def _plain(value: Any) -> Any:
    """Python's own number for one of numpy's, and a tuple for an array or a list of them."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _check_numbers(film: Film) -> None:
    """Check what has a size; None leaves the choice to the film."""
    fps, seconds, dpi, size = film.fps, film.seconds, film.dpi, film.size
    rates = "a rate from {} to {} frames a second".format(*RATES)
    expect("fps", fps, is_number(fps, *RATES), rates)
    if seconds is not None:
        length = f"a length above 0 seconds and of at most {MOST_FRAMES:,} frames at {fps:g} fps"
        expect("seconds", seconds, is_number(seconds, TINY, MOST_FRAMES / fps), length)
    if film.steps is not None:
        expect("steps", film.steps, is_whole(film.steps, 0, MOST_STEPS), "a step number >= 0")
    if dpi is not None:
        resolutions = "a resolution from {} to {} pixels an inch".format(*RESOLUTIONS)
        expect("dpi", dpi, is_number(dpi, *RESOLUTIONS), resolutions)
    is_size = isinstance(size, tuple) and len(size) == 2
    is_size = is_size and all(is_whole(side, *SIDES) for side in size)
    sizes = "a width and a height in whole pixels from {} to {}".format(*SIDES)
    expect("size", size, is_size, sizes)


def _check_layout(film: Film) -> None:
    mosaic, title, timeline = film.mosaic, film.title, film.timeline
    is_mosaic = mosaic is None or isinstance(mosaic, (str, Sequence, np.ndarray))
    expect("mosaic", mosaic, is_mosaic, "a layout such as 'AAB', or a list of rows of names")
    for name in ("width_ratios", "height_ratios"):
        ratios = getattr(film, name)
        is_ratios = isinstance(ratios, (Sequence, np.ndarray)) and not isinstance(ratios, str)
        is_ratios = is_ratios and all(is_number(ratio, TINY) for ratio in ratios)
        expect(name, ratios, ratios is None or is_ratios, "a list of numbers above 0")
    expect("title", title, title is None or isinstance(title, str), "text, or '' for none")
    is_timeline = isinstance(timeline, (Timeline, str)) or callable(timeline)
    paces = "a Timeline, a pace such as 'linear', or a function from frame to step"
    expect("timeline", timeline, is_timeline and not isinstance(timeline, type), paces)


def _check_length(film: Film) -> None:
    if film.frames > MOST_FRAMES:
        raise InputError(
            f"the film would have {film.frames:,} frames, more than {MOST_FRAMES:,}; "
            "give seconds=, a larger `every`, or shorter holds"
        )


def _check_panels(film: Film) -> None:
    given: object = film.panels
    if isinstance(given, str) or not isinstance(given, (Mapping, Sequence)):
        raise InputError(
            f"panels={given!r} is not a list of panels; write Film([panel]), also for one"
        )
    panels = film.panels_by_name
    if not panels:
        raise InputError("a film needs at least one panel")
    for name, panel in panels.items():
        if isinstance(panel, type):
            raise InputError(
                f"panel {name} is the class {panel.__name__} itself; make a panel of it, "
                f"such as {panel.__name__}(run)"
            )
        if not callable(panel):
            raise InputError(
                f"panel {name}: {type(panel).__name__!r} is not a panel; "
                "a panel is a function of a matplotlib axes that returns update(step)"
            )


def _is_whole_step(step: Any) -> bool:
    """Whether a step, of whatever type of number, is a whole one."""
    try:
        return bool(int(step) == step)
    except (TypeError, ValueError, OverflowError):
        return False


def _check_steps(steps: list[Any], last: int | None) -> None:
    """Check what a function says that frames show."""
    most = MOST_STEPS if last is None else last
    for frame, step in enumerate(steps):
        if not _is_whole_step(step):
            raise InputError(
                f"timeline: frame {frame} shows step {step!r}, which is no whole number; "
                "return one, as round() does"
            )
        if not 0 <= step <= most:
            raise InputError(
                f"timeline: frame {frame} shows step {step}, and the steps are 0 to {most}; "
                "return one of these"
            )
