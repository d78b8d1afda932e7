"""Networks: layers of neurons with seeded weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from render.errors import InputError
from render.problem.checks import check_dtype, check_whole
from render.problem.shown import shown

__all__ = ["MLP"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}


_OWN_STREAM = 0x9E3779B9
"""Flips bits of the seed: data of the same seed would else be the very numbers of the weights."""


class MLP(nn.Module):
    """A multilayer perceptron: linear layers with an activation between them.

    widths: the number of features, of neurons in each hidden layer, and of outputs, such as
    (2, 16, 16, 1). activation: elu, gelu, relu, sigmoid, silu, softplus or tanh. The weights and
    biases are uniform on +-1/sqrt(inputs of the layer), torch's own default, drawn from `seed`
    without touching torch's global generator.

    Takes x of shape (n, widths[0]), or (n,) for one feature; gives (n, widths[-1]), or (n,) for
    one output, as `losses.mse` and `losses.nll` want it. Raises InputError for other arguments.
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: str = "tanh",
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        sizes = list(widths) if isinstance(widths, Sequence) else []
        if len(sizes) < 2:
            raise InputError(
                f"MLP: widths is {shown(widths)}; give at least the number of features and of "
                "outputs, such as (2, 16, 1)"
            )
        sizes = [check_whole("MLP", "a width", size, least=1) for size in sizes]
        if not isinstance(activation, str) or activation not in _ACTIVATIONS:
            raise InputError(
                f"MLP: activation is {shown(activation)}; choose {', '.join(_ACTIVATIONS)}"
            )
        seed = check_whole("MLP", "seed", seed, least=0)
        check_dtype("MLP", dtype)
        layers: list[nn.Module] = []
        generator = torch.Generator().manual_seed(seed ^ _OWN_STREAM)
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [_linear(inputs, outputs, generator, dtype), _ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers[:-1])
        self.widths = tuple(sizes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs at x: (n,) for one output, else (n, outputs)."""
        features = x.unsqueeze(-1) if x.ndim == 1 else x
        if features.ndim != 2 or features.shape[1] != self.widths[0]:
            raise InputError(
                f"MLP takes x of shape (n, {self.widths[0]}), not {tuple(x.shape)}; its first "
                "width is the number of features"
            )
        outputs: Tensor = self.layers(features)
        return outputs.squeeze(-1) if self.widths[-1] == 1 else outputs


def _linear(inputs: int, outputs: int, generator: torch.Generator, dtype: torch.dtype) -> nn.Module:
    with torch.device("meta"):  # so that nothing is drawn from the global generator
        layer = nn.Linear(inputs, outputs, dtype=dtype)
    limit = 1 / math.sqrt(inputs)
    try:
        for name, values in list(layer.named_parameters()):
            drawn = torch.rand(values.shape, generator=generator, dtype=torch.float32, device="cpu")
            setattr(layer, name, nn.Parameter(((2 * drawn - 1) * limit).to(dtype)))
    except RuntimeError as exc:
        raise InputError(
            f"MLP: a layer of {inputs:,} x {outputs:,} weights does not fit into memory; give "
            "smaller widths"
        ) from exc
    return layer
