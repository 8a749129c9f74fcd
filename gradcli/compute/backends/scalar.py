"""Plain Python, one point at a time: the living definition of what a Program means. Never imports NumPy.

Every function follows IEEE-754: log(0) is -inf, 1/0 is inf, sqrt(-1) is nan; none raises.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from functools import partial
from itertools import product

from gradcli.compute.backends import special
from gradcli.compute.program import Program, Step, build
from gradcli.expr import Expr

Kernel = Callable[[Sequence[Sequence[float]], Sequence[MutableSequence[float]], tuple[int, ...]], None]

_INF = math.inf
_NAN = math.nan
_WHOLE = 2.0**52


def _div(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return _NAN if a == 0 or a != a else math.copysign(_INF, a) * math.copysign(1, b)


def _power(x: float, n: float) -> float:
    try:
        return math.pow(x, n)
    except OverflowError:
        return -_INF if x < 0 and n % 2 == 1 else _INF
    except ValueError:
        if x != 0:
            return _NAN
        return math.copysign(_INF, x) if n % 2 == 1 else _INF


def _power_residual(x: float, n: float, lost: float) -> float:
    """x**(n + lost) for a ``lost`` below an ulp of n: to first order x**n * (1 + lost*log|x|)."""
    y = _power(x, n)
    if x == 0 or y == 0 or not math.isfinite(x) or not math.isfinite(y) or not math.isfinite(lost):
        return y * math.copysign(1, x) if lost % 2 == 1 else y
    # Beyond 2**53 what is lost is a whole number, and may turn the sign.
    return y * _power(x, lost) if abs(lost) >= 1 else y + y * (lost * math.log(abs(x)))


def _gauss(x: float) -> float:
    """exp(-x**2): x*x is exact for the 25 leading bits of x; the rest enters to first order. Beyond 40 it is 0."""
    if x != x:
        return x
    size = min(abs(x), 40.0)
    lead = round(size * 2.0**20) / 2.0**20
    return math.exp(-(lead * lead)) * math.exp(-((size - lead) * (size + lead)))


def _mod(a: float, b: float) -> float:
    try:
        return a % b
    except ZeroDivisionError:
        return _NAN


def _guarded(f: Callable[..., float], overflow: Callable[[float], float] | None = None) -> Callable[..., float]:
    """``f`` with Python's exceptions turned back into the values IEEE-754 gives."""

    def kernel(*x: float) -> float:
        try:
            return f(*x)
        except ValueError:
            return _NAN
        except OverflowError:
            return overflow(x[0]) if overflow else _INF

    return kernel


def _pole(f: Callable[[float], float], at: float, value: float) -> Callable[[float], float]:
    """``f`` with the infinity that Python refuses to return at one point."""

    def kernel(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return value if x == at else _NAN

    return kernel


def _atanh(x: float) -> float:
    try:
        return math.atanh(x)
    except ValueError:
        return math.copysign(_INF, x) if abs(x) == 1 else _NAN


def _integer(f: Callable[[float], int]) -> Callable[[float], float]:
    def kernel(x: float) -> float:
        # From 2**52 on every double is an integer; the test also lets inf and nan through.
        return math.copysign(f(x), x) if abs(x) < _WHOLE else x

    return kernel


def _maximum(a: float, b: float) -> float:
    # Of equal ones the second, as processors do it: it decides between 0.0 and -0.0.
    return a if a > b or a != a else b


def _minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else abs(x)


def _copysign(x: float, y: float) -> float:
    # The sign of a nan depends on who made it.
    return math.copysign(x, y) if y == y else y


def _signed_infinity(x: float) -> float:
    return math.copysign(_INF, x)


_FUNCTIONS: dict[str, Callable[..., float | bool]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _div, "neg": operator.neg,
    "mod": _mod, "power": _power, "power_residual": _power_residual,
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
    "and": operator.and_, "or": operator.or_, "not": operator.not_,
    "where": lambda c, a, b: a if c else b,
    "defined": lambda y, slope: slope if y == y else _NAN,
    "sqrt": _guarded(math.sqrt), "cbrt_near": math.cbrt,
    "exp": _guarded(math.exp), "exp2": _guarded(math.exp2), "expm1": _guarded(math.expm1),
    "log": _pole(math.log, 0.0, -_INF), "log2": _pole(math.log2, 0.0, -_INF),
    "log10": _pole(math.log10, 0.0, -_INF), "log1p": _pole(math.log1p, -1.0, -_INF),
    "sin": _guarded(math.sin), "cos": _guarded(math.cos), "tan": _guarded(math.tan),
    "asin": _guarded(math.asin), "acos": _guarded(math.acos), "atan": math.atan, "atan2": math.atan2,
    "hypot": math.hypot, "sinh": _guarded(math.sinh, _signed_infinity), "cosh": _guarded(math.cosh),
    "tanh": math.tanh, "asinh": math.asinh, "acosh": _guarded(math.acosh), "atanh": _atanh,
    "abs": abs, "sign": _sign, "copysign": _copysign,
    "floor": _integer(math.floor), "ceil": _integer(math.ceil), "round": _integer(round), "trunc": _integer(math.trunc),
    "gauss": _gauss, "min": _minimum, "max": _maximum, "fmod": _guarded(math.fmod),
    **special.LIFTED,
}  # fmt: skip


def _function(step: Step) -> Callable[..., float | bool]:
    if step.function in special.SCIPY:
        array = special.scipy_kernel(step.function)
        return lambda x: float(array(step.value, x))
    if step.function in special.FAMILIES:
        assert step.value is not None
        return partial(special.FAMILIES[step.function], step.value)
    return _FUNCTIONS[step.function]


def function(program: Program, names: Sequence[str]) -> Callable[..., float | bool]:
    """The first output of a program as a function of single numbers, the variables ``names``."""
    steps = [(_function(step), step.out, step.ins) for s in program.strata for step in s.steps]
    first = len(program.constants)
    places = [(first + i, names.index(name)) for i, (name, _) in enumerate(program.inputs)]
    if len(steps) == 1 and not first and steps[0][2] == tuple(range(len(names))) == tuple([p for _, p in places]):
        return steps[0][0]
    start: list[float] = [*program.constants, *[0.0] * (len(places) + len(program.registers))]
    output = program.outputs[0]

    def run(*values: float) -> float | bool:
        slots = start.copy()
        for slot, place in places:
            slots[slot] = values[place]
        for f, out, ins in steps:
            slots[out] = f(*[slots[i] for i in ins])
        return slots[output]

    return run


def kernel(program: Program) -> Kernel:
    """``(ins, outs, extents)`` computing one block: inputs by axis position, outputs flat in C order."""
    strata = [(s.axes, [(_function(step), step.out, step.ins) for step in s.steps]) for s in program.strata]
    inputs = [(len(program.constants) + i, axis) for i, (_, axis) in enumerate(program.inputs)]
    start: list[float] = [*program.constants, *[0.0] * (len(inputs) + len(program.registers))]

    def run(ins: Sequence[Sequence[float]], outs: Sequence[MutableSequence[float]], extents: tuple[int, ...]) -> None:
        slots = start.copy()
        latest: list[tuple[int, ...] | None] = [None] * len(strata)
        for n, place in enumerate(product(*map(range, extents))):
            for (slot, axis), column in zip(inputs, ins, strict=True):
                slots[slot] = column[place[axis]]
            for k, (axes, steps) in enumerate(strata):
                here = tuple([place[a] for a in axes])
                if here == latest[k]:
                    continue
                latest[k] = here
                for f, out, args in steps:
                    slots[out] = f(*[slots[a] for a in args])
            for column, slot in zip(outs, program.outputs, strict=True):
                column[n] = slots[slot]

    return run


def at_point(roots: Sequence[Expr], point: Mapping[str, float]) -> list[float | bool]:
    """The values of expressions at one point. Raises GradError for a variable without a value."""
    program = build(roots, [list(point)])
    outs: list[list[float | bool]] = [[0.0] for _ in roots]
    kernel(program)([[float(point[name])] for name, _ in program.inputs], outs, (1,))
    return [column[0] for column in outs]
