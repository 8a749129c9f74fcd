"""Products of several matrices, powers and traces: combinations of the matrix product and the inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd.linalg_matrices import matrices, operation, square, times
from gradcli.autograd.linalg_systems import inv
from gradcli.autograd.shape_ops import expand_dims, getitem, number, reshape, sum_
from gradcli.autograd.tensor import Tensor
from gradcli.errors import BadType, BadValue


def matrix_power(a: Any, n: int) -> Tensor:
    """The product of n copies of each square matrix, of its inverse for negative n, and the identity for n = 0.

    ``a``: shape (..., n, n), as the result. Raises TypeError for an n that is no integer and BadMatrix (a ValueError
    and a LinAlgError) for a negative power of a singular matrix. Computed by repeated squaring, from which the
    derivatives follow.

    >>> np.linalg.matrix_power(tensor([[1.0, 1.0], [0.0, 1.0]], requires_grad=False), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    a = square(a, "matrix_power")
    if not isinstance(n, (int, np.integer)):
        raise BadType(f"np.linalg.matrix_power: the exponent is an integer, not {n!r}")
    if n == 0:
        same = lambda x: np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)  # noqa: E731
        return operation("matrix_power", same, lambda k, g, y, x: None, (a,), a.shape, a.dtype)
    base, left = (a, int(n)) if n > 0 else (inv(a), -int(n))
    result: Tensor | None = None
    while left:
        if left % 2:
            result = base if result is None else times(result, base)
        left //= 2
        if left:
            base = times(base, base)
    assert result is not None
    return result


def multi_dot(arrays: Any) -> Tensor:
    """The product of several matrices in the order that takes the fewest multiplications.

    ``arrays``: at least two matrices; the first and the last may be vectors, as for np.linalg.multi_dot. The order is
    found by dynamic programming (Cormen et al., Introduction to Algorithms, Matrix-chain multiplication).

    >>> np.linalg.multi_dot([tensor([1.0, 2.0]), np.eye(2), np.array([3.0, 4.0])]).item()
    11.0
    """
    factors = [number(a) for a in arrays]
    if len(factors) < 2:
        raise BadValue("np.linalg.multi_dot takes at least two matrices")
    row, column = factors[0].ndim == 1, factors[-1].ndim == 1
    if row:
        factors[0] = expand_dims(factors[0], 0)
    if column:
        factors[-1] = expand_dims(factors[-1], 1)
    for factor in factors:
        if factor.ndim != 2:
            raise BadValue(f"np.linalg.multi_dot is of matrices of two axes, not of shape {factor.shape}")
    product = _chained(factors)
    return reshape(product, (*product.shape[: not row], *product.shape[1 : 2 - column]))


def _chained(factors: list[Tensor]) -> Tensor:
    count = len(factors)
    lengths = [f.shape[0] for f in factors] + [factors[-1].shape[1]]
    cost = {(k, k): 0 for k in range(count)}
    cut: dict[tuple[int, int], int] = {}
    done: dict[tuple[int, int], Tensor] = {(k, k): f for k, f in enumerate(factors)}
    for span in range(1, count):
        for start in range(count - span):
            end = start + span
            costs = {
                k: cost[start, k] + cost[k + 1, end] + lengths[start] * lengths[k + 1] * lengths[end + 1]
                for k in range(start, end)
            }
            cut[start, end] = min(costs, key=costs.__getitem__)
            cost[start, end] = costs[cut[start, end]]
    stack = [(0, count - 1)]
    while stack:
        start, end = stack[-1]
        k = cut[start, end]
        parts = [(start, k), (k + 1, end)]
        missing = [part for part in parts if part not in done]
        if missing:
            stack.extend(missing)
        else:
            done[stack.pop()] = times(done[parts[0]], done[parts[1]])
    return done[0, count - 1]


def trace(x: Any, offset: int = 0) -> Tensor:
    """The sum of the diagonal of each matrix, the ``offset``-th above the main one: np.linalg.trace of NumPy 2."""
    return sum_(diagonals(x, offset), -1)


def diagonals(x: Any, offset: int = 0) -> Tensor:
    """The diagonal of each matrix, the ``offset``-th above the main one: np.linalg.diagonal of NumPy 2."""
    x = matrices(x, "diagonal")
    rows, columns = np.arange(x.shape[-2]), np.arange(x.shape[-2]) + offset
    inside = (columns >= 0) & (columns < x.shape[-1])
    return getitem(x, (..., rows[inside], columns[inside]))
