"""The parameters of several runs in one tensor, and the gradient of all their losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from render.recording.evaluation import unchanged
from render.recording.problem import to_numpy
from render.recording.task import Task

__all__ = ["Stack"]

Layout = tuple[tuple[str, tuple[int, ...]], ...]
Graph = Callable[..., tuple[Tensor, Tensor]]


class Stack:
    """Parameters of K runs in `flat`, of shape (K * P,): for each tensor, K of them in a row."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.runs = len(tasks)
        self._model, self._loss = tasks[0].model, tasks[0].loss
        models = [dict(task.model.named_parameters()) for task in tasks]
        self._sizes = {name: p.numel() for name, p in models[0].items()}
        blocks = [
            torch.stack([params[name].detach().reshape(-1) for params in models]).reshape(-1)
            for name in self._sizes
        ]
        self.flat = nn.Parameter(torch.cat(blocks), requires_grad=False)
        parts = self._blocks(self.flat.detach())
        self._state = {
            name: part.view(self.runs, *models[0][name].shape)
            for name, part in zip(self._sizes, parts, strict=True)
        }
        self.loss_dtype = self.flat.dtype
        self._graphs: dict[tuple[tuple[int, ...], bool], Graph] = {}
        self._run_of = self.spread(torch.arange(self.runs, device="cpu"))

    def step(self, x: Tensor, y: Tensor, own: bool) -> tuple[Tensor, Tensor]:
        """Return the gradient, (K * P,), and the losses, (K,), of all runs.

        own: whether x and y have a leading axis of runs, or are those of every run.
        """
        key = (tuple(x.shape), own)
        if key not in self._graphs:
            self._graphs[key] = self._traced(x, y, own)
        return self._graphs[key](*self._state.values(), x, y)

    def norms(self, gradients: Tensor) -> Tensor:
        """Return the norm of each run's gradient, (rows, K), in float64, of (rows, K * P)."""
        squares = torch.zeros((), dtype=torch.float64, device=gradients.device)
        for block in self._blocks(gradients):
            squares = squares + torch.linalg.vector_norm(block, dim=-1, dtype=torch.float64) ** 2
        return squares.sqrt()

    def clipped(self, gradient: Tensor, limit: float) -> Tensor:
        """Return the gradient with each run's scaled down to a norm of `limit`.

        Norms are taken as `clip_grad_norm_` takes them: of each tensor, then of these norms.
        """
        parts = [torch.linalg.vector_norm(block, dim=-1) for block in self._blocks(gradient)]
        norms = torch.linalg.vector_norm(torch.stack(parts), dim=0)
        scale: Tensor = (limit / (norms + 1e-6)).clamp(max=1.0)
        return gradient * scale[self._run_of]

    def spread(self, values: Tensor) -> Tensor:
        """Return a number for each run, (K,), as one for each of their parameters, (K * P,)."""
        parts = [values.repeat_interleave(size) for size in self._sizes.values()]
        return torch.cat(parts).to(self.flat.device)

    def restore(self, model: nn.Module, raw: Tensor, run: int) -> None:
        """Give a model the parameters of one run in a raw row."""
        start = 0
        with torch.no_grad():
            for param in model.parameters():
                count = param.numel()
                here = start + run * count
                param.copy_(raw[here : here + count].view(param.shape))
                start += self.runs * count

    @staticmethod
    def unstacked(raw: Tensor, layout: Layout, run: int, runs: int) -> npt.NDArray[Any]:
        """Return the rows of one run, (T, P), of the raw rows of all."""
        parts, start = [], 0
        for _, shape in layout:
            count = int(np.prod(shape, dtype=int))
            here = start + run * count
            parts.append(raw[:, here : here + count])
            start += runs * count
        return to_numpy(torch.cat(parts, dim=1))

    def _blocks(self, numbers: Tensor) -> list[Tensor]:
        """Return the numbers of each tensor, (..., K, size), of (..., K * P)."""
        sizes = list(self._sizes.values())
        parts = torch.split(numbers, [self.runs * size for size in sizes], dim=-1)
        return [
            part.view(*numbers.shape[:-1], self.runs, size)
            for part, size in zip(parts, sizes, strict=True)
        ]

    def _traced(self, x: Tensor, y: Tensor, own: bool) -> Graph:
        """Return the operators of one step, without `vmap` and autograd around them."""
        from torch.fx.experimental.proxy_tensor import make_fx

        def loss(state: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return self._loss(functional_call(self._model, state, (x,)), y).reshape(())

        axis = 0 if own else None
        each = torch.vmap(grad_and_value(loss), (0, axis, axis))

        def step(*flat: Tensor) -> tuple[Tensor, Tensor]:
            *params, x, y = flat  # without containers, which each call would unpack and check
            gradients, losses = each(dict(zip(self._state, params, strict=True)), x, y)
            return torch.cat([value.reshape(-1) for value in gradients.values()]), losses

        with unchanged(self._model):
            graph: Any = make_fx(step)(*self._state.values(), x, y)
        for node in list(graph.graph.nodes):
            if node.target is torch.ops.aten.pow.Tensor_Scalar and node.args[1] == 1.0:
                node.replace_all_uses_with(node.args[0])  # the derivative of a square
                graph.graph.erase_node(node)
        graph.recompile()
        self.loss_dtype = graph(*self._state.values(), x, y)[1].dtype
        made: Graph = graph
        return made
