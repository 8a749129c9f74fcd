"""Norms of vectors and matrices and condition numbers: combinations of other operations.

At a zero vector or matrix the gradient of each norm is 0, the subgradient of least norm; elements and singular values
that tie for the greatest or least share it equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd.complex_ops import absolute
from gradcli.autograd.linalg_matrices import matrices
from gradcli.autograd.linalg_spectra import svdvals
from gradcli.autograd.linalg_systems import inv
from gradcli.autograd.operations import Primitive, record
from gradcli.autograd.operators import power
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import axis_of, expand_dims, number, reshape, sum_, transpose
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Axis
from gradcli.errors import BadValue


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm ``ord`` of vectors along one axis or of matrices along two, in the unit of ``x``.

    ``axis``: None is all axes, which are flattened unless ``ord`` is given. ``ord`` for vectors: any number, inf or
    -inf; for matrices: "fro", "nuc", 1, -1, 2, -2, inf, -inf, as in NumPy; None is the Euclidean norm. The result lacks
    the axes, or has them with length 1 with ``keepdims``. Raises ValueError for other orders and axes.

    >>> x = tensor([[3.0, 4.0], [0.0, 0.0]])
    >>> np.linalg.norm(x, axis=1).tolist(), np.linalg.norm(x, np.inf).item(), np.round(np.linalg.norm(x, 2), 12).item()
    ([5.0, 0.0], 7.0, 5.0)
    """
    x = number(x)
    axes = tuple(range(x.ndim)) if axis is None else _listed(axis, x.ndim)
    if ord is None and (axis is None or len(axes) <= 2):
        return reductions.norm(x, axes, keepdims)
    if len(axes) == 1:
        return _vector(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix(x, ord, axes, keepdims)
    raise BadValue(f"np.linalg.norm: a norm of order {ord!r} is along one or two axes, not {len(axes)}")


def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """The norm ``ord`` along the axes, flattened: np.linalg.vector_norm of NumPy 2.

    >>> np.linalg.norm(tensor([[3.0, 4.0]]), 1, axis=1).tolist()
    [7.0]
    """
    x = number(x)
    axes = tuple(range(x.ndim)) if axis is None else _listed(axis, x.ndim)
    others = [k for k in range(x.ndim) if k not in axes]
    shape = [x.shape[k] for k in others]
    flat = reshape(transpose(x, (*others, *axes)), (*shape, int(np.prod([x.shape[k] for k in axes], dtype=int))))
    y = _vector(flat, ord, (flat.ndim - 1,), False)
    return reshape(y, [1 if k in axes else n for k, n in enumerate(x.shape)]) if keepdims else y


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm ``ord`` of each matrix: np.linalg.matrix_norm of NumPy 2.

    >>> np.linalg.norm(tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc", axis=(0, 1)).item()
    7.0
    """
    return _matrix(matrices(x, "matrix_norm"), ord, (-2, -1), keepdims)


def _listed(axis: Any, ndim: int) -> tuple[int, ...]:
    axes = tuple([axis_of(k, ndim) for k in (axis if isinstance(axis, (tuple, list)) else (axis,))])
    if len(set(axes)) < len(axes):
        raise BadValue(f"axis {axis}: an axis is named twice")
    return axes


def _vector(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """The norm ``ord`` along a single axis."""
    if ord is None or ord == 2:
        return reductions.norm(x, axes, keepdims)
    if isinstance(ord, str) or not isinstance(ord, (int, float, np.integer, np.floating)) or ord != ord:
        raise BadValue(f"np.linalg.norm: {ord!r} is no order of a norm of vectors")
    sizes = absolute(x)
    if ord in (np.inf, -np.inf):
        return reductions.extreme(sizes, axes, keepdims, "max" if ord > 0 else "min")
    if ord == 0:
        count = Primitive("count", lambda a: np.asarray(a) != 0, lambda k, g, y, x: None, linear=True)
        return sum_(record(count, (sizes,), x.shape, sizes.dtype), axes, keepdims)
    if ord == 1:
        return sum_(sizes, axes, keepdims)
    # Relative to the greatest, so that no power overflows. The quotient is a constant of the derivative.
    exponent = int(ord) if float(ord).is_integer() else float(ord)
    greatest = np.max(sizes.detach().numpy(), axes, keepdims=True, initial=0.0)
    scale = np.where((greatest > 0) & np.isfinite(greatest), greatest, 1.0).astype(sizes.dtype)
    powers = power(sizes / scale, exponent)
    # No power of 0, whose slopes may be infinite.
    total = sum_(where(sizes == 0, 0.0, powers) if ord > 0 else powers, axes, True)
    y = where(total == 0, 0.0, power(total, 1 / float(ord))) * scale
    return y if keepdims else reshape(y, [n for k, n in enumerate(y.shape) if k not in axes])


def _matrix(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """The norm ``ord`` of the matrices along two axes."""
    row, column = [axis_of(k, x.ndim) for k in axes]
    if ord in (None, "fro", "f"):
        return reductions.norm(x, (row, column), keepdims)
    others = [k for k in range(x.ndim) if k not in (row, column)]
    moved = transpose(x, (*others, row, column))
    if isinstance(ord, str) and ord == "nuc":
        y = sum_(absolute(svdvals(moved)), -1)
    elif not isinstance(ord, str) and ord in (2, -2):
        y = reductions.extreme(absolute(svdvals(moved)), -1, False, "max" if ord > 0 else "min")
    elif not isinstance(ord, str) and ord in (1, -1, np.inf, -np.inf):
        sums = sum_(absolute(moved), -2 if abs(ord) == 1 else -1)
        y = reductions.extreme(sums, -1, False, "max" if ord > 0 else "min")
    else:
        raise BadValue(f"np.linalg.norm: {ord!r} is no order of a norm of matrices")
    return expand_dims(y, (row, column)) if keepdims else y


def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number of each matrix: the norm ``p`` of it times that of its inverse.

    ``x``: shape (..., m, n), square unless ``p`` is None, 2 or -2: the ratio of the greatest and least singular value.
    Raises BadMatrix (a ValueError and a LinAlgError) for the inverse of a singular matrix, where NumPy gives inf.

    >>> np.linalg.cond(tensor([[4.0, 0.0], [0.0, 2.0]])).item()
    2.0
    """
    x = matrices(x, "cond")
    if p is None or p in (2, -2):
        s = svdvals(x)
        if not s.shape[-1]:
            raise BadValue("np.linalg.cond of a matrix without elements has no value")
        greatest, least = s[..., 0], s[..., -1]
        return least / greatest if p == -2 else greatest / least
    return _matrix(x, p, (-2, -1), False) * _matrix(inv(x), p, (-2, -1), False)
