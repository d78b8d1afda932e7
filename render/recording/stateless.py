"""A model as a function of its parameters and buffers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

__all__ = ["stateless"]


def stateless(model: nn.Module) -> Callable[[Mapping[str, Tensor], Tensor], Any]:
    """Return the model as a function of (state, x), whose calls leave the model as it was.

    state: tensors by the names of `named_parameters` and `named_buffers`. A tensor that has
    several places is put into all of them; a module that is used twice has each of its own once:
    put in by both names, `functional_call` would leave it there.
    """
    first: dict[int, str] = {}
    places = {}
    for prefix, module in model.named_modules():
        for key, value in itertools.chain(
            module.named_parameters(prefix, recurse=False, remove_duplicate=False),
            module.named_buffers(prefix, recurse=False, remove_duplicate=False),
        ):
            places[key] = first.setdefault(id(value), key)

    def call(state: Mapping[str, Tensor], x: Tensor) -> Any:
        given = {place: state[name] for place, name in places.items() if name in state}
        return functional_call(model, given, (x,), tie_weights=False)

    return call
