"""How many evaluations of a model go into one batched call: measured on a single one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Sizes"]

_MEMORY_BYTES = 256 * 2**20
_CACHE_BYTES = {"cpu": 2 * 2**20, "cuda": 64 * 2**20}


class Sizes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes that the operations inside it produce."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.widest = 1
        self.total = 1

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation and note the size of its results."""
        made = func(*args, **(kwargs or {}))
        for value in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(value, Tensor):
                size = value.numel() * value.element_size()
                self.widest = max(self.widest, size)
                self.total += size
        return made

    def rows_at_once(self, place: str) -> int:
        """Return how many evaluations to batch: in the cache, and within the memory bound."""
        return min(_CACHE_BYTES[place] // self.widest, _MEMORY_BYTES // self.total)
