"""NumPy's functions that are no ufuncs, on tensors (``__array_function__``), each with its implementation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd import complex_ops, elementwise, linalg
from gradcli.autograd import operations as graph
from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.errors import BadValue
from gradcli.autograd.numpy_ufuncs import OWN, REDUCTIONS, arrays, called, lifted, plain, row_function, taken, where
from gradcli.autograd.operations import apply, lift
from gradcli.autograd.tensor import Tensor

Call = Callable[..., Any]


def _rearranged(f: Call) -> Call:
    """A function that only selects and repeats elements: applied to the array of positions, it gives an index."""

    def function(x: Any, *args: Any, **options: Any) -> Any:
        x = lift(x)
        flat = shapes.reshape(x, -1)
        positions = f(np.arange(x.size).reshape(x.shape), *arrays(args), **options)
        if isinstance(positions, list | tuple):
            return [flat[p] for p in positions]
        return flat[positions]

    return function


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    a, b = shapes.number(a), shapes.number(b)
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise BadValue(f"tensordot: {axes} axes of tensors of dimensions {a.ndim} and {b.ndim}")
        first, second = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        first, second = (list(n) if isinstance(n, (tuple, list)) else [n] for n in axes)
    first = [shapes.axis_of(k, a.ndim) for k in first]
    second = [shapes.axis_of(k, b.ndim) for k in second]
    p = [k for k in range(a.ndim) if k not in first]
    q = [k for k in range(b.ndim) if k not in second]
    n = int(np.prod([a.shape[k] for k in first], dtype=int))
    if [a.shape[k] for k in first] != [b.shape[k] for k in second]:
        raise BadValue(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {first} and {second}")
    rows, columns = [a.shape[k] for k in p], [b.shape[k] for k in q]
    left = shapes.reshape(shapes.transpose(a, p + first), (int(np.prod(rows, dtype=int)), n))
    right = shapes.reshape(shapes.transpose(b, second + q), (n, int(np.prod(columns, dtype=int))))
    return shapes.reshape(reductions.matmul(left, right), rows + columns)


def _inner(a: Any, b: Any) -> Tensor:
    a, b = shapes.number(a), shapes.number(b)
    return _tensordot(a, b, ([-1], [-1])) if a.shape and b.shape else a * b


def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    """Each element limited to the interval from a_min to a_max; None is no limit.

    >>> tensor([-2.0, 0.5, 2.0], requires_grad=False).clip(-1, 1)
    tensor([-1. ,  0.5,  1. ])
    """
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return row_function("clip")(x, -np.inf if low is None else low, np.inf if high is None else high)


def round_(x: Tensor, decimals: int = 0) -> Tensor:
    """Each element rounded to ``decimals`` decimals, ties to even; its derivative is 0."""
    x = lift(x)
    if not isinstance(decimals, (int, np.integer)) or abs(decimals) > 300:
        raise BadValue(f"decimals is an integer from -300 to 300, not {decimals!r}")
    scale = 10.0**decimals
    return apply(_ROUND, x) if decimals == 0 else apply(_ROUND, x * scale) / scale


def _sort(x: Any, axis: int | None = -1) -> Tensor:
    x = lift(x)
    result: Tensor = _rearranged(np.take_along_axis)(x, np.argsort(x.numpy(), axis, kind="stable"), axis)
    return result


def _diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    x = lift(x)
    if n < 0:
        raise BadValue(f"n must not be negative, it is {n}")
    before = (slice(None),) * shapes.axis_of(axis, x.ndim)
    result: Tensor = x
    for _ in range(n):
        result = result[(*before, slice(1, None))] - result[(*before, slice(None, -1))]
    return result


def _broadcast_to(x: Any, shape: Any) -> Tensor:
    x = lift(x)
    target = tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    if graph.broadcast({x.shape, target}) != target:
        raise BadValue(f"a tensor of shape {x.shape} does not broadcast to {target}")
    return shapes.expand(x, target)


def _reordered(f: Call) -> Call:
    """A function that only reorders axes: applied to an array whose lengths number the axes, it gives the order."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        x = lift(x)
        shape = f(np.broadcast_to(0, tuple(range(2, x.ndim + 2))), *args, **options).shape
        return shapes.transpose(x, [n - 2 for n in shape])

    return function


def _like(f: Call) -> Call:
    """A function that returns a constant in the shape of a tensor."""
    return lambda *args, **options: lift(f(*arrays(args), **options))


_ROUND = elementwise.row("round", 1)
_REDUCED = "axis dtype out keepdims initial where"


def _positional(f: Call, names: str) -> Call:
    """``f`` with its options as positional arguments too, in NumPy's order ``names``."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        keywords = taken(f, dict(zip(names.split(), args, strict=False)) | options)
        result: Tensor = f(x, **keywords)
        return result

    function.__name__ = f.__name__
    return function


FUNCTIONS: dict[Any, Call] = {
    np.sum: _positional(OWN["sum"], _REDUCED), np.prod: _positional(OWN["prod"], _REDUCED),
    np.mean: _positional(OWN["mean"], _REDUCED), np.cumsum: _positional(OWN["cumsum"], "axis dtype out"),
    np.var: _positional(OWN["var"], "axis dtype out ddof keepdims"),
    np.std: _positional(OWN["std"], "axis dtype out ddof keepdims"),
    np.max: _positional(REDUCTIONS[np.maximum], "axis out keepdims"),
    np.min: _positional(REDUCTIONS[np.minimum], "axis out keepdims"),
    **linalg.FUNCTIONS, np.where: where, np.clip: clip, np.round: round_, np.sinc: row_function("sinc"),
    np.reshape: OWN["reshape"], np.ravel: OWN["ravel"], np.transpose: OWN["transpose"],
    np.concatenate: shapes.concatenate, np.stack: shapes.stack,
    np.vstack: lambda tup: shapes.concatenate([np.atleast_2d(t) for t in tup], 0),
    np.hstack: lambda tup: shapes.concatenate([np.atleast_1d(t) for t in tup], 0 if np.ndim(tup[0]) <= 1 else 1),
    np.squeeze: lifted(shapes.squeeze), np.expand_dims: lifted(shapes.expand_dims), np.flip: lifted(shapes.flip),
    np.swapaxes: _reordered(np.swapaxes), np.moveaxis: _reordered(np.moveaxis), np.broadcast_to: _broadcast_to,
    np.dot: reductions.dot, np.outer: reductions.outer, np.inner: _inner, np.tensordot: _tensordot,
    np.vdot: lambda a, b: shapes.sum_(complex_ops.conj(shapes.reshape(lift(a), -1)) * shapes.reshape(lift(b), -1)),
    np.trace: lambda x, *args, **options: shapes.sum_(_rearranged(np.diagonal)(x, *args, **options), -1),
    np.real: OWN["real"], np.imag: OWN["imag"], np.angle: OWN["angle"],
    np.sort: _sort, np.diff: _diff,
    np.tril: lambda m, k=0: where(np.tri(m.shape[-2], m.shape[-1], k, dtype=np.bool_), m, 0.0),
    np.triu: lambda m, k=0: where(np.tri(m.shape[-2], m.shape[-1], k - 1, dtype=np.bool_), 0.0, m),
    **{
        f: _rearranged(f)
        for f in (np.diagonal, np.roll, np.tile, np.repeat, np.take, np.take_along_axis, np.rot90, np.fliplr, np.flipud,
                  np.split, np.array_split, np.hsplit, np.vsplit, np.delete, np.atleast_1d, np.atleast_2d)
    },
    **{
        f: plain(f)
        for f in (np.argmax, np.argmin, np.argsort, np.any, np.all, np.isclose, np.allclose, np.array_equal,
                  np.count_nonzero, np.nonzero, np.array2string, np.array_repr, np.array_str,
                  np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj)
    },
    **{f: _like(f) for f in (np.zeros_like, np.ones_like, np.full_like, np.empty_like)},
}  # fmt: skip


def function(f: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args, **options)`` for a function of NumPy that is no ufunc. Raises BadType for one without derivative."""
    return called(f, FUNCTIONS.get(f), args, options)
