"""Proved decimal digits of a value or a partial derivative, as many as are asked for.

Points and literals mean their exact decimals, and pi, e and tau themselves.
Layer: must not know columns or formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from flint import fmpq, fmpz

from gradcli.calculus.derive import expand
from gradcli.expr import Expr, exact, readable
from gradcli.truth.balls import Ball, BallError, arithmetic, number
from gradcli.truth.budget import Budget, UndefinedError, UnknownError
from gradcli.truth.exact_jets import coefficients
from gradcli.truth.field import PRECISION, Field
from gradcli.truth.jets import Jet
from gradcli.truth.partials import Effort, Partials, Place, terms

BUDGET = 1_000_000
"""Work for one number, as `partials.Effort` counts it."""
LAST = 16_384
"""Bits of the last pass, or four times those of the first."""
_BITS, _GUARD = 3.3219280948873626, 64
"""Bits of a digit, and bits more than those of the digits."""
_FARTHEST = 100_000
"""Exponents of two beyond are left alone: each is a power of ten of that length."""
_PLAIN = range(-4, 16)
"""Exponents of ten that are written without one, as `repr` does."""


def digits(root: Expr, point: Mapping[str, Expr], powers: Mapping[str, int], n: int) -> str | None:
    """The partial derivative of these powers at a point of closed expressions, correctly rounded to n digits.

    Spelled as `repr` spells doubles, so that zeros at the end are left out. None where it cannot be proved.
    """
    return Digits(root).texts([point], [powers], n)[0][0]


class Digits:
    """`digits` of one expression at one point after another."""

    def __init__(self, root: Expr, order: int = 0) -> None:
        (self._root,) = expand([root])
        self._readable = readable([self._root])[0]
        with arithmetic():
            self._partials = Partials(root, order, doubles=False)
        self._closed: dict[Expr, Jet] = {}

    def texts(
        self, points: Iterable[Mapping[str, Expr]], powers: Sequence[Mapping[str, int]], n: int
    ) -> list[list[str | None]]:
        """For each point the texts of all ``powers``, which share their series."""
        first = 64 * -(-int(n * _BITS + _GUARD) // 64)
        effort = Effort(first, max(LAST, 4 * first), BUDGET)
        names, rows = self._partials.jet.variables, []
        with arithmetic():
            columns = [self._partials.column(p) for p in powers]
            for point in points:
                place = tuple([point[name] for name in names])
                balls = partial(self._balls, names, place)
                solved = self._partials.solve(Place(place, balls), columns, partial(correct, n=n), effort)
                rows.append(
                    [
                        self._exactly(point, p, n) or self._zero(point, p) if isinstance(text, BallError) else text
                        for p, text in zip(powers, solved, strict=True)
                    ]
                )
        return rows

    def _exactly(self, point: Mapping[str, Expr], powers: Mapping[str, int], n: int) -> str | None:
        """The text of a zero or of a tie, which no ball decides, if all numbers are rational."""
        place = {name: exact(point[name]) for name in self._partials.jet.variables}
        total = fmpq(0)
        order = sum(powers.values())
        for weight, steps in terms(powers):
            series = None
            if None not in place.values():
                rational = {name: q for name, q in place.items() if q is not None}
                series = coefficients(self._root, rational, dict(steps), order + 1)
            if series is None:
                return None
            total += weight * series[order]
        return _text(int(total.p), int(total.q), n)

    def _zero(self, point: Mapping[str, Expr], powers: Mapping[str, int]) -> str | None:
        """The text of a number whose normal form is 0, such as sin(pi), but for mixed derivatives."""
        from gradcli.truth.lines import Lines, numbers

        if len(powers) > 1:
            return None
        order = sum(powers.values())
        with arithmetic(PRECISION):
            field = Field(Budget(order))
            try:
                lines = Lines(self._readable, numbers(point, field), field)
                values = lines.smooth(dict.fromkeys(powers, 1), order) if order else [lines.value()]
                number = values[order] if values else None
                null = number is not None and field.sign(number) == 0
            except (UndefinedError, UnknownError):
                return None
        return "0.0" if null and not field.budget.doubts else None

    def _balls(self, names: Sequence[str], place: Sequence[Expr]) -> dict[str, Ball]:
        return {name: self._value(e) for name, e in zip(names, place, strict=True)}

    def _value(self, e: Expr) -> Ball:
        q = exact(e)
        if q is not None:
            return number(q)
        jet = self._closed.get(e)
        if jet is None:
            if len(self._closed) >= 1000:
                self._closed.clear()
            jet = self._closed[e] = Jet(e, doubles=False)
        return jet.run({}, (), {})[0]


def correct(ball: Ball, n: int) -> str | None:
    """The text of the decimal of n digits that every number of a ball is rounded to; None where there are several."""
    if not ball.is_finite():
        return None
    if ball.is_zero():
        return "0.0"
    if not (ball > 0 or ball < 0):
        return None
    size = abs(ball)
    (low, e), (high, f) = ([int(part) for part in end.man_exp()] for end in (size.lower(), size.upper()))
    if abs(f + high.bit_length()) > _FARTHEST:
        return None
    text = _text(*_fraction(high, f), n)
    if text != _text(*_fraction(low, e), n):
        return None
    return "-" + text if ball < 0 else text


def _fraction(mantissa: int, exponent: int) -> tuple[int, int]:
    return (mantissa << exponent, 1) if exponent > 0 else (mantissa, 1 << -exponent)


def _text(above: int, below: int, n: int) -> str:
    """The fraction above/below, rounded to n digits, ties to even."""
    if above <= 0:
        return "-" + _text(-above, below, n) if above else "0.0"
    # The quotient has n digits before the point after a shift by so many places.
    shift = n - 1 - int((above.bit_length() - below.bit_length()) * 0.30102999566398120 // 1)
    rounded = _scaled(above, below, shift)
    if rounded >= 10**n:
        shift -= 1
        rounded = _scaled(above, below, shift)
    elif rounded < 10 ** (n - 1):
        shift += 1
        rounded = _scaled(above, below, shift)
    text = str(fmpz(rounded))
    return _spelled(text.rstrip("0"), len(text) - 1 - shift)


def _scaled(above: int, below: int, shift: int) -> int:
    """above/below * 10**shift, rounded to the nearest integer, ties to even."""
    if shift >= 0:
        above *= 10**shift
    else:
        below *= 10**-shift
    quotient, rest = divmod(above, below)
    return quotient + (2 * rest > below or (2 * rest == below and quotient % 2 == 1))


def _spelled(digits: str, exponent: int) -> str:
    """d.ddd times 10**exponent as `repr` writes it."""
    if exponent not in _PLAIN:
        lead, rest = digits[0], digits[1:]
        return f"{lead}{'.' if rest else ''}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    digits = digits.ljust(exponent + 1, "0")
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :] or '0'}"
