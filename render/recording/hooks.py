"""What was added to an optimizer or a model: only a plain training loop runs all of it."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.module import (
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_forward_hooks,
    _global_forward_pre_hooks,
)
from torch.optim.optimizer import (
    Optimizer,
    _global_optimizer_post_hooks,
    _global_optimizer_pre_hooks,
)

__all__ = ["gradient_hooks", "module_hooks", "step_is_altered"]


def step_is_altered(optimizer: Optimizer) -> bool:
    """Say whether a step does something else than its class does: hooks, or a method replaced.

    A scheduler's wrapper around `step`, which counts calls, alters nothing.
    """
    kind = type(optimizer)
    replaced = {
        name for name, value in vars(optimizer).items() if callable(value) and hasattr(kind, name)
    }
    step = vars(optimizer).get("step")
    counted = hasattr(step, "_wrapped_by_lr_sched")
    if counted and getattr(step, "__wrapped__", None) is kind.step:
        replaced.remove("step")
    return bool(
        replaced
        or _global_optimizer_pre_hooks
        or _global_optimizer_post_hooks
        or optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
    )


def gradient_hooks(model: nn.Module) -> bool:
    """Say whether backward calls something of a user's: on a parameter, or on a module."""
    if _global_backward_hooks or _global_backward_pre_hooks:
        return True
    return any(
        p._backward_hooks or p._post_accumulate_grad_hooks for p in model.parameters()
    ) or any(module._backward_hooks or module._backward_pre_hooks for module in model.modules())


def module_hooks(model: nn.Module) -> bool:
    """Say whether the model's forward calls something of a user's."""
    if _global_forward_hooks or _global_forward_pre_hooks:
        return True
    return any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
