"""Functions of the table and NumPy's ufuncs on tensors (``__array_ufunc__``), each with its implementation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.autograd import complex_ops, elementwise, operators, products, selection_ops, statistics
from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.nesting import tensors_in
from gradcli.autograd.operations import apply, lift
from gradcli.autograd.rearrange import arrays
from gradcli.autograd.selection_ops import where
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import stored
from gradcli.errors import BadType, BadValue, GradError
from gradcli.functions import SPELLED, TABLE, Function

Call = Callable[..., Any]


# Functions of the table.


def named(name: str) -> Call | None:
    """The function of tensors with a public name: one of OWN or of the function table; None if there is none."""
    own = OWN.get(name)
    if own is not None:
        return own
    row = SPELLED.get(name)
    if row is None or (row.internal and row.infix is None):
        return None
    return _function(row, name)


def _function(row: Function, name: str) -> Callable[..., Tensor]:
    """A function of the table on tensors, numbers and arrays, with the row's documentation."""
    least, most = row.arity
    extra = 1 if row.parameter else 0

    def function(*args: Any) -> Tensor:
        if len(args) < least + extra or (most is not None and len(args) > most + extra):
            words = f"at least {least + extra}" if most is None else f"{least + extra}"
            raise BadType(f"{name} takes {words} argument{'s' * (least + extra != 1)}, {len(args)} given")
        value = None
        if extra:
            value, *args = args  # type: ignore[assignment]
            if not isinstance(value, (int, np.integer)) or not 0 <= value <= 1000:
                raise BadValue(f"the first argument of {name} must be an integer from 0 to 1000, not {value!r}")
        like = next((a for a in args if isinstance(a, Tensor)), None)
        return apply(_operation(row.name, len(args), value), *[lift(a, like) for a in args])

    function.__name__ = function.__qualname__ = name
    function.__doc__ = row.doc + (f" ({row.notes})" if row.notes else "")
    return function


_operation = lru_cache(500)(elementwise.row)


def row_function(name: str) -> Callable[..., Tensor]:
    """The function of tensors for a row of the table, internal rows included."""
    return _function(SPELLED.get(name) or TABLE[name], name)


def _extreme(which: str) -> Call:
    """The function "max" or "min": of several arguments element by element, of one argument along axes."""
    several = row_function(which)

    def function(*args: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        if len(args) == 1:
            return reductions.extreme(lift(args[0]), axis, keepdims, which)
        if axis is not None or keepdims:
            raise BadType(f"{which} of several arguments goes element by element: it takes no axis")
        return several(*args)

    function.__name__ = function.__qualname__ = which
    function.__doc__ = f"The {which}imum of several tensors element by element, or of one tensor's elements along axes."
    return function


def lifted(f: Call) -> Call:
    """``f`` with its first argument converted to a tensor."""

    def function(x: Any, *args: Any, **options: Any) -> Any:
        return f(lift(x), *args, **options)

    function.__name__ = function.__qualname__ = f.__name__.rstrip("_")
    function.__doc__ = f.__doc__
    return function


def power(x: Any, y: Any) -> Tensor:
    """x to the power y, element by element."""
    return operators.power(lift(x, y if isinstance(y, Tensor) else None), y)


def ravel(x: Tensor) -> Tensor:
    """The elements along one axis, in C order.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False).ravel()
    tensor([1., 2., 3., 4.])
    """
    return shapes.reshape(x, -1)


_ON_ONE: dict[str, Call] = {
    "sum": shapes.sum_, "mean": reductions.mean, "prod": reductions.prod, "var": reductions.var, "std": reductions.std,
    "norm": reductions.norm, "cumsum": reductions.cumsum, "reshape": shapes.reshape, "transpose": shapes.transpose,
    "conj": complex_ops.conj, "real": complex_ops.real, "imag": complex_ops.imag, "angle": complex_ops.angle,
    "ravel": ravel, "abs": complex_ops.absolute, "fabs": complex_ops.absolute,
}  # fmt: skip
OWN: dict[str, Call] = {
    "squeeze": shapes.squeeze,
    **{name: lifted(f) for name, f in _ON_ONE.items()},
    "where": where, "power": power, "pow": power, "logsumexp": reductions.logsumexp,
    "max": _extreme("max"), "min": _extreme("min"), "maximum": row_function("max"), "minimum": row_function("min"),
    "matmul": reductions.matmul, "dot": reductions.dot, "outer": reductions.outer,
    "concatenate": shapes.concatenate, "stack": shapes.stack,
}  # fmt: skip


# NumPy's ufuncs.


def plain(f: Call) -> Call:
    """A function whose derivative is zero or undefined, applied to the arrays of tensors.

    It returns truth values as a tensor, anything else as NumPy does.
    """

    def function(*args: Any, **options: Any) -> Any:
        result = f(*arrays(args), **dict(zip(options, arrays(options.values()), strict=True)))
        is_truth = isinstance(result, np.ndarray | np.generic) and result.dtype == np.bool_
        return Tensor(stored(np.asarray(result))) if is_truth else result

    return function


UFUNCS: dict[Any, Call] = {
    **{getattr(np, row.numpy): row_function(row.name) for row in TABLE.values() if row.numpy},
    np.power: power, np.float_power: power, np.absolute: OWN["abs"], np.fabs: OWN["abs"],
    np.positive: lift, np.conjugate: OWN["conj"], np.matmul: reductions.matmul,
    np.bitwise_and: lambda a, b: lift(a) & b, np.bitwise_or: lambda a, b: lift(a) | b, np.invert: lambda a: ~lift(a),
    np.square: lambda x: operators.power(x, 2), np.reciprocal: lambda x: 1 / x,
    np.deg2rad: lambda x: x * (np.pi / 180), np.radians: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi), np.degrees: lambda x: x * (180 / np.pi),
    np.isnan: plain(np.isnan), np.isinf: plain(np.isinf), np.isfinite: plain(np.isfinite),
    np.signbit: plain(np.signbit), np.logical_xor: plain(np.logical_xor),
    **products.UFUNCS, **selection_ops.UFUNCS,
}  # fmt: skip


def ufunc(f: Any, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args)``, ``f.reduce(...)`` or another method of NumPy's ufuncs, with tensors among the arguments.

    Raises BadType for a ufunc or method without derivative.
    """
    if method == "__call__":
        return called(f, UFUNCS.get(f) or _of_scipy(f), args, options)
    if method == "reduce" and f in REDUCTIONS:
        options = {"axis": 0} | {k: v for k, v in options.items() if v is not None or k == "axis"}
        return REDUCTIONS[f](*args, **taken(f, options))
    bound = getattr(f, method)
    return called(bound, _outer(UFUNCS[f]) if method == "outer" and f in UFUNCS else METHODS.get(bound), args, options)


def _of_scipy(f: Any) -> Call | None:
    """The function of the table that a ufunc of scipy.special is, such as expit or gammaln; None for any other."""
    name: str = f.__name__
    row = SPELLED.get(name)
    if row is None or row.parameter or row.arity != (f.nin, f.nin) or name == "loggamma":  # it is another below 0
        return None
    return named(name) if getattr(sys.modules.get("scipy.special"), name, None) is f else None


def _outer(f: Call) -> Call:
    """A function of two arguments on all pairs of their elements, in shape (*a.shape, *b.shape)."""

    def function(a: Any, b: Any) -> Any:
        a, b = lift(a), lift(b)
        return f(shapes.reshape(a, (*a.shape, *[1] * b.ndim)), b)

    return function


def called(f: Any, implementation: Call | None, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``implementation`` called in place of NumPy's ``f``; every error is a GradError that names ``f``.

    Without an implementation ``f`` has no derivative: it is applied to arrays if no tensor requires a gradient, else
    BadType is raised.
    """
    if implementation is None:
        if any(t.requires_grad for a in (*args, *options.values()) for t in tensors_in(a)):
            raise BadType(f"{name_of(f)} has no derivative here", hint="for the numbers alone take t.detach()")
        implementation = plain(f)
    else:
        options = taken(f, options)
    try:
        return implementation(*args, **options)
    except GradError:
        raise
    except TypeError as e:
        words = "it does not take these arguments" if "argument" in str(e) else str(e)
        raise BadType(f"{name_of(f)} of a tensor: {words}") from None
    except (ValueError, IndexError, ArithmeticError, AttributeError, MemoryError) as e:
        raise BadValue(f"{name_of(f)} of a tensor: {e}") from None


def name_of(f: Any) -> str:
    """The name of a NumPy function in messages, such as np.linalg.norm."""
    if isinstance(getattr(f, "__self__", None), np.ufunc):
        return f"{name_of(f.__self__)}.{f.__name__}"
    module = str(getattr(f, "__module__", None) or "numpy").replace("numpy", "np", 1)
    if isinstance(f, np.ufunc) and getattr(np, f.__name__, None) is not f:
        return str(f.__name__)
    return f"{module}.{getattr(f, '__name__', f)}"


_DEFAULTS: Mapping[str, tuple[Any, ...]] = {"casting": ("same_kind",), "order": ("C", "K"), "subok": (True, False)}
"""Options that change nothing: no array that a tensor shares has another order than C."""


def taken(f: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options that differ from NumPy's defaults. Raises BadType for those that tensors do not support."""
    kept = {}
    for name, value in options.items():
        if (value is None and name != "axis") or value is np._NoValue or value in _DEFAULTS.get(name, ()):
            continue
        if name in ("out", "where", "dtype", "casting", "order", "subok", "initial", "like"):
            hint = "an array that it is written to would lose the graph: write y = y + x, not y += x"
            raise BadType(f"{name_of(f)} of a tensor takes no {name}=", hint=hint if name == "out" else None)
        kept[name] = value
    return kept


REDUCTIONS: dict[Any, Call] = {
    np.add: OWN["sum"], np.multiply: OWN["prod"],
    np.maximum: lambda x, axis=None, keepdims=False: reductions.extreme(x, axis, keepdims, "max"),
    np.minimum: lambda x, axis=None, keepdims=False: reductions.extreme(x, axis, keepdims, "min"),
    np.logaddexp: OWN["logsumexp"],
}  # fmt: skip
METHODS: dict[Any, Call] = {
    np.add.accumulate: lambda x, axis=0: reductions.cumsum(lift(x), axis),
    np.multiply.accumulate: lambda x, axis=0: statistics.cumprod(x, axis),
    **{f.reduce: plain(f.reduce) for f in (np.logical_and, np.logical_or, np.logical_xor)},
}
"""Bound methods of ufuncs; `REDUCTIONS` has those named ``reduce`` that are functions of NumPy, too."""
