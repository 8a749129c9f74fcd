"""An expression of one variable as exp(G)*N/D, where N and D have a series at its poles, and its derivatives.

With s = G' the first derivative is exp(G)*N1/D**2 with N1 = (N' + s*N)*D - N*D', and the second exp(G)*N2/D**3 with
N2 = (N1' + s*N1)*D - 2*N1*D': their zeros are those of N1 and N2 where D is not 0, and these are smooth where the
expression has a pole, and of moderate size where exp(G) is not.
Layer: must not know intervals or what a zero means.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from flint import arb_series, ctx

from gradcli.errors import GradError
from gradcli.expr import ONE, ZERO, Expr, apply, const, exact, post_order
from gradcli.truth.balls import Ball, BallError, arithmetic, number, unsure, with_terms
from gradcli.truth.boxes import Boxes
from gradcli.truth.budget import Budget, MoreTermsError, UndefinedError, UnknownError
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.jets import Jet
from gradcli.truth.lines import Lines, numbers
from gradcli.truth.places import Place
from gradcli.truth.polynomials import ratio, sign
from gradcli.truth.roots import Taylor
from gradcli.truth.series import Germ
from gradcli.truth.series_functions import derivative

_QUOTIENTS = {
    "tan": ("sin", "cos"), "cot": ("cos", "sin"), "sec": ("", "cos"), "csc": ("", "sin"), "coth": ("cosh", "sinh"),
    "csch": ("", "sinh"),
}  # fmt: skip
"""Functions with poles as quotients of functions without."""
_LARGER = 8
"""How many times as many nodes a quotient may have as the expression."""
_USUAL = 40
"""Operations of a short expression."""
_TERMS = 8
"""The highest order of a pole at a place that has no closed form, and one more."""


class Parts(NamedTuple):
    """exp(exponent)*above/below; an exponent of 0 and a divisor of 1 where there is none."""

    exponent: Expr
    above: Expr
    below: Expr

    def whole(self) -> Expr:
        """The numerator with the exponential as its factor."""
        return self.above if self.exponent is ZERO else self.above * apply("exp", self.exponent)


def parts(e: Expr) -> Parts:
    """Exponent, numerator and denominator. Common factors stay.

    >>> from gradcli.expr import apply, text, var
    >>> x = var("x")
    >>> [text(part) for part in parts(apply("tan", x) + 1 / x)]
    ['0', 'cos(x) + x*sin(x)', 'x*cos(x)']
    """
    nodes = post_order([e])
    known: dict[Expr, Parts] = {}
    try:
        for node in nodes:
            known[node] = _parts(node, known)
    except GradError:
        # A constant that two others make is beyond the range of doubles.
        return Parts(ZERO, e, ONE)
    made = known[e]
    return made if len(post_order(made)) <= _LARGER * len(nodes) else Parts(ZERO, e, ONE)


def _parts(e: Expr, known: dict[Expr, Parts]) -> Parts:
    if e.op in _QUOTIENTS:
        dividend, divisor = _QUOTIENTS[e.op]
        return Parts(ZERO, apply(dividend, *e.args) if dividend else ONE, apply(divisor, *e.args))
    if e.op == "exp":
        return Parts(e.args[0], ONE, ONE)
    if e.op == "neg":
        only = known[e.args[0]]
        return only._replace(above=-only.above)
    if e.op in ("add", "sub", "mul", "div"):
        return _combined(e, known[e.args[0]], known[e.args[1]])
    if e.op == "power" and (n := exact(e.args[1])) is not None and n.denominator == 1:
        exponent, above, below = known[e.args[0]]
        if n < 0:
            above, below = below, above
        size = const(abs(n))
        return Parts(exponent * const(n), above**size, below**size)
    return Parts(ZERO, e, ONE)


def _sum(op: str, a: Expr, b: Expr) -> Expr:
    if b is ZERO:
        return a
    return apply(op, a, b) if a is not ZERO else b if op == "add" else -b


def _combined(e: Expr, x: Parts, y: Parts) -> Parts:
    if e.op == "mul":
        return Parts(_sum("add", x.exponent, y.exponent), x.above * y.above, x.below * y.below)
    if e.op == "div":
        return Parts(_sum("sub", x.exponent, y.exponent), x.above * y.below, x.below * y.above)
    if x.exponent is y.exponent:
        exponent, a, c = x.exponent, x.above, y.above
    else:
        exponent, a, c = ZERO, x.whole(), y.whole()
    if x.below is y.below:
        return Parts(exponent, apply(e.op, a, c), x.below)
    return Parts(exponent, apply(e.op, a * y.below, c * x.below), x.below * y.below)


class Quotient:
    """An expression of one variable and its first two derivatives as numerators over powers of one denominator."""

    def __init__(self, e: Expr, name: str, work: int = 20_000) -> None:
        """``work``: what the exact series at one number may take."""
        self.name = name
        self.root = e
        self._work = work
        self._ratio = ratio(e)
        exponent, self.above, self.below = parts(e)
        with arithmetic(PRECISION):
            self._exponent = None if exponent is ZERO else Jet(exponent, doubles=False)
            self._above = Jet(self.above, doubles=False)
            self._below = None if self.below is ONE else Jet(self.below, doubles=False)
            self._whole = Jet(e, doubles=False)
            self._boxes = Boxes([e])
        jets = [jet for jet in (self._above, self._below, self._exponent) if jet is not None]
        self.cost = 1 + sum(jet.weight for jet in jets) // _USUAL
        """What a look at an interval takes, in units of that of a short expression."""

    def numerator(self, order: int) -> Taylor:
        """The Taylor coefficients of N, N1 or N2."""

        def taylor(x: Ball, terms: int) -> Sequence[Ball]:
            found: Sequence[Ball] = with_terms(terms + order, lambda: self._numerator(x, order))
            return found

        return taylor

    def _numerator(self, x: Ball, order: int) -> Sequence[Ball]:
        above = self._run(self._above, x)
        if self._below is None and self._exponent is None:
            for k in range(order):
                above = [above[j] * j for j in range(1, ctx.cap - k)]
            return above
        n = arb_series(above, ctx.cap)
        d = arb_series([1] if self._below is None or not order else self._run(self._below, x), ctx.cap)
        s = arb_series(
            [0] if self._exponent is None or not order else self._run(self._exponent, x), ctx.cap
        ).derivative()
        slope = d.derivative()
        for k in range(order):
            n = (n.derivative() + s * n) * d - n * slope * (k + 1)
        return [n[k] for k in range(ctx.cap - order)]

    def _run(self, jet: Jet, x: Ball) -> list[Ball]:
        return jet.run({self.name: x}, (), {self.name: 1})

    def values(self, x: Ball, terms: int) -> Sequence[Ball]:
        """The Taylor coefficients of the expression itself at a number or a ball. Raises BallError."""
        found: Sequence[Ball] = with_terms(terms, lambda: self._run(self._whole, x))
        return found

    def value(self, x: Ball) -> Ball:
        """All values at a number or in a ball, also where there is no derivative. Raises BallError."""
        try:
            (value,) = with_terms(1, lambda: self._whole.run({self.name: x}, (object(),), {}))
        except BallError as error:
            (value,) = self._boxes.values({self.name: x})
            if isinstance(value, BallError):
                raise error from None
        if not value.is_finite():
            raise unsure()
        return value

    def pole_signs(self, place: Place) -> tuple[int, int] | None:
        """The signs on both sides of a place at which the denominator is 0 and the numerator is not; None elsewhere."""
        divisor = self._below
        if divisor is None:
            return None
        try:
            (above,) = with_terms(1, lambda: self._run(self._above, place.ball()))
            below = with_terms(_TERMS, lambda: self._run(divisor, place.ball()))
        except BallError:
            return None
        order = next((k for k, c in enumerate(below) if not c.contains(0)), 0)
        if not order or above.contains(0):
            return None
        right = 1 if (above > 0) == (below[order] > 0) else -1
        return (right if order % 2 == 0 else -right), right

    def germ(self, at: Expr | Fraction, side: int, order: int) -> Germ | None:
        """The exact series of a derivative beside a number in closed form; None where it is not known or not there."""
        germ = self._germ(self.root, at, side, order + 4)
        for _ in range(order if germ is not None else 0):
            if germ is None or germ.oscillates:
                return None
            try:
                germ = derivative(germ)
            except (UndefinedError, UnknownError, MoreTermsError):
                return None
        return germ

    def _germ(self, e: Expr, at: Expr | Fraction, side: int, terms: int) -> Germ | None:
        field = Field(Budget(terms, self._work))
        try:
            number = at if isinstance(at, Expr) else const(at)
            germ = Lines(e, numbers({self.name: number}, field), field).side({self.name: side}, 0, terms).germ
        except (UndefinedError, UnknownError, MoreTermsError, GradError):
            return None
        return None if field.budget.doubts else germ

    def numerator_multiplicity(self, order: int, place: Place, side: int) -> int | None:
        """The multiplicity of the zero of N, N1 or N2 at a number in closed form, 0 where it is none; None where it is
        not known.
        """
        assert place.exact is not None
        with arithmetic(PRECISION):
            derived = _power(self.germ(place.exact, side, order))
            below = 0 if self.below is ONE else _power(self._germ(self.below, place.exact, side, 2))
        if derived is None or below is None:
            return None
        total = derived + (order + 1) * below
        return total if total >= 0 else None

    def multiplicity(self, order: int, place: Place) -> int:
        """The multiplicity of the zero of a derivative at a number in closed form; 0 where that is no zero, or is not
        known, or the derivative is 0 all around.
        """
        assert place.exact is not None
        with arithmetic(PRECISION):
            germ = self.germ(place.exact, 1, order) or self.germ(place.exact, -1, order)
            return max(_power(germ) or 0, 0)

    def defined(self, x: Fraction) -> bool | None:
        """Whether there is a value at a rational number; None where that is not known."""
        for bits in (PRECISION, 4 * PRECISION):
            with arithmetic(bits):
                try:
                    self.value(number(x))
                except BallError as error:
                    if error.final:
                        return False
                else:
                    return True
        with arithmetic(PRECISION):
            field = Field(Budget(1, self._work))
            try:
                return Lines(self.root, numbers({self.name: const(x)}, field), field).value() is not None
            except (UnknownError, GradError):
                return None

    def vanishes(self, order: int, low: Fraction, high: Fraction) -> bool | None:
        """Whether a derivative is 0 all over an interval in which it has a series; None where 512 bits tell nothing."""
        for share in (Fraction(19, 64), Fraction(37, 64), Fraction(45, 64)):
            x = low + (high - low) * share
            if self.sign(x, order):
                return False
            with arithmetic(PRECISION):
                germ = self.germ(x, 1, order)
                if germ is not None and (germ.terms or germ.zero):
                    return germ.zero
        return None

    def sign(self, x: Fraction, order: int) -> int | None:
        """The sign of a derivative at a rational number: 0 where it is 0 all around; None where there is none."""
        if self._ratio is not None:
            return sign(self._ratio, x, order)
        for bits in (PRECISION, 4 * PRECISION):
            with arithmetic(bits):
                try:
                    ball = self.values(number(x), order + 1)[order]
                except BallError as error:
                    if error.final:
                        return None
                    continue
                if ball > 0 or ball < 0:
                    return 1 if ball > 0 else -1
                if ball.is_zero():
                    break
        with arithmetic(PRECISION):
            germ = self.germ(x, 1, order)
            return 0 if germ is not None and germ.zero else None


def _power(germ: Germ | None) -> int | None:
    """The whole power with which a germ begins; None where it begins otherwise."""
    if germ is None or not germ.terms:
        return None
    growth, factor = germ.terms[0]
    plain = not growth.exponent and not growth.logs and growth.power.denominator == 1
    return int(growth.power) if plain and germ.field.sign(factor) and not germ.field.budget.doubts else None
