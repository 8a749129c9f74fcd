"""NumPy's functions that are no ufuncs, on tensors (``__array_function__``), each with its implementation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd import (
    counting,
    einsum,
    elementwise,
    fft,
    joins,
    linalg,
    pad,
    products,
    quantiles,
    ranges,
    rearrange,
    samples,
    selection_ops,
    statistics,
)
from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.numpy_ufuncs import OWN, REDUCTIONS, called, lifted, plain, row_function, taken
from gradcli.autograd.operations import apply, lift
from gradcli.autograd.rearrange import arrays
from gradcli.autograd.selection_ops import where
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Array
from gradcli.errors import BadValue

Call = Callable[..., Any]


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


def _diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    x = lift(x)
    if n < 0:
        raise BadValue(f"n must not be negative, it is {n}")
    before = (slice(None),) * shapes.axis_of(axis, x.ndim)
    result: Tensor = x
    for _ in range(n):
        result = result[(*before, slice(1, None))] - result[(*before, slice(None, -1))]
    return result


def _array(a: Any, *, copy: Any = None) -> Tensor:
    """np.array(a, like=t): nested lists of tensors and numbers as one tensor. Tensors do not change: none is copied."""
    return lift(a)


def _triangle(m: Any, k: int) -> Array:
    """Whether each element of the last two axes is on diagonal k or below it; a vector is a row for each element."""
    shape = lift(m).shape[-2:]
    return np.tri(shape[0], shape[-1], k, dtype=np.bool_)


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
    **{f: _positional(REDUCTIONS[np.maximum], "axis out keepdims") for f in (np.max, np.amax)},
    **{f: _positional(REDUCTIONS[np.minimum], "axis out keepdims") for f in (np.min, np.amin)},
    np.where: lambda condition, *choices: where(condition, *choices) if choices else plain(np.where)(condition),
    np.clip: clip, np.round: round_, np.around: round_,
    np.sinc: row_function("sinc"), np.fix: row_function("trunc"), np.i0: lambda x: row_function("besseli")(0, x),
    np.reshape: OWN["reshape"], np.ravel: OWN["ravel"], np.transpose: OWN["transpose"],
    np.array: _array, np.asarray: _array, np.asanyarray: _array,
    np.concatenate: shapes.concatenate, np.stack: shapes.stack,
    np.squeeze: lifted(shapes.squeeze), np.expand_dims: lifted(shapes.expand_dims), np.flip: lifted(shapes.flip),
    np.real: OWN["real"], np.imag: OWN["imag"],
    np.angle: lambda z, deg=False: OWN["angle"](z) * (180 / np.pi if deg else 1.0),
    np.diff: _diff,
    np.tril: lambda m, k=0: where(_triangle(m, k), m, 0.0),
    np.triu: lambda m, k=0: where(_triangle(m, k - 1), 0.0, m),
    **{
        f: plain(f)
        for f in (np.argmax, np.argmin, np.argsort, np.any, np.all, np.isclose, np.allclose, np.array_equal,
                  np.count_nonzero, np.nonzero, np.array2string, np.array_repr, np.array_str,
                  np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.iscomplex, np.isreal, np.isposinf,
                  np.isneginf, np.argpartition, np.argwhere, np.flatnonzero, np.lexsort, np.searchsorted, np.digitize,
                  np.nanargmax, np.nanargmin, np.isin, np.array_equiv, np.shares_memory, np.may_share_memory,
                  np.result_type, np.can_cast, np.min_scalar_type, np.einsum_path, np.diag_indices_from,
                  np.tril_indices_from, np.triu_indices_from)
    },
    **{f: _like(f) for f in (np.zeros_like, np.ones_like, np.empty_like)},
    **counting.FUNCTIONS, **einsum.FUNCTIONS, **fft.FUNCTIONS, **joins.FUNCTIONS, **linalg.FUNCTIONS, **pad.FUNCTIONS,
    **products.FUNCTIONS, **quantiles.FUNCTIONS, **ranges.FUNCTIONS, **rearrange.FUNCTIONS,
    **samples.FUNCTIONS, **selection_ops.FUNCTIONS, **statistics.FUNCTIONS,
}  # fmt: skip


def function(f: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args, **options)`` for a function of NumPy that is no ufunc. Raises BadType for one without derivative."""
    return called(f, FUNCTIONS.get(f), args, options)
