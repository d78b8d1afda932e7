"""Directions in the space of parameters that span a plane worth looking at."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from render.errors import InputError

__all__ = ["filter_normalised", "principal"]

Array = npt.NDArray[Any]
Layout = Sequence[tuple[str, tuple[int, ...]]]

_MOST_ROWS = 1000
_MOST_NUMBERS = 2**22
"""Of more numbers a singular value decomposition takes too much memory."""

_NOISE = 4
"""Units of the last place by which rounding may turn a line away from itself."""


def principal(params: Array, rows: Array) -> tuple[Array, tuple[float, float]]:
    """Return the first two principal directions, (2, P), and their shares of the variance.

    params: (T, P), of which `rows`, all finite, are centred here on their mean; beyond 1,000 rows,
    1,000 of them evenly spaced. The directions are orthonormal, with the largest component
    positive. Raises InputError where the rows do not span a plane.
    """
    if len(rows) > _MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _MOST_ROWS).round().astype(int)]
    if len(rows) * params.shape[1] > _MOST_NUMBERS:
        values, total, directions = _one_by_one(params, rows)
    else:
        _, values, directions = np.linalg.svd(_centred(params, rows), full_matrices=False)
        total = float((values**2).sum())
    if len(values) < 2 or not values[1] > max(1e-12 * values[0], _rounding(params, rows)):
        raise InputError(
            "landscape: the run's steps lie on a line, so their principal directions span no "
            "plane; record more steps, or choose plane='random' or two parameters"
        )
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[[0, 1], largest])[:, None]
    first, second = values[:2] ** 2 / total
    return directions, (float(first), float(second))


def _rounding(params: Array, rows: Array) -> float:
    """Return the singular value that rounding gives rows which lie on a line."""
    ends = params[rows[[0, -1]]].astype(np.float64)
    size = np.linalg.norm(ends, axis=1).max() * math.sqrt(len(rows))
    return float(_NOISE * np.finfo(params.dtype).eps * size)


def _one_by_one(params: Array, rows: Array) -> tuple[Array, float, Array]:
    """Return two singular values, the sum of the squares of all, and the two directions.

    Of many columns a block at a time goes into the Gram matrix, whose first eigenvector combines
    the rows to a direction. The second comes from what is left off the first: so its square is
    not lost beside that of the first.
    """
    values, total = np.zeros(2), 0.0
    directions, along = np.zeros((2, params.shape[1])), np.zeros((2, len(rows)))
    for k in range(2):
        gram = np.zeros((len(rows), len(rows)))
        for columns, block in _blocks(params, rows):
            block -= along[:k].T @ directions[:k, columns]
            gram += block @ block.T
        total = total or float(np.trace(gram))
        weights = np.linalg.eigh(gram)[1][:, -1]
        for columns, block in _blocks(params, rows):
            directions[k, columns] = weights @ block
        for _ in range(2):  # once more, for what rounding left of the first direction
            directions[k] /= np.linalg.norm(directions[k]) or 1.0
            directions[k] -= (directions[:k] @ directions[k]) @ directions[:k]
        directions[k] /= np.linalg.norm(directions[k]) or 1.0
        for columns, block in _blocks(params, rows):
            along[k] += block @ directions[k, columns]
        values[k] = np.linalg.norm(along[k])
    return values, total, directions


def _blocks(params: Array, rows: Array) -> Iterator[tuple[slice, Array]]:
    """Yield columns and their centred numbers."""
    width = max(1, _MOST_NUMBERS // len(rows))
    for start in range(0, params.shape[1], width):
        columns = slice(start, start + width)
        yield columns, _centred(params[:, columns], rows)


def _centred(params: Array, rows: Array) -> Array:
    values: Array = params[rows].astype(np.float64)
    values -= values.mean(axis=0)
    return values


def filter_normalised(
    params: Array,
    layout: Layout,
    seed: int,
    transposed: Mapping[str, int] | None = None,
    still: Collection[str] = (),
) -> Array:
    """Return two random directions, (2, P), each filter scaled to the norm of its weights.

    transposed: the groups of each tensor whose filters lie along its second axis, as those of a
    transposed convolution do. still: tensors that do not move, such as frozen ones and whole
    numbers.

    Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, arXiv:1712.09913, Section 4:
    d_ij <- d_ij / |d_ij| * |theta_ij| for filter j of layer i, where a filter makes one output
    channel of a convolution, or one neuron of a linear layer. As in the authors' program, biases
    and batch normalisation (tensors of fewer than two axes) do not move. Raises InputError for a
    model that has nothing else, and where the two directions are parallel.
    """
    generator = np.random.default_rng(seed)
    directions = np.zeros((2, len(params)))
    start, moved = 0, False
    for name, shape in layout:
        columns = np.arange(start, start + math.prod(shape))
        start += columns.size
        if len(shape) < 2 or not columns.size or name in still:
            continue
        filters = _filters(columns, shape, (transposed or {}).get(name))
        weights = params[filters].astype(np.float64)
        for direction in directions:
            drawn = generator.standard_normal(weights.shape)
            norms = np.linalg.norm(drawn, axis=1, keepdims=True)
            wanted = np.linalg.norm(weights, axis=1, keepdims=True)
            direction[filters] = drawn / norms * wanted
        moved = moved or bool(weights.any())
    if not moved:
        raise InputError(
            "landscape: the model has no filters that learn, only scalars, biases or zeros, which "
            "random directions leave alone; choose plane='pca' or two parameters, such as "
            "plane=('slope', 'intercept')"
        )
    (first, both), (_, second) = directions @ directions.T
    if not both**2 < (1 - 1e-9) * first * second:
        raise InputError(
            f"landscape: the random directions of seed {seed} are parallel: filters of one weight "
            "can only grow or shrink; choose another seed, plane='pca' or two parameters"
        )
    return directions


def _filters(columns: Array, shape: tuple[int, ...], groups: int | None) -> Array:
    """Return the columns of each filter, a row for each."""
    if groups is None:
        return columns.reshape(shape[0], -1)
    split = columns.reshape(groups, shape[0] // groups, shape[1], -1)  # (…, inputs, outputs, …)
    return split.swapaxes(1, 2).reshape(groups * shape[1], -1)
