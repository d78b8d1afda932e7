"""The command `render`: scenes in, films out."""

from __future__ import annotations

import dataclasses
import re
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

import render
from render.errors import InputError, LegibilityError, RenderError, UsageError
from render.progress import reporting
from render.scene import Scene, Summary, find, load, shipped

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["command", "main"]

_QUALITY_HEIGHTS = {"draft": 360, "hd": 1080, "4k": 2160}
_DEFAULT_OUTPUT = "outputs/{scene}.mp4"


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
    save_run: Path | None
    from_run: Path | None
    jobs: int | None
    cluster: str | None
    check: bool
    quiet: bool


class _Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not WIDTHxHEIGHT in pixels, such as 1280x720.", param, ctx)
        size = int(width), int(height)
        if not all(16 <= side <= 16384 for side in size):
            self.fail(f"{value!r}: each side must be from 16 to 16384 pixels.", param, ctx)
        return size


class _Frames(click.ParamType[str]):
    """A:B as Python counts, or one frame's number."""

    name = "A:B"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"-?\d+|(-?\d+)?:(-?\d+)?", str(value)):
            self.fail(f"{value!r} is not A:B or one frame's number.", param, ctx)
        return str(value)


class _Setting(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not NAME=VALUE, such as lr=0.1.", param, ctx)
        return name.strip(), text.strip()


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="SCENE is script.py, script.py::name, or the name of a shipped scene. "
    "Formats: .mp4 .m4v .mov .mkv .webm .gif .webp .apng, frame-%04d.png, or one still .png.",
)
@click.argument("scenes", metavar="SCENE...", nargs=-1)
@click.option(
    "-o",
    "outputs",
    metavar="FILE",
    multiple=True,
    help=f"Write this file; may repeat; {{scene}} stands for the scene's name. "
    f"[default: {_DEFAULT_OUTPUT}]",
)
@click.option("-s", "--set", "settings", type=_Setting(), multiple=True, help="Change a setting.")
@click.option("--quality", type=click.Choice([*_QUALITY_HEIGHTS]), help="360, 1080 or 2160 lines.")
@click.option("--size", type=_Size(), help="Size in pixels.")
@click.option(
    "--fps",
    type=click.FloatRange(0, 240, min_open=True),
    metavar="N",
    help="Frames a second.",
)
@click.option("--frames", type=_Frames(), help="Only these frames: A:B, or one frame's number.")
@click.option(
    "--theme", metavar="light|dark|print|FILE", help="Colours, or a matplotlib style file."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    help="Where to record.",
)
@click.option("--save-run", type=click.Path(path_type=Path), metavar="FILE", help="Keep the run.")
@click.option(
    "--from-run",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw a kept run instead of recording.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Processes that draw.  [default: what is fastest here]",
)
@click.option("--cluster", metavar="ADDRESS", help="Draw on the workers of a Dask scheduler.")
@click.option("--check", is_flag=True, help="Can it be read from the back row?")
@click.option("--list", "listing", is_flag=True, help="List the scenes with their settings.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; with --list, names alone.")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.version_option(render.__version__, prog_name="render", message="%(prog)s %(version)s")
def command(scenes: tuple[str, ...], listing: bool, debug: bool, **options: Any) -> None:
    """Make films of optimizers: run scenes, record them, and write MP4, GIF or stills."""
    if listing:
        _list(scenes, quiet=options["quiet"])
        return
    if not scenes:
        raise UsageError("no scene was named; see `render --list`, or give a script.py")
    found = [summary for target in scenes for summary in find(target)]
    options["settings"] = dict(options["settings"])
    asked = Options(**options)
    _check(found, asked)
    illegible = {summary.name: _render(summary, asked) for summary in found}
    if any(illegible.values()):
        raise LegibilityError(
            "cannot be read well from the back row, for the reasons above: "
            + ", ".join(f"{name} ({count})" for name, count in illegible.items() if count)
        )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code: 0 done, 2 wrong usage, 1 anything else."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        command.main(arguments, prog_name="render", standalone_mode=False)
    except click.exceptions.Exit as request:
        sys.exit(request.exit_code)
    except click.Abort:
        _fail("stopped before the film was complete; nothing was left behind", 1)
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        _fail(*_explain(error))
    sys.exit(0)


def _explain(error: Exception) -> tuple[str, int]:
    """Return the one line that is shown for an error, and the exit code."""
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, RenderError):
        return str(error), error.exit_code
    return f"{type(error).__name__}: {error} (unexpected; --debug shows where)", 1


def _fail(message: str, code: int) -> NoReturn:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Turn a termination signal into an exit that cleans up."""
    sys.exit(128 + number)


def _list(scripts: Sequence[str], *, quiet: bool) -> None:
    """Print the shipped scenes, or those of the scripts that were named."""
    scenes = [s for script in scripts for s in find(script)] if scripts else shipped()
    width = max((len(summary.name) for summary in scenes), default=0)
    for summary in scenes:
        settings = " ".join(f"{name}={value}" for name, value in summary.settings.items())
        line = f"{summary.name:{width}}  {summary.title}  [{settings}]"
        click.echo(summary.name if quiet else line)


def _check(found: Sequence[Summary], options: Options) -> None:
    """Check all that can be checked before anything is computed."""
    from render.export.formats import check_size, format_of
    from render.export.whole import check_target

    if len(found) > 1:
        names = ", ".join(summary.name for summary in found)
        for output in options.outputs:
            if "{scene}" not in output:
                raise UsageError(
                    f"-o {output}: {len(found)} scenes ({names}) would write to one file; "
                    "put {scene} in its name, or name one scene as script.py::name"
                )
        if options.save_run or options.from_run:
            raise UsageError(f"--save-run and --from-run take one scene, not {names}")
    for summary in found:
        for path in _paths(summary, options):
            format_of(path)
            if options.size is not None:
                check_size(path, *options.size)
            check_target(path)
    if options.save_run:
        check_target(options.save_run)
    if options.theme is not None:
        from render.film.theme import rc_params

        try:
            rc_params(options.theme)
        except InputError as error:
            raise UsageError(f"--theme: {error}") from error


def _paths(summary: Summary, options: Options) -> list[Path]:
    """Return the files to write for a scene; the default's folder is made."""
    if not options.outputs:
        path = Path(_DEFAULT_OUTPUT.format(scene=summary.name))
        path.parent.mkdir(exist_ok=True)
        return [path]
    return [Path(output.replace("{scene}", summary.name)) for output in options.outputs]


def _render(summary: Summary, options: Options) -> int:
    """Record one scene, draw it, and print the paths of what was written.

    Return in how many ways it cannot be read well; it is then not written.
    """
    from render.export.save import save

    scene = load(summary)
    film = _with_options(_record(scene, options), options)
    if options.check:
        illegible = _illegible(summary.name, film, options)
        if illegible or not options.outputs:
            return illegible
    with reporting(f"{summary.name}: film", "frames", quiet=options.quiet) as report:
        written = save(
            film,
            *_paths(summary, options),
            frames=_chosen_frames(options.frames or ":", summary.name, film.frames),
            quality="draft" if options.quality == "draft" else "full",
            jobs=options.jobs,
            cluster=options.cluster,
            progress=report,
        )
    for path in written:
        click.echo(path)
    return 0


def _illegible(name: str, film: Film, options: Options) -> int:
    """Tell what cannot be read well, and return how much that is."""
    from render.film.legibility import check

    with reporting(f"{name}: check", "frames", quiet=options.quiet) as report:
        findings = check(film, progress=report)
    for finding in findings:
        click.echo(f"{name}: {finding}", err=True)
    return len(findings)


def _chosen_frames(text: str, name: str, count: int) -> range:
    """Return the frames that A:B or one number stands for, among `count` frames."""
    first, colon, last = text.partition(":")
    start = int(first) if first else 0
    stop = int(last) if last else count if colon else start + 1 or count
    every = range(count)
    chosen = every[start:stop]
    if not chosen or max(abs(start), abs(stop)) > count:
        raise UsageError(f"--frames {text}: {name} has the frames 0:{count}, not all of these")
    return chosen


def _record(scene: Scene, options: Options) -> Film:
    """Run the scene's script: record its runs, or take them from a file."""
    settings = scene.parse(options.settings)
    from render.recording import load_runs, save_runs, session

    replay = load_runs(options.from_run) if options.from_run is not None else None
    device = None if options.device == "auto" else options.device
    with (
        reporting(f"{scene.name}: recording", "steps", quiet=options.quiet) as report,
        session(device=device, replay=replay, progress=report) as recorded,
    ):
        film = scene(**settings)
    if options.save_run is not None:
        save_runs(options.save_run, recorded.runs)
        click.echo(options.save_run)
    return film


def _with_options(film: Film, options: Options) -> Film:
    """Apply size, rate and theme to a film."""
    width, height = film.size
    if options.quality is not None:
        lines = _QUALITY_HEIGHTS[options.quality]
        width, height = 2 * round(width * lines / height / 2), lines
    film = film.resized(*(options.size or (width, height)))
    changes: dict[str, Any] = {}
    if options.fps is not None:
        changes["fps"] = options.fps
    if options.theme is not None:
        changes["theme"] = options.theme
    return dataclasses.replace(film, **changes)
