"""What NumPy's functions, and gradcli's own, mean on tensors: tables from a function to what does it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.errors import GradError
from gradcli.functions import SPELLED, TABLE, Function
from gradcli.tensor import array as graph
from gradcli.tensor import elementwise, mixing, moving
from gradcli.tensor.array import Tensor, apply, lift
from gradcli.tensor.refusals import BadType, BadValue
from gradcli.tensor.values import BOOL, Value, settled

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


def _row(name: str) -> Call:
    return _function(SPELLED.get(name) or TABLE[name], name)


def _extreme(which: str) -> Call:
    several = _row(which)

    def function(*args: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        if len(args) == 1:
            return mixing.extreme(lift(args[0]), axis, keepdims, which)
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


def _tensors(f: Call) -> Call:
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
    return moving.reshape(x, -1)


_WHERE = elementwise.row("where", 3)
_ON_ONE: dict[str, Call] = {
    "sum": moving.sum_, "mean": mixing.mean, "prod": mixing.prod, "var": mixing.var, "std": mixing.std,
    "norm": mixing.norm, "cumsum": mixing.cumsum, "reshape": moving.reshape, "transpose": moving.transpose,
    "conj": moving.conj, "real": moving.real, "imag": moving.imag, "angle": moving.angle, "ravel": ravel,
    "abs": moving.absolute, "fabs": moving.absolute,
}  # fmt: skip
OWN: dict[str, Call] = {
    "squeeze": moving.squeeze,
    **{name: _tensors(f) for name, f in _ON_ONE.items()},
    "where": where, "power": power, "pow": power, "logsumexp": mixing.logsumexp,
    "max": _extreme("max"), "min": _extreme("min"), "maximum": _row("max"), "minimum": _row("min"),
    "matmul": mixing.matmul, "dot": mixing.dot, "outer": mixing.outer,
    "concatenate": moving.concatenate, "stack": moving.stack,
}  # fmt: skip


# NumPy's ufuncs.


def _plain(f: Call) -> Call:
    """A function with no derivative to speak of, on the numbers."""

    def function(*args: Any, **options: Any) -> Any:
        found = f(*[a.numpy() if isinstance(a, Tensor) else a for a in args], **options)
        if isinstance(found, np.ndarray | np.generic) and found.dtype == np.bool_:
            return Tensor(Value(found.shape, BOOL, settled(found, BOOL)))
        return found

    return function


UFUNCS: dict[Any, Call] = {
    **{getattr(np, row.numpy): _row(row.name) for row in TABLE.values() if row.numpy},
    np.power: power, np.float_power: power, np.absolute: OWN["abs"], np.fabs: OWN["abs"],
    np.positive: lift, np.conjugate: OWN["conj"], np.matmul: mixing.matmul,
    np.bitwise_and: lambda a, b: lift(a) & b, np.bitwise_or: lambda a, b: lift(a) | b, np.invert: lambda a: ~lift(a),
    np.square: lambda x: graph.power(x, 2), np.reciprocal: lambda x: 1 / x,
    np.deg2rad: lambda x: x * (np.pi / 180), np.radians: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi), np.degrees: lambda x: x * (180 / np.pi),
    np.isnan: _plain(np.isnan), np.isinf: _plain(np.isinf), np.isfinite: _plain(np.isfinite),
    np.signbit: _plain(np.signbit), np.logical_xor: _plain(np.logical_xor),
}  # fmt: skip


def ufunc(f: Any, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args)`` or ``f.reduce(...)`` where tensors are among the arguments."""
    if method == "reduce" and f in _REDUCTIONS:
        options = {"axis": 0} | {k: v for k, v in options.items() if v is not None or k == "axis"}
        return _REDUCTIONS[f](*args, **_taken(f, options))
    found = UFUNCS.get(f) if method == "__call__" else None
    if found is None:
        raise BadType(
            f"np.{f.__name__}{'' if method == '__call__' else '.' + method} has no derivative here",
            hint="for the numbers alone take t.numpy()",
        )
    return _told(f, found, args, options)


def _told(f: Any, found: Call, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``found`` called in the place of NumPy's ``f``, which its errors name."""
    try:
        return found(*args, **_taken(f, options))
    except GradError:
        raise
    except TypeError as e:
        words = "it does not take these arguments" if "argument" in str(e) else str(e)
        raise BadType(f"{_name(f)} of a tensor: {words}") from None
    except (ValueError, IndexError, ArithmeticError, AttributeError) as e:
        raise BadValue(f"{_name(f)} of a tensor: {e}") from None


def _name(f: Any) -> str:
    module = str(getattr(f, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return f"{module}.{getattr(f, '__name__', f)}"


def _taken(f: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something; those that tensors cannot do are refused."""
    left = {}
    for name, value in options.items():
        if (value is None and name != "axis") or value is np._NoValue:
            continue
        if name in ("out", "where", "dtype", "casting", "order", "subok", "initial", "like"):
            raise BadType(f"np.{getattr(f, '__name__', f)} of a tensor takes no {name}=")
        left[name] = value
    return left


_REDUCTIONS: dict[Any, Call] = {
    np.add: OWN["sum"], np.multiply: OWN["prod"],
    np.maximum: lambda x, axis=None, keepdims=False: mixing.extreme(x, axis, keepdims, "max"),
    np.minimum: lambda x, axis=None, keepdims=False: mixing.extreme(x, axis, keepdims, "min"),
}  # fmt: skip


# NumPy's other functions.


def _rearranged(f: Call) -> Call:
    """A function that only picks and repeats elements: what it does to their places tells what it does to them."""

    def function(x: Any, *args: Any, **options: Any) -> Any:
        x = lift(x)
        flat = moving.reshape(x, -1)
        args = tuple([a.numpy() if isinstance(a, Tensor) else a for a in args])
        places = f(np.arange(x.size).reshape(x.shape), *args, **options)
        if isinstance(places, list | tuple):
            return [flat[p] for p in places]
        return flat[places]

    return function


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    x = lift(x)
    over = x.ndim if axis is None else len(axis) if isinstance(axis, (tuple, list)) else 1
    if ord is not None and not (ord == 2 and over == 1) and not (ord == "fro" and over == 2):
        raise BadValue(f"np.linalg.norm of a tensor is the Euclidean norm: ord={ord!r} is not")
    return mixing.norm(x, axis, keepdims)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    a, b = moving.number(a), moving.number(b)
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise BadValue(f"tensordot: {axes} axes of tensors of dimensions {a.ndim} and {b.ndim}")
        first, second = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        first, second = (list(n) if isinstance(n, (tuple, list)) else [n] for n in axes)
    first = [moving.axis_of(k, a.ndim) for k in first]
    second = [moving.axis_of(k, b.ndim) for k in second]
    p = [k for k in range(a.ndim) if k not in first]
    q = [k for k in range(b.ndim) if k not in second]
    n = int(np.prod([a.shape[k] for k in first], dtype=int))
    if [a.shape[k] for k in first] != [b.shape[k] for k in second]:
        raise BadValue(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {first} and {second}")
    rows, columns = [a.shape[k] for k in p], [b.shape[k] for k in q]
    left = moving.reshape(moving.transpose(a, p + first), (int(np.prod(rows, dtype=int)), n))
    right = moving.reshape(moving.transpose(b, second + q), (n, int(np.prod(columns, dtype=int))))
    return moving.reshape(mixing.matmul(left, right), rows + columns)


def _inner(a: Any, b: Any) -> Tensor:
    a, b = moving.number(a), moving.number(b)
    return _tensordot(a, b, ([-1], [-1])) if a.shape and b.shape else a * b


def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    found: Tensor = _row("clip")(x, -np.inf if low is None else low, np.inf if high is None else high)
    return found


def round_(x: Tensor, decimals: int = 0) -> Tensor:
    x = lift(x)
    if not isinstance(decimals, (int, np.integer)) or abs(decimals) > 300:
        raise BadValue(f"decimals is an integer from -300 to 300, not {decimals!r}")
    scale = 10.0**decimals
    return apply(_ROUND, x) if decimals == 0 else apply(_ROUND, x * scale) / scale


def _sort(x: Any, axis: int | None = -1) -> Tensor:
    x = lift(x)
    found: Tensor = _rearranged(np.take_along_axis)(x, np.argsort(x.numpy(), axis, kind="stable"), axis)
    return found


def _diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    x = lift(x)
    if n < 0:
        raise BadValue(f"n must not be negative, it is {n}")
    before = (slice(None),) * moving.axis_of(axis, x.ndim)
    found: Tensor = x
    for _ in range(n):
        found = found[(*before, slice(1, None))] - found[(*before, slice(None, -1))]
    return found


def _broadcast_to(x: Any, shape: Any) -> Tensor:
    x = lift(x)
    wanted = tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    if graph.broadcast({x.shape, wanted}) != wanted:
        raise BadValue(f"a tensor of shape {x.shape} does not broadcast to {wanted}")
    return moving.expand(x, wanted)


def _swapped(ndim: int, a: int, b: int) -> list[int]:
    order = list(range(ndim))
    order[a], order[b] = order[b], order[a]
    return order


def _moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    x = lift(x)
    shape = np.moveaxis(np.broadcast_to(0, tuple(range(2, x.ndim + 2))), source, destination).shape
    return moving.transpose(x, [n - 2 for n in shape])


def _about(f: Call) -> Call:
    """A function that asks for no more than the shape."""
    return lambda x, *args, **options: f(x.numpy(), *args, **options)


def _like(f: Call) -> Call:
    """A function that makes a constant in the shape of a tensor."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        args = tuple([a.numpy() if isinstance(a, Tensor) else a for a in args])
        return lift(f(x.numpy() if isinstance(x, Tensor) else x, *args, **options))

    return function


_ROUND = elementwise.row("round", 1)
_REDUCED = "axis dtype out keepdims initial where"


def _positional(f: Call, names: str) -> Call:
    """``f`` with arguments in NumPy's order, of which it takes some by name."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        given = _taken(f, dict(zip(names.split(), args, strict=False)) | options)
        found: Tensor = f(x, **given)
        return found

    function.__name__ = f.__name__
    return function


FUNCTIONS: dict[Any, Call] = {
    np.sum: _positional(OWN["sum"], _REDUCED), np.prod: _positional(OWN["prod"], _REDUCED),
    np.mean: _positional(OWN["mean"], _REDUCED), np.cumsum: _positional(OWN["cumsum"], "axis dtype out"),
    np.var: _positional(OWN["var"], "axis dtype out ddof keepdims"),
    np.std: _positional(OWN["std"], "axis dtype out ddof keepdims"),
    np.max: _positional(_REDUCTIONS[np.maximum], "axis out keepdims"),
    np.min: _positional(_REDUCTIONS[np.minimum], "axis out keepdims"),
    np.linalg.norm: _norm, np.where: where, np.clip: clip, np.round: round_, np.sinc: _row("sinc"),
    np.reshape: OWN["reshape"], np.ravel: OWN["ravel"], np.transpose: OWN["transpose"],
    np.concatenate: moving.concatenate, np.stack: moving.stack,
    np.vstack: lambda tup: moving.concatenate([np.atleast_2d(t) for t in tup], 0),
    np.hstack: lambda tup: moving.concatenate([np.atleast_1d(t) for t in tup], 0 if np.ndim(tup[0]) <= 1 else 1),
    np.squeeze: _tensors(moving.squeeze), np.expand_dims: _tensors(moving.expand_dims), np.flip: _tensors(moving.flip),
    np.swapaxes: lambda x, axis1, axis2: moving.transpose(lift(x), _swapped(np.ndim(x), axis1, axis2)),
    np.moveaxis: _moveaxis,
    np.broadcast_to: _broadcast_to,
    np.dot: mixing.dot, np.outer: mixing.outer, np.inner: _inner, np.tensordot: _tensordot,
    np.vdot: lambda a, b: moving.sum_(moving.conj(moving.reshape(lift(a), -1)) * moving.reshape(lift(b), -1)),
    np.trace: lambda x, *args, **options: moving.sum_(_rearranged(np.diagonal)(x, *args, **options), -1),
    np.real: OWN["real"], np.imag: OWN["imag"], np.angle: OWN["angle"],
    np.sort: _sort, np.diff: _diff,
    np.tril: lambda m, k=0: where(np.tri(m.shape[-2], m.shape[-1], k, dtype=np.bool_), m, 0.0),
    np.triu: lambda m, k=0: where(np.tri(m.shape[-2], m.shape[-1], k - 1, dtype=np.bool_), 0.0, m),
    **{
        f: _rearranged(f)
        for f in (np.diagonal, np.roll, np.tile, np.repeat, np.take, np.take_along_axis, np.rot90, np.fliplr, np.flipud,
                  np.split, np.array_split, np.hsplit, np.vsplit, np.delete)
    },
    np.atleast_1d: _rearranged(np.atleast_1d), np.atleast_2d: _rearranged(np.atleast_2d),
    **{
        f: _plain(f)
        for f in (np.argmax, np.argmin, np.argsort, np.any, np.all, np.isclose, np.allclose, np.array_equal,
                  np.count_nonzero, np.nonzero, np.array2string, np.array_repr, np.array_str)
    },
    **{f: _about(f) for f in (np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj)},
    **{f: _like(f) for f in (np.zeros_like, np.ones_like, np.full_like, np.empty_like)},
}  # fmt: skip


def function(f: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """``f(*args, **options)`` for a function of NumPy that is no ufunc."""
    found = FUNCTIONS.get(f)
    if found is None:
        raise BadType(f"{_name(f)} has no derivative here", hint="for the numbers alone take t.numpy()")
    return _told(f, found, args, options)
