"""What a run's functions read of the model that was given, which stands still: its copy moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from render.errors import InputError

__all__ = ["keeps_off"]


class _Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Collects the parameters whose memory is read: a device or a shape is not."""

    supports_higher_order_operators = True

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._given = {_memory(param): name for name, param in model.named_parameters()}
        self._given.pop(0, None)
        self.names: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation, and note which parameters it was given."""
        name = func.__name__.split(".")[0]
        if not (name.startswith("new_") or name.endswith("_like")):  # of the shape alone
            read = map(_memory, _tensors([args, kwargs]))
            self.names += [self._given[start] for start in read if start in self._given]
        return func(*args, **(kwargs or {}))


def _memory(values: Tensor) -> int:
    """Return where a tensor's memory begins: where that of its views does; 0 for none."""
    try:
        return values.untyped_storage().data_ptr()
    except RuntimeError:  # a sparse one, or one of another library's
        return 0


def _tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors in a value, also in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _tensors(entry)


@contextmanager
def keeps_off(given: nn.Module, what: str, way: str) -> Iterator[None]:
    """Check that what runs inside reads no parameter of the given model. Raises InputError.

    what: what runs, way: the way out, for the message.
    """
    with _Reads(given) as reads:
        yield
    for name in reads.names:
        raise InputError(
            f"record: {what} reads {name} of the {type(given).__name__} that was given, and a copy "
            f"of it is optimised; {way}"
        )
