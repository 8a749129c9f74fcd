"""NumPy's functions that join tensors, bring them to common shapes, and take them apart again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.operations import broadcast, lift
from gradcli.autograd.rearrange import arrays, broadcast_to, by_name, rearranged, reordered
from gradcli.autograd.tensor import Tensor
from gradcli.errors import BadValue

Call = Callable[..., Any]


def _at_least(f: Call) -> Call:
    """A function that inserts axes of length 1, of one tensor or of several."""

    def function(*xs: Any) -> Any:
        parts = [lift(x) for x in xs]
        results = [shapes.reshape(x, f(np.broadcast_to(0, x.shape)).shape) for x in parts]
        return results[0] if len(results) == 1 else tuple(results)

    return function


at_least_1d, at_least_2d, at_least_3d = map(_at_least, (np.atleast_1d, np.atleast_2d, np.atleast_3d))


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """``values`` after the elements of ``arr`` along an axis; both flattened by default."""
    return shapes.concatenate([arr, values], axis)


def hstack(tup: Sequence[Any]) -> Tensor:
    """The tensors side by side: joined along the second axis, vectors along their only one."""
    parts = [at_least_1d(t) for t in tup]
    return shapes.concatenate(parts, 1 if parts and parts[0].ndim > 1 else 0)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    """``values`` before the places ``obj``, an integer, several or a slice, along an axis; flattened by default.

    >>> np.insert(tensor([1.0, 4.0], requires_grad=False), 1, [2, 3])
    tensor([1., 2., 3., 4.])
    """
    x, added = lift(arr), lift(values)
    if axis is None:
        x, axis = shapes.reshape(x, -1), 0
    position = shapes.axis_of(axis, x.ndim)
    n = x.shape[position]
    (places,) = arrays([obj])
    if isinstance(obj, slice) or np.ndim(places):
        count = np.insert(np.arange(n), places, 0).size - n
    else:
        added = shapes.reshape(added, (*[1] * (x.ndim - added.ndim), *added.shape))
        added = reordered(np.moveaxis)(added, 0, position)
        count = added.shape[position]
    added = broadcast_to(added, (*x.shape[:position], count, *x.shape[position + 1 :]))
    order = np.insert(np.arange(n), places, np.arange(n, n + count))
    return shapes.getitem(shapes.concatenate([x, added], position), (*[slice(None)] * position, order))


def choose(a: Any, choices: Sequence[Any]) -> Tensor:
    """At each place the element there of the choice whose number stands in ``a``."""
    (numbers,) = arrays([a])
    parts = [lift(c) for c in choices]
    shape = broadcast({np.shape(numbers), *[p.shape for p in parts]})
    whole = shapes.stack([shapes.expand(p, shape) for p in shapes.one_dtype(parts)])
    which = np.broadcast_to(numbers, shape)[np.newaxis]
    if which.size and not 0 <= which.min() <= which.max() < len(parts):
        raise BadValue(f"choose: the numbers are from 0 to {len(parts) - 1}")
    result: Tensor = rearranged(np.take_along_axis)(whole, which, 0)
    return shapes.reshape(result, shape)


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


def meshgrid(*xs: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> tuple[Tensor, ...]:
    """The coordinates of the points of a grid, from those along each of its axes."""
    if indexing not in ("xy", "ij"):
        raise BadValue(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r:.40}")
    n = len(xs)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    parts = [shapes.reshape(lift(x), [-1 if order[k] == axis else 1 for axis in range(n)]) for k, x in enumerate(xs)]
    return tuple(parts) if sparse else broadcast_arrays(*parts)


def apply_along_axis(func1d: Call, axis: int, arr: Any, *args: Any, **options: Any) -> Tensor:
    """``func1d`` of each vector along an axis; the axes of its results take the place of that axis."""
    x = lift(arr)
    position = shapes.axis_of(axis, x.ndim)
    order = [k for k in range(x.ndim) if k != position]
    rest = tuple([x.shape[k] for k in order])
    rows = shapes.reshape(shapes.transpose(x, (*order, position)), (prod(rest), x.shape[position]))
    if not rows.shape[0]:
        raise BadValue(f"apply_along_axis: there is no vector along axis {axis} of a tensor of shape {x.shape}")
    results = shapes.stack([lift(func1d(row, *args, **options)) for row in rows])
    inner = results.shape[1:]
    places = [*range(position), *range(len(rest), len(rest) + len(inner)), *range(position, len(rest))]
    return shapes.transpose(shapes.reshape(results, (*rest, *inner)), places)


_DEEPEST = 32
"""Axes of an array that every version of NumPy takes."""

FUNCTIONS: dict[Any, Call] = {
    np.vstack: lambda tup: shapes.concatenate([at_least_2d(t) for t in tup], 0),
    np.hstack: hstack,
    np.dstack: lambda tup: shapes.concatenate([at_least_3d(t) for t in tup], 2),
    np.column_stack: column_stack, np.append: append, np.block: block, np.insert: insert, np.choose: choose,
    np.atleast_1d: at_least_1d, np.atleast_2d: at_least_2d, np.atleast_3d: at_least_3d,
    np.broadcast_arrays: broadcast_arrays, np.meshgrid: meshgrid, np.apply_along_axis: apply_along_axis,
    **by_name(np, unstack=unstack),
}  # fmt: skip
