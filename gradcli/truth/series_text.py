"""A germ as text in the variable: `1 - x**2/6 + O(x**4)`, on either side of the point."""

from __future__ import annotations

import math
from typing import NamedTuple

from flint import fmpq

from gradcli.expr import spell_name
from gradcli.truth.field import Field
from gradcli.truth.growth import UNIT, Growth
from gradcli.truth.numbers import ZERO, Exact, Power, ball, neg
from gradcli.truth.series import Germ

_LONG = 24
"""Characters from which a rational number is written as a double."""


def series_text(germ: Germ, wrt: str, at: Exact, side: int, terms: int, written: str = "") -> str:
    """The first terms and the O-term. An oscillation is told as a bound that it has.

    ``written``: the text of the size of ``at``, if it has one.
    """
    field = germ.field
    beside = _beside(field, spell_name(wrt), at, side, written)
    parts = [_term(field, growth, factor, beside) for growth, factor in germ.terms[:terms]]
    rest = germ.terms[terms][0] if len(germ.terms) > terms else germ.rest
    if rest is not None:
        above, below, _ = _growth(field, rest, beside)
        parts.append(f"O({_quotient(above, below)})" if below else f"O({_bare(above) or 1})")
    return _bare(" + ".join(parts).replace("+ -", "- ")) or "0"


class _Beside(NamedTuple):
    """The distance from the point as text: ``signed``, x - a, and ``size``, which is a - x on the left."""

    signed: str
    size: str
    side: int


def _beside(field: Field, name: str, at: Exact, side: int, written: str) -> _Beside:
    sign = field.sign(at)
    if not sign:
        return _Beside(name, name if side > 0 else f"(-{name})", side)
    number = written or _number(field, at if sign > 0 else neg(at))
    signed = f"({name} {'-' if sign > 0 else '+'} {number})"
    opposite = f"({number} - {name})" if sign > 0 else f"(-{number} - {name})"
    return _Beside(signed, signed if side > 0 else opposite, side)


def _bare(text: str) -> str:
    """A text without brackets around the whole of it."""
    return text[1:-1] if text.startswith("(") and text.find(")") == len(text) - 1 else text


def _number(field: Field, number: Exact) -> str:
    plain = field.normal(number)
    if isinstance(plain, fmpq) and len(str(plain)) <= _LONG:
        return str(plain)
    double = field.double(plain)
    if math.isfinite(double) and (double or not field.sign(plain)):
        return repr(double)
    # Beyond the range of a double.
    mantissa, _, exponent = ball(plain).str(17, radius=False).partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def _power(base: str, exponent: Power) -> str:
    if exponent == 1:
        return base
    return f"{base}**{exponent}" if exponent.denominator == 1 and exponent > 0 else f"{base}**({exponent})"


def _quotient(above: str, below: str) -> str:
    divisor = f"({below})" if "*" in below.replace("**", "") else below
    return f"{above or 1}/{divisor}" if divisor else above


def _growth(field: Field, growth: Growth, beside: _Beside) -> tuple[str, str, int]:
    """The text of a growth without its factor, its divisor, both empty for 1, and the sign of the two."""
    parts, below, sign = [], "", 1
    if growth.exponent:
        inner = [_term(field, Growth((), a, b), c, beside) for a, b, c in growth.exponent]
        parts.append(f"exp({' + '.join(inner).replace('+ -', '- ')})")
    if growth.power:
        whole = growth.power.denominator == 1
        # Whole powers of a - x are those of x - a.
        base = beside.signed if whole else beside.size
        sign = -1 if whole and beside.side < 0 and growth.power % 2 else 1
        if whole and growth.power < 0:
            below = _power(base, -growth.power)
        else:
            parts.append(_power(base, growth.power))
    if growth.logs:
        logarithm = f"log({_bare(beside.size)})"
        parts.append(logarithm if growth.logs == 1 else _power(logarithm, growth.logs))
    return "*".join(parts), below, sign


def _term(field: Field, growth: Growth, factor: Exact, beside: _Beside) -> str:
    if growth.logs.denominator == 1 and growth.logs % 2:
        factor = neg(factor)  # log(1/t) = -log(t)
    above, below, sign = _growth(field, growth, beside)
    number = field.normal(factor if sign > 0 else neg(factor))
    if growth == UNIT:
        return _number(field, number)
    if not isinstance(number, fmpq) or len(str(number)) > _LONG:
        return _quotient("*".join(filter(None, [_number(field, number), above])), below)
    if abs(number.p) != 1 or not above:
        above = "*".join(filter(None, [str(abs(number.p)), above]))
    if number.q != 1:
        below = "*".join(filter(None, [str(number.q), below]))
    return ("-" if number < ZERO else "") + _quotient(above, below)
