"""Inverses, linear systems and determinants of tensors of matrices, real and complex, with derivatives of any order.

The rules are those of M. B. Giles, Collected matrix derivative results for forward and reverse mode algorithmic
differentiation (Lecture Notes in Computational Science and Engineering 64, 2008, 35-44), with adjoints in place of
transposes for complex matrices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.autograd import operations as graph
from gradcli.autograd.complex_ops import conj, imag, real
from gradcli.autograd.linalg_matrices import (  # fmt: skip
    BadMatrix,
    adjoint,
    as_columns,
    decomposition,
    operation,
    square,
    times,
    values,
)
from gradcli.autograd.operations import cast
from gradcli.autograd.reduction_ops import mean
from gradcli.autograd.shape_ops import (
    axis_of,
    expand_dims,
    number,
    one_dtype,
    reshape,
    squeeze,
    sum_,
    sum_to,
    swapped,
    transpose,
)
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, Array
from gradcli.errors import BadValue

_NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"


class Slogdet(NamedTuple):
    """The sign and the logarithm of the absolute value of determinants."""

    sign: Tensor
    logabsdet: Tensor


def inv(a: Any) -> Tensor:
    """The inverse of each square matrix; units are the reciprocals of those of ``a``.

    ``a``: shape (..., n, n), as the result. Raises BadMatrix (a ValueError and a LinAlgError) for a singular matrix.
    With Y = A^-1 the cotangent of A is -Y^H g Y^H (Giles 2008, 2.2.3).

    >>> np.linalg.inv(tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=False))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    a = square(a, "inv")

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor) -> Tensor:
        return -times(adjoint(y), g, adjoint(y))

    return operation("inv", np.linalg.inv, rule, (a,), a.shape, a.dtype)


def solve(a: Any, b: Any) -> Tensor:
    """The solution x of a @ x = b.

    ``a``: shape (..., n, n). ``b``: a vector of shape (n,) or matrices of shape (..., n, k), by the rule of the NumPy
    that is installed; the batches broadcast. Units are those of ``b`` over those of ``a``. Raises BadMatrix (a
    ValueError and a LinAlgError) for a singular matrix and ValueError for shapes that do not fit. The cotangent of B is
    G = A^-H g, that of A is -G X^H (Giles 2008, 2.3.1).

    >>> a, b = tensor([[2.0, 1.0], [0.0, 4.0]]), tensor([1.0, 2.0])
    >>> x = np.linalg.solve(a, b)
    >>> x.tolist(), grad(x.sum(), b)[0].tolist()
    ([0.25, 0.5], [0.5, 0.125])
    """
    a, b = one_dtype([square(a, "solve"), number(b)])
    if b.ndim == (max(a.ndim - 1, 1) if _NUMPY_1 else 1):
        return squeeze(solve_matrices(a, expand_dims(b, -1)), -1)
    return solve_matrices(a, b)


def solve_matrices(a: Tensor, b: Tensor) -> Tensor:
    """`solve` for tensors of matrices of one dtype."""
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise BadValue(f"np.linalg.solve: shapes {a.shape} and {b.shape} do not fit")
    # As many axes as a has, so that no NumPy takes b for vectors.
    b = reshape(b, (1,) * (a.ndim - b.ndim) + b.shape)

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        right = solve_matrices(adjoint(a), g)
        return sum_to(right if k == 1 else -times(right, adjoint(y)), (a, b)[k].shape)

    shape = (*graph.broadcast({a.shape[:-2], b.shape[:-2]}), *b.shape[-2:])
    return operation("solve", np.linalg.solve, rule, (a, b), shape, a.dtype)


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    """The solution x of tensordot(a, x, x.ndim) = b, as `solve` of the flattened tensors.

    ``a``: shape (*b.shape, *x.shape), once ``axes`` are moved to its end, with as many elements in x as in b.

    >>> a = tensor(2 * np.eye(4).reshape(2, 2, 4), requires_grad=False)
    >>> np.linalg.tensorsolve(a, np.ones((2, 2)))
    tensor([0.5, 0.5, 0.5, 0.5])
    """
    a, b = number(a), number(b)
    if axes is not None:
        moved = [axis_of(k, a.ndim) for k in (axes if isinstance(axes, (tuple, list)) else [axes])]
        a = transpose(a, [*[k for k in range(a.ndim) if k not in moved], *moved])
    shape = a.shape[b.ndim :]
    if int(np.prod(shape, dtype=int)) != b.size or a.size != b.size**2:
        raise BadValue(f"np.linalg.tensorsolve: shapes {a.shape} and {b.shape} do not fit")
    return reshape(solve(reshape(a, (b.size, b.size)), reshape(b, -1)), shape)


def tensorinv(a: Any, ind: int = 2) -> Tensor:
    """The inverse for tensordot over the last axes: `inv` of the tensor flattened to a matrix at axis ``ind``.

    ``a``: shape (*p, *q) with p of ``ind`` axes and as many elements as q; the result has the shape (*q, *p).

    >>> np.linalg.tensorinv(tensor(np.eye(4).reshape(2, 2, 4))).shape
    (4, 2, 2)
    """
    a = number(a)
    if not isinstance(ind, (int, np.integer)) or ind <= 0:
        raise BadValue(f"np.linalg.tensorinv: ind is a positive integer, not {ind!r}")
    rows = int(np.prod(a.shape[:ind], dtype=int))
    if rows * rows != a.size:
        raise BadValue(f"np.linalg.tensorinv: a tensor of shape {a.shape} is no square matrix at axis {ind}")
    return reshape(inv(reshape(a, (rows, rows))), (*a.shape[ind:], *a.shape[:ind]))


# Determinants.


def det(a: Any) -> Tensor:
    """The determinant of each square matrix; its unit is that of ``a`` to the power n.

    ``a``: shape (..., n, n); the result has the shape of the batch. The cotangent of A is that of the determinant times
    the conjugates of the cofactors (Giles 2008, 2.2.4), which exist for singular matrices, too: there every derivative
    is that of the polynomial.

    >>> x = tensor([[1.0, 2.0], [2.0, 4.0]])
    >>> np.round(grad(np.linalg.det(x), x)[0], 12).tolist()
    [[4.0, -2.0], [-2.0, 1.0]]
    """
    a = square(a, "det")

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor) -> Tensor:
        return as_columns(as_columns(g)) * conj(_cofactors(a))

    return operation("det", np.linalg.det, rule, (a,), a.shape[:-2], a.dtype, core=0)


def _cofactors(a: Tensor) -> Tensor:
    """The derivatives C of the determinant d by the elements of each matrix: d A^-T where that exists.

    The derivative of C_ij by a_kl is (C_ij C_kl - C_il C_kj) / d (Jacobi). A matrix that is nearly singular has no
    accurate inverse. There C and its derivatives, polynomials in the matrix, are the means of their values at
    A + t R over t on a circle around 0, which are exact for as many points as the degree has (the discrete form of
    Cauchy's formula). R is the unitary factor of A, so that A + t R has the singular values |s + t|.
    """

    def rule(k: int, g: Tensor, y: Tensor, a: Tensor) -> Tensor:
        if _inverses(values(a)) is not None or not np.isfinite(values(a)).all():
            d, c = conj(as_columns(as_columns(det(a)))), conj(y)
            share = sum_(sum_(c * g, -1, True), -2, True)
            return (c * share - times(c, swapped(g), c)) / d
        shifted = a + _circle(values(a))
        around = mean(rule(k, g, _cofactors(shifted), shifted), 0)
        return around if a.dtype is C128 else cast(around, a.dtype)

    return operation("det", _cofactors_of, rule, (a,), a.shape, a.dtype)


def _inverses(a: Array) -> Array | None:
    """The inverses, if each has at least half of the digits of its dtype; else None."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    condition = np.linalg.norm(a, 1, (-2, -1)) * np.linalg.norm(inverse, 1, (-2, -1))
    return inverse if np.all(condition < 1 / np.sqrt(np.finfo(a.dtype).eps)) else None


def _cofactors_of(a: Array) -> Array:
    inverse = _inverses(a)
    if inverse is not None:
        return np.linalg.det(a)[..., None, None] * np.swapaxes(inverse, -1, -2)  # type: ignore[no-any-return]
    if not np.isfinite(a).all():
        return np.full(a.shape, np.nan, a.dtype)
    u, s, vh = np.linalg.svd(a)
    others = np.ones_like(s)
    for k in range(s.shape[-1]):
        others[..., k] = np.prod(np.delete(s, k, -1), -1)
    # det(A) A^-T for A = U S V^H, with the products of all but one singular value in place of det(S) / S.
    phase = np.linalg.det(u) * np.linalg.det(vh)
    return phase[..., None, None] * (np.conj(u) * others[..., None, :]) @ np.conj(vh)  # type: ignore[no-any-return]


_MOST = 2**22
"""Elements of the matrices around singular ones: a second derivative of a larger determinant is refused there."""


def _circle(a: Array) -> Array:
    """t R for each t on the circle, along a new first axis."""
    n = a.shape[-1]
    # An odd number of points, so that -1 is far from all of them, and more than the degree n.
    count = n + 1 + n % 2
    if count * a.size > _MOST:
        raise BadMatrix(f"np.linalg.det: the second derivative of singular matrices of shape {a.shape} takes too much")
    u, s, vh = np.linalg.svd(a)
    kept = s > np.sqrt(np.finfo(s.dtype).eps) * s[..., :1]
    mean_log = np.sum(np.log(np.where(kept, s, 1.0)), -1) / np.maximum(np.sum(kept, -1), 1)
    radius = np.exp(mean_log)[..., None, None]
    points = np.exp(2j * np.pi * np.arange(count) / count)
    return points.reshape((count,) + (1,) * a.ndim) * (radius * (u @ vh))  # type: ignore[no-any-return]


def slogdet(a: Any) -> Slogdet:
    """The sign and the natural logarithm of the absolute value of the determinant of each square matrix.

    ``a``: shape (..., n, n); the results have the shape of the batch and no unit. A complex sign has the modulus 1. A
    singular matrix has the sign 0 and the logarithm -inf, and no gradient: BadMatrix (a ValueError and a LinAlgError).
    The logarithm of the determinant has the derivative A^-T (Giles 2008, 2.2.4); its imaginary part turns the sign.

    >>> sign, logarithm = np.linalg.slogdet(tensor([[-2.0, 0.0], [0.0, 4.0]]))
    >>> sign.item(), np.round(logarithm, 6).item()
    (-1.0, 2.079442)
    """
    a = square(a, "slogdet")

    def rule(g: list[Tensor], y: list[Tensor], a: Tensor) -> Tensor:
        factor = real(g[1])
        if a.dtype is C128:
            factor = factor + imag(conj(y[0]) * g[0]) * 1j
        return as_columns(as_columns(factor)) * adjoint(inv(a))

    def compute(a: Array) -> list[Array]:
        sign, logarithm = np.linalg.slogdet(a)
        return [sign, logarithm]

    sign, logarithm = decomposition("slogdet", compute, rule, a, [(), ()])
    return Slogdet(sign, real(logarithm))
