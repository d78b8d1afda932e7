"""torch's compiler, which plain runs do without: it takes as long to load as the rest of torch.

`Optimizer.__init__` and `Optimizer.step` import `torch._dynamo` to tell it what not to compile
(torch/optim/optimizer.py and torch/_compile.py, as of torch 2.13), though nothing is compiled.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

__all__ = ["not_loaded"]

_NAME = "torch._dynamo"


@contextmanager
def not_loaded() -> Iterator[None]:
    """Let optimizers be made and used without loading torch's compiler.

    Whatever asks more of it gets the true one, which is loaded then.
    """
    if _NAME in sys.modules:
        yield
        return
    stand_in = _Unloaded(_NAME)
    sys.modules[_NAME] = stand_in
    torch._dynamo = stand_in
    try:
        yield
    finally:
        stand_in.leave()


class _Unloaded(ModuleType):
    """The compiler while nothing is compiled: what it is told then has no effect."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._told: list[Any] = []

    def graph_break(self, msg: str = "") -> None:
        """Do nothing, as outside of what is compiled."""

    def disable(self, fn: Any, recursive: bool = True, **_: object) -> Any:
        """Return the function, of which the true compiler will be told once it is there."""
        self._told.append(fn)
        return fn

    def leave(self) -> None:
        """Make way for the true compiler."""
        for fn in self._told:
            vars(fn).pop("__dynamo_disable", None)  # where torch keeps what `disable` returned
        self._told.clear()
        if sys.modules.get(_NAME) is self:
            del sys.modules[_NAME]
        if vars(torch).get("_dynamo") is self:
            del torch._dynamo

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # whoever looks through all modules
            raise AttributeError(name)
        self.leave()
        return getattr(import_module(_NAME), name)
