"""What the functions of linear algebra share: checks of shapes, adjoints, and decompositions as one operation.

A decomposition has several answers and one vector-Jacobian rule. It is recorded as one operation, whose answer holds
all of them, flattened, along its last axis. Matrices are the last two axes of a tensor, all others are a batch.

The rules are stated with <A, B> = Re tr(A^H B): g is the cotangent of an answer if the change of the loss is <g, dY>.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod as product
from typing import Any

import numpy as np

from gradcli.autograd.errors import Refused
from gradcli.autograd.evaluate import evaluate
from gradcli.autograd.operations import Primitive, Pull, lift, record
from gradcli.autograd.reduction_ops import matmul
from gradcli.autograd.shape_ops import any_, expand, getitem, number, reshape, sum_to, swapped
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, F32, F64, Array, Shape
from gradcli.errors import BadValue

Parts = list[Tensor]
Rule = Callable[[Parts, Parts, Tensor], Tensor]
"""The rule of a decomposition: (cotangents of the answers, answers, argument) to the cotangent of the argument."""


class BadMatrix(BadValue, np.linalg.LinAlgError):
    """A matrix that is singular, not positive definite, or whose decomposition does not converge."""


# Matrices.


def matrices(x: Any, name: str) -> Tensor:
    """``x`` as a tensor of at least two axes. Raises BadValue for fewer."""
    tensor = number(x)
    if tensor.ndim < 2:
        raise BadValue(f"np.linalg.{name} is of matrices: a tensor of shape {tensor.shape} has fewer than two axes")
    return tensor


def square(x: Any, name: str) -> Tensor:
    """``x`` as a tensor of square matrices. Raises BadValue for others."""
    tensor = matrices(x, name)
    if tensor.shape[-1] != tensor.shape[-2]:
        raise BadValue(f"np.linalg.{name} is of square matrices: the shape is {tensor.shape}")
    return tensor


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of each matrix."""
    return _linear("adjoint", _adjoint, adjoint, x) if x.dtype is C128 else swapped(x)


def hermitian_part(x: Tensor) -> Tensor:
    """(X + X^H) / 2."""
    return _linear("hermitian part", lambda a: (a + _adjoint(a)) / 2, hermitian_part, x)


def from_triangle(x: Tensor, uplo: str = "L") -> Tensor:
    """The Hermitian matrices with the lower triangles (``uplo`` "L") or upper ones ("U") of ``x``.

    LAPACK reads that triangle alone, and the real part of the diagonal: derivatives by all else are 0.
    """

    def compute(a: Array) -> Any:
        strict = np.tril(a, -1) if uplo == "L" else np.triu(a, 1)
        return strict + _adjoint(strict) + _real_diagonal(a)

    return _linear("from triangle", compute, lambda g: _to_triangle(g, uplo), x)


def _to_triangle(x: Tensor, uplo: str) -> Tensor:
    """The adjoint of `from_triangle`."""

    def compute(a: Array) -> Any:
        both = a + _adjoint(a)
        return (np.tril(both, -1) if uplo == "L" else np.triu(both, 1)) + _real_diagonal(a)

    return _linear("to triangle", compute, lambda g: from_triangle(g, uplo), x)


def _adjoint(a: Array) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def _real_diagonal(a: Array) -> Any:
    return np.where(np.eye(a.shape[-1], dtype=np.bool_), np.real(a), 0)


def _linear(name: str, f: Callable[..., Any], back: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``f``, a linear map of square matrices whose adjoint is ``back``."""
    shape = (*x.shape[:-2], x.shape[-1], x.shape[-2])
    op = Primitive(name, f, lambda k, g, y, x: back(g), linear=True, alive=reaching(2, (2,)))
    return record(op, (x,), shape, x.dtype)


def times(*factors: Tensor) -> Tensor:
    """The matrix product of the factors, from left to right."""
    first, *others = factors
    for factor in others:
        first = matmul(first, factor)
    return first


def constant(array: Any, like: Tensor) -> Tensor:
    """A real array as a constant that does not widen the dtype of ``like``."""
    return lift(np.asarray(array, F32 if like.dtype is F32 else F64))


def identity(like: Tensor) -> Tensor:
    """The identity of the size of the rows of ``like``."""
    return constant(np.eye(like.shape[-2]), like)


def as_rows(x: Tensor) -> Tensor:
    """A vector as a matrix of one row, which scales columns."""
    return reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def as_columns(x: Tensor) -> Tensor:
    """A vector as a matrix of one column, which scales rows."""
    return reshape(x, (*x.shape, 1))


def diagonal(x: Tensor) -> Tensor:
    """The diagonal of each square matrix, along the last axis."""
    op = Primitive("diagonal", lambda a: np.diagonal(a, 0, -2, -1), lambda k, g, y, x: on_diagonal(g), linear=True,
                   alive=reaching(1, (2,)))  # fmt: skip
    return record(op, (x,), x.shape[:-1], x.dtype)


def on_diagonal(x: Tensor) -> Tensor:
    """The matrices with ``x`` on their diagonals, and zeros elsewhere."""

    def compute(a: Array) -> Array:
        array = np.zeros((*a.shape, a.shape[-1]), a.dtype)
        each = np.arange(a.shape[-1])
        array[..., each, each] = a
        return array

    op = Primitive("on diagonal", compute, lambda k, g, y, x: diagonal(g), linear=True, alive=reaching(2, (1,)))
    return record(op, (x,), (*x.shape, x.shape[-1]), x.dtype)


def quotient(x: Tensor, divisor: Tensor) -> Tensor:
    """x / divisor, with 0/0 = 0: a pair of equal values contributes nothing if nothing depends on their vectors."""
    return x / (divisor + constant((values(divisor) == 0) & (values(x) == 0), divisor))


def values(x: Tensor) -> Array:
    """The array of a tensor, without its graph."""
    return x.detach().numpy()


def idle(*cotangents: Tensor) -> bool:
    """Whether nothing depends on what has these cotangents, derivatives of a higher order included."""
    return all(g.node is None and not values(g).any() for g in cotangents)


# Operations.


def computed(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """``f``, a function of NumPy, with its LinAlgError as a BadMatrix that names it."""

    def compute(*arrays: Any) -> Any:
        try:
            return f(*arrays)
        except np.linalg.LinAlgError as e:
            words = str(e)
            raise BadMatrix(f"np.linalg.{name}: {words[:1].lower()}{words[1:]}") from None

    return compute


def reaching(answer: int, arguments: Sequence[int]) -> Pull:
    """The ``alive`` of an operation in which every element of a matrix reaches all of the answer of its batch index.

    ``answer``, ``arguments``: how many axes at the end are no batch.
    """

    def alive(k: int, condition: Tensor, y: Tensor, *args: Tensor) -> Tensor:
        batch = condition.ndim - answer
        shape = condition.shape[:batch]
        any_element = any_(condition, tuple(range(batch, condition.ndim))) if answer else condition
        x, core = args[k], arguments[k]
        matrix = x.shape[x.ndim - core :]
        return sum_to(expand(reshape(any_element, (*shape, *[1] * core)), (*shape, *matrix)), x.shape)

    return alive


def operation(
    name: str, f: Callable[..., Any], rule: Pull, tensors: Sequence[Tensor], shape: Shape, dtype: np.dtype[Any], *,
    core: int = 2,
) -> Tensor:  # fmt: skip
    """``f`` applied to the arrays of tensors of matrices, at once, so that an error is raised where it is made.

    ``core``: the axes at the end of the answer that are no batch.
    """
    op = Primitive(name, computed(name, f), rule, alive=reaching(core, (2,) * len(tensors)))
    y = record(op, tensors, shape, dtype)
    if y.value.array is None:
        evaluate([y.value])
    return y


def decomposition(
    name: str, f: Callable[[Array], Sequence[Any]], rule: Rule, x: Tensor, shapes: Sequence[Shape],
    dtype: np.dtype[Any] | None = None,
) -> Parts:  # fmt: skip
    """The answers of ``f`` on the matrices of ``x``, as one operation. ``shapes`` are those of one matrix."""
    batch = x.shape[:-2]
    sizes = [product(shape) for shape in shapes]
    ends = np.cumsum([0, *sizes]).tolist()

    def split(y: Tensor) -> Parts:
        pieces = [getitem(y, (..., slice(a, b))) for a, b in pairwise(ends)]
        return [reshape(piece, (*batch, *shape)) for piece, shape in zip(pieces, shapes, strict=True)]

    def compute(a: Array) -> Array:
        pieces = [np.reshape(p, (*batch, n)) for p, n in zip(f(a), sizes, strict=True)]
        return np.concatenate(pieces, -1)

    def packed(k: int, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        return rule(split(g), split(y), x)

    return split(operation(name, compute, packed, (x,), (*batch, ends[-1]), dtype or x.dtype, core=1))


def check_invariant(change: Tensor, cotangent: Tensor, words: str) -> None:
    """Raise Refused if ``change``, that of the loss in a choice which is LAPACK's alone, is not 0 but for rounding.

    Rounding is judged relative to the largest element of ``cotangent``.
    """
    array = np.abs(values(change))
    scale = np.max(np.abs(values(cotangent)), initial=0.0)
    eps = np.finfo(change.dtype if change.dtype is not C128 else F64).eps
    if np.any(array > np.sqrt(eps) * scale):
        raise Refused(f"no derivative: {words}", hint="take what does not depend on that choice, such as np.abs(v)")
