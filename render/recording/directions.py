"""Directions in the space of parameters that span a plane worth looking at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from render.errors import InputError

__all__ = ["filter_normalised", "principal"]

Array = npt.NDArray[Any]
Layout = Sequence[tuple[str, tuple[int, ...]]]

_MOST_ROWS = 1000


def principal(params: Array) -> tuple[Array, tuple[float, float]]:
    """Return the first two principal directions, (2, P), and their shares of the variance.

    params: (T, P), all finite, centred here on their mean; beyond 1,000 rows, 1,000 of them
    evenly spaced. The directions are orthonormal, with the largest component positive. Raises
    InputError where the rows do not span a plane.
    """
    if len(params) > _MOST_ROWS:
        params = params[np.linspace(0, len(params) - 1, _MOST_ROWS).round().astype(int)]
    centred = params.astype(np.float64)
    centred -= centred.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    total = float((values**2).sum())
    if len(values) < 2 or not values[1] > 1e-12 * values[0]:
        raise InputError(
            "landscape: the run's steps lie on a line, so their principal directions span no "
            "plane; record more steps, or choose plane='random' or two parameters"
        )
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[[0, 1], largest])[:, None]
    first, second = values[:2] ** 2 / total
    return directions, (float(first), float(second))


def filter_normalised(params: Array, layout: Layout, seed: int) -> Array:
    """Return two random directions, (2, P), each filter scaled to the norm of its weights.

    Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, arXiv:1712.09913, Section 4:
    d_ij <- d_ij / |d_ij| * |theta_ij| for filter j of layer i, where a filter makes one output
    channel of a convolution, or one neuron of a linear layer. As in the authors' program, biases
    and batch normalisation (tensors of fewer than two axes) do not move. Raises InputError for a
    model that has nothing else.
    """
    generator = np.random.default_rng(seed)
    directions = np.zeros((2, len(params)))
    start, moved = 0, False
    for _, shape in layout:
        columns = slice(start, start + math.prod(shape))
        start = columns.stop
        if len(shape) < 2:
            continue
        weights = params[columns].astype(np.float64).reshape(shape[0], math.prod(shape[1:]))
        for direction in directions:
            drawn = generator.standard_normal(weights.shape)
            norms = np.linalg.norm(drawn, axis=1, keepdims=True)
            wanted = np.linalg.norm(weights, axis=1, keepdims=True)
            direction[columns] = (drawn / norms * wanted).reshape(-1)
        moved = moved or bool(weights.any())
    if not moved:
        raise InputError(
            "landscape: the model has no filters, only scalars, biases or zeros, which random "
            "directions leave alone; choose plane='pca' or two parameters, such as "
            "plane=('slope', 'intercept')"
        )
    return directions
