"""Functions of the table and NumPy's ufuncs on tensors: tables from a function to what does it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.autograd import elementwise
from gradcli.autograd import operations as graph
from gradcli.autograd import reduction_ops as reductions
from gradcli.autograd import shape_ops as shapes
from gradcli.autograd.errors import BadType, BadValue
from gradcli.autograd.operations import apply, lift
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, Value, settled
from gradcli.errors import GradError
from gradcli.functions import SPELLED, TABLE, Function

Call = Callable[..., Any]


# Functions of the table.


def named(name: str) -> Call | None:
    """The function that the table, or this room, has under a name."""
    own = OWN.get(name)
    if own is not None:
        return own
    found = SPELLED.get(name)
    if found is None or (found.internal and found.infix is None):
        return None
    return _function(found, name)


def _function(found: Function, name: str) -> Call:
    least, most = found.arity
    extra = 1 if found.parameter else 0

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
        return apply(_operation(found.name, len(args), value), *[lift(a, like) for a in args])

    function.__name__ = function.__qualname__ = name
    function.__doc__ = found.doc + (f" ({found.notes})" if found.notes else "")
    return function


_operation = lru_cache(500)(elementwise.row)


def row_function(name: str) -> Call:
    return _function(SPELLED.get(name) or TABLE[name], name)


def _extreme(which: str) -> Call:
    several = row_function(which)

    def function(*args: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        if len(args) == 1:
            return reductions.extreme(lift(args[0]), axis, keepdims, which)
        if axis is not None or keepdims:
            raise BadType(f"{which} of several arguments goes element by element: it takes no axis")
        found: Tensor = several(*args)
        return found

    function.__name__ = function.__qualname__ = which
    function.__doc__ = f"The {which}imum of several tensors element by element, or of one tensor's elements along axes."
    return function


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b; nothing leaks from the branch not taken."""
    like = next((t for t in (a, b) if isinstance(t, Tensor)), None)
    return apply(_WHERE, lift(condition), lift(a, like), lift(b, like))


def lifted(f: Call) -> Call:
    """``f`` with its first argument lifted."""

    def function(x: Any, *args: Any, **options: Any) -> Any:
        return f(lift(x), *args, **options)

    function.__name__ = function.__qualname__ = f.__name__.rstrip("_")
    function.__doc__ = f.__doc__
    return function


def power(x: Any, y: Any) -> Tensor:
    """x to the power y."""
    return graph.power(lift(x, y if isinstance(y, Tensor) else None), y)


def ravel(x: Tensor) -> Tensor:
    """The elements in one dimension, in C order."""
    return shapes.reshape(x, -1)


_WHERE = elementwise.row("where", 3)
_ON_ONE: dict[str, Call] = {
    "sum": shapes.sum_, "mean": reductions.mean, "prod": reductions.prod, "var": reductions.var, "std": reductions.std,
    "norm": reductions.norm, "cumsum": reductions.cumsum, "reshape": shapes.reshape, "transpose": shapes.transpose,
    "conj": shapes.conj, "real": shapes.real, "imag": shapes.imag, "angle": shapes.angle, "ravel": ravel,
    "abs": shapes.absolute, "fabs": shapes.absolute,
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
    """A function with no derivative to speak of, on the numbers."""

    def function(*args: Any, **options: Any) -> Any:
        found = f(*[a.numpy() if isinstance(a, Tensor) else a for a in args], **options)
        if isinstance(found, np.ndarray | np.generic) and found.dtype == np.bool_:
            return Tensor(Value(found.shape, BOOL, settled(found, BOOL)))
        return found

    return function


UFUNCS: dict[Any, Call] = {
    **{getattr(np, row.numpy): row_function(row.name) for row in TABLE.values() if row.numpy},
    np.power: power, np.float_power: power, np.absolute: OWN["abs"], np.fabs: OWN["abs"],
    np.positive: lift, np.conjugate: OWN["conj"], np.matmul: reductions.matmul,
    np.bitwise_and: lambda a, b: lift(a) & b, np.bitwise_or: lambda a, b: lift(a) | b, np.invert: lambda a: ~lift(a),
    np.square: lambda x: graph.power(x, 2), np.reciprocal: lambda x: 1 / x,
    np.deg2rad: lambda x: x * (np.pi / 180), np.radians: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi), np.degrees: lambda x: x * (180 / np.pi),
    np.isnan: plain(np.isnan), np.isinf: plain(np.isinf), np.isfinite: plain(np.isfinite),
    np.signbit: plain(np.signbit), np.logical_xor: plain(np.logical_xor),
}  # fmt: skip


def ufunc(f: Any, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args)`` or ``f.reduce(...)`` where tensors are among the arguments."""
    if method == "reduce" and f in REDUCTIONS:
        options = {"axis": 0} | {k: v for k, v in options.items() if v is not None or k == "axis"}
        return REDUCTIONS[f](*args, **taken(f, options))
    found = UFUNCS.get(f) if method == "__call__" else None
    if found is None:
        raise BadType(
            f"np.{f.__name__}{'' if method == '__call__' else '.' + method} has no derivative here",
            hint="for the numbers alone take t.numpy()",
        )
    return called(f, found, args, options)


def called(f: Any, found: Call, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``found`` called in the place of NumPy's ``f``, which its errors name."""
    try:
        return found(*args, **taken(f, options))
    except GradError:
        raise
    except TypeError as e:
        words = "it does not take these arguments" if "argument" in str(e) else str(e)
        raise BadType(f"{name_of(f)} of a tensor: {words}") from None
    except (ValueError, IndexError, ArithmeticError, AttributeError) as e:
        raise BadValue(f"{name_of(f)} of a tensor: {e}") from None


def name_of(f: Any) -> str:
    module = str(getattr(f, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return f"{module}.{getattr(f, '__name__', f)}"


def taken(f: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something; those that tensors cannot do are refused."""
    left = {}
    for name, value in options.items():
        if (value is None and name != "axis") or value is np._NoValue:
            continue
        if name in ("out", "where", "dtype", "casting", "order", "subok", "initial", "like"):
            raise BadType(f"np.{getattr(f, '__name__', f)} of a tensor takes no {name}=")
        left[name] = value
    return left


REDUCTIONS: dict[Any, Call] = {
    np.add: OWN["sum"], np.multiply: OWN["prod"],
    np.maximum: lambda x, axis=None, keepdims=False: reductions.extreme(x, axis, keepdims, "max"),
    np.minimum: lambda x, axis=None, keepdims=False: reductions.extreme(x, axis, keepdims, "min"),
}  # fmt: skip
