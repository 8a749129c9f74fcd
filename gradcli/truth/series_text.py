"""A germ as text in the variable: `1 - x**2/6 + O(x**4)`, on either side of the point."""

from __future__ import annotations

from flint import fmpq

from gradcli.expr import spell_name
from gradcli.truth.field import Field
from gradcli.truth.growth import UNIT, Growth
from gradcli.truth.numbers import ZERO, Exact, Power, neg
from gradcli.truth.series import Germ


def series_text(germ: Germ, wrt: str, at: Exact, side: int, terms: int) -> str:
    """The first terms and the O-term. An oscillation is told as a bound that it has."""
    field = germ.field
    base = _base(field, spell_name(wrt), at)
    far = base if side > 0 else _opposite(field, spell_name(wrt), at)
    parts: list[str] = []
    for growth, factor in germ.terms[:terms]:
        whole = side < 0 and not growth.exponent and not growth.logs and growth.power.denominator == 1
        number = neg(factor) if whole and growth.power % 2 else factor
        parts.append(_term(field, growth, number, base if whole else far))
    rest = germ.terms[terms][0] if len(germ.terms) > terms else germ.rest
    if rest is not None:
        whole = side < 0 and not rest.exponent and not rest.logs and rest.power.denominator == 1
        parts.append(f"O({_growth(field, rest, base if whole else far) or 1})")
    return " + ".join(parts).replace("+ -", "- ") or "0"


def _base(field: Field, name: str, at: Exact) -> str:
    sign = field.sign(at)
    if not sign:
        return name
    size = _number(field, at if sign > 0 else neg(at))
    return f"({name} {'-' if sign > 0 else '+'} {size})"


def _opposite(field: Field, name: str, at: Exact) -> str:
    return f"({_number(field, at)} - {name})" if field.sign(at) else f"(-{name})"


def _number(field: Field, number: Exact) -> str:
    plain = field.normal(number)
    if isinstance(plain, fmpq) and len(str(plain)) <= 24:
        return str(plain)
    return repr(field.double(plain))


def _power(base: str, exponent: Power) -> str:
    if exponent == 1:
        return base
    return f"{base}**{exponent}" if exponent.denominator == 1 and exponent > 0 else f"{base}**({exponent})"


def _growth(field: Field, growth: Growth, base: str) -> str:
    """The text of a growth without its factor; empty for 1."""
    parts = []
    if growth.exponent:
        inner = [_term(field, Growth((), a, b), c, base) for a, b, c in growth.exponent]
        parts.append(f"exp({' + '.join(inner).replace('+ -', '- ')})")
    if growth.power:
        parts.append(_power(base, growth.power))
    if growth.logs:
        inside = base[1:-1] if base.startswith("(") and base.endswith(")") else base
        logarithm = f"log({inside})"
        parts.append(logarithm if growth.logs == 1 else _power(logarithm, growth.logs))
    return "*".join(parts)


def _term(field: Field, growth: Growth, factor: Exact, base: str) -> str:
    if growth.logs.denominator == 1 and growth.logs % 2:
        factor = neg(factor)  # log(1/t) = -log(t)
    if growth == UNIT:
        return _number(field, factor)
    text = _growth(field, growth, base)
    number = field.normal(factor)
    if not isinstance(number, fmpq):
        return f"{_number(field, number)}*{text}"
    sign = "-" if number < ZERO else ""
    above, below = _number(field, fmpq(abs(number.p))), _number(field, fmpq(number.q))
    if len(str(number)) > 24:
        return f"{_number(field, number)}*{text}"
    text = text if above == "1" else f"{above}*{text}"
    return f"{sign}{text}" + (f"/{below}" if below != "1" else "")
