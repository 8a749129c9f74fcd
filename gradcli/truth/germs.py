"""An expression as a germ: x = p + s*t for t -> 0+, walked on an explicit stack, branches of `where` only if taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq

from gradcli.expr import Expr
from gradcli.functions import reduces
from gradcli.truth.budget import UndefinedError, UnknownError
from gradcli.truth.field import Field
from gradcli.truth.growth import DISTANCE
from gradcli.truth.numbers import ONE, ZERO, Exact, mul
from gradcli.truth.row_families import FAMILIES, OTHERS
from gradcli.truth.row_limits import ELEMENTARY, Row
from gradcli.truth.row_regular import regular
from gradcli.truth.row_special import SPECIAL
from gradcli.truth.row_steps import COMPARISONS, STEPS
from gradcli.truth.series import Germ, constant

ROWS: Mapping[str, Row] = {**ELEMENTARY, **STEPS, **SPECIAL, **OTHERS}

Value = Germ | bool | UndefinedError
"""A function beside the point, a condition there, or the reason why there is neither."""


def distance(field: Field) -> Germ:
    """t itself."""
    return Germ(field, [(DISTANCE, ONE)])


def evaluate(root: Expr, names: Mapping[str, Germ], field: Field) -> Germ:
    """The germ of an expression whose variables are these germs.

    Raise UndefinedError where it is not defined, UnknownError where this arithmetic cannot say.
    """
    known: dict[Expr, Value] = {}
    stack = [root]
    while stack:
        e = stack[-1]
        if e in known:
            stack.pop()
            continue
        needed = _needed(e, known)
        if needed:
            stack += needed
        else:
            known[e] = _value(e, known, names, field)
            stack.pop()
    result = known[root]
    if isinstance(result, UndefinedError):
        raise UndefinedError(str(result), result.nan)
    if isinstance(result, bool):
        raise UnknownError("a condition is no number")
    return result


def _needed(e: Expr, known: Mapping[Expr, Value]) -> list[Expr]:
    """The arguments to be known before the node is."""
    if e.op not in ("where", "and", "or"):
        return [a for a in e.args if a not in known]
    condition = e.args[0]
    if condition not in known:
        return [condition]
    value = known[condition]
    if isinstance(value, UndefinedError) or (e.op != "where" and value is (e.op == "or")):
        return []
    branch = e.args[1] if e.op != "where" or value else e.args[2]
    return [] if branch in known else [branch]


def _value(e: Expr, known: Mapping[Expr, Value], names: Mapping[str, Germ], field: Field) -> Value:
    op, args = e.op, e.args
    if not args:
        return _leaf(e, names, field)
    first = known[args[0]]
    if op in ("where", "and", "or"):
        if isinstance(first, UndefinedError) or (op != "where" and first is (op == "or")):
            return first
        return known[args[1] if op != "where" or first else args[2]]
    if op in _WITH_INFINITY and any(map(_infinite, args)):
        return _at_infinity(e, known)
    values: list[Germ] = []
    for a in args:
        value = known[a]
        if isinstance(value, UndefinedError):
            # A comparison with nan is false.
            return op == "ne" if op in COMPARISONS and value.nan else value
        if isinstance(value, bool):
            return not value if op == "not" else UndefinedError("a condition is no number")
        values.append(value)
    try:
        return _applied(e, values)
    except UndefinedError as undefined:
        # A traceback would hold the frames that hold this error: a circle, where the collector is off.
        return undefined.with_traceback(None)
    except ZeroDivisionError:
        raise UnknownError("a division by what may be 0") from None


def _applied(e: Expr, values: list[Germ]) -> Germ | bool:
    op = e.op
    if op in COMPARISONS:
        return COMPARISONS[op](0 if e.args[0] is e.args[1] else (values[0] - values[1]).sign)
    if op == "sub" and e.args[0] is e.args[1]:
        return values[0].number(0)
    if op == "copysign" and _negative_zero(e.args[1]):
        return -ROWS["abs"](values[0])
    family = FAMILIES.get(op)
    if family is not None:
        assert isinstance(e.value, int)
        return family(e.value, *values)
    row = ROWS.get(op)
    if reduces(e):
        raise UnknownError(f"{op} takes all points at once")
    if row is None:
        return regular(op, e.value if isinstance(e.value, int) else None, values)
    return row(*values)


_WITH_INFINITY = frozenset({"min", "max", "clip", *COMPARISONS})


def _infinite(e: Expr) -> int:
    """The sign of a written infinity, 0 for any other node."""
    return int(math.copysign(1, e.value)) if isinstance(e.value, float) and math.isinf(e.value) else 0


def _at_infinity(e: Expr, known: Mapping[Expr, Value]) -> Value:
    """An extreme or a comparison with a written infinity among its arguments."""
    bounds = [a for a in e.args if _infinite(a)]
    others = [a for a in e.args if not _infinite(a)]
    for a in others:
        value = known[a]
        if not isinstance(value, Germ):
            return value
    if e.op in COMPARISONS:
        signs = [_infinite(a) for a in e.args]
        return COMPARISONS[e.op](signs[0] - signs[1])
    if e.op == "clip":
        lower, upper = _infinite(e.args[1]), _infinite(e.args[2])
        if _infinite(e.args[0]) or lower > 0 or upper < 0:
            raise UnknownError("inf is written")
        ends = [end for end, wall in (("max", e.args[1]), ("min", e.args[2])) if not _infinite(wall)]
        value = known[e.args[0]]
        if ends:
            wall = known[e.args[1] if ends[0] == "max" else e.args[2]]
            return ROWS[ends[0]](value, wall)
        return value
    if any(_infinite(a) == (1 if e.op == "max" else -1) for a in bounds):
        return UndefinedError("inf is written", nan=False)
    return ROWS[e.op](*[known[a] for a in others]) if others else UndefinedError("inf is written", nan=False)


def _negative_zero(e: Expr) -> bool:
    return e.op == "const" and isinstance(e.value, float) and math.copysign(1, e.value) < 0


def _leaf(e: Expr, names: Mapping[str, Germ], field: Field) -> Value:
    if e.op == "var":
        return names[str(e.value)]
    if e.op == "constant":
        numbers: dict[object, Exact] = {"pi": field.pi, "e": field.e, "tau": mul(fmpq(2), field.pi)}
        return constant(field, numbers[e.value])
    value = e.value
    if isinstance(value, Fraction):
        return constant(field, fmpq(value.numerator, value.denominator))
    if value == 0:
        return constant(field, ZERO)
    if value != value:
        return UndefinedError("nan is written")
    return UndefinedError("inf is written", nan=False)
