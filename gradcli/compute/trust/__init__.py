"""How far values can be trusted: a running bound on the rounding error of every result, beside the value.

The rules are those of `rules`. The scalar engine walks the tape with a value and an error in every slot; the
other engines compile the errors as further outputs of the same graph, an operation ``error_NAME`` for each kernel.
Layer: must not know what the bounds are used for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, MutableSequence, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from gradcli.compute import engine
from gradcli.compute.backends.scalar import step_function
from gradcli.compute.execute import Work
from gradcli.compute.grid import Grid
from gradcli.compute.program import ERROR, ROUGH, ROUGHLY, Program, Step, build, lower, reading_error
from gradcli.compute.trust.rules import ARITHMETIC, INF, Floats, U
from gradcli.expr import BOOLEANS, COMPARISONS, ZERO, Expr, apply, const, exact, reachable
from gradcli.expr.node import collector_paused

LEAST = 1e-12
"""The relative error above which a number is flagged: of 20,646 numbers of public corpora, none that was wrong by more
than that was missed."""
SMALL = 2.0**-1000
"""Size below which a double has fewer digits than a relative bound can say."""
_UNIT = const(Fraction(U))
_PER_BIT = -0.30103
"""-log10(2)."""


def flagged(v: Any, error: Any) -> Any:
    """Whether a number may have fewer right digits than `LEAST` asks for; never an exact one, nor a sure infinity.

    ``v`` and ``error`` are numbers or arrays of one shape.
    """
    if not isinstance(v, float):
        from gradcli.compute.trust import arrays

        return arrays.flagged(v, error, LEAST, SMALL)
    return error != 0 and not (error * U <= abs(v) * LEAST and SMALL <= abs(v) < INF)


def digits(v: Any, error: Any) -> Any:
    """How many decimal digits of a number are right, from 0 to 16; ``v`` and ``error`` are numbers or arrays.

    By the binary exponent of the relative error alone: the C library's log10 differs between machines.
    """
    if not isinstance(v, float):
        from gradcli.compute.trust import arrays

        return arrays.digits(v, error, _PER_BIT)
    if error == 0:
        return 16
    if v == 0 or not error < INF or not abs(v) < INF:
        return 0
    lost = error / abs(v)
    if not lost < INF:
        return 0
    _, exponent = math.frexp(lost)
    return 16 if lost == 0 else min(16, max(0, math.floor(_PER_BIT * (exponent - 53))))


def work(outputs: Sequence[Expr], program: Program, grid: Grid, engine_name: str) -> Work:
    """Return the work of a program with the values of ``outputs``, then the error of each; see `engine.work`.

    ``program`` computes ``outputs`` over the axes of ``grid``; values are the same to the last bit. An error is in
    units of 2**-53, 0 for an exact number and inf where nothing is known.
    """
    return worker(outputs, program, [axis.names for axis in grid.axes], engine_name)(grid)


def worker(
    outputs: Sequence[Expr], program: Program, axes: Sequence[Sequence[str]], engine_name: str
) -> Callable[[Grid], Work]:
    """Return what gives the `work` over a grid with variables ``axes``, for one grid after another."""
    if engine_name == "scalar":
        make = partial(kernel, program)
        return lambda grid: engine.work(program, grid, engine_name)._replace(make=make, outputs=2 * len(outputs))
    errors = bounds(outputs)
    if engine_name == "vector":
        beside = build([*outputs, *errors], axes)
        return lambda grid: engine.work(beside, grid, engine_name)
    from gradcli.compute.trust.rows import Settled

    rough = _bounds(outputs, False, False, rough=True)
    both = build([e for pair in zip(rough, outputs, strict=True) for e in pair], axes)
    alone = build(errors, [[name for names in axes for name in names]])

    def native(grid: Grid) -> Work:
        compiled = engine.work(both, grid, engine_name)
        return compiled._replace(make=lambda: Settled(compiled.make(), both, alone))

    return native


def bounds(roots: Iterable[Expr], decimals: bool = False, literals: bool = False, decided: bool = False) -> list[Expr]:
    """Return for each root its error in units of 2**-53 as an expression: ZERO if it is exact.

    With ``decimals``, variables and literals stand for decimals, which their doubles miss by up to half an ulp; with
    ``literals``, literals alone. ``decided``: every comparison is taken to come out as it does without errors.
    """
    return _bounds(roots, decimals, literals, rough=False, decided=decided)


@collector_paused()
def zeros(distances: Sequence[Expr], sure: bool = True) -> list[Expr]:
    """Whether each is 0 within its rounding error, points and literals read as decimals: a condition for each.

    Unless ``sure`` it holds, too, where the number or its error is nan: vector code leaves some errors open.
    """
    conditions = []
    for d, bound in zip(distances, bounds(distances, decimals=True), strict=True):
        size, least = apply("abs", d), apply("mul", bound, _UNIT)
        if bound is ZERO:
            conditions.append(apply("eq", d, ZERO))
        else:
            conditions.append(apply("le", size, least) if sure else apply("not", apply("gt", size, least)))
    return conditions


def _bounds(roots: Iterable[Expr], decimals: bool, literals: bool, rough: bool, decided: bool = False) -> list[Expr]:
    """As `bounds`. ``rough``: with the rules for inexact arguments where a function has rounded one of them."""
    roots = lower(roots)
    error: dict[Expr, Expr] = {}
    inexact: set[Expr] = set()
    for e in reachable(roots):
        if e.op == "var":
            error[e] = apply("abs", e) if decimals else ZERO
        elif e.op in ("const", "constant"):
            error[e] = _literal(e, decimals or literals)
        elif decided and e.op in COMPARISONS:
            error[e] = ZERO
        else:
            inner = [error[a] for a in e.args]
            if e.op in _EXACT and all(a is ZERO for a in inner):
                error[e] = ZERO
            else:
                value = e.value if isinstance(e.value, int) else None
                prefix = ERROR
                if rough and (e.op not in _CARRYING or not inexact.isdisjoint(e.args)):
                    inexact.add(e)
                    prefix = ROUGH if e.op in ROUGHLY else ERROR
                # Errors come first, so that each is computed soon after its value, which need not stay in a register.
                error[e] = apply(f"{prefix}{_rule_name(e.op, e.args[-1].op)}", *inner, *e.args, e, value=value)
    return [error[r] for r in roots]


_EXACT = frozenset({
    "neg", "abs", "where", "defined", "min", "max", "sign", "copysign", "floor", "ceil", "trunc", "round", *BOOLEANS,
})  # fmt: skip
"""Kernels that never round."""
_CARRYING = _EXACT | ROUGHLY | {"power", "mod", "fmod"}
"""Kernels that may be exact where their arguments are; others round wherever their value is not 0 or 1."""


def _literal(e: Expr, decimals: bool) -> Expr:
    if not decimals:
        return const(reading_error(e))
    number = exact(e)
    if number is not None and float(number) == number:
        return ZERO
    return apply("abs", e) if number is None or abs(number) > SMALL else const(SMALL)


def _rule_name(function: str, last: str) -> str:
    """The name of the rule of a kernel; ``last`` is the kernel that computed its last argument."""
    # The expansion of cbrt ends by choosing between a corrected value and the C library's.
    return "refined" if function == "where" and last == "cbrt_near" else function


# The scalar engine.


def _rule(step: Step, name: str) -> Callable[..., Any]:
    rule = ARITHMETIC.get(name)
    if rule is None:
        from gradcli.compute.trust.table import rule_of

        rule = rule_of(name) or _unknown
    return partial(rule, Floats) if step.value is None else lambda *x: rule(Floats, *x, step.value)


def _unknown(*x: Any) -> float:
    return INF


def kernel(program: Program) -> Callable[..., None]:
    """Return the kernel of a program as `scalar.kernel` does, whose outputs are the values, then their errors."""
    last: dict[int, str] = {}
    strata = []
    for stratum in program.strata:
        steps = []
        for step in stratum.steps:
            name = _rule_name(step.function, last.get(step.ins[-1], ""))
            last[step.out] = step.function
            steps.append((step_function(step), _rule(step, name), name, step.out, step.ins))
        strata.append((stratum.axes, steps))
    inputs = [(len(program.constants) + i, axis) for i, (_, axis) in enumerate(program.inputs)]
    rest = [0.0] * (len(inputs) + len(program.registers))
    values: list[Any] = [*program.constants, *rest]
    errors = [*program.rounding, *rest]

    def run(ins: Sequence[Sequence[float]], outs: Sequence[MutableSequence[float]], extents: tuple[int, ...]) -> None:
        latest: list[tuple[int, ...] | None] = [None] * len(strata)
        for n, point in enumerate(product(*map(range, extents))):
            for (slot, axis), column in zip(inputs, ins, strict=True):
                values[slot] = column[point[axis]]
            for k, (axes, steps) in enumerate(strata):
                indices = tuple([point[a] for a in axes])
                if indices != latest[k]:
                    latest[k] = indices
                    _walk(steps, values, errors)
            for k, slot in enumerate(program.outputs):
                outs[k][n] = values[slot]
                outs[k + len(program.outputs)][n] = errors[slot]

    return run


def _walk(steps: Sequence[Any], values: list[Any], errors: list[float]) -> None:
    """Run the steps of a stratum at a point."""
    for f, rule, name, out, ins in steps:
        # The common cases without lists: half of the time of a walk would go into them.
        v = None
        try:
            if len(ins) == 2:
                i, j = ins
                a, b, p, q = values[i], values[j], errors[i], errors[j]
                v = f(a, b)
                error = rule(v, a, b, p, q)
            elif len(ins) == 1:
                a, p = values[ins[0]], errors[ins[0]]
                v = f(a)
                error = rule(v, a, p)
            else:
                x = [values[i] for i in ins]
                v = f(*x)
                error = rule(v, *x, *[errors[i] for i in ins])
        except (ArithmeticError, ValueError):
            # The bound itself left the range of a double.
            if v is None:
                raise
            error = INF
        if not error < INF:
            error = _surely(name, v, [values[i] for i in ins], [errors[i] for i in ins])
        values[out] = v
        errors[out] = error


def _surely(name: str, v: float, x: Sequence[float], e: Sequence[float]) -> float:
    from gradcli.compute.trust.table import surely

    try:
        return float(surely(Floats, name, v, x, e))
    except (ArithmeticError, ValueError):
        return INF
