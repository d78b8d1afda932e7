"""Checks of what `record` is given, before anything is computed; each raises InputError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from render.errors import InputError
from render.problem import losses
from render.problem.checks import check_whole, is_finite
from render.problem.dataset import Dataset
from render.problem.penalties import Penalised
from render.problem.shown import shown
from render.problem.surfaces import Surface
from render.recording.hooks import gradient_hooks, step_is_altered
from render.recording.problem import Loss
from render.recording.request import Metric, Metrics, Request
from render.recording.settings import label

__all__ = ["check_compile", "check_run", "named_metrics", "problem_of"]


def problem_of(request: Request) -> tuple[Dataset, Loss]:
    """Return data and loss; a surface stands for both."""
    data, loss, model = request.data, request.loss, request.model
    if isinstance(data, Surface):
        if loss is not None:
            raise InputError(
                f"record: the surface {data.name} is a loss itself; leave loss={label(loss)} out"
            )
        if not isinstance(model, nn.Module) or not list(model.parameters()):
            raise InputError(
                f"record: model is a {type(model).__name__}; a surface takes models.Point(x, y)"
            )
        return data.data(next(model.parameters()).dtype), data.loss
    if not isinstance(data, Dataset):
        raise InputError(
            f"record: data is a {type(data).__name__}; give a Dataset, such as datasets.of(x, y), "
            "or a surface, such as surfaces.rosenbrock"
        )
    if _is_module_class(loss):
        raise InputError(
            f"record: loss is the class {label(loss)}; give an instance, {label(loss)}()"
        )
    if not callable(loss):
        raise InputError(
            f"record: loss is {shown(loss)}; give a callable (prediction, target) -> scalar"
        )
    inner = loss.loss if isinstance(loss, Penalised) else loss
    if inner is losses.nll and bool(((data.y < 0) | (data.y > 1)).any()):
        raise InputError(
            f"record: nll takes labels from 0 to 1, and the data's y goes from {data.y.min():g} to "
            f"{data.y.max():g}; use losses.cross_entropy, with an output for each class"
        )
    return data, loss


def _is_module_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, nn.Module)


def check_run(request: Request, data: Dataset) -> Request:
    """Check model, numbers and validation data; return the request with Python's own numbers."""
    _check_model(request.model, data)
    steps = check_whole("record", "steps", request.steps, least=0)
    seed = check_whole("record", "seed", request.seed, least=0)
    n, size, clip = len(data), request.batch_size, request.clip
    if size is not None:
        size = check_whole("record", "batch_size", size, least=1)
        if size > n:
            raise InputError(
                f"record: batch_size is {size}, but there are {n} samples; give 1 to {n}, "
                "or None for all of them"
            )
    if clip is not None:
        number = is_finite(clip) and not isinstance(clip, bool)
        if not number or not clip > 0:
            raise InputError(
                f"record: clip is {shown(clip)}; give a gradient norm above 0, or None"
            )
        clip = float(clip)
    if request.validation is not None:
        _check_validation(request, data)
    return replace(request, steps=steps, seed=seed, batch_size=size, clip=clip)


def _check_validation(request: Request, data: Dataset) -> None:
    other = request.validation
    if isinstance(request.data, Surface):
        raise InputError("record: a surface has no samples; leave validation out")
    if not isinstance(other, Dataset):
        raise InputError(
            f"record: validation is a {type(other).__name__}; give a Dataset, such as the second "
            "of datasets.split(data)"
        )
    if other.x.shape[1:] != data.x.shape[1:] or other.x.dtype != data.x.dtype:
        raise InputError(
            f"record: the validation data's x is {tuple(other.x.shape)} {other.x.dtype} and the "
            f"data's {tuple(data.x.shape)} {data.x.dtype}; give samples of the same kind"
        )
    if other.y.shape[1:] != data.y.shape[1:] or other.y.dtype != data.y.dtype:
        raise InputError(
            f"record: the validation data's y is {tuple(other.y.shape)} {other.y.dtype} and the "
            f"data's {tuple(data.y.shape)} {data.y.dtype}; give targets of the same kind"
        )


def check_compile(request: Request, optimizer: Optimizer, device: torch.device) -> None:
    """Check that a run can be asked to be compiled. Raises InputError."""
    wanted: object = request.compile
    if not isinstance(wanted, bool):
        raise InputError(f"record: compile is {shown(wanted)}; give True or False")
    if not wanted:
        return
    kind = type(optimizer)
    against = None
    if device.type != "cpu":
        against = f"is for the CPU, and the run is on {device}, where a step becomes a CUDA graph"
    elif kind.__module__.split(".")[:2] != ["torch", "optim"] or kind.__name__ not in _COMPILED:
        against = f"takes {', '.join(_COMPILED)} of torch, not {kind.__name__}"
    elif request.scheduler is not None:
        against = "takes a constant rate, not a scheduler"
    elif gradient_hooks(request.model):
        against = "takes models without gradient hooks"
    elif step_is_altered(optimizer):
        against = "takes optimizers without hooks or a step of their own"
    elif request.keep is not None and not request.keep.whole:
        against = "keeps all parameters of a step, not keep's tensors or directions"
    if against is not None:
        raise InputError(f"record: compile=True {against}; leave compile=True out")


_COMPILED = (
    *("ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax"),
    *("NAdam", "RAdam", "RMSprop", "Rprop", "SGD"),
)
"""Tested; Muon computes in bfloat16 and differs by more than rounding, the rest need a closure or
do not compile."""


def named_metrics(metrics: Metrics | None, validating: bool) -> dict[str, Metric]:
    """Return the metrics by name. validating: whether there are validation data, too."""
    given: object = metrics
    if isinstance(metrics, Mapping):
        pairs = [(str(name), entry) for name, entry in metrics.items()]
    elif given is None:
        pairs = []
    elif isinstance(metrics, Iterable) and not isinstance(given, (str, bytes, Tensor, np.ndarray)):
        pairs = [(label(entry), entry) for entry in metrics]
    else:
        raise InputError(
            f"record: metrics is {shown(metrics)}; give a mapping or a list of callables"
        )
    named = dict(pairs)
    if len(named) < len(pairs):
        twice = next(name for name in named if [name for name, _ in pairs].count(name) > 1)
        raise InputError(
            f"record: metrics lists {shown(twice)} twice; give a mapping from names to callables"
        )
    own = {"val_loss", "off_plane"} | {f"val_{name}" for name in named if validating}
    for name in named:
        if name in own:
            raise InputError(
                f"record: a metric is named {shown(name)}, which the run uses; rename it"
            )
    for name, entry in named.items():
        if not callable(entry):
            raise InputError(
                f"record: metric {shown(name)} is {shown(entry)}; give a callable "
                "(prediction, target)"
            )
    return named


def _check_model(model: object, data: Dataset) -> None:
    if not isinstance(model, nn.Module):
        raise InputError(
            f"record: model is a {type(model).__name__}; give a torch.nn.Module, such as "
            "models.Line(slope=0.0, intercept=0.0)"
        )
    params = list(model.parameters())
    if not any(param.requires_grad for param in params):
        raise InputError(
            f"record: {type(model).__name__} has no parameters that require a gradient, so there "
            "is nothing to optimise"
        )
    if any(nn.parameter.is_lazy(param) for param in params):
        raise InputError(
            f"record: {type(model).__name__} has parameters without a shape yet; call "
            "model(data.x) once before recording"
        )
    if any(param.is_complex() for param in params):
        raise InputError(
            f"record: {type(model).__name__} has complex parameters; give real ones, such as real "
            "and imaginary parts"
        )
    kinds = {param.dtype for param in params if param.is_floating_point()}
    kind = data.x.dtype
    if kind.is_floating_point and kind not in kinds:
        held = ", ".join(sorted(str(entry) for entry in kinds))
        raise InputError(
            f"record: the data's x is {kind} and the model's parameters are {held}; give both the "
            f"same type: the model with dtype={kind} or model.to({kind}), or the dataset with "
            f"dtype={held}"
        )
