"""The scalar engine, plain Python point by point: the reference semantics of a program. It never imports NumPy.

Every function follows IEEE 754: log(0) is -inf, 1/0 is inf, sqrt(-1) is nan; none raises an exception.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from functools import partial
from itertools import islice, product, repeat
from operator import itemgetter
from typing import Any

from gradcli.compute.backends import special
from gradcli.compute.program import ERROR, Program, Step, build
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
    """Return x**(n + lost), where ``lost`` is the rounding error of n: to first order x**n * (1 + lost*log|x|)."""
    y = _power(x, n)
    if x == 0 or y == 0 or not math.isfinite(x) or not math.isfinite(y) or not math.isfinite(lost):
        return y * math.copysign(1, x) if lost % 2 == 1 else y
    # For |n| > 2**53 the rounding error is an integer, and an odd one changes the sign for x < 0.
    return y * _power(x, lost) if abs(lost) >= 1 else y + y * (lost * math.log(abs(x)))


def _gauss(x: float) -> float:
    """Return exp(-x**2), which is 0 for |x| >= 40.

    x is split into a leading part, whose square is exact, and a remainder, so that the rounding of x*x is not
    amplified by the exponential.
    """
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


def _guarded(f: Callable[..., float], odd: bool = False) -> Callable[..., float]:
    """Return ``f`` with the results of IEEE 754 where Python raises an exception; ``odd``: f(-x) is -f(x)."""

    def kernel(*x: float) -> float:
        try:
            return f(*x)
        except ValueError:
            return _NAN
        except OverflowError:
            return -_INF if odd and x[0] < 0 else _INF

    return kernel


def _logarithm(f: Callable[[float], float], pole: float = 0.0) -> Callable[[float], float]:
    """Return the logarithm ``f`` with the results of IEEE 754 where Python raises an exception."""

    def kernel(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return -_INF if x == pole else _NAN

    return kernel


def _atanh(x: float) -> float:
    try:
        return math.atanh(x)
    except ValueError:
        return math.copysign(_INF, x) if abs(x) == 1 else _NAN


def _integer(f: Callable[[float], int]) -> Callable[[float], float]:
    """Return a rounding function ``f`` with the sign of zero kept."""

    def kernel(x: float) -> float:
        # Every double of at least 2**52 is an integer. The comparison is false for inf and nan too.
        return math.copysign(f(x), x) if abs(x) < _WHOLE else x

    return kernel


def _maximum(a: float, b: float) -> float:
    # Return the second of two equal numbers, as processors do, which matters for 0.0 and -0.0.
    return a if a > b or a != a else b


def _minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else abs(x)


def _copysign(x: float, y: float) -> float:
    # copysign(x, nan) is nan here, since the sign bit of a nan differs among libm, NumPy and LLVM.
    return math.copysign(x, y) if y == y else y


_FUNCTIONS: dict[str, Callable[..., float | bool]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _div, "neg": operator.neg,
    "mod": _mod, "power": _power, "power_residual": _power_residual,
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
    "and": operator.and_, "or": operator.or_, "not": operator.not_,
    "where": lambda c, a, b: a if c else b,
    "defined": lambda y, slope: slope if y == y else _NAN,
    "sqrt": _guarded(math.sqrt), "cbrt_near": math.cbrt,
    "exp": _guarded(math.exp), "exp2": _guarded(math.exp2), "expm1": _guarded(math.expm1),
    "log": _logarithm(math.log), "log2": _logarithm(math.log2), "log10": _logarithm(math.log10),
    "log1p": _logarithm(math.log1p, -1.0),
    "sin": _guarded(math.sin), "cos": _guarded(math.cos), "tan": _guarded(math.tan),
    "asin": _guarded(math.asin), "acos": _guarded(math.acos), "atan": math.atan, "atan2": math.atan2,
    "hypot": math.hypot, "sinh": _guarded(math.sinh, odd=True), "cosh": _guarded(math.cosh),
    "tanh": math.tanh, "asinh": math.asinh, "acosh": _guarded(math.acosh), "atanh": _atanh,
    "abs": abs, "sign": _sign, "copysign": _copysign,
    "floor": _integer(math.floor), "ceil": _integer(math.ceil), "round": _integer(round), "trunc": _integer(math.trunc),
    "gauss": _gauss, "min": _minimum, "max": _maximum, "fmod": _guarded(math.fmod),
    **special.LIFTED,
}  # fmt: skip


def step_function(step: Step) -> Callable[..., float | bool]:
    """Return a step as a function of numbers."""
    if step.function in special.SCIPY:
        from gradcli.compute.backends.scipy_kernels import scipy_kernel

        array = scipy_kernel(step.function)
        return lambda *x: float(array(step.value, *x))
    if step.function in special.FAMILIES:
        assert step.value is not None
        return partial(special.FAMILIES[step.function], step.value)
    if step.function.startswith(ERROR):
        from gradcli.compute.trust.table import bounded

        return bounded(step.function[len(ERROR) :], step.value)
    return _FUNCTIONS[step.function]


def function(program: Program, names: Sequence[str]) -> Callable[..., float | bool]:
    """Return the first output of a program as a function of numbers, the values of the variables ``names``."""
    return straight(program, names, step_function)


def reader(indices: Sequence[int]) -> Callable[[list[Any]], Sequence[Any]]:
    """Return a function from a list to its elements at ``indices``, of which there is at least one."""
    return itemgetter(*indices) if len(indices) > 1 else itemgetter(slice(indices[0], indices[0] + 1))


def straight(program: Program, names: Sequence[str], bind: Callable[[Step], Callable[..., Any]]) -> Callable[..., Any]:
    """Return the first output of a program as a function of the values of the variables ``names``.

    ``bind`` returns the function of a step, from the values that the step reads to the one that it writes. The
    function holds no state: threads may share it.
    """
    count, constants = len(names), len(program.constants)
    # Slots in the order of the call: the values, then constants and registers.
    slot = {constants + i: names.index(name) for i, (name, _) in enumerate(program.inputs)}
    slot |= {i: count + i for i in range(constants)}
    first = constants + len(program.inputs)
    slot |= {first + i: count + constants + i for i in range(len(program.registers))}
    tape = [step for stratum in program.strata for step in stratum.steps]
    steps = [(bind(step), slot[step.out], tuple([slot[i] for i in step.ins])) for step in tape]
    output = slot[program.outputs[0]]
    ins = [i for _, _, i in steps]
    if ins == [tuple(range(count))]:
        return steps[0][0]
    if count == len(ins) == 2 and ins == [(1,), (0, steps[0][1])]:
        # A cotangent times a slope of one step, the most frequent derivative.
        slope, product = steps[0][0], steps[1][0]
        return lambda g, x: product(g, slope(x))
    tail = [*program.constants, *[None] * len(program.registers)]
    bound = [(f, out, reader(i)) for f, out, i in steps]

    def run(*values: Any) -> Any:
        slots = [*values, *tail]
        for f, out, read in bound:
            slots[out] = f(*read(slots))
        return slots[output]

    return run


def kernel(program: Program) -> Kernel:
    """Return the kernel ``(ins, outs, extents)`` of a program, which computes a block.

    ``ins[i]``: values of input i along its axis. ``outs[k]``: prod(extents) values, written in C order.
    """
    strata = [(s.axes, [(step_function(step), step.out, step.ins) for step in s.steps]) for s in program.strata]
    inputs = [(len(program.constants) + i, axis) for i, (_, axis) in enumerate(program.inputs)]
    start: list[float] = [*program.constants, *[0.0] * (len(inputs) + len(program.registers))]
    along = _along(strata, len(program.constants), len(inputs), program.outputs)

    def run(ins: Sequence[Sequence[float]], outs: Sequence[MutableSequence[float]], extents: tuple[int, ...]) -> None:
        slots = start.copy()
        if len(extents) == 1:
            along(slots, ins, outs, extents[0])
            return
        latest: list[tuple[int, ...] | None] = [None] * len(strata)
        for n, point in enumerate(product(*map(range, extents))):
            for (slot, axis), column in zip(inputs, ins, strict=True):
                slots[slot] = column[point[axis]]
            for k, (axes, steps) in enumerate(strata):
                indices = tuple([point[a] for a in axes])
                if indices == latest[k]:
                    continue
                latest[k] = indices
                for f, out, args in steps:
                    slots[out] = f(*[slots[a] for a in args])
            for column, slot in zip(outs, program.outputs, strict=True):
                column[n] = slots[slot]

    return run


_Steps = list[tuple[Callable[..., "float | bool"], int, tuple[int, ...]]]
_Line = Callable[[list[float], Sequence[Sequence[float]], Sequence[MutableSequence[float]], int], None]


def _along(strata: Sequence[tuple[tuple[int, ...], _Steps]], first: int, inputs: int, outputs: Sequence[int]) -> _Line:
    """Return the kernel of a block along one axis: it computes what does not vary once, and copies no tuples."""
    once, varying = (
        [(f, out, _picker(args)) for axes, steps in strata if bool(axes) is varies for f, out, args in steps]
        for varies in (False, True)
    )
    chosen = _picker(outputs)
    end = first + inputs

    def run(slots: list[float], ins: Sequence[Sequence[float]], outs: Sequence[MutableSequence[float]], n: int) -> None:
        for f, out, pick in once:
            slots[out] = f(*pick(slots))
        rows = []
        for values in islice(zip(*ins, strict=False) if ins else repeat(()), n):
            slots[first:end] = values
            for f, out, pick in varying:
                slots[out] = f(*pick(slots))
            rows.append(chosen(slots))
        for column, results in zip(outs, zip(*rows, strict=True), strict=True):
            column[:n] = results

    return run


def _picker(places: Sequence[int]) -> Callable[[list[float]], Sequence[float]]:
    """The values at places, in half of the time of a list; of none and of a single place, too, as a sequence."""
    if not places:
        return lambda slots: ()
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))


def at_point(roots: Sequence[Expr], point: Mapping[str, float]) -> list[float | bool]:
    """Return the values of expressions at a point. Raise GradError for a variable without a value."""
    program = build(roots, [list(point)])
    outs: list[list[float | bool]] = [[0.0] for _ in roots]
    kernel(program)([[float(point[name])] for name, _ in program.inputs], outs, (1,))
    return [column[0] for column in outs]
