"""NumPy's functions of linear algebra on tensors, and the methods of `Tensor` that PyTorch has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd import linalg_factors as factors
from gradcli.autograd import linalg_least_squares as least_squares
from gradcli.autograd import linalg_norms as norms
from gradcli.autograd import linalg_products as products
from gradcli.autograd import linalg_spectra as spectra
from gradcli.autograd import linalg_systems as systems
from gradcli.autograd.complex_ops import angle, conj
from gradcli.autograd.linalg_matrices import adjoint, computed, matrices
from gradcli.autograd.numpy_ufuncs import plain
from gradcli.autograd.reduction_ops import matmul, outer
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import number, sum_, swapped
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128

_BY_NAME: dict[str, Callable[..., Any]] = {
    "solve": systems.solve, "inv": systems.inv, "tensorsolve": systems.tensorsolve, "tensorinv": systems.tensorinv,
    "det": systems.det, "slogdet": systems.slogdet, "cholesky": factors.cholesky, "qr": factors.qr,
    "eigh": spectra.eigh, "eigvalsh": spectra.eigvalsh, "eig": spectra.eig, "eigvals": spectra.eigvals,
    "svd": spectra.svd, "svdvals": spectra.svdvals, "pinv": least_squares.pinv, "lstsq": least_squares.lstsq,
    "norm": norms.norm, "vector_norm": norms.vector_norm, "matrix_norm": norms.matrix_norm, "cond": norms.cond,
    "matrix_rank": plain(computed("matrix_rank", np.linalg.matrix_rank)), "matrix_power": products.matrix_power,
    "multi_dot": products.multi_dot, "diagonal": products.diagonals, "trace": products.trace,
    "matmul": matmul, "outer": outer, "matrix_transpose": lambda x: swapped(matrices(x, "matrix_transpose")),
    "vecdot": lambda x1, x2, axis=-1: sum_(conj(number(x1)) * x2, axis),
}  # fmt: skip
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    getattr(np.linalg, name): f for name, f in _BY_NAME.items() if hasattr(np.linalg, name)
}
"""The functions of np.linalg that the installed NumPy has."""


def _det(self: Tensor) -> Tensor:
    """The determinant of each square matrix.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False).det().item()
    -2.0000000000000004
    """
    return systems.det(self)


def _slogdet(self: Tensor) -> systems.Slogdet:
    """The sign and the logarithm of the absolute value of the determinant of each square matrix.

    >>> tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=False).slogdet().logabsdet
    tensor(0.)
    """
    return systems.slogdet(self)


def _logdet(self: Tensor) -> Tensor:
    """The logarithm of the determinant of each square matrix: -inf if it is 0; if it is negative, nan for real ones.

    >>> tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=False).logdet()
    tensor(0.)
    """
    sign, logarithm = systems.slogdet(self)
    return logarithm + angle(sign) * 1j if sign.dtype is C128 else where(sign < 0, np.nan, logarithm)


def _inverse(self: Tensor) -> Tensor:
    """The inverse of each square matrix. Raises ValueError for a singular one.

    >>> tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=False).inverse()
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return systems.inv(self)


def _pinverse(self: Tensor, rcond: Any = None) -> Tensor:
    """The Moore-Penrose pseudoinverse of each matrix; singular values up to ``rcond`` times the greatest count as 0.

    >>> tensor([[2.0, 0.0]], requires_grad=False).pinverse().tolist()
    [[0.5], [0.0]]
    """
    return least_squares.pinv(self, rcond)


def _cholesky(self: Tensor, upper: bool = False) -> Tensor:
    """The lower triangle L with A = L L^H of each Hermitian positive definite matrix, or L^H with ``upper``.

    >>> tensor([[4.0, 2.0], [2.0, 5.0]], requires_grad=False).cholesky()
    tensor([[2., 0.],
            [1., 2.]])
    """
    return factors.cholesky(self, upper=upper)


def _matrix_power(self: Tensor, n: int) -> Tensor:
    """The product of n copies of each square matrix, of its inverse for negative n.

    >>> tensor([[1.0, 1.0], [0.0, 1.0]], requires_grad=False).matrix_power(5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    return products.matrix_power(self, n)


METHODS: dict[str, Any] = {
    "det": _det, "slogdet": _slogdet, "logdet": _logdet, "inverse": _inverse, "pinverse": _pinverse,
    "cholesky": _cholesky, "matrix_power": _matrix_power,
    "mT": property(lambda self: swapped(matrices(self, "matrix_transpose")), doc="The transpose of each matrix."),
    "mH": property(lambda self: adjoint(matrices(self, "matrix_transpose")),
                   doc="The conjugate transpose of each matrix."),
}  # fmt: skip
"""The methods of `Tensor`, bound where all others are."""
