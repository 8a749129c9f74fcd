"""The functions of a program's steps in vector code: instructions, elementary functions, or calls of the C library.

Layer: must not know how code is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from gradcli.compute.backends.native import elementary, errors
from gradcli.compute.backends.native.elementary import clamped, gauss
from gradcli.compute.backends.native.emit import Emitter, Value
from gradcli.compute.program import ERROR, ROUGH, ROUGHLY
from gradcli.compute.trust.elementary import ELEMENTARY
from gradcli.compute.trust.rules import ARITHMETIC
from gradcli.functions import TABLE

Row = Callable[..., Value]

_INF = math.inf
_NAN = math.nan

# Instructions of the processor, and functions composed of them.


def _where(b: Emitter, c: Value, x: Value, y: Value) -> Value:
    if x.kind != y.kind:
        x, y = b.stored(x), b.stored(y)
    return b.select(b.truth(c), x, y)


def _maximum(b: Emitter, x: Value, y: Value) -> Value:
    # Return the second of two equal numbers, as processors do, and nan if either operand is nan.
    return b.select(x.is_nan(), x, b.select(x.above(y), x, y))


def _minimum(b: Emitter, x: Value, y: Value) -> Value:
    return b.select(x.is_nan(), x, b.select(x.below(y), x, y))


def _sign(b: Emitter, x: Value) -> Value:
    return b.select(x.above(0.0), 1.0, b.select(x.below(0.0), -1.0, b.intrinsic("fabs", x)))


def _copysign(b: Emitter, x: Value, y: Value) -> Value:
    # copysign(x, nan) is nan here, since the sign bit of a nan differs among libm, NumPy and LLVM.
    return b.select(y.is_nan(), y, b.intrinsic("copysign", x, y))


def _mod(b: Emitter, x: Value, y: Value) -> Value:
    """Return the remainder with the sign of y, as in Python."""
    r = b.library("fmod", x, y)
    crossed = b.binary("xor", r.below(0.0), y.below(0.0))
    value = b.select(crossed & b.compare("une", r, 0.0), r + y, r)
    return b.select(r.same(0.0), b.intrinsic("copysign", b.number(0.0), y), value)


def _power_residual(b: Emitter, x: Value, n: Value, lost: Value) -> Value:
    # See ``scalar._power_residual``, which explains the formula.
    y = ROWS["power"](b, x, n)
    step = ROWS["log"](b, b.intrinsic("fabs", x)) * lost
    both = b.intrinsic("fabs", step).below(_INF) & b.intrinsic("fabs", y).below(_INF)
    value = b.select(both, step * y, 0.0) + y
    size = b.intrinsic("fabs", lost)

    def whole() -> Value:
        flip = b.select(_mod(b, lost, b.number(2.0)).same(1.0), b.intrinsic("copysign", b.number(1.0), x), 1.0)
        finite = b.intrinsic("fabs", y).below(_INF) & b.intrinsic("fabs", x).below(_INF) & b.compare("une", y, 0.0)
        return b.select(finite, y * ROWS["power"](b, x, lost), y * flip)

    return b.rarely(size.at_least(1.0), value, whole)


def _binary(operation: str) -> Row:
    return lambda b, x, y: b.binary(operation, x, y)


def _compared(how: str) -> Row:
    return lambda b, x, y: b.compare(how, b.stored(x), b.stored(y))


def _intrinsic(name: str) -> Row:
    return lambda b, *x: b.intrinsic(name, *x)


def _library(name: str) -> Row:
    return lambda b, *x: b.library(name, *x)


def _gauss_in_parts(b: Emitter, x: Value) -> Value:
    # See ``scalar._gauss``, which explains the splitting.
    size = clamped(b, b.intrinsic("fabs", x), None, 40.0)
    lead = b.intrinsic("rint", size * 2.0**20) * 2.0**-20
    return ROWS["exp"](b, -(lead * lead)) * ROWS["exp"](b, -((size - lead) * (size + lead)))


def _with_fma(row: Row) -> Row:
    """Return ``row`` for processors with fused multiply-add, else the function of the C library, lane by lane."""

    def emit(b: Emitter, x: Value) -> Value:
        if b.target.fma:
            return row(b, x)
        return _gauss_in_parts(b, x) if row is gauss else b.per_lane(row.__name__, x)

    return emit


def _error(name: str, rough: bool) -> Row:
    return lambda b, *x: errors.bounded(name, errors.Lanes(b, ROWS, rough), *x)


_OWN_KERNELS = {"gamma", "lgamma", "fma"}
"""Functions with kernels of our own, because those of the C library are inaccurate."""

_ELEMENTARY = (
    elementary.exp, elementary.expm1, elementary.tanh, elementary.cosh, elementary.sinh, elementary.gauss,
    elementary.log, elementary.sin, elementary.cos, elementary.tan, elementary.erf,
)  # fmt: skip

ROWS: dict[str, Row] = {
    "cbrt_near": _library("cbrt"),
    **{row.name: _library(row.libm) for row in TABLE.values() if row.libm and row.name not in _OWN_KERNELS},
    "add": _binary("fadd"), "sub": _binary("fsub"), "mul": _binary("fmul"), "div": _binary("fdiv"),
    "neg": lambda b, x: -x,
    "lt": _compared("olt"), "le": _compared("ole"), "gt": _compared("ogt"), "ge": _compared("oge"),
    "eq": _compared("oeq"), "ne": _compared("une"),
    "and": lambda b, x, y: b.truth(x) & b.truth(y), "or": lambda b, x, y: b.truth(x) | b.truth(y),
    "not": lambda b, x: ~b.truth(x),
    "where": _where, "defined": lambda b, y, slope: b.select(y.is_nan(), _NAN, slope),
    "min": _minimum, "max": _maximum, "sign": _sign, "copysign": _copysign,
    "abs": _intrinsic("fabs"), "sqrt": _intrinsic("sqrt"), "floor": _intrinsic("floor"), "ceil": _intrinsic("ceil"),
    "round": _intrinsic("rint"), "trunc": _intrinsic("trunc"),
    "mod": _mod, "power_residual": _power_residual,
    **{row.__name__: _with_fma(row) for row in _ELEMENTARY},
    **{f"{ERROR}{name}": _error(name, False) for name in (*ARITHMETIC, *ELEMENTARY, "gauss", "erf", "erfc")},
    **{f"{ROUGH}{name}": _error(name, True) for name in ROUGHLY},
}  # fmt: skip
"""The emitter of each function, called with an Emitter and the operands.

Functions missing here run as array functions of the vector engine.
"""


class Called(NamedTuple):
    """A function called by long programs: its name, the emitter and number of its results, and the one used."""

    name: str
    make: Callable[..., tuple[Value, ...]]
    results: int
    position: int


def _single(name: str) -> Called:
    return Called(name, lambda b, *x: (ROWS[name](b, *x),), 1, 0)


def _sin_cos(b: Emitter, x: Value) -> tuple[Value, Value]:
    return ROWS["sin"](b, x), ROWS["cos"](b, x)


CALLED: dict[str, Called] = {
    **{name: _single(name) for name in (
        "exp", "expm1", "tanh", "cosh", "sinh", "gauss", "log", "tan", "erf", "mod", "power_residual",
    )},
    "sin": Called("turn", _sin_cos, 2, 0), "cos": Called("turn", _sin_cos, 2, 1),
}  # fmt: skip
"""Functions of many instructions, which long programs call instead of inlining them."""
