"""`side`, one side of an expression at a point: every decision in it taken as it falls just beside the point.

A decision is the sign of a difference d. Just right of a tie d has the sign of its first derivative that is not 0, just
left of it that of the first (-1)**k * d_k that is not 0. The sign is an expression of the variables like any other: one
program serves all points, off the ties too, and `derive` of it gives the derivatives of that side.
Layer: purely symbolic; must not know any point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from gradcli.calculus.forward import partials
from gradcli.calculus.hazards import NEGATIVE, NULL, POSITIVE, Signs, possible_signs, sign_factors
from gradcli.expr import COMPARISONS, ONE, ZERO, Expr, apply, bit, const, exact, reachable, rebuild
from gradcli.expr.traversal import missing
from gradcli.functions import TABLE, reduces
from gradcli.functions.row import HALF, and_, copysign, eq, ge, gt, le, lt, rint, where

TRUE, FALSE = lt(ZERO, ONE), lt(ONE, ZERO)
_MINUS = const(-1)


def side(root: Expr, wrt: str, sign: int, depth: int = 3) -> Expr:
    """The side of ``root`` towards greater (``sign`` 1) or smaller (-1) values of the variable ``wrt``.

    The expression has no ``diff`` inside (see `derive.expand`). Right at every point where no distance of
    `hazards.singular` is 0 and doubles decide each tie as its decimals do (`plain`). ``depth`` is the number of
    derivatives that a sign is looked for in: a difference whose first ``depth`` derivatives are 0 counts as 0, which
    changes no derivative of order up to ``depth`` where the decision makes a kink, but may miss a jump.

    >>> from gradcli.expr import text, var
    >>> text(side(apply("relu", var("x") - 1), "x", 1))
    'x - 1 if not x < 1 else 0'
    """
    beside = _Beside(wrt, sign, depth)
    mask = bit(wrt)
    new: dict[Expr, Expr] = {}
    for e in reachable([root]):
        args = tuple([new[a] for a in e.args])
        rule = _RULES.get(e.op) if e.variables & mask and not reduces(e) else None
        new[e] = rebuild(e, args) if rule is None else rule(beside, *args)
    return new[root]


class Sign(NamedTuple):
    """The sign of a number just beside a point, as conditions; ``null`` is FALSE where it is surely not 0."""

    positive: Expr
    negative: Expr
    null: Expr

    @property
    def flipped(self) -> Sign:
        return Sign(self.negative, self.positive, self.null)

    def choose(self, positive: Expr, negative: Expr, null: Expr) -> Expr:
        """One of three expressions; the first where the number is nan and not surely 0."""
        return _where(self.negative, negative, positive if null is positive else _where(self.null, null, positive))


_UP, _DOWN, _FLAT = Sign(TRUE, FALSE, FALSE), Sign(FALSE, TRUE, FALSE), Sign(FALSE, FALSE, TRUE)
_SURE = {POSITIVE: _UP, NEGATIVE: _DOWN, NULL: _FLAT}


class _Beside:
    """Signs just beside a point, along one axis."""

    def __init__(self, wrt: str, direction: int, depth: int) -> None:
        self.wrt = wrt
        self.mask = bit(wrt)
        self.direction = direction
        self.depth = depth
        self.signs: Signs = {}
        self.totals: dict[Expr, bool] = {}

    def sign(self, d: Expr) -> Sign:
        """The sign of a sided expression."""
        product = _UP
        # Factors of a square are squared themselves.
        stack = [(d, False)]
        while stack:
            e, squared = stack.pop()
            sign = _SURE.get(possible_signs(e, self.signs))
            factors = sign_factors(e) if e.op != "power" or exact(e.args[1]) is not None else None
            if sign is None and factors is not None:
                flip, parts = factors
                squared = squared or (len(parts) == 2 and parts[0] is parts[1])
                stack += [(part, squared) for part in dict.fromkeys(parts)]
                product = product.flipped if flip < 0 and not squared else product
                continue
            if sign is None:
                a, b = e.args if e.op == "sub" else (e, ZERO)
                sign = self.compared(a, b, e)
            product = _times(product, _times(sign, sign) if squared else sign)
        return product

    def compared(self, a: Expr, b: Expr, moving: Expr) -> Sign:
        """The sign of a - b, which moves as ``moving`` does."""
        onward = self.onward(moving)
        if onward == _UP:
            return Sign(ge(a, b), lt(a, b), FALSE)
        if onward == _DOWN:
            return Sign(gt(a, b), le(a, b), FALSE)
        tie = eq(a, b)
        return Sign(
            _or(gt(a, b), _and(tie, onward.positive)),
            _or(lt(a, b), _and(tie, onward.negative)),
            _and(tie, onward.null),
        )

    def onward(self, e: Expr) -> Sign:
        """The sign of the change of a sided expression from the point to its side: of its first slope that is not 0."""
        if not e.variables & self.mask:
            return _FLAT
        slopes = self.slopes(e, 1)
        if slopes and possible_signs(slopes[0], self.signs) & NULL and self.depth > 1:
            slopes = self.slopes(e, self.depth)
        sign = _FLAT
        for k, slope in reversed([*enumerate(slopes, 1)]):
            possible = possible_signs(slope, self.signs)
            sure = _SURE.get(possible)
            if sure == _FLAT:
                continue
            here = sure or Sign(gt(slope, ZERO), lt(slope, ZERO), FALSE)
            if self.direction < 0 and k % 2:
                here = here.flipped
            if possible & NULL:
                flat = eq(slope, ZERO)
                here = Sign(
                    _or(here.positive, _and(flat, sign.positive)),
                    _or(here.negative, _and(flat, sign.negative)),
                    _and(flat, sign.null),
                )
            sign = here
        return sign

    def slopes(self, e: Expr, order: int) -> list[Expr]:
        """Derivatives of order 1 to ``order``, up to the last that is not zero everywhere."""
        found = partials([e], [self.wrt], order)[e]
        last = max((len(p) for p in found), default=0)
        return [found.get((0,) * k, ZERO) for k in range(1, last + 1)]

    def carried(self, argument: Expr, value: Expr) -> Expr:
        """``value``, but nan where ``argument`` is."""
        for node in missing(argument, self.totals):
            self.totals[node] = _total(node) and all(self.totals[a] for a in node.args)
        return value if self.totals[argument] else apply("defined", argument, value)


def _total(e: Expr) -> bool:
    """Whether an operation gives a number for numbers, infinities apart."""
    row = TABLE.get(e.op)
    if e.op == "power":
        exponent = exact(e.args[1])
        return exponent is not None and exponent.denominator == 1 and exponent >= 0
    return row is None or not (row.singular or row.poles or (row.edges and not row.ties) or row.needs)


# Conditions, without those that are sure.


def _and(a: Expr, b: Expr) -> Expr:
    if a is FALSE or b is FALSE:
        return FALSE
    return b if a is TRUE else a if b is TRUE or a is b else and_(a, b)


def _or(a: Expr, b: Expr) -> Expr:
    if a is TRUE or b is TRUE:
        return TRUE
    return b if a is FALSE else a if b is FALSE or a is b else apply("or", a, b)


def _not(a: Expr) -> Expr:
    return FALSE if a is TRUE else TRUE if a is FALSE else apply("not", a)


def _where(condition: Expr, yes: Expr, no: Expr) -> Expr:
    return yes if condition is TRUE or yes is no else no if condition is FALSE else where(condition, yes, no)


def _times(a: Sign, b: Sign) -> Sign:
    return Sign(
        _or(_and(a.positive, b.positive), _and(a.negative, b.negative)),
        _or(_and(a.positive, b.negative), _and(a.negative, b.positive)),
        _or(a.null, b.null),
    )


# The sided form of each operation that decides, of its sided arguments.


def _compared(op: str) -> Callable[[_Beside, Expr, Expr], Expr]:
    def rule(beside: _Beside, a: Expr, b: Expr) -> Expr:
        sign = beside.sign(a - b)
        if op in ("lt", "le"):
            return sign.negative if op == "lt" else _or(sign.negative, sign.null)
        if op in ("gt", "ge"):
            return sign.positive if op == "gt" else _or(sign.positive, sign.null)
        return sign.null if op == "eq" else _not(sign.null)

    return rule


def _abs(beside: _Beside, x: Expr) -> Expr:
    return beside.sign(x).choose(x, -x, x)


def _sign(beside: _Beside, x: Expr) -> Expr:
    return beside.carried(x, beside.sign(x).choose(ONE, _MINUS, ZERO))


def _heaviside(beside: _Beside, x: Expr, h: Expr) -> Expr:
    return beside.carried(x, beside.sign(x).choose(ONE, ZERO, h))


def _relu(beside: _Beside, x: Expr) -> Expr:
    return beside.sign(x).choose(x, ZERO, x)


def _extreme(op: str) -> Callable[..., Expr]:
    def two(beside: _Beside, a: Expr, b: Expr) -> Expr:
        if not (a.variables | b.variables) & beside.mask:
            return apply(op, a, b)
        sign = beside.sign(a - b)
        return beside.carried(b, (sign if op == "max" else sign.flipped).choose(a, b, a))

    return lambda beside, first, *others: reduce(lambda a, b: two(beside, a, b), others, first)


_greatest, _least = _extreme("max"), _extreme("min")


def _clip(beside: _Beside, x: Expr, a: Expr, b: Expr) -> Expr:
    return _least(beside, _greatest(beside, x, a), b)


def _copysign(beside: _Beside, x: Expr, y: Expr) -> Expr:
    size = _abs(beside, x)
    given = size * copysign(ONE, y)
    return beside.sign(y).choose(size, -size, given) if y.variables & beside.mask else given


def _whole(beside: _Beside, x: Expr) -> tuple[Expr, Sign]:
    """The integer nearest to x, and the sign of what x is more: the difference is exact in doubles."""
    whole = rint(x)
    return whole, beside.compared(x, whole, x)


def _floor(beside: _Beside, x: Expr) -> Expr:
    whole, more = _whole(beside, x)
    return more.choose(whole, whole - ONE, whole)


def _ceil(beside: _Beside, x: Expr) -> Expr:
    whole, more = _whole(beside, x)
    return more.choose(whole + ONE, whole, whole)


def _trunc(beside: _Beside, x: Expr) -> Expr:
    floor = _floor(beside, x)
    return beside.sign(x).choose(floor, _ceil(beside, x), floor)


def _round(beside: _Beside, x: Expr) -> Expr:
    whole, onward = rint(x), beside.onward(x)
    more = x - whole
    up = _and(eq(more, HALF), onward.positive)
    down = _and(eq(more, const(Fraction(-1, 2))), onward.negative)
    return _where(up, whole + ONE, _where(down, whole - ONE, whole))


def _divided(name: str, remainder: str) -> Callable[[_Beside, Expr, Expr], Expr]:
    """mod, fmod and their quotients: at a whole quotient the remainder is exactly 0."""

    def rule(beside: _Beside, a: Expr, b: Expr) -> Expr:
        value, quotient = apply(name, a, b), a / b
        tie, onward = eq(apply(remainder, a, b), ZERO), beside.onward(quotient)
        step = -b if name == remainder else ONE
        lower, upper = onward.negative, onward.positive
        if remainder == "mod":
            return _where(_and(tie, lower), value - step, value)
        # Towards 0, where both integer parts are 0.
        lower, upper = _and(lower, gt(quotient, ZERO)), _and(upper, lt(quotient, ZERO))
        return _where(_and(tie, lower), value - step, _where(_and(tie, upper), value + step, value))

    return rule


_RULES: dict[str, Callable[..., Expr]] = {
    **{op: _compared(op) for op in COMPARISONS},
    "and": lambda beside, a, b: _and(a, b),
    "or": lambda beside, a, b: _or(a, b),
    "not": lambda beside, a: _not(a),
    "where": lambda beside, condition, yes, no: _where(condition, yes, no),
    "abs": _abs, "sign": _sign, "heaviside": _heaviside, "relu": _relu,
    "max": _greatest, "min": _least, "clip": _clip, "copysign": _copysign,
    "floor": _floor, "ceil": _ceil, "trunc": _trunc, "round": _round,
    "mod": _divided("mod", "mod"), "floordiv": _divided("floordiv", "mod"),
    "fmod": _divided("fmod", "fmod"), "truncdiv": _divided("truncdiv", "fmod"),
}  # fmt: skip
