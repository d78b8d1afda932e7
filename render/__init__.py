"""Films of optimizers for lectures.

A scene script says what is optimised and how; the torch core records every step; panels draw
a step with plain matplotlib; the exporter writes the film. The names below are loaded on first
use, so that `import render` imports neither torch nor matplotlib.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # as `typing` has it, which takes as long to load as all of this
if TYPE_CHECKING:
    from render.errors import RenderError
    from render.export.save import save
    from render.export.writer import MovieWriter
    from render.film import panels
    from render.film.film import Film
    from render.film.timeline import Timeline
    from render.problem import datasets, losses, metrics, models, surfaces
    from render.problem.dataset import Dataset
    from render.recording.keep import Keep
    from render.recording.landscapes import landscape
    from render.recording.loop import record
    from render.recording.planes import Landscape
    from render.recording.sweeps import sweep
    from render.recording.trajectory import Trajectory
    from render.scene import scene

__version__ = "0.1.0"

__all__ = [
    "Dataset",
    "Film",
    "Keep",
    "Landscape",
    "MovieWriter",
    "RenderError",
    "Timeline",
    "Trajectory",
    "datasets",
    "landscape",
    "losses",
    "metrics",
    "models",
    "panels",
    "record",
    "save",
    "scene",
    "surfaces",
    "sweep",
]

# Public name -> (module, name in it); None stands for the module itself.
_PUBLIC: dict[str, tuple[str, str | None]] = {
    "Dataset": ("render.problem.dataset", "Dataset"),
    "Film": ("render.film.film", "Film"),
    "Keep": ("render.recording.keep", "Keep"),
    "Landscape": ("render.recording.planes", "Landscape"),
    "MovieWriter": ("render.export.writer", "MovieWriter"),
    "RenderError": ("render.errors", "RenderError"),
    "Timeline": ("render.film.timeline", "Timeline"),
    "Trajectory": ("render.recording.trajectory", "Trajectory"),
    "datasets": ("render.problem.datasets", None),
    "landscape": ("render.recording.landscapes", "landscape"),
    "losses": ("render.problem.losses", None),
    "metrics": ("render.problem.metrics", None),
    "models": ("render.problem.models", None),
    "panels": ("render.film.panels", None),
    "record": ("render.recording.loop", "record"),
    "save": ("render.export.save", "save"),
    "scene": ("render.scene", "scene"),
    "surfaces": ("render.problem.surfaces", None),
    "sweep": ("render.recording.sweeps", "sweep"),
}


class _Package(ModuleType):
    """This package, in which `scene` is the decorator, whoever imports the module of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "scene" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    """Import a public name on first use and keep it."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module_name, attribute = _PUBLIC[name]
    module = import_module(module_name)
    value = module if attribute is None else getattr(module, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
