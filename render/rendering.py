"""From a scene to its files: recorded, checked, drawn."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from render.console import tell
from render.errors import RecordingError, UsageError
from render.outputs import Output, made
from render.progress import reporting
from render.scene import Scene

if TYPE_CHECKING:
    from render.film.film import Film
    from render.recording.trajectory import Trajectory

__all__ = ["QUALITY_HEIGHTS", "Job", "Options", "kept_runs", "make_film"]

QUALITY_HEIGHTS = {"draft": 360, "hd": 1080, "4k": 2160}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asked for, beyond the scenes."""

    outputs: tuple[str, ...]
    settings: Mapping[str, str]
    quality: str | None
    size: tuple[int, int] | None
    fps: float | None
    frames: str | None
    theme: str | None
    device: str
    save_run: Output | None
    from_run: Path | None
    jobs: int | None
    cluster: str | None
    check: bool
    quiet: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One film to make: of this scene, whose script chose its folder, to these files."""

    scene: Scene
    settings: Mapping[str, Any]
    folder: Path
    outputs: Sequence[Output]


def make_film(job: Job, replay: Sequence[Trajectory] | None, options: Options) -> int:
    """Record one scene, draw it, and print the paths of what was written.

    Return in how many ways it cannot be read well; it is then not written.
    """
    from render.export.save import save

    name = job.scene.name
    with chdir(job.folder):
        film = _with_options(_record(job, replay, options), options)
        frames = _chosen_frames(options.frames or ":", name, film.frames)
        if options.check:
            illegible = _illegible(name, film, options)
            if illegible or not options.outputs:
                return illegible
        with (
            redirect_stdout(sys.stderr),
            nullcontext() if options.outputs else made(job.outputs[0].path.parent),
            reporting(f"{name}: film", "frames", quiet=options.quiet) as report,
        ):
            written = save(
                film,
                *(output.path for output in job.outputs),
                frames=frames,
                quality="draft" if options.quality == "draft" else "full",
                jobs=options.jobs,
                cluster=options.cluster,
                progress=report,
            )
    names = {output.path: output.name for output in job.outputs}
    folders = {output.path.parent: output.name.parent for output in job.outputs}
    for path in written:
        tell(names.get(path, folders[path.parent] / path.name))
    return 0


def _illegible(name: str, film: Film, options: Options) -> int:
    """Tell what cannot be read well, and return how much that is."""
    from render.film.legibility import check

    with (
        redirect_stdout(sys.stderr),
        reporting(f"{name}: check", "frames", quiet=options.quiet) as report,
    ):
        findings = check(film, progress=report)
    for finding in findings:
        click.echo(f"{name}: {finding}", err=True)
    return sum(1 + finding.more for finding in findings)


def _chosen_frames(text: str, name: str, count: int) -> range:
    """Return the frames that A:B or one number stands for, among `count` frames."""
    first, colon, last = text.partition(":")
    start = int(first) if first else 0
    stop = int(last) if last else count if colon else start + 1 or count
    every = range(count)
    chosen = every[start:stop]
    if not colon and not chosen:
        raise UsageError(f"--frames {text}: {name} has no such frame; it has 0 to {count - 1}")
    if max(abs(start), abs(stop)) > count:
        raise UsageError(f"--frames {text}: {name} has the frames 0:{count}, not all of these")
    if not chosen:
        raise UsageError(
            f"--frames {text}: no frame is among these; A:B goes from A to before B, "
            f"and {name} has the frames 0:{count}"
        )
    return chosen


def kept_runs(options: Options) -> Sequence[Trajectory] | None:
    """Return the kept runs to draw instead of recording."""
    if options.from_run is None:
        return None
    from render.recording import load_runs

    return load_runs(options.from_run)


def _record(job: Job, replay: Sequence[Trajectory] | None, options: Options) -> Film:
    """Call the scene: record its runs, or take them from a file."""
    from render.recording import save_runs, session

    device = None if options.device == "auto" else options.device
    with (
        redirect_stdout(sys.stderr),
        reporting(f"{job.scene.name}: recording", "steps", quiet=options.quiet) as report,
        _naming(options.from_run),
        session(device=device, replay=replay, progress=report) as recorded,
    ):
        film = job.scene(**job.settings)
    if options.save_run is not None:
        if not recorded.runs:
            raise UsageError(
                f"--save-run {options.save_run.name}: scene {job.scene.name!r} records no run; "
                "leave it out"
            )
        save_runs(options.save_run.path, recorded.runs)
        tell(options.save_run.name)
    return film


@contextmanager
def _naming(kept: Path | None) -> Iterator[None]:
    """Let an error name the file whose runs are drawn."""
    try:
        yield
    except RecordingError as error:
        if kept is None:
            raise
        raise RecordingError(f"--from-run {kept}: {error}") from error


def _with_options(film: Film, options: Options) -> Film:
    """Apply size, rate and theme to a film."""
    width, height = film.size
    if options.quality is not None:
        lines = QUALITY_HEIGHTS[options.quality]
        width, height = 2 * round(width * lines / height / 2), lines
    film = film.resized(*(options.size or (width, height)))
    changes: dict[str, Any] = {}
    if options.fps is not None:
        changes["fps"] = options.fps
    if options.theme is not None:
        changes["theme"] = options.theme
    return dataclasses.replace(film, **changes)
