"""Eigenvalues, eigenvectors and singular values of tensors of matrices, with derivatives of any order.

Sources of the rules: M. B. Giles, An extended collection of matrix derivative results for forward and reverse mode
automatic differentiation (Oxford NA-08/01, 2008), 3.1 and 3.2; C. Boeddeker et al., On the computation of
complex-valued gradients with application to statistically optimum beamforming (arXiv:1701.00392, 2017), for normalized
eigenvectors; Z.-Q. Wan and S.-X. Zhang, Automatic differentiation for complex valued SVD (arXiv:1909.02659, 2019).

Vectors of equal values have no derivative: a loss that depends on them has the gradient nan or inf, as in PyTorch. One
that depends on the values alone has the gradient of the basis that LAPACK gives.
A complex vector is given but for its phase: a loss that depends on the phase has no gradient (RuntimeError).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from gradcli.autograd.complex_ops import conj, imag, real
from gradcli.autograd.linalg_factors import with_complement
from gradcli.autograd.linalg_matrices import (  # fmt: skip
    adjoint,
    as_columns,
    as_rows,
    check_invariant,
    constant,
    decomposition,
    diagonal,
    from_triangle,
    hermitian_part,
    idle,
    matrices,
    on_diagonal,
    quotient,
    square,
    times,
    values,
)
from gradcli.autograd.linalg_systems import solve_matrices
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, Array, Shape
from gradcli.errors import BadValue

_PHASE = "the loss depends on the phase of complex {}, which LAPACK chooses"


class Eig(NamedTuple):
    """Eigenvalues, and the eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """Left singular vectors as columns, singular values, and right singular vectors as conjugated rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _off_diagonal(x: Tensor, gaps: Tensor) -> Tensor:
    """The elements over the gaps between the values of their row and column, and 0 on the diagonal."""
    return quotient(x * constant(1.0 - np.eye(x.shape[-1]), x), gaps)


def _gaps(w: Tensor) -> Tensor:
    """w_j - w_i in row i and column j."""
    return as_rows(w) - as_columns(w)


# Hermitian matrices.


def eigh(a: Any, UPLO: str = "L") -> Eig:
    """The eigenvalues in ascending order and the eigenvectors of each real symmetric or Hermitian matrix.

    ``a``: shape (..., n, n); the values are of shape (..., n), real and in the unit of ``a``, the vectors of shape
    (..., n, n) and norm 1. As in NumPy only the lower triangle of ``a`` is read, or the upper one with ``UPLO`` "U":
    the gradient is 0 in the other one. Equal values and phases: see the head of this file.
    The cotangent of A is V (diag(gw) + (V^H gV) / (w_j - w_i)) V^H (Giles 2008, 3.1).

    >>> a = tensor([[2.0, 1.0], [1.0, 2.0]])
    >>> w, v = np.linalg.eigh(a)
    >>> np.round(w, 12).tolist(), np.round(grad(w[1], a)[0], 12).tolist()
    ([1.0, 3.0], [[0.5, 0.0], [1.0, 0.5]])
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise BadValue(f"np.linalg.eigh: UPLO is 'L' or 'U', not {UPLO!r}")
    triangle: Literal["L", "U"] = "L" if UPLO in "Ll" else "U"
    a = square(a, "eigh")
    n = a.shape[-1]

    def compute(a: Array) -> list[Array]:
        w, v = np.linalg.eigh(a, triangle)
        return [w, v]

    def rule(g: list[Tensor], y: list[Tensor], a: Tensor) -> Tensor:
        gw, gv, w, v = real(g[0]), g[1], real(y[0]), y[1]
        if idle(gv):
            return hermitian_part(times(v * as_rows(gw), adjoint(v)))
        inner = times(adjoint(v), gv)
        if a.dtype is C128:
            check_invariant(imag(diagonal(inner)), gv, _PHASE.format("eigenvectors"))
        return hermitian_part(times(v, _off_diagonal(inner, _gaps(w)) + on_diagonal(gw), adjoint(v)))

    w, v = decomposition("eigh", compute, rule, from_triangle(a, triangle), [(n,), (n, n)])
    return Eig(real(w), v)


def eigvalsh(a: Any, UPLO: str = "L") -> Tensor:
    """The eigenvalues of each real symmetric or Hermitian matrix in ascending order, as by `eigh`.

    >>> np.linalg.eigvalsh(tensor([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0, 2.0]
    """
    return eigh(a, UPLO).eigenvalues


# Any square matrices.


def eig(a: Any) -> Eig:
    """The eigenvalues and eigenvectors of each square matrix, in LAPACK's order.

    ``a``: shape (..., n, n); the values are of shape (..., n) and in the unit of ``a``, the vectors of shape
    (..., n, n) and norm 1. Both are real if ``a`` is and all eigenvalues of all matrices are, else complex. Equal
    values and phases: see the head of this file. A matrix without n independent eigenvectors has no gradient: BadMatrix
    (a ValueError and a LinAlgError), but for rounding.
    The cotangent of A is V^-H (diag(gw) + K / conj(w_j - w_i)) V^H with K = V^H gV - V^H V Re diag(V^H gV)
    (Boeddeker et al. 2017).

    >>> a = tensor([[2.0, 1.0], [0.0, 3.0]])
    >>> w, v = np.linalg.eig(a)
    >>> w.tolist(), np.round(grad(w[0], a)[0], 12).tolist()
    ([2.0, 3.0], [[1.0, 0.0], [-1.0, 0.0]])
    """
    a = square(a, "eig")
    n = a.shape[-1]

    def compute(a: Array) -> list[Array]:
        w, v = np.linalg.eig(a)
        return [w.astype(C128), v.astype(C128)]

    def rule(g: list[Tensor], y: list[Tensor], a: Tensor) -> Tensor:
        (gw, gv), (w, v) = g, y
        vh = adjoint(v)
        inner = times(vh, gv)
        check_invariant(imag(diagonal(inner)), gv, _PHASE.format("eigenvectors"))
        turned = inner - times(vh, v) * as_rows(real(diagonal(inner)))
        full = solve_matrices(vh, times(_off_diagonal(turned, conj(_gaps(w))) + on_diagonal(gw), vh))
        return full if a.dtype is C128 else real(full)

    w, v = decomposition("eig", compute, rule, a, [(n,), (n, n)], C128)
    if a.dtype is not C128 and not np.any(values(w).imag):
        w, v = real(w), real(v)
    return Eig(w, v)


def eigvals(a: Any) -> Tensor:
    """The eigenvalues of each square matrix, as by `eig`.

    >>> np.linalg.eigvals(tensor([[0.0, -1.0], [1.0, 0.0]])).tolist()
    [1j, -1j]
    """
    return eig(a).eigenvalues


# Singular values.


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition A = U diag(S) Vh of each matrix; S alone unless ``compute_uv``.

    ``a``: shape (..., m, n). With k = min(m, n): S is of shape (..., k), in descending order and in the unit of ``a``,
    U of (..., m, m) and Vh of (..., n, n), or of (..., m, k) and (..., k, n) unless ``full_matrices``. The columns
    added for full matrices are any basis of what is orthogonal to the others: a loss that depends on the choice has no
    gradient (RuntimeError). ``hermitian``: read the lower triangle of a Hermitian ``a`` alone. Equal values and phases:
    see the head of this file; vectors of the value 0 have no derivative either.
    For the rule see Giles 2008, 3.2, and Wan and Zhang 2019.

    >>> a = tensor([[3.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> u, s, vh = np.linalg.svd(a, full_matrices=False)
    >>> s.tolist(), u.shape, np.round(grad(s[0], a)[0], 12).tolist()
    ([3.0, 2.0], (3, 2), [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    """
    a = from_triangle(square(a, "svd")) if hermitian else matrices(a, "svd")
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    shapes: list[Shape] = [(rows, k), (k,), (k, columns)]
    if not compute_uv or not full_matrices or rows == columns:
        u, s, vh = decomposition("svd", _reduced, _pull_svd, a, shapes)
        return SVD(u, real(s), vh) if compute_uv else real(s)
    u, s, vh, added_u, added_vh = decomposition(
        "svd", _full, _pull_svd, a, [*shapes, (rows, rows - k), (columns - k, columns)]
    )
    if rows > columns:
        u = with_complement(u, added_u)
    else:
        vh = adjoint(with_complement(adjoint(vh), adjoint(added_vh)))
    return SVD(u, real(s), vh)


def svdvals(x: Any) -> Tensor:
    """The singular values of each matrix in descending order, as by `svd`."""
    s: Tensor = svd(x, compute_uv=False)
    return s


def _reduced(a: Array) -> list[Array]:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return [u, s, vh]


def _full(a: Array) -> list[Array]:
    """The reduced decomposition, and what full matrices add to U and Vh."""
    u, s, vh = np.linalg.svd(a)
    k = s.shape[-1]
    return [u[..., :k], s, vh[..., :k, :], u[..., k:], vh[..., k:, :]]


def _pull_svd(g: list[Tensor], y: list[Tensor], a: Tensor) -> Tensor:
    gu, gs, gvh = g[0], real(g[1]), g[2]
    u, s, vh = y[0], real(y[1]), y[2]
    if idle(gu, gvh):
        return times(u * as_rows(gs), vh)
    uh, v, gv = adjoint(u), adjoint(vh), adjoint(gvh)
    left, right = times(uh, gu), times(vh, gv)
    gaps = _gaps(s) * (as_rows(s) + as_columns(s))
    inner = _off_diagonal(left - adjoint(left), gaps) * as_rows(s)
    inner = inner + as_columns(s) * _off_diagonal(right - adjoint(right), gaps) + on_diagonal(gs)
    if a.dtype is C128:
        turn_u, turn_v = imag(diagonal(left)), imag(diagonal(right))
        scale = np.maximum(np.max(np.abs(values(gu)), initial=0), np.max(np.abs(values(gv)), initial=0))
        check_invariant(turn_u + turn_v, constant(scale, s), _PHASE.format("singular vectors"))
        inner = inner + on_diagonal(quotient(turn_u - turn_v, 2 * s) * 1j)
    full = times(u, inner, vh)
    if a.shape[-2] > s.shape[-1]:
        full = full + times(quotient(gu - times(u, left), as_rows(s)), vh)
    if a.shape[-1] > s.shape[-1]:
        full = full + times(u, adjoint(quotient(gv - times(v, right), as_rows(s))))
    return full
