"""The files that the command writes: where they are is known before a script runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from render.errors import ExportError, UsageError
from render.scene import Summary

__all__ = ["DEFAULT", "Output", "check_outputs", "made", "outputs_of"]

DEFAULT = "outputs/{scene}.mp4"

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_ELSEWHERE = "name a file elsewhere with -o"


@dataclass(frozen=True)
class Output:
    """A file by the name it was given, and by its path, which holds in any folder."""

    name: Path
    path: Path

    @classmethod
    def of(cls, name: str | Path) -> Output:
        """Return a file that is named from the current folder.

        Raises UsageError when the name has a placeholder that stands for nothing.
        """
        unknown = _PLACEHOLDER.search(Path(name).name)
        if unknown:
            raise UsageError(
                f"{name}: {unknown[0]} stands for nothing here; the one placeholder is {{scene}}, "
                "the scene's name, in -o"
            )
        return cls(Path(name), Path(os.path.abspath(name)))


def outputs_of(scene: Summary, names: Sequence[str]) -> list[Output]:
    """Return the files to write for a scene; without names, the default.

    Raises UsageError when a name is empty, or has another placeholder than {scene}.
    """
    if "" in names:
        raise UsageError(f"-o '': no file is named; leave it out for {DEFAULT}")
    return [Output.of(name.replace("{scene}", scene.name)) for name in names or [DEFAULT]]


def check_outputs(
    films: Sequence[tuple[Summary, Sequence[Output]]],
    run: Output | None,
    size: tuple[int, int] | None,
) -> None:
    """Check that films of this size and a run can be written, each to a place of its own.

    Raises UsageError or ExportError, naming the file.
    """
    from render.export.formats import check_size, format_of
    from render.export.whole import check_target

    if run is not None:
        if run.path.suffix.lower() != ".npz":
            raise UsageError(f"--save-run {run.name}: runs are kept in a file that ends in .npz")
        check_target(run.name)
    taken: dict[Path, Summary | None] = {} if run is None else {run.path.resolve(): None}
    for scene, outputs in films:
        for output in outputs:
            if output.name == Path(DEFAULT.format(scene=scene.name)):
                _check_default(output)
            else:
                check_target(output.name)
            format_of(output.name)
            if size is not None:
                check_size(output.name, *size)
            place = output.path.resolve()
            if place in taken:
                raise UsageError(f"{output.name}: {_why_twice(scene, taken[place])}")
            taken[place] = scene


def _why_twice(scene: Summary, other: Summary | None) -> str:
    if other is None or other is scene:
        return "named twice; give each file a name of its own"
    return (
        f"would be written by {other.script}::{other.name} and by {scene.script}::{scene.name}; "
        "rename one of the scenes, or render them one after the other, each with -o"
    )


def _check_default(output: Output) -> None:
    """Check that the default output can be written, into a folder that is still to be made."""
    from render.export.whole import check_target

    folder = output.name.parent
    if folder.is_dir():
        check_target(output.name)
    elif folder.exists():
        raise ExportError(f"{folder}: is a file, where the folder for films belongs; {_ELSEWHERE}")
    elif not os.access(output.path.parent.parent, os.W_OK | os.X_OK):
        raise ExportError(f"{folder}: this folder cannot be made here; {_ELSEWHERE}")


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """Have a folder to write to; one that was made here and stays empty is removed.

    Raises ExportError where it cannot be made.
    """
    there = folder.is_dir()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExportError(f"{folder}: cannot be made: {error.strerror}; {_ELSEWHERE}") from error
    try:
        yield
    finally:
        if not there:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
