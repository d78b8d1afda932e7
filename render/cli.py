"""The command `render`: scenes in, films out."""

from __future__ import annotations

import dataclasses
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import chdir, nullcontext, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

import render
from render.console import leave, nowhere, tell, warnings_told_once
from render.errors import InputError, LegibilityError, RenderError, UsageError
from render.film.limits import RATES
from render.outputs import DEFAULT, Output, check_outputs, outputs_of
from render.parameters import CountType, FramesType, RateType, SettingType, SizeType
from render.progress import forget_stops, leaving_at_once, stop_asked, stop_with
from render.rendering import QUALITY_HEIGHTS, Job, Options, kept_runs, make_film
from render.scene import Scene, Summary, find, load, shipped

__all__ = ["command", "main"]

_STOPPED = "stopped before the film was complete; nothing was left behind"


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
    f"[default: {DEFAULT}]",
)
@click.option(
    "-s", "--set", "settings", type=SettingType(), multiple=True, help="Change a setting."
)
@click.option("--quality", type=click.Choice([*QUALITY_HEIGHTS]), help="360, 1080 or 2160 lines.")
@click.option("--size", type=SizeType(), help="Size in pixels.")
@click.option("--fps", type=RateType(*RATES), metavar="N", help="Frames a second.")
@click.option("--frames", type=FramesType(), help="Only these frames: A:B, or one frame's number.")
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
    type=CountType(1, 256),
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
    options["settings"] = dict(options["settings"])
    options["save_run"] = options["save_run"] and Output.of(options["save_run"])
    with leaving_at_once(_end):
        every = [summary for target in scenes for summary in find(target)]
        found = list({(summary.script, summary.name): summary for summary in every}.values())
        asked = _checked(Options(**options), found)
        jobs = _prepare(found, asked)
        replay = kept_runs(asked)
    illegible = [(job.scene.name, make_film(job, replay, asked)) for job in jobs]
    if any(count for _, count in illegible):
        raise LegibilityError(
            "cannot be read well from the back row, for the reasons above: "
            + ", ".join(f"{name} ({count})" for name, count in illegible if count)
        )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code: 0 done, 2 wrong usage, 1 anything else."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    forget_stops()
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_DFL):
        signal.signal(signal.SIGINT, _interrupt)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stop)  # ignored under nohup, and by us too
    if sys.stderr is None:  # closed by the caller
        sys.stderr = nowhere()
    try:
        with nullcontext() if "--debug" in arguments else warnings_told_once():
            command.main(arguments, prog_name="render", standalone_mode=False)
    except click.exceptions.Exit as request:
        sys.exit(request.exit_code)
    except Exception as error:
        _leave_if_stopped(error)
        if "--debug" in arguments:
            traceback.print_exc()
        _fail(*_explain(error))
    sys.exit(0)


def _leave_if_stopped(error: Exception) -> None:
    """Leave when a signal asked for it, whatever a library made of that while it was loaded."""
    stop = stop_asked()
    if isinstance(stop, SystemExit):
        sys.exit(stop.code)
    if stop is not None or isinstance(error, click.Abort):
        _fail(_STOPPED, 1)


def _explain(error: Exception) -> tuple[str, int]:
    """Return the one line that is shown for an error, and the exit code."""
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, RenderError):
        return str(error), error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}", 1
    return f"{type(error).__name__}: {error} (unexpected; --debug shows where)", 1


def _fail(message: str, code: int) -> NoReturn:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _end(stop: BaseException) -> NoReturn:
    """End the process amid an import, when a signal asks for it."""
    if not isinstance(stop, SystemExit):
        print(f"Error: {_STOPPED}", file=sys.stderr)
    leave(stop.code if isinstance(stop, SystemExit) else 1)


class _Stopped(SystemExit):
    """The command was told to stop; not what a script's own sys.exit raises."""


def _stop(number: int, frame: FrameType | None) -> None:
    """Turn a termination signal into an exit that cleans up."""
    stop_with(_Stopped(128 + number), number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Python does at Ctrl-C."""
    stop_with(KeyboardInterrupt(), number, frame)


def _list(scripts: Sequence[str], *, quiet: bool) -> None:
    """Print the shipped scenes, or those of the scripts that were named."""
    scenes = [s for script in scripts for s in find(script)] if scripts else shipped()
    width = max((len(summary.name) for summary in scenes), default=0)
    for summary in scenes:
        settings = " ".join(f"{name}={value}" for name, value in summary.settings.items())
        line = f"{summary.name:{width}}  {summary.title}  [{settings}]"
        tell(summary.name if quiet else line)


def _checked(options: Options, found: Sequence[Summary]) -> Options:
    """Check options against the scenes; return them with the path of the theme's file."""
    names = ", ".join(summary.name for summary in found)
    differ = len({summary.name for summary in found}) == len(found)
    way = "put {scene} in its name" if differ else "render them one after the other"
    for output in options.outputs:
        if len(found) > 1 and "{scene}" not in output:
            raise UsageError(
                f"-o {output}: {len(found)} scenes ({names}) would write to one file; "
                f"{way}, or name one scene as script.py::name"
            )
    if len(found) > 1 and (options.save_run or options.from_run):
        raise UsageError(f"--save-run and --from-run take one scene, not {names}")
    if options.theme is None:
        return options
    from render.film.theme import rc_params, theme_path

    try:
        rc_params(options.theme)
    except InputError as error:
        raise UsageError(f"--theme: {error}") from error
    return dataclasses.replace(options, theme=theme_path(options.theme))


def _prepare(found: Sequence[Summary], options: Options) -> list[Job]:
    """Check all that can be checked before anything is computed, and run the scripts.

    A script may go to another folder, and finds itself there when its scene is called. What it
    prints goes to standard error, here and later: standard output has the files' paths alone.
    """
    films = [(summary, outputs_of(summary, options.outputs)) for summary in found]
    writes = bool(options.outputs) or not options.check
    check_outputs(films if writes else [], options.save_run, options.size)
    scenes: list[Scene] = []
    folders: dict[Path, Path] = {}
    for summary in found:
        with chdir("."), redirect_stdout(sys.stderr):
            scenes.append(load(summary))
            folders.setdefault(summary.script, Path.cwd())
    return [
        Job(
            scene=scene,
            settings=scene.parse(options.settings),
            folder=folders[summary.script],
            outputs=outputs,
        )
        for scene, (summary, outputs) in zip(scenes, films, strict=True)
    ]
