"""`Beside`, signs of expressions just beside a point, as conditions.

Just right of a point where it is 0, a number has the sign of its first derivative that is not 0, just left of it that
of the first (-1)**k * d_k that is not 0. Layer: purely symbolic; must not know any point.
"""

from __future__ import annotations

from typing import NamedTuple

from gradcli.calculus.forward import partials
from gradcli.calculus.hazards import NEGATIVE, NULL, POSITIVE, Signs, possible_signs, sign_factors
from gradcli.expr import ONE, ZERO, Expr, apply, bit, exact
from gradcli.expr.traversal import missing
from gradcli.functions import TABLE
from gradcli.functions.row import and_, eq, ge, gt, le, lt, where

TRUE, FALSE = lt(ZERO, ONE), lt(ONE, ZERO)


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
        return chosen(self.negative, negative, positive if null is positive else chosen(self.null, null, positive))


_UP, _DOWN, _FLAT = Sign(TRUE, FALSE, FALSE), Sign(FALSE, TRUE, FALSE), Sign(FALSE, FALSE, TRUE)
_SURE = {POSITIVE: _UP, NEGATIVE: _DOWN, NULL: _FLAT}


class Beside:
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
            either(gt(a, b), both(tie, onward.positive)),
            either(lt(a, b), both(tie, onward.negative)),
            both(tie, onward.null),
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
                    either(here.positive, both(flat, sign.positive)),
                    either(here.negative, both(flat, sign.negative)),
                    both(flat, sign.null),
                )
            sign = here
        return sign

    def slopes(self, e: Expr, order: int) -> list[Expr]:
        """Derivatives of order 1 to ``order``, up to the last that is not zero everywhere."""
        return pure_partials(e, self.wrt, order)

    def carried(self, argument: Expr, value: Expr) -> Expr:
        """``value``, but nan where ``argument`` is."""
        for node in missing(argument, self.totals):
            self.totals[node] = _total(node) and all(self.totals[a] for a in node.args)
        return value if self.totals[argument] else apply("defined", argument, value)


def pure_partials(e: Expr, wrt: str, order: int) -> list[Expr]:
    """Derivatives of a sided expression of order 1 to ``order``, up to the last that is not zero everywhere.

    No condition in it is the user's (``written`` in `forward.partials`): where there is no number, the branches say so.
    """
    found = partials([e], [wrt], order, [ZERO])[e]
    last = max((len(p) for p in found), default=0)
    return [found.get((0,) * k, ZERO) for k in range(1, last + 1)]


def _total(e: Expr) -> bool:
    """Whether an operation gives a number for numbers, infinities apart."""
    row = TABLE.get(e.op)
    if e.op == "power":
        exponent = exact(e.args[1])
        return exponent is not None and exponent.denominator == 1 and exponent >= 0
    return row is None or not (row.singular or row.poles or (row.edges and not row.ties) or row.needs)


# Conditions, without those that are sure.


def both(a: Expr, b: Expr) -> Expr:
    if a is FALSE or b is FALSE:
        return FALSE
    return b if a is TRUE else a if b is TRUE or a is b else and_(a, b)


def either(a: Expr, b: Expr) -> Expr:
    if a is TRUE or b is TRUE:
        return TRUE
    return b if a is FALSE else a if b is FALSE or a is b else apply("or", a, b)


def negated(a: Expr) -> Expr:
    return FALSE if a is TRUE else TRUE if a is FALSE else apply("not", a)


def chosen(condition: Expr, yes: Expr, no: Expr) -> Expr:
    return yes if condition is TRUE or yes is no else no if condition is FALSE else where(condition, yes, no)


def _times(a: Sign, b: Sign) -> Sign:
    return Sign(
        either(both(a.positive, b.positive), both(a.negative, b.negative)),
        either(both(a.positive, b.negative), both(a.negative, b.positive)),
        either(a.null, b.null),
    )
