"""`side`, one side of an expression at a point: every decision in it taken as it falls just beside the point.

A decision is the sign of a difference, and that sign beside a point is a condition on the variables like any other
(`beside`): one program serves all points, off the ties too, and `derive` of it gives the derivatives of that side.
Layer: purely symbolic; must not know any point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce

from gradcli.calculus.beside import Beside, Sign, both, chosen, either, negated, pure_partials
from gradcli.expr import COMPARISONS, ONE, ZERO, Expr, apply, bit, const, reachable, rebuild
from gradcli.functions import reduces
from gradcli.functions.row import HALF, copysign, eq, gt, lt, rint

_MINUS = const(-1)


def side(root: Expr, wrt: str, sign: int, depth: int = 3) -> Expr:
    """The side of ``root`` towards greater (``sign`` 1) or smaller (-1) values of the variable ``wrt``.

    The expression has no ``diff`` inside (see `derive.expand`). Right at every point where no distance of
    `hazards.singular` is 0 and doubles decide each tie as its decimals do (`plain`). ``depth`` is the number of
    derivatives that a sign is looked for in: a difference whose first ``depth`` derivatives are 0 counts as 0, which
    changes no derivative of order up to ``depth`` where the decision makes a kink, but may miss a jump.

    >>> from gradcli.expr import text, var
    >>> text(side(apply("relu", var("x") - 1), "x", 1))
    'where(x < 1, 0, x - 1)'
    """
    beside = Beside(wrt, sign, depth)
    mask = bit(wrt)
    new: dict[Expr, Expr] = {}
    for e in reachable([root]):
        args = tuple([new[a] for a in e.args])
        rule = _RULES.get(e.op) if e.variables & mask and not reduces(e) else None
        new[e] = rebuild(e, args) if rule is None else rule(beside, *args)
    return new[root]


def derivatives(root: Expr, wrt: str, sign: int, order: int) -> list[Expr]:
    """One side's value and its derivatives in ``wrt`` of order 1 to ``order``; those that are zero everywhere are ZERO.

    As `derive` of `side`, in time that does not explode with the depth of decisions inside one another.
    """
    value = side(root, wrt, sign, order + 1)
    slopes = pure_partials(value, wrt, order) if order else []
    return [value, *slopes, *[ZERO] * (order - len(slopes))]


# The sided form of each operation that decides, of its sided arguments.


def _compared(op: str) -> Callable[[Beside, Expr, Expr], Expr]:
    def rule(beside: Beside, a: Expr, b: Expr) -> Expr:
        sign = beside.sign(a - b)
        if op in ("lt", "le"):
            return sign.negative if op == "lt" else either(sign.negative, sign.null)
        if op in ("gt", "ge"):
            return sign.positive if op == "gt" else either(sign.positive, sign.null)
        return sign.null if op == "eq" else negated(sign.null)

    return rule


def _abs(beside: Beside, x: Expr) -> Expr:
    return beside.sign(x).choose(x, -x, x)


def _sign(beside: Beside, x: Expr) -> Expr:
    return beside.carried(x, beside.sign(x).choose(ONE, _MINUS, ZERO))


def _heaviside(beside: Beside, x: Expr, h: Expr) -> Expr:
    return beside.carried(x, beside.sign(x).choose(ONE, ZERO, h))


def _relu(beside: Beside, x: Expr) -> Expr:
    return beside.sign(x).choose(x, ZERO, x)


def _extreme(op: str) -> Callable[..., Expr]:
    def two(beside: Beside, a: Expr, b: Expr) -> Expr:
        if not (a.variables | b.variables) & beside.mask:
            return apply(op, a, b)
        sign = beside.sign(a - b)
        return beside.carried(b, (sign if op == "max" else sign.flipped).choose(a, b, a))

    return lambda beside, first, *others: reduce(lambda a, b: two(beside, a, b), others, first)


_greatest, _least = _extreme("max"), _extreme("min")


def _clip(beside: Beside, x: Expr, a: Expr, b: Expr) -> Expr:
    return _least(beside, _greatest(beside, x, a), b)


def _copysign(beside: Beside, x: Expr, y: Expr) -> Expr:
    size = _abs(beside, x)
    given = size * copysign(ONE, y)
    return beside.sign(y).choose(size, -size, given) if y.variables & beside.mask else given


def _whole(beside: Beside, x: Expr) -> tuple[Expr, Sign]:
    """The integer nearest to x, and the sign of what x is more: the difference is exact in doubles."""
    whole = rint(x)
    return whole, beside.compared(x, whole, x)


def _floor(beside: Beside, x: Expr) -> Expr:
    whole, more = _whole(beside, x)
    return more.choose(whole, whole - ONE, whole)


def _ceil(beside: Beside, x: Expr) -> Expr:
    whole, more = _whole(beside, x)
    return more.choose(whole + ONE, whole, whole)


def _trunc(beside: Beside, x: Expr) -> Expr:
    floor = _floor(beside, x)
    return beside.sign(x).choose(floor, _ceil(beside, x), floor)


def _round(beside: Beside, x: Expr) -> Expr:
    whole, onward = rint(x), beside.onward(x)
    more = x - whole
    up = both(eq(more, HALF), onward.positive)
    down = both(eq(more, const(Fraction(-1, 2))), onward.negative)
    return chosen(up, whole + ONE, chosen(down, whole - ONE, whole))


def _divided(name: str, remainder: str) -> Callable[[Beside, Expr, Expr], Expr]:
    """mod, fmod and their quotients: at a whole quotient the remainder is exactly 0."""

    def rule(beside: Beside, a: Expr, b: Expr) -> Expr:
        value, quotient = apply(name, a, b), a / b
        tie, onward = eq(apply(remainder, a, b), ZERO), beside.onward(quotient)
        step = -b if name == remainder else ONE
        lower, upper = onward.negative, onward.positive
        if remainder == "mod":
            return chosen(both(tie, lower), value - step, value)
        # Towards 0, where both integer parts are 0.
        lower, upper = both(lower, gt(quotient, ZERO)), both(upper, lt(quotient, ZERO))
        return chosen(both(tie, lower), value - step, chosen(both(tie, upper), value + step, value))

    return rule


_RULES: dict[str, Callable[..., Expr]] = {
    **{op: _compared(op) for op in COMPARISONS},
    "and": lambda beside, a, b: both(a, b),
    "or": lambda beside, a, b: either(a, b),
    "not": lambda beside, a: negated(a),
    "where": lambda beside, condition, yes, no: chosen(condition, yes, no),
    "abs": _abs, "sign": _sign, "heaviside": _heaviside, "relu": _relu,
    "max": _greatest, "min": _least, "clip": _clip, "copysign": _copysign,
    "floor": _floor, "ceil": _ceil, "trunc": _trunc, "round": _round,
    "mod": _divided("mod", "mod"), "floordiv": _divided("floordiv", "mod"),
    "fmod": _divided("fmod", "fmod"), "truncdiv": _divided("truncdiv", "fmod"),
}  # fmt: skip
