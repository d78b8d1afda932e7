"""What it takes to evaluate a run's model at other parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from render.errors import InputError
from render.problem.dataset import Dataset
from render.problem.penalties import Penalised
from render.problem.shown import shown
from render.recording.faults import first_line
from render.recording.generators import one_at_a_time
from render.recording.sharing import held, overlapping, same_view

if TYPE_CHECKING:
    from render.recording.trajectory import Trajectory

__all__ = [
    "HALVES",
    "Loss",
    "Problem",
    "as_numpy",
    "attached",
    "bound",
    "copied",
    "counterparts",
    "halves",
    "layout_of",
    "own_data",
    "portable",
    "rebuilt",
    "to_numpy",
    "transposed",
]

Loss = Callable[[Tensor, Tensor], Tensor]

HALVES = "bfloat16"
"""The entry of `meta` that names what of the data is bfloat16."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A model, a loss (prediction, target) -> scalar, and the data."""

    model: nn.Module
    loss: Loss
    data: Dataset


def own_data(data: Dataset) -> tuple[Dataset, npt.NDArray[Any], npt.NDArray[Any]]:
    """Return a copy of the data on the CPU, and its x and y as arrays.

    The arrays share the copy's memory, but for bfloat16, which numpy lacks.
    """
    x, y = (side.detach().to("cpu", copy=True) for side in (data.x, data.y))
    arrays = (side.float() if side.dtype == torch.bfloat16 else side for side in (x, y))
    first, second = (side.numpy() for side in arrays)
    return Dataset(x, y), first, second


def layout_of(model: nn.Module) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return name and shape of each parameter, in the order of `model.parameters()`."""
    return tuple((name, tuple(value.shape)) for name, value in model.named_parameters())


def copied(model: nn.Module) -> nn.Module:
    """Return a copy of the model; activations that it keeps lose their history in the copy.

    torch copies no tensor that an operation has made: it would have to copy its graph. Nor do
    parameters share memory in its copy, as those here do where they did. Raises InputError for a
    model that cannot be copied.
    """
    name = type(model).__name__
    try:
        with one_at_a_time:  # another thread may be evaluating it
            own = copy.deepcopy(model, _made_before(model))
    except Exception as exc:  # a lock, a generator, or whatever a class of a user's refuses
        raise InputError(
            f"{name} cannot be copied ({first_line(exc)}); give a model that copy.deepcopy accepts"
        ) from exc
    if not all(param.is_leaf for param in own.parameters()):
        raise InputError(
            f"{name} cannot be copied (the copy's parameters are results of operations, as those "
            "of torch.jit are); give a model that copy.deepcopy accepts, such as the one scripted"
        )
    copies = counterparts(model, own)
    for name, given in model.named_parameters():
        _take_along(name, given, copies)
    return own


def _take_along(name: str, given: nn.Parameter, copies: dict[int, Any]) -> None:
    """Give the copy of a parameter copies of its attributes, which torch leaves out.

    copies: what is copied already, by the id of what it copies.
    """
    try:
        vars(copies[id(given)]).update(copy.deepcopy(vars(given), copies))
    except Exception as exc:  # whatever a class of a user's refuses
        raise InputError(
            f"the attributes of {name} cannot be copied ({first_line(exc)}); give parameters whose "
            "attributes copy.deepcopy accepts"
        ) from exc


def counterparts(given: nn.Module, own: nn.Module) -> dict[int, Any]:
    """Return the parts of a model's copy by the ids of what they copy, as deepcopy's memo has."""
    parts = ([*model.modules(), *model.parameters(), *model.buffers()] for model in (given, own))
    return {id(one): other for one, other in zip(*parts, strict=True)}


def _made_before(model: nn.Module) -> dict[int, Any]:
    """Return copies of the tensors that deepcopy would refuse or untie, as it takes them."""
    made: dict[int, Any] = {}
    kept = [*model.parameters(), *(values for _, values in held(model))]
    tied = [kept[at] for group in overlapping(kept) for at in group]
    for values in tied:
        made[id(values)] = same_view(values, made)
    for values in kept:
        if values.grad_fn is not None and id(values) not in made:
            made[id(values)] = values.detach().clone()
    return made


def bound(model: nn.Module, loss: Loss) -> nn.Module:
    """Return the model, which lets the loss know its parameters where the loss asks for them."""
    if isinstance(loss, Penalised):
        loss.bind(model)
    return model


def transposed(model: nn.Module) -> dict[str, int]:
    """Return the groups of each weight of a transposed convolution: its outputs lie on axis 1."""
    return {
        f"{name}.weight".removeprefix("."): module.groups
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.conv._ConvTransposeNd)
    }


def attached(run: Trajectory, model: nn.Module, loss: Loss) -> Problem:
    """Return the problem of `run`, given its model and loss again."""
    if not isinstance(model, nn.Module) or not callable(loss) or isinstance(loss, type):
        raise InputError(
            f"attach: model is a {type(model).__name__} and loss is {shown(loss)}; give the "
            "torch.nn.Module and the callable that the run was recorded with"
        )
    layout = layout_of(model)
    fits = layout == run.layout
    if run.final is not None:  # of which `params` holds a part
        projected = "keep.directions" in run.meta
        fits = sum(p.numel() for p in model.parameters()) == len(run.final) and (
            projected or set(run.layout) <= set(layout)
        )
    if not fits:
        raise InputError(
            f"the model has parameters {_listed(layout_of(model))}, but the run recorded "
            f"{_listed(run.layout)}; attach the model that the run was recorded with"
        )
    data = _stored_data(run, model)
    return Problem(model=bound(copied(model), loss).eval(), loss=loss, data=data)


def _stored_data(run: Trajectory, model: nn.Module) -> Dataset:
    """Return a run's data, with x of a type that the model takes."""
    told = str(run.meta.get(HALVES, "")).split(", ")
    kinds = [p.dtype for p in model.parameters() if p.is_floating_point()]
    x, y = (
        torch.tensor(side, device="cpu", dtype=torch.bfloat16 if name in told else None)
        for name, side in (("x", run.x), ("y", run.y))
    )
    if x.is_floating_point() and kinds and x.dtype not in kinds:
        x = x.to(kinds[0])
    return Dataset(x, y)


def halves(data: Dataset) -> dict[str, str]:
    """Return, for `meta`, which of x and y are bfloat16, which numpy lacks: arrays are float32."""
    sides = {"x": data.x, "y": data.y}
    told = ", ".join(name for name, side in sides.items() if side.dtype == torch.bfloat16)
    return {HALVES: told} if told else {}


def portable(problem: Problem) -> tuple[nn.Module, Loss, tuple[torch.dtype, torch.dtype]]:
    """Return the problem without its data, on the CPU: what `rebuilt` takes."""
    model = copied(problem.model).cpu()
    return model, problem.loss, (problem.data.x.dtype, problem.data.y.dtype)


def rebuilt(
    model: nn.Module,
    loss: Loss,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    dtypes: tuple[torch.dtype, torch.dtype],
) -> Problem:
    """Undo `portable`, taking the data from the run's own arrays."""
    sides = zip((x, y), dtypes, strict=True)
    data = Dataset(*(torch.tensor(side, dtype=dtype, device="cpu") for side, dtype in sides))
    return Problem(model=model, loss=loss, data=data)


def to_numpy(tensor: Tensor) -> npt.NDArray[Any]:
    """Return a tensor as an array of its own; bfloat16, which numpy lacks, becomes float32."""
    return np.array(as_numpy(tensor))


def as_numpy(tensor: Tensor) -> npt.NDArray[Any]:
    """Return a tensor as an array, which shares its memory where it can."""
    values = tensor.detach().cpu()
    if values.dtype == torch.bfloat16:
        values = values.float()
    array: npt.NDArray[Any] = values.numpy()
    return array


def _listed(layout: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    shown = ", ".join(f"{name} {shape}" for name, shape in layout[:6])
    return shown + (", ..." if len(layout) > 6 else "")
