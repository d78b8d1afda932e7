"""Losses with a term of the parameters themselves, such as the lasso's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from render.errors import InputError
from render.problem.shown import shown

__all__ = ["Penalised", "penalised"]

_CARRIED = "_render_penalty"


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalised:
    """A loss of (prediction, target), plus a penalty of the model that made the prediction.

    A loss sees no parameters, so a prediction carries its penalty: `bind` has the model add it.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    penalty: Callable[[Any], Tensor]

    @property
    def __name__(self) -> str:
        """The loss's name."""
        return f"{getattr(self.loss, '__name__', type(self.loss).__name__)} + penalty"

    @property
    def __wrapped__(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The loss without the penalty."""
        return self.loss

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return loss and penalty. Raises InputError for what no bound model has returned."""
        penalty: Tensor | None = getattr(prediction, _CARRIED, None)
        if penalty is None:
            raise InputError(
                f"{self.__name__}: the prediction is not what the model returned, so its penalty "
                "is unknown; give losses.penalised(loss, penalty) itself as loss=, and put what "
                "changes the prediction into the inner loss"
            )
        return self.loss(prediction, target) + penalty

    def bind(self, model: nn.Module) -> None:
        """Have each prediction of the model, and of its copies, carry its penalty."""
        model.register_forward_hook(self._carry)

    def _carry(self, model: nn.Module, _: object, prediction: object) -> None:
        if isinstance(prediction, Tensor):
            setattr(prediction, _CARRIED, self.penalty(model))


def penalised(
    loss: Callable[[Tensor, Tensor], Tensor], penalty: Callable[[Any], Tensor]
) -> Penalised:
    """Return `loss` plus a penalty of the parameters, as `record`, `sweep` and `attach` take it.

    penalty: a callable (model) -> scalar. It is given the model with the parameters of the step
    or point that is evaluated, such as `lambda model: 0.1 * model.slope.abs()`; a loss that holds
    a model of its own sees parameters that never move. It is part of `run.loss`, but not of the
    metric "val_loss", which tells how well a model predicts.
    Raises InputError for what is no callable.
    """
    for name, given in (("loss", loss), ("penalty", penalty)):
        if not callable(given) or isinstance(given, type):
            raise InputError(
                f"penalised: {name} is {shown(given)}; give losses.penalised(loss, penalty), such "
                "as losses.penalised(losses.mse, lambda model: model.slope.abs())"
            )
    return Penalised(loss=loss, penalty=penalty)
