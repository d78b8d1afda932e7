"""What is optimised: datasets, models, losses, metrics and test surfaces."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.problem import datasets, losses, metrics, models, surfaces
    from render.problem.dataset import Dataset

__all__ = ["Dataset", "datasets", "losses", "metrics", "models", "surfaces"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: torch takes a second to start."""
    if name == "Dataset":
        from render.problem.dataset import Dataset

        return Dataset
    if name in __all__:
        return import_module(f"render.problem.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
