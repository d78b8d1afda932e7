"""Steps compiled by `torch.compile`: loss, gradient, clipping, row and update of a step, fused.

Compiling model and loss alone gains nothing on small models (measured), where the overhead of
autograd and of the optimizer is what takes the time. Here a step is one compiled function, and
for models of few tensors several steps are, unrolled.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from render.errors import RecordingError, RenderError
from render.recording.faults import first_line
from render.recording.rows import Rows
from render.recording.stepping import clipping
from render.recording.task import Task

__all__ = ["Compiled"]

_UNROLLED = 4
_FEW_TENSORS = 2
"""Models of so few tensors have several steps in a function: the compilation grows with both."""

_OPTIONS: dict[str, Any] = {
    "fallback_random": True,  # Dropout then draws what it draws without compilation
    "cpp.threads": 1,  # on two busy cores, waiting for one another made steps 17 times as slow
    "compile_threads": 1,  # in this process: no pool of workers is left behind
}

Samples = tuple[Tensor, Tensor]


class Compiled:
    """Some steps of a run as one compiled function, after its first step has run eagerly.

    rows: how many steps a call makes. told: for `meta`.
    """

    def __init__(self, task: Task, log: Rows, even: bool) -> None:
        """Prepare; nothing is compiled before the first call.

        even: whether all batches are of one size.
        """
        self._task, self._log = task, log
        params = list(task.model.parameters())
        one = not even or any(True for _ in task.model.buffers())
        self.rows = 1 if one or len(params) > _FEW_TENSORS else _UNROLLED
        made = max(task.steps - 1, 0) // self.rows * self.rows
        self.told = f"{made} of {task.steps} steps, {self.rows} a call"
        self._params = [p for p in params if p.grad is not None]
        self._started = False
        self._buffers = log.block(self.rows)
        self._given = [at for at, p in enumerate(params) if p.grad is not None]
        self._step = torch.compile(
            _fresh(self._steps()), fullgraph=True, dynamic=False, options=_OPTIONS
        )

    def __call__(self, samples: Sequence[Samples], every: int, first: int) -> None:
        """Make steps over these samples and write the rows that are due; `first` is the number
        of the first of them. Raises RecordingError where they cannot be compiled.
        """
        from torch._dynamo import config

        for param in self._params:
            if param.grad is None:
                param.grad = torch.zeros_like(param)
        try:
            with config.patch(trace_autograd_ops=True, recompile_limit=4), self._quiet():
                self._step(samples)
        except (RenderError, torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as exc:  # of torch's compiler, of g++, of a model that changes as it runs
            raise RecordingError(
                f"record: {type(self._task.model).__name__} cannot be compiled "
                f"({first_line(getattr(exc, 'inner_exception', exc))}); leave compile=True out"
            ) from exc
        self._log.extend([buffer[-first % every :: every] for buffer in self._buffers])

    def _quiet(self) -> AbstractContextManager[object]:
        """Return what hides the warnings of torch's compiler about itself, in the first call."""
        if self._started:
            return nullcontext()
        self._started = True
        return warnings.catch_warnings(action="ignore")

    def _steps(self) -> Callable[[Sequence[Samples]], None]:
        """Return the steps as plain torch: what `_run` does for each, on buffers of its own."""
        model, loss_of, optimizer = self._task.model, self._task.loss, self._task.optimizer
        update = inspect.unwrap(type(optimizer).step)  # without hooks and profiling around it
        every, params = list(model.parameters()), self._params
        count, clip = len(every), clipping(self._task)
        kept, losses = self._buffers[:count], self._buffers[-1]
        grads = [self._buffers[count + at] for at in self._given]

        def steps(samples: Sequence[Samples]) -> None:
            for row, (x, y) in enumerate(samples):
                loss = loss_of(model(x), y)
                gradients = torch.autograd.grad(loss, params)
                with torch.no_grad():
                    losses[row] = loss.detach()
                    for buffer, param in zip(kept, every, strict=True):
                        buffer[row] = param
                    for buffer, param, value in zip(grads, params, gradients, strict=True):
                        buffer[row] = value
                        param.grad.copy_(value)  # type: ignore[union-attr]  # made above
                    clip()
                    update(optimizer)

        return steps


def _fresh(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with code of its own: what is compiled is kept with the code."""
    assert isinstance(function, types.FunctionType)
    function.__code__ = function.__code__.replace()
    return function
