"""Pseudoinverses and least squares of tensors of matrices, real and complex, with derivatives of any order.

Source of the rules: G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate (SIAM J. Numer. Anal. 10, 1973, 413-432), with adjoints in place of transposes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.autograd.complex_ops import conj, real
from gradcli.autograd.linalg_matrices import (
    adjoint,
    computed,
    from_triangle,
    matrices,
    operation,
    square,
    times,
    values,
)
from gradcli.autograd.linalg_spectra import svdvals
from gradcli.autograd.operations import lift
from gradcli.autograd.shape_ops import expand_dims, getitem, number, one_dtype, squeeze, sum_
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Array
from gradcli.errors import BadValue


class Lstsq(NamedTuple):
    """The solution, the squared residuals, the rank and the singular values of a least-squares problem."""

    x: Tensor
    residuals: Tensor
    rank: int
    s: Tensor


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose pseudoinverse of each matrix; units are the reciprocals of those of ``a``.

    ``a``: shape (..., m, n), the result (..., n, m). ``rcond``, or ``rtol``: singular values up to this multiple of the
    greatest count as 0. ``hermitian``: read the lower triangle of a Hermitian ``a`` alone. The derivative is that among
    matrices of the same rank (Golub and Pereyra 1973): others are no limit of it.

    >>> np.linalg.pinv(tensor([[2.0, 0.0]])).tolist()
    [[0.5], [0.0]]
    """
    a = from_triangle(square(a, "pinv")) if hermitian else matrices(a, "pinv")
    small = rtol if rcond is None else rcond
    options = {} if small is None else {"rcond": values(lift(small))}

    def compute(a: Array) -> Any:
        return np.linalg.pinv(a, hermitian=hermitian, **options)

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor) -> Tensor:
        return pulled_through_pinv(g, y, a)

    return operation("pinv", compute, rule, (a,), (*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)


def pulled_through_pinv(g: Tensor, p: Tensor, a: Tensor) -> Tensor:
    """The cotangent of A, given that of its pseudoinverse P: the adjoint of

    dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P.
    """
    ph, gh = adjoint(p), adjoint(g)
    outside, inside = times(p, ph), times(ph, p)
    left = times(gh, outside)
    right = times(inside, gh)
    return left - times(a, p, left) + right - times(right, p, a) - times(ph, g, ph)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Lstsq:
    """The x of least norm among those for which the norm of b - a @ x is least.

    ``a``: shape (m, n). ``b``: shape (m,) or (m, k). ``x`` is of shape (n,) or (n, k), in units of ``b`` over those of
    ``a``. ``residuals`` are the squared norms for each column of ``b``, none if the rank is below n or m <= n; ``rank``
    counts the singular values ``s`` of ``a`` above ``rcond`` times the greatest (default: max(m, n) times the machine
    epsilon). As x = A^+ b the derivatives are those of `pinv`: among matrices of the same rank.

    >>> a, b = tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), tensor([1.0, 3.0, 5.0])
    >>> x, residuals, rank, s = np.linalg.lstsq(a, b)
    >>> np.round(x, 12).tolist(), rank, np.round(grad(x[0], b)[0], 3).tolist()
    ([1.0, 2.0], 2, [0.833, 0.333, -0.167])
    """
    a, b = one_dtype([number(a), number(b)])
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise BadValue(f"np.linalg.lstsq: shapes {a.shape} and {b.shape} do not fit")
    columns = expand_dims(b, 1) if b.ndim == 1 else b
    small = max(a.shape) * np.finfo(a.dtype).eps if rcond is None else float(rcond)
    answer, _, rank, _ = computed("lstsq", np.linalg.lstsq)(values(a), values(columns), small)

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        p = pinv(a, max(small, 0.0))
        return times(adjoint(p), g) if k == 1 else pulled_through_pinv(times(g, adjoint(b)), p, a)

    x = operation("lstsq", lambda a, b: answer, rule, (a, columns), answer.shape, a.dtype)
    difference = columns - times(a, x)
    residuals = sum_(real(difference * conj(difference)), 0)
    if rank < a.shape[1] or a.shape[0] <= a.shape[1]:
        residuals = getitem(residuals, slice(0, 0))
    return Lstsq(squeeze(x, 1) if b.ndim == 1 else x, residuals, int(rank), svdvals(a))
