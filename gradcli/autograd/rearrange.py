"""NumPy's functions that select, repeat and reorder elements, on tensors.

Most are had from NumPy itself: applied to the array of positions it gives an index, applied to numbered axes their
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.nesting import holds_tensor
from gradcli.autograd.operations import Primitive, broadcast, cast, lift, record
from gradcli.autograd.tensor import Tensor, tensor
from gradcli.autograd.values import BOOL, C128, F32, F64, Array
from gradcli.errors import BadType, BadValue

Call = Callable[..., Any]


def arrays(args: Iterable[Any]) -> list[Any]:
    """Arguments of a function of NumPy, with arrays in place of tensors, those in lists included."""
    return [_array(a) if holds_tensor(a) else a for a in args]


def _array(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.detach().numpy()
    return [_array(i) if holds_tensor(i) else i for i in x]


def rearranged(f: Call) -> Call:
    """A function that only selects and repeats elements: applied to the array of positions, it gives an index."""

    def function(x: Any, *args: Any, **options: Any) -> Any:
        x = lift(x)
        flat = shapes.reshape(x, -1)
        positions = f(np.arange(x.size).reshape(x.shape), *arrays(args), **options)
        if isinstance(positions, list | tuple):
            return [flat[p] for p in positions]
        return flat[positions]

    return function


def reordered(f: Call) -> Call:
    """A function that only reorders axes: applied to an array whose lengths number the axes, it gives the order."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        x = lift(x)
        shape = f(np.broadcast_to(0, tuple(range(2, x.ndim + 2))), *args, **options).shape
        return shapes.transpose(x, [n - 2 for n in shape])

    return function


# Diagonals.


def diag(v: Any, k: int = 0) -> Tensor:
    """The matrix with v on its k-th diagonal and zeros elsewhere; of a matrix its k-th diagonal.

    >>> np.diag(tensor([1.0, 2.0], requires_grad=False))
    tensor([[1., 0.],
            [0., 2.]])
    """
    v = lift(v)
    if not isinstance(k, (int, np.integer)):
        raise BadType(f"diag: k is an integer, not {k!r:.40}")
    if v.ndim != 1:
        if v.ndim != 2:
            raise BadValue(f"diag: the tensor has the shape {v.shape}, a vector or a matrix is needed")
        result: Tensor = diagonal(v, k)
        return result
    n = v.size + abs(int(k))
    first = k if k >= 0 else -k * n
    places = slice(first, first + v.size * (n + 1), n + 1) if v.size else slice(0)
    return shapes.reshape(shapes.put(v, (places,), (n * n,), True), (n, n))


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices along two axes, as the last axis of the result.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False).diagonal()
    tensor([1., 4.])
    """
    x = lift(x)
    if not isinstance(offset, (int, np.integer)):
        raise BadType(f"diagonal: the offset is an integer, not {offset!r:.40}")
    if x.ndim < 2:
        raise BadValue(f"diagonal: the tensor has the shape {x.shape}, at least two axes are needed")
    pair = shapes.axis_of(axis1, x.ndim), shapes.axis_of(axis2, x.ndim)
    if pair[0] == pair[1]:
        raise BadValue("diagonal: the two axes are the same")
    x = shapes.transpose(x, [*[k for k in range(x.ndim) if k not in pair], *pair])
    row, column = max(-int(offset), 0), max(int(offset), 0)
    n = max(min(x.shape[-2] - row, x.shape[-1] - column), 0)
    square = shapes.getitem(x, (..., slice(row, row + n), slice(column, column + n)))
    return diagonals(square, (*range(x.ndim - 1), x.ndim - 2))


def diagonals(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The elements of x whose indices agree on all axes with one number in ``axes``; these number the result's axes.

    ``axes`` has a number for each axis of x, from 0, without gaps in the order of their first place.
    """
    kept = tuple(range(max(axes) + 1))
    shape = tuple([x.shape[axes.index(k)] for k in kept])

    def back(k: int, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        def compute(a: Any) -> Array:
            array = np.zeros(x.shape, np.asarray(a).dtype)
            # A view that can be written through.
            np.einsum(array, axes, kept)[...] = a
            return array

        rule = lambda k, g, y, x: diagonals(g, axes)  # noqa: E731
        return record(Primitive("put diagonals", compute, rule, carries=True), (g,), x.shape, g.dtype)

    op = Primitive("diagonals", lambda a: np.einsum(a, axes, kept).copy(), back, carries=True)
    return record(op, (x,), shape, x.dtype)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of the matrices along two axes.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False).trace()
    tensor(5.)
    """
    return shapes.sum_(diagonal(x, offset, axis1, axis2), -1)


# Repetition, choice and order.


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element, or part along an axis, ``repeats`` times; of the flattened tensor by default.

    >>> tensor([1.0, 2.0], requires_grad=False).repeat(2)
    tensor([1., 1., 2., 2.])
    """
    result: Tensor = rearranged(np.repeat)(x, repeats, axis)
    return result


def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
    """The elements at ``indices`` along an axis, of the flattened tensor by default.

    >>> tensor([1.0, 2.0, 4.0], requires_grad=False).take([2, 0])
    tensor([4., 1.])
    """
    result: Tensor = rearranged(np.take)(x, indices, axis, mode=mode)
    return result


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    >>> tensor([[1.0, 2.0]], requires_grad=False).swapaxes(0, 1).shape
    (2, 1)
    """
    result: Tensor = reordered(np.swapaxes)(x, axis1, axis2)
    return result


# Sorting.


def sort(x: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Tensor:
    """The elements in ascending order along an axis (None: of the flattened tensor), nan last, ties in their order."""
    x = lift(x)
    result: Tensor = rearranged(np.take_along_axis)(x, np.argsort(x.detach().numpy(), axis, kind="stable"), axis)
    return result


def partition(x: Any, kth: Any, axis: int | None = -1, kind: str = "introselect") -> Tensor:
    """The elements along an axis in such an order that those at ``kth`` are where sorting would put them."""
    x = lift(x)
    (where,) = arrays([kth])
    places = np.argpartition(x.detach().numpy(), where, axis, kind)  # type: ignore[arg-type]  # NumPy refuses another kind
    result: Tensor = rearranged(np.take_along_axis)(x, places, axis)
    return result


# Parts and conversions.


def compress(condition: Any, a: Any, axis: int | None = None) -> Tensor:
    """The elements of ``a``, or its parts along an axis, where the condition holds."""
    (chosen,) = arrays([condition])
    result: Tensor = rearranged(lambda positions: np.compress(chosen, positions, axis))(a)
    return result


def extract(condition: Any, arr: Any) -> Tensor:
    """The elements of ``arr`` where the condition holds."""
    return compress(np.ravel(*arrays([condition])), shapes.reshape(lift(arr), -1))


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """The elements repeated to a shape, by the rules of broadcasting."""
    x = lift(x)
    target = tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    if broadcast({x.shape, target}) != target:
        raise BadValue(f"a tensor of shape {x.shape} does not broadcast to {target}")
    return shapes.expand(x, target)


def astype(x: Any, dtype: Any, copy: bool = True) -> Tensor:
    """The same numbers in another dtype that tensors have; complex numbers become their real parts.

    Raises TypeError for a dtype that tensors do not have, such as one of integers.

    >>> tensor([0.5, 2.0], requires_grad=False).astype(np.float32)
    tensor([0.5, 2. ], dtype=float32)
    """
    try:
        name = np.dtype(dtype)
    except TypeError as e:
        raise BadType(f"no dtype: {e}") from None
    wanted = _DTYPES.get(name.char)
    if wanted is None:
        raise BadType(
            f"tensors have no {name}: they are of float64, float32, complex128 or bool",
            hint="for integers take t.detach().numpy().astype(int)",
        )
    return cast(lift(x), wanted)


_DTYPES = {"d": F64, "f": F32, "D": C128, "F": C128, "?": BOOL}


def copied(a: Any, order: str = "K") -> Tensor:
    """A tensor of the same elements. One that requires grad is no leaf: what is assigned to leaves stays in them.

    >>> tensor([1.0, 2.0]).copy()
    tensor([1., 2.], requires_grad=True)
    """
    x = lift(a)
    if x.requires_grad:
        minus = -x
        return -minus
    return x if x.dtype == BOOL else tensor(x.numpy(), requires_grad=False)


def by_name(module: Any, **rows: Call) -> dict[Any, Call]:
    """The implementations by the functions of a module that bear their names; not every version of NumPy has all."""
    return {vars(module)[name]: f for name, f in rows.items() if name in vars(module)}


METHODS: dict[str, Call] = {
    "astype": astype, "copy": copied, "diagonal": diagonal, "trace": trace, "repeat": repeat, "swapaxes": swapaxes,
    "take": take,
}  # fmt: skip
FUNCTIONS: dict[Any, Call] = {
    np.diag: diag, np.diagflat: lambda v, k=0: diag(shapes.reshape(lift(v), -1), k),
    np.diagonal: diagonal, np.trace: trace, np.sort: sort, np.partition: partition, np.repeat: repeat, np.take: take,
    np.swapaxes: swapaxes, np.moveaxis: reordered(np.moveaxis), np.rollaxis: reordered(np.rollaxis),
    np.broadcast_to: broadcast_to, np.compress: compress, np.extract: extract, np.copy: copied,
    **{
        f: rearranged(f)
        for f in (np.roll, np.tile, np.take_along_axis, np.rot90, np.fliplr, np.flipud, np.split,
                  np.array_split, np.hsplit, np.vsplit, np.dsplit, np.delete, np.resize)
    },
    **by_name(
        np, astype=astype, matrix_transpose=lambda x: swapaxes(x, -1, -2),
    ),
    **by_name(
        np.linalg, matrix_transpose=lambda x: swapaxes(x, -1, -2),
        diagonal=lambda x, offset=0: diagonal(x, offset, -2, -1),
        trace=lambda x, offset=0: trace(x, offset, -2, -1),
    ),
}  # fmt: skip
