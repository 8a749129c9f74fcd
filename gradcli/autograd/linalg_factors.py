"""Cholesky and QR factors of tensors of matrices, real and complex, with derivatives of any order.

Sources of the rules: I. Murray, Differentiation of the Cholesky decomposition (arXiv:1602.07527, 2016); S. F. Walter
and L. Lehmann, Algorithmic differentiation of linear algebra functions with application in optimum experimental design
(arXiv:1001.1654, 2010), with adjoints in place of transposes for complex matrices.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from gradcli.autograd.linalg_matrices import (  # fmt: skip
    adjoint,
    check_invariant,
    constant,
    decomposition,
    from_triangle,
    hermitian_part,
    matrices,
    operation,
    square,
    times,
    values,
)
from gradcli.autograd.linalg_systems import solve_matrices
from gradcli.autograd.shape_ops import concatenate
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Array
from gradcli.errors import BadValue


class QR(NamedTuple):
    """Q with orthonormal columns and the upper triangle R, with A = Q R."""

    Q: Tensor
    R: Tensor


def cholesky(a: Any, *, upper: bool = False) -> Tensor:
    """The lower triangle L with A = L L^H of each Hermitian positive definite matrix, or L^H with ``upper``.

    ``a``: shape (..., n, n), as the result, whose unit is the square root of that of ``a``. As in NumPy only the lower
    triangle of ``a`` is read (the upper one with ``upper``): the gradient is 0 in the other one, where PyTorch gives
    each the half. Raises BadMatrix (a ValueError and a LinAlgError) for a matrix that is not positive definite.
    The cotangent of A is L^-H P L^-1, where P is the lower triangle of L^H g with half of its diagonal (Murray 2016).

    >>> a = tensor([[4.0, 2.0], [2.0, 5.0]])
    >>> np.linalg.cholesky(a).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    a = square(a, "cholesky")
    if upper:
        return adjoint(cholesky(adjoint(a)))

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor) -> Tensor:
        half = times(adjoint(y), g) * constant(np.tri(a.shape[-1]) - 0.5 * np.eye(a.shape[-1]), a)
        left = solve_matrices(adjoint(y), half)
        return hermitian_part(adjoint(solve_matrices(adjoint(y), adjoint(left))))

    return operation("cholesky", np.linalg.cholesky, rule, (from_triangle(a),), a.shape, a.dtype)


# QR.


def qr(a: Any, mode: str = "reduced") -> Any:
    """The factors Q and R of each matrix; with ``mode`` "r" R alone.

    ``a``: shape (..., m, n). With k = min(m, n): Q is of shape (..., m, k) and R of (..., k, n); with ``mode``
    "complete" (..., m, m) and (..., m, n). Q has no unit, R that of ``a``. The first k columns must be independent:
    otherwise the gradient is BadMatrix (a ValueError and a LinAlgError). The added columns of a complete Q are any
    basis of what is orthogonal to the others: a loss that depends on the choice has no gradient (RuntimeError).
    The cotangent of A is (gQ + Q S) R^-H, where S is the lower triangle of R gR^H - gQ^H Q and its adjoint (Walter and
    Lehmann 2010).

    >>> a = tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> q, r = np.linalg.qr(a)
    >>> np.round(q @ r, 12).tolist()
    [[3.0, 1.0], [4.0, 2.0]]
    """
    if mode not in ("reduced", "complete", "r"):
        raise BadValue(f"np.linalg.qr of a tensor: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    a = matrices(a, "qr")
    rows, columns = a.shape[-2:]
    # The columns beyond the first m depend on Q alone: R = Q^H A.
    complete: Literal["complete", "reduced"] = "complete" if mode == "complete" else "reduced"
    q, r, *added = _tall(a[..., :rows] if columns > rows else a, complete)
    if columns > rows:
        r = concatenate([r, times(adjoint(q), a[..., rows:])], -1)
    if mode == "complete" and rows > columns:
        q = with_complement(q, added[0])
        r = concatenate([r, constant(np.zeros((*r.shape[:-2], rows - columns, columns)), r)], -2)
    return r if mode == "r" else QR(q, r)


def _tall(a: Tensor, mode: Literal["complete", "reduced"]) -> list[Tensor]:
    """Q and R of matrices with no more columns than rows, and the columns that complete Q, which have no gradient."""
    rows, columns = a.shape[-2:]

    def rule(g: list[Tensor], y: list[Tensor], a: Tensor) -> Tensor:
        gq, gr, q, r = *g[:2], *y[:2]
        half = (times(r, adjoint(gr)) - times(adjoint(gq), q)) * constant(np.tri(columns) - np.eye(columns) / 2, a)
        return adjoint(solve_matrices(r, adjoint(gq + times(q, half + adjoint(half)))))

    def compute(a: Array) -> list[Array]:
        q, r = np.linalg.qr(a, mode)
        return [q[..., :columns], r[..., :columns, :], q[..., columns:]]

    added = rows - columns if mode == "complete" else 0
    return decomposition("qr", compute, rule, a, [(rows, columns), (columns, columns), (rows, added)])


def with_complement(q: Tensor, added: Tensor) -> Tensor:
    """Orthonormal columns with those added that make a square matrix; of ``added`` the values are taken alone.

    The added columns P change with Q by dP = -Q dQ^H P, but for rotations among them, which LAPACK chooses.
    """
    array = values(added)

    def rule(which: int, g: Tensor, p: Tensor, q: Tensor) -> Tensor:
        turned = times(adjoint(p), g)
        check_invariant(turned - adjoint(turned), g, "the loss depends on which basis LAPACK added to a square matrix")
        return -times(p, adjoint(g), q)

    return concatenate([q, operation("qr", lambda _: array, rule, (q,), array.shape, q.dtype)], -1)
