"""NumPy's functions that select, repeat, reorder and join elements, on tensors.

Most are had from NumPy itself: applied to the array of positions it gives an index, applied to numbered axes their
order. Diagonals, joins, sorting and splitting are here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.errors import BadType, BadValue
from gradcli.autograd.operations import broadcast, holds_tensor, lift
from gradcli.autograd.tensor import Tensor

Call = Callable[..., Any]


def arrays(args: Sequence[Any]) -> list[Any]:
    """Arguments of a function of NumPy, with arrays in place of tensors and of lists of tensors."""
    return [lift(a).detach().numpy() if holds_tensor(a) else a for a in args]


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


def _at_least(f: Call) -> Call:
    """A function that inserts axes of length 1, of one tensor or of several."""

    def function(*xs: Any) -> Any:
        parts = [lift(x) for x in xs]
        results = [shapes.reshape(x, f(np.broadcast_to(0, x.shape)).shape) for x in parts]
        return results[0] if len(results) == 1 else tuple(results)

    return function


at_least_1d, at_least_2d, at_least_3d = map(_at_least, (np.atleast_1d, np.atleast_2d, np.atleast_3d))


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


diagonal: Call = rearranged(np.diagonal)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of the matrices along two axes."""
    return shapes.sum_(diagonal(x, offset, axis1, axis2), -1)


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


# Joins and parts.


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """``values`` after the elements of ``arr`` along an axis; both flattened by default."""
    return shapes.concatenate([arr, values], axis)


def column_stack(tup: Sequence[Any]) -> Tensor:
    """Vectors as columns, and matrices, side by side."""
    parts = [lift(t) for t in tup]
    return shapes.concatenate([shapes.reshape(p, (-1, 1)) if p.ndim < 2 else p for p in parts], 1)


def block(arrays: Any) -> Tensor:
    """Nested lists of tensors as one tensor: the innermost are joined along the last axis, the next along the one
    before.
    """

    def depth_of(item: Any, level: int = 0) -> int:
        if not isinstance(item, list):
            return 0
        if level == _DEEPEST:
            raise BadValue(f"block: lists are nested more than {_DEEPEST} deep")
        depths = {depth_of(i, level + 1) for i in item}
        if len(depths) != 1:
            raise BadValue("block: lists are nested to different depths, or empty")
        return 1 + depths.pop()

    depth = depth_of(arrays)

    def leaves(item: Any) -> list[Tensor]:
        return [t for i in item for t in leaves(i)] if isinstance(item, list) else [lift(item)]

    ndim = max([depth, *[t.ndim for t in leaves(arrays)]])

    def joined(item: Any, level: int) -> Tensor:
        if isinstance(item, list):
            return shapes.concatenate([joined(i, level - 1) for i in item], -level)
        x = lift(item)
        return shapes.reshape(x, (*[1] * (ndim - x.ndim), *x.shape))

    return joined(arrays, depth)


def unstack(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """The parts of a tensor along an axis, without that axis."""
    x = lift(x)
    before = (slice(None),) * shapes.axis_of(axis, x.ndim)
    return tuple([x[(*before, k)] for k in range(x.shape[len(before)])])


def broadcast_arrays(*xs: Any) -> tuple[Tensor, ...]:
    """The tensors repeated to their common shape."""
    parts = [lift(x) for x in xs]
    shape = broadcast({p.shape for p in parts})
    return tuple([shapes.expand(p, shape) for p in parts])


def meshgrid(*xs: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> list[Tensor]:
    """The coordinates of the points of a grid, from those along each of its axes."""
    if indexing not in ("xy", "ij"):
        raise BadValue(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r:.40}")
    n = len(xs)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    parts = [shapes.reshape(lift(x), [-1 if order[k] == axis else 1 for axis in range(n)]) for k, x in enumerate(xs)]
    return parts if sparse else list(broadcast_arrays(*parts))


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


_DEEPEST = 32
"""Axes of an array that every version of NumPy takes."""


def by_name(module: Any, **rows: Call) -> dict[Any, Call]:
    """The implementations by the functions of a module that bear their names; not every version of NumPy has all."""
    return {vars(module)[name]: f for name, f in rows.items() if name in vars(module)}


FUNCTIONS: dict[Any, Call] = {
    np.vstack: lambda tup: shapes.concatenate([at_least_2d(t) for t in tup], 0),
    np.hstack: lambda tup: shapes.concatenate([at_least_1d(t) for t in tup], 0 if lift(tup[0]).ndim <= 1 else 1),
    np.dstack: lambda tup: shapes.concatenate([at_least_3d(t) for t in tup], 2),
    np.column_stack: column_stack, np.append: append, np.block: block,
    np.atleast_1d: at_least_1d, np.atleast_2d: at_least_2d, np.atleast_3d: at_least_3d,
    np.diag: diag, np.diagflat: lambda v, k=0: diag(shapes.reshape(lift(v), -1), k),
    np.diagonal: diagonal, np.trace: trace, np.sort: sort, np.partition: partition,
    np.swapaxes: reordered(np.swapaxes), np.moveaxis: reordered(np.moveaxis), np.rollaxis: reordered(np.rollaxis),
    np.broadcast_to: broadcast_to, np.broadcast_arrays: broadcast_arrays, np.meshgrid: meshgrid,
    np.compress: compress, np.extract: extract, np.copy: lift,
    **{
        f: rearranged(f)
        for f in (np.roll, np.tile, np.repeat, np.take, np.take_along_axis, np.rot90, np.fliplr, np.flipud, np.split,
                  np.array_split, np.hsplit, np.vsplit, np.dsplit, np.delete, np.resize)
    },
    **by_name(
        np, unstack=unstack, matrix_transpose=lambda x: reordered(np.swapaxes)(x, -1, -2),
    ),
    **by_name(
        np.linalg, matrix_transpose=lambda x: reordered(np.swapaxes)(x, -1, -2),
        diagonal=lambda x, offset=0: diagonal(x, offset, -2, -1),
        trace=lambda x, offset=0: trace(x, offset, -2, -1),
    ),
}  # fmt: skip
