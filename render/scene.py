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
import sys
import traceback
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.errors import RenderError, SceneError, UsageError

if TYPE_CHECKING:
    from render.film.film import Film

__all__ = ["Scene", "Setting", "Summary", "blame", "find", "load", "scene", "shipped", "summaries"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One parameter of a scene, as `--set name=value` sees it."""

    name: str
    type: Any
    default: Any

    def parse(self, text: str) -> Any:
        """Turn the text of a command-line value into this setting's type.

        Raises UsageError, naming the type that is expected, when the text does not fit.
        """
        for candidate in _alternatives(self.type):
            try:
                return _parse(candidate, text)
            except ValueError:
                continue
        raise UsageError(
            f"--set {self.name}={text}: {text!r} is not {_describe(self.type)}; "
            f"the default is {self.name}={self.default}"
        )


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
        try:
            hints = typing.get_type_hints(self.function)
        except Exception:  # an annotation that names a type imported for checkers only
            hints = {}
        settings = {}
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.default is parameter.empty:
                raise SceneError(
                    f"scene {self.name!r}: the setting {parameter.name!r} has no default; "
                    f"write {parameter.name}: float = 0.1, for example"
                )
            kind = hints.get(parameter.name, type(parameter.default))
            settings[parameter.name] = Setting(
                name=parameter.name, type=kind, default=parameter.default
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

    def __call__(self, **settings: Any) -> Film:
        """Run the script's function and return its film, titled by the scene.

        Raises SceneError when the function fails or returns something else than a film.
        """
        with blame(f"scene {self.name!r}", inspect.getfile(self.function)):
            film = self.function(**settings)
        if not (dataclasses.is_dataclass(film) and hasattr(film, "title")):
            raise SceneError(
                f"scene {self.name!r} returned {type(film).__name__!r}; "
                "it must return a render.Film"
            )
        return film if film.title is not None else dataclasses.replace(film, title=self.title)


def scene(function: Callable[..., Film]) -> Scene:
    """Mark a function of a script as a scene; its parameters become the scene's settings."""
    return Scene(function)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """What a listing shows of a scene, read from its script without running it."""

    name: str
    title: str
    settings: dict[str, str]
    script: Path


def summaries(script: Path) -> list[Summary]:
    """Read the scenes of a script from its text, in order.

    Raises SceneError when the script cannot be read or has a syntax error.
    """
    return [
        Summary(
            name=node.name,
            title=_title(ast.get_docstring(node), node.name),
            settings=_defaults(node.args),
            script=script,
        )
        for node in _parse_script(script).body
        if isinstance(node, ast.FunctionDef) and any(map(_is_scene, node.decorator_list))
    ]


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
        return [_pick(shipped(), target, f"no shipped scene is called {target!r}")]
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
            f"{summary.script}: {summary.name!r} is not a scene once the script has run; "
            "use `from render import scene` and decorate the function once"
        )
    return found


def _run_script(script: Path) -> types.ModuleType:
    """Import a script under a name of its own; modules beside it can be imported by it."""
    script = script.resolve()
    name = f"render_scene_{script.stem}_{abs(hash(str(script))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, script)
    assert spec is not None and spec.loader is not None  # the suffix is .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = set(sys.modules) - {name}
    if str(script.parent) not in sys.path:
        sys.path.append(str(script.parent))
    try:
        with blame(script.name, script):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _pickle_by_value(script.parent, set(sys.modules) - before)
    return module


def _pickle_by_value(folder: Path, names: Iterable[str]) -> None:
    """Let films take the script's own modules along to processes that cannot import them."""
    import cloudpickle

    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and folder in Path(file).resolve().parents:
            cloudpickle.register_pickle_by_value(sys.modules[name])


@contextmanager
def blame(what: str, script: str | Path, line: int | None = None) -> Iterator[None]:
    """Turn a failure of a user's code into one line that names the script's own line.

    line: of the script, named where it is not one of its own that failed.
    """
    try:
        yield
    except RenderError:
        raise
    except Exception as error:
        own = Path(script).resolve()
        lines = [] if line is None else [line]
        lines += [
            entry.lineno
            for entry in traceback.extract_tb(error.__traceback__)
            if entry.lineno is not None and Path(entry.filename).resolve() == own
        ]
        place = f"{what}: {own.name}, line {lines[-1]}" if lines else what
        text = " ".join(str(error).split())
        raise SceneError(f"{place}: {type(error).__name__}: {text}") from error


def _parse_script(script: Path) -> ast.Module:
    try:
        return ast.parse(script.read_bytes(), filename=str(script))
    except SyntaxError as error:
        line = f": {error.text.strip()}" if error.text else ""
        raise SceneError(f"{script}, line {error.lineno}: {error.msg}{line}") from error
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


def _is_scene(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) in {"scene", "render.scene"}


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


def _suggestion(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _title(docstring: str | None, name: str) -> str:
    lines = inspect.cleandoc(docstring or "").splitlines()
    first = lines[0].strip() if lines else ""
    return first.removesuffix(".") or name.replace("_", " ")


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, text last, since any value reads as text."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda member: member is str))
    return (kind,)


def _parse(kind: Any, text: str) -> Any:
    """Read text as one type. Raises ValueError when it does not fit."""
    if typing.get_origin(kind) is typing.Literal:
        options = {str(option): option for option in typing.get_args(kind)}
        return options[text] if text in options else _refuse()
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words[text.lower()] if text.lower() in words else _refuse()
    if kind is int:
        return _parse_int(text)
    if kind is type(None):
        return None if text.lower() == "none" else _refuse()
    if kind in (float, str):
        return kind(text)
    return _refuse()


def _parse_int(text: str) -> int:
    """Read 600, and 1e4 too, as a whole number."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else _refuse()


def _refuse() -> typing.NoReturn:
    raise ValueError


def _describe(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if typing.get_origin(kind) is typing.Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(map(_describe, typing.get_args(kind)))
    if kind is type(None):
        return "none"
    return names.get(kind, f"a {getattr(kind, '__name__', kind)}, which only a script can set")
