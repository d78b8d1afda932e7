"""Tensors of a model that share memory, as tied weights do: a copy of the model shares it, too."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from render.errors import InputError

__all__ = ["aliases", "check_sharing", "held", "overlapping", "same_view"]

_KEPT_ELSEWHERE = ("_buffers", "_modules", "_parameters")


def held(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield buffers, and other tensors in attributes: alone, or in lists, tuples and mappings."""
    params = {id(param) for param in model.parameters()}
    for place, module in model.named_modules():
        own = {name: value for name, value in vars(module).items() if name not in _KEPT_ELSEWHERE}
        for name, value in {**own, **module._buffers}.items():
            for part in _parts(value):
                if isinstance(part, Tensor) and id(part) not in params:
                    yield f"{place}.{name}".removeprefix("."), part


def _parts(value: object) -> list[object]:
    """Return a value, or what containers inside one another hold."""
    found: list[object] = []
    waiting, seen = [value], set()
    while waiting:
        part = waiting.pop()
        if not isinstance(part, (Mapping, list, tuple)):
            found.append(part)
        elif id(part) not in seen:
            seen.add(id(part))
            waiting += reversed([*part.values()] if isinstance(part, Mapping) else [*part])
    return found


def overlapping(tensors: Sequence[Tensor]) -> list[list[int]]:
    """Return which of the tensors share memory with one another: their places, in groups.

    What lies between one another without sharing, as every second number does, counts as well.
    """
    spans = sorted((*span, at) for at, one in enumerate(tensors) if (span := _span(one)))
    groups: list[list[int]] = []
    end = 0
    for start, stop, at in spans:
        if start >= end:
            groups.append([])
        groups[-1].append(at)
        end = max(end, stop)
    return [sorted(group) for group in groups if len(group) > 1]


def _span(values: Tensor) -> tuple[int, int] | None:
    """Return where in memory a tensor begins and ends; None for one without memory of its own."""
    if values.layout != torch.strided or values.is_meta or nn.parameter.is_lazy(values):
        return None
    if values.numel() == 0:
        return None
    last = sum((size - 1) * step for size, step in zip(values.shape, values.stride(), strict=True))
    start = values.data_ptr()
    return start, start + (last + 1) * values.element_size()


def same_view(values: Tensor, memo: dict[int, Any]) -> Tensor:
    """Return the same view of a copy of the memory, which `memo` keeps as deepcopy does."""
    storage = copy.deepcopy(values.untyped_storage(), memo)
    made = torch.empty(0, dtype=values.dtype, device=values.device)
    made.set_(storage, values.storage_offset(), values.shape, values.stride())
    if not isinstance(values, nn.Parameter):
        return made
    return type(values)(made, values.requires_grad)


def check_sharing(given: nn.Module, own: nn.Module) -> None:
    """Check that parameters share memory in the copy where they did. Raises InputError."""
    params = list(given.parameters())
    if overlapping(params) == overlapping(list(own.parameters())):
        return
    names = [name for name, _ in given.named_parameters()]
    first, second, *_ = (names[at] for group in overlapping(params) for at in group)
    raise InputError(
        f"record: {first} and {second} of {type(given).__name__} share memory, and do not in a "
        "copy of it on this device; use device='cpu', or use one parameter twice"
    )


def aliases(model: nn.Module) -> list[tuple[str, Tensor]]:
    """Return what the model holds beside its parameters that shares memory with one, named."""
    params, others = list(model.parameters()), list(held(model))
    groups = overlapping([*params, *(values for _, values in others)])
    beside = len(params)
    return [
        others[at - beside] for group in groups if group[0] < beside for at in group if at >= beside
    ]
