"""Scenes: functions that return a film, found in scripts, with settings from their signature.

Nothing here imports torch or matplotlib: a script's scenes are listed by reading its text, and
run only when a film is asked for.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import importlib.util
import inspect
import itertools
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from render.beside import Beside
from render.errors import InputError, RecordingError, RenderError, SceneError, UsageError
from render.settings import Setting, type_of

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["Scene", "Setting", "Summary", "blame", "find", "load", "scene", "shipped", "summaries"]

# What matplotlib tells of a formula: its text, a caret below it, what was expected, and the place.
_FORMULA = re.compile(r"(.*)\n *\^\nParse\w*Exception: (.*?) +\(at char (\d+)\)")
_LONGEST_FAULT = 80  # others list all that could stand there


@dataclasses.dataclass(frozen=True)
class Scene:
    """A function that returns a `Film`; calling the scene calls it with checked settings."""

    function: Callable[..., Film]

    @property
    def name(self) -> str:
        """The function's name, which is the scene's name on the command line."""
        return self.function.__name__

    @property
    def title(self) -> str:
        """The first line of the docstring, without its full stop."""
        return _title(self.function.__doc__, self.name)

    @property
    def settings(self) -> dict[str, Setting]:
        """The function's parameters, in order. Raises SceneError when one has no default."""
        settings = {}
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue  # nothing that a name could set
            if parameter.default is parameter.empty:
                raise SceneError(
                    f"scene {self.name!r}: the setting {parameter.name!r} has no default; "
                    f"write {parameter.name}: float = 0.1, for example"
                )
            settings[parameter.name] = Setting(
                name=parameter.name,
                type=type_of(parameter, self.function),
                default=parameter.default,
            )
        return settings

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Turn `{"lr": "0.1"}` into typed settings. Raises UsageError on an unknown name."""
        settings = self.settings
        for name in texts:
            if name not in settings:
                known = ", ".join(settings) or "none"
                raise UsageError(
                    f"--set {name}={texts[name]}: scene {self.name!r} has no setting {name!r}"
                    f"{_suggestion(name, settings)}; its settings are: {known}"
                )
        return {name: settings[name].parse(text) for name, text in texts.items()}

    def __call__(self, *values: Any, **settings: Any) -> Film:
        """Run the script's function and return its film, titled by the scene.

        Raises SceneError when the function fails or returns something else than a film.
        """
        script = inspect.getfile(self.function)
        if self.function.__module__ in _loaded:
            _beside.enter(Path(script).parent)
        with blame(f"scene {self.name!r}", script), _placed(script):
            film = _call(self.function, values, settings)
        _beside.pickle_by_value()
        if isinstance(film, type):
            raise SceneError(
                f"scene {self.name!r} returned the class {film.__name__!r} itself; "
                f"return a film, such as {film.__name__}([panel])"
            )
        if not (dataclasses.is_dataclass(film) and hasattr(film, "title")):
            raise SceneError(
                f"scene {self.name!r} returned {type(film).__name__!r}; "
                "it must return a render.Film"
            )
        return film if film.title is not None else dataclasses.replace(film, title=self.title)


def _call(
    function: Callable[..., Film], values: Sequence[Any], settings: Mapping[str, Any]
) -> Film:
    """Call a function with settings by name, also those that it takes by position alone."""
    by_name, by_position = dict(settings), list(values)
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters[len(values) :]:
        given = parameter.name in by_name or parameter.default is not parameter.empty
        if parameter.kind is parameter.POSITIONAL_ONLY and given:
            by_position.append(by_name.pop(parameter.name, parameter.default))
    return function(*by_position, **by_name)


@overload
def scene(function: Callable[..., Film]) -> Scene: ...
@overload
def scene() -> Callable[[Callable[..., Film]], Scene]: ...
def scene(function: Callable[..., Film] | None = None) -> Any:
    """Mark a function of a script as a scene; its parameters become the scene's settings.

    Raises InputError when it is given anything else than a function.
    """
    if function is None:  # written as @scene()
        return scene
    if not callable(function):
        raise InputError(f"scene({function!r}): write @scene, without arguments, above a function")
    return Scene(function)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """What a listing shows of a scene, read from its script without running it."""

    name: str
    title: str
    settings: dict[str, str]
    script: Path


def summaries(script: Path) -> list[Summary]:
    """Read the scenes of a script from its text, in order; of one name, the last.

    Raises SceneError when the script cannot be read or has a syntax error.
    """
    statements = list(_statements(_parse_script(script)))
    decorators = _decorators(statements)
    found = {
        node.name: Summary(
            name=node.name,
            title=_title(ast.get_docstring(node), node.name),
            settings=_defaults(node.args),
            script=Path(os.path.abspath(script)),
        )
        for node in statements
        if isinstance(node, ast.FunctionDef)
        and any(_written(decorator) in decorators for decorator in node.decorator_list)
    }
    return list(found.values())


def shipped() -> list[Summary]:
    """List the scenes that come with the toolkit, sorted by name."""
    scripts = sorted(_shipped_folder().glob("*.py"))
    found = itertools.chain.from_iterable(map(summaries, scripts))
    return sorted(found, key=lambda summary: summary.name)


def find(target: str) -> list[Summary]:
    """Find the scenes that `script.py`, `script.py::name` or a shipped name stands for.

    Raises UsageError when there is no such script or scene.
    """
    place, separator, name = target.rpartition("::")
    if not separator:
        place, name = target, ""
    if Path(place).suffix != ".py":
        return [_pick(shipped(), target, _why_not_shipped(target, place))]
    script = Path(place)
    if not script.is_file():
        raise UsageError(f"{place}: no such script; give the path of a .py file, or a scene's name")
    scenes = summaries(script)
    if not scenes:
        raise UsageError(f"{place}: no scene in this script; put @scene above a function")
    return [_pick(scenes, name, f"{place} has no scene {name!r}")] if separator else scenes


def load(summary: Summary) -> Scene:
    """Run the script of a summary and return its scene.

    Raises SceneError, with the script's line, when the script fails.
    """
    found = getattr(_run_script(summary.script), summary.name, None)
    if not isinstance(found, Scene):
        raise SceneError(
            f"{summary.script.name}: {summary.name!r} is not a scene once the script has run; "
            "use `from render import scene` and decorate the function once"
        )
    return found


def _run_script(script: Path) -> types.ModuleType:
    """Import a script under a name of its own; modules beside it can be imported by it."""
    script = script.resolve()
    name = f"render_scene_{script.stem}_{abs(hash(str(script))):x}"
    _beside.enter(script.parent)
    if name in _loaded:
        return _loaded[name]
    loader = _Script(name, str(script))
    spec = importlib.util.spec_from_file_location(name, script, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = _loaded[name] = module
    try:
        with blame(script.name, script), _placed(script):
            loader.exec_module(module)
    except BaseException:
        del sys.modules[name], _loaded[name]
        raise
    _beside.pickle_by_value()
    return module


class _Script(SourceFileLoader):
    """Runs a script as `python` does: from its source, and without a folder of bytecode beside it.

    Bytecode is found again by the source's size and the second in which it was saved, both of which
    "lr=0.1" and "lr=0.2" may share.
    """

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Say that there is no time to know bytecode by. Raises OSError."""
        raise OSError("no bytecode")


_loaded: dict[str, types.ModuleType] = {}
"""The scripts that were run, by the names of their modules."""

_beside = Beside()


@contextmanager
def blame(what: str, script: str | Path, line: int | None = None) -> Iterator[None]:
    """Turn a failure of a user's code into one line that names the script's own line.

    line: of the script, named where it is not one of its own that failed.
    """
    try:
        yield
    except RenderError:
        raise
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        if isinstance(error, SystemExit) and type(error) is not SystemExit:
            raise  # not the script's own: the command was told to stop
        own = Path(script).resolve()
        lines = [] if line is None else [line]
        lines += _lines(error, own)
        here = what if what == own.name else f"{what}: {own.name}"
        place = f"{here}, line {lines[-1]}" if lines else what
        raise SceneError(f"{place}: {_in_words(error)}") from error


@contextmanager
def _placed(script: str | Path) -> Iterator[None]:
    """Have an error of the toolkit name the line of a user's own script that asked for too much."""
    try:
        yield
    except (InputError, RecordingError) as error:
        own = Path(script).resolve()
        lines = _lines(error, own)
        told = f"{own.name}, line " in str(error) or own.parent == _shipped_folder().resolve()
        inside = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve() != own
        if lines and inside and not told:
            error.args = (f"{error}; see {own.name}, line {lines[-1]}",)
        raise


def _lines(error: BaseException, script: Path) -> list[int]:
    """Return the lines of a script that were running, the innermost last."""
    return [
        entry.lineno
        for entry in traceback.extract_tb(error.__traceback__)
        if entry.lineno is not None and Path(entry.filename).resolve() == script
    ]


def _in_words(error: BaseException) -> str:
    """Say what failed; of a formula that matplotlib cannot read, where it begins to be wrong."""
    formula = _FORMULA.search(str(error))
    if formula is None:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    text, wrong, place = formula.groups()
    where = f"from {text[int(place) :]!r} on" if text[int(place) :] else "at its end"
    found = wrong if len(wrong) <= _LONGEST_FAULT else wrong.rpartition(", ")[2]
    return f"cannot be read as a formula {where}: {found}; write \\$ for a dollar sign in words"


def _parse_script(script: Path) -> ast.Module:
    try:
        return ast.parse(script.read_bytes(), filename=str(script))
    except SyntaxError as error:
        place = f"{script}, line {error.lineno}" if error.lineno else f"{script}"
        line = f": {error.text.strip()}" if error.text else ""
        raise SceneError(f"{place}: {error.msg}{line}") from error
    except (OSError, ValueError) as error:
        raise SceneError(f"{script}: cannot be read as a Python script: {error}") from error


def _defaults(arguments: ast.arguments) -> dict[str, str]:
    """Read parameter names and the text of their defaults."""
    positional = [*arguments.posonlyargs, *arguments.args]
    named = positional[len(positional) - len(arguments.defaults) :] + arguments.kwonlyargs
    values = [*arguments.defaults, *arguments.kw_defaults]
    return {
        argument.arg: ast.unparse(value)
        for argument, value in zip(named, values, strict=True)
        if value is not None
    }


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """What runs with the script: also within if, with and try, not within functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            yield from _statements(child)


def _decorators(statements: Iterable[ast.stmt]) -> set[str]:
    """The names that a script has for `scene`."""
    names = {"scene", "render.scene"}
    for node in statements:
        if isinstance(node, ast.Import):
            names |= {f"{name.asname}.scene" for name in node.names if name.name == "render"}
        elif isinstance(node, ast.ImportFrom) and node.module == "render":
            names |= {str(name.asname) for name in node.names if name.name == "scene"}
    return names


def _written(decorator: ast.expr) -> str:
    return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)


def _shipped_folder() -> Path:
    """The wheel holds the scenes inside the package; a checkout has them beside it."""
    package = Path(__file__).parent
    inside = package / "scenes"
    return inside if inside.is_dir() else package.parent / "scenes"


def _pick(scenes: Sequence[Summary], name: str, problem: str) -> Summary:
    by_name = {summary.name: summary for summary in scenes}
    if name in by_name:
        return by_name[name]
    raise UsageError(f"{problem}{_suggestion(name, by_name)}; there are: {', '.join(by_name)}")


def _why_not_shipped(target: str, place: str) -> str:
    if place and Path(f"{place}.py").is_file():
        return f"{target}: no shipped scene is called so (did you mean the script {place}.py?)"
    if place and Path(place).exists():
        return f"{place}: not a script, which ends in .py, nor a shipped scene"
    return f"no shipped scene is called {target!r}"


def _suggestion(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _title(docstring: str | None, name: str) -> str:
    lines = inspect.cleandoc(docstring or "").splitlines()
    first = lines[0].strip() if lines else ""
    return first.removesuffix(".") or name.replace("_", " ")
