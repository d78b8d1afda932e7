"""A run's model and loss as bytes, to cross into another process without torch.

The bytes are made when the run is pickled and opened when the model is first needed.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pickle
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from render.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from render.recording.problem import Problem

__all__ = ["PackedProblem", "pack"]


@dataclass(frozen=True, kw_only=True)
class PackedProblem:
    """A pickled (model, loss) pair, or the reason why there is none."""

    content: bytes = field(repr=False)
    failure: str = ""

    def unpack(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Problem:
        """Rebuild the problem; x and y are the run's data. Imports torch."""
        from render.recording.problem import rebuilt

        if self.failure:
            raise RecordingError(self.failure)
        try:
            model, loss, dtypes = pickle.loads(self.content)
        except Exception as exc:  # unpickling runs code of the model's own module
            raise RecordingError(
                f"the run's model cannot be rebuilt in this process ({_told(exc)}); "
                "define it in a module that can be imported here, or install cloudpickle"
            ) from exc
        return rebuilt(model, loss, x, y, dtypes)


def pack(source: Problem | PackedProblem | None) -> PackedProblem | None:
    """Return `source` as bytes. A model that cannot be pickled says so when it is needed."""
    if source is None or isinstance(source, PackedProblem):
        return source
    from render.recording.problem import portable

    try:
        return PackedProblem(content=_dumps(portable(source), _homes(source)))
    except Exception as exc:  # pickling runs code of the model's own classes
        return PackedProblem(
            content=b"",
            failure=f"the run's model did not survive pickling ({_told(exc)}); {_advice()}",
        )


def _told(exc: Exception) -> str:
    """Return the kind of an error and the first line of its message."""
    first, *_ = str(exc).splitlines() or [""]
    return f"{type(exc).__name__}: {first}"


def _advice() -> str:
    if importlib.util.find_spec("cloudpickle") is None:
        return "define model and loss at the top level of a module, or install cloudpickle"
    return (
        "evaluate the run in the process that recorded it (a film: with one job), or give the "
        "model again: run = run.attach(model, loss)"
    )


def _dumps(value: object, homes: set[str]) -> bytes:
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps(value)
    with ExitStack() as stack:
        for name in homes:
            stack.enter_context(_by_value(cloudpickle, sys.modules[name]))
        content: bytes = cloudpickle.dumps(value)
    return content


@contextmanager
def _by_value(cloudpickle: ModuleType, module: ModuleType) -> Iterator[None]:
    """Make cloudpickle carry what `module` defines, rather than its name."""
    if module.__name__ in cloudpickle.list_registry_pickle_by_value():
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _homes(problem: Problem) -> set[str]:
    """Return the modules behind the problem that another process could not import by name."""
    parts = [*map(type, problem.model.modules()), *_inside(problem.loss)]
    names = {getattr(part, "__module__", None) for part in parts}
    return {
        name
        for name in names
        if name in sys.modules and name != "__main__" and not _importable(sys.modules[name])
    }


def _inside(function: object) -> list[object]:
    """Return a loss, its class, and the functions that it wraps, such as a partial's."""
    found = [function, type(function)]
    for name in ("func", "__wrapped__", "__self__", "penalty"):
        inner = getattr(function, name, None)
        if inner is not None and not isinstance(inner, ModuleType):
            found += _inside(inner)
    return found


def _importable(module: ModuleType) -> bool:
    """Say whether `import` by the module's name would find this very file."""
    if module.__name__ in sys.builtin_module_names:
        return True
    search: Any = None
    spec = None
    for part in module.__name__.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, search)
        if spec is None:
            return False
        search = spec.submodule_search_locations or []
    return spec is not None and spec.origin == getattr(module, "__file__", None)
