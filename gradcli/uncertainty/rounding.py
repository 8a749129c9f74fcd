"""Results and their uncertainties as texts with the digits that the uncertainty leaves.

Rounding is half to even in decimal arithmetic, on texts as typed or on the shortest decimals of doubles. What is
printed is read by `gradcli.uncertainty.measured.read` as the same rounded numbers.
Layer: must not know expressions, tables of results or terminals.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from gradcli.errors import GradError, meant
from gradcli.uncertainty.measured import LONGEST, context

RULES = {
    "2": "two digits of the uncertainty",
    "1": "one digit",
    "pdg": "one or two digits, as the Particle Data Group rounds",
    "none": "all digits",
}
"""The rules of ``--rounding``."""
_PLAIN = 15
"""Digits before the point, at most, of a number that is written without a power of ten."""


class Rounded(NamedTuple):
    """A rounded value with its uncertainty, both as decimals in units of 10**``tens``.

    ``u`` is one uncertainty, or those above and below the value. All have the same last digit, unless one of them is
    not finite or all uncertainties are 0. Texts: ``concise`` 9.76(12), ``spelled`` 9.76 ± 0.12, ``latex`` and
    ``siunitx``.

    >>> from gradcli.uncertainty.rounding import rounded
    >>> result = rounded(6.62607015e-34, 4.2e-41)
    >>> print(result.concise, "|", result.spelled)
    6.62607015(42)e-34 | (6.62607015 ± 0.00000042)e-34
    """

    value: str
    u: tuple[str, ...]
    tens: int = 0

    @property
    def pair(self) -> tuple[str, str]:
        """The value and its uncertainty, the one above it where there are two, as texts that float() reads."""
        return self.value + self._power(), self.u[0] + self._power()

    @property
    def concise(self) -> str:
        """The uncertainty in brackets, in units of the last digit of the value: JCGM 100:2008, 7.2.2, second form.

        Where brackets cannot say it, because a number is not finite or there are two uncertainties, as ``spelled``.
        """
        brackets = self._brackets()
        return self.spelled if brackets is None else f"{self.value}({brackets}){self._power()}"

    @property
    def spelled(self) -> str:
        """Value and uncertainty with ± between them (7.2.2, fourth form); two uncertainties as 1.02+0.03-0.01."""
        if len(self.u) == 1:
            text = f"{self.value} \u00b1 {self.u[0]}"
            return f"({text}){self._power()}" if self.tens else text
        power = self._power()
        return f"{self.value}{power}+{self.u[0]}{power}-{self.u[1]}{power}"

    @property
    def latex(self) -> str:
        r"""LaTeX in math mode: ``9.76 \pm 0.12``, and ``1.02^{+0.03}_{-0.01}`` for two uncertainties."""
        value, *sides = [_tex(text) for text in (self.value, *self.u)]
        text = rf"{value} \pm {sides[0]}" if len(sides) == 1 else f"{value}^{{+{sides[0]}}}_{{-{sides[1]}}}"
        if not self.tens:
            return text
        return (rf"({text})" if len(sides) == 1 else text) + rf" \times 10^{{{self.tens}}}"

    @property
    def siunitx(self) -> str:
        r"""For the LaTeX package siunitx: ``\num{9.76(12)}``, which equals ``\num{9.76 \pm 0.12}``; else as ``latex``.

        siunitx reads no nan or inf, and two uncertainties only in its newest versions.
        """
        brackets = self._brackets()
        return self.latex if brackets is None else rf"\num{{{self.value}({brackets}){self._power()}}}"

    def _brackets(self) -> str | None:
        if len(self.u) != 1 or not (math.isfinite(float(self.value)) and math.isfinite(float(self.u[0]))):
            return None
        return self.u[0].replace(".", "").lstrip("0") or "0"

    def _power(self) -> str:
        return f"e{self.tens}" if self.tens else ""


def _tex(text: str) -> str:
    text = re.sub("e(.*)", r" \\times 10^{\1}", text)
    return {"nan": r"\mathrm{nan}", "inf": r"\infty", "-inf": r"-\infty"}.get(text, text)


def rounded(value: float | str, u: float | str, rule: str = "2") -> Rounded:
    """A value rounded to the last digit of its rounded uncertainty, both in one unit.

    Numbers are doubles, of which the shortest decimal is rounded, or decimal texts as typed. ``rule``: ``2`` and ``1``
    digits of the uncertainty (JCGM 100:2008, 7.2.6); ``pdg``: two digits if its three leading digits are 100 to 354,
    one if they are 355 to 949, and 1000 with two digits if they are 950 to 999 (Particle Data Group, Review of
    Particle Physics, introduction, section 5.3); ``none``: all digits. An uncertainty of 0, and one that is not finite,
    leaves the value as it is. Raises GradError for another rule and for ``u`` < 0.

    >>> rounded(9.869604401089358, 0.10065061086519174).concise
    '9.87(10)'
    >>> rounded("0.827", "0.367", "pdg").concise
    '0.8(4)'
    """
    return _rounded(value, (u,), rule)


def two_sided(value: float | str, plus: float | str, minus: float | str, rule: str = "2") -> Rounded:
    """A value and its uncertainties above and below, as `rounded`; the smaller one that is not 0 sets the last digit.

    >>> two_sided(1.0203, 0.031, 0.0123).spelled
    '1.020+0.031-0.012'
    """
    return _rounded(value, (plus, minus), rule)


def _rounded(value: float | str, sides: tuple[float | str, ...], rule: str) -> Rounded:
    if rule not in RULES:
        raise GradError(f"--rounding: unknown rule '{rule}'", hint=meant(rule, [*RULES], "the rules are"))
    numbers = [_decimal(number) for number in (value, *sides)]
    if any(number < 0 for number in numbers[1:] if not number.is_nan()):
        raise GradError("an uncertainty is negative", hint="it is a standard deviation, 0 or more")
    spread = [number for number in numbers[1:] if number and number.is_finite()]
    last = [_last_digit(number, rule) for number in spread]
    if rule == "none" or not spread:
        # All digits: those of the value and of the uncertainties, whichever go further.
        last = [_exponent(number) for number in (*numbers[:1], *spread) if number.is_finite()]
    if not last:
        return Rounded(_text(numbers[0]), tuple(map(_text, numbers[1:])))
    digit = min(last)
    if not numbers[0].is_finite() or not all(number.is_finite() for number in numbers[1:]):
        # Without a common last digit each number keeps its own: a finite value all, an uncertainty those of the rule.
        return Rounded(
            _text(numbers[0]),
            tuple(_text(_quantized(n, _last_digit(n, rule))) if n and n.is_finite() else _text(n) for n in numbers[1:]),
        )
    return _placed([_quantized(number, digit) for number in numbers], digit)


def _placed(numbers: list[Decimal], digit: int) -> Rounded:
    """Numbers rounded to a digit as texts: with a power of ten if they are small, or large with zeros to fill."""
    lead = max((number.adjusted() for number in numbers if number), default=digit)
    tens = 0 if -4 <= lead < 6 or digit <= 0 <= lead < _PLAIN else lead
    unit, exactly = Decimal(1).scaleb(min(digit - tens, 0)), context()
    value, *sides = [f"{exactly.quantize(exactly.scaleb(number, -tens), unit):f}" for number in numbers]
    value = value if numbers[0] else value.removeprefix("-")
    return Rounded(value, tuple(text if u else "0" for text, u in zip(sides, numbers[1:], strict=True)), tens)


def _decimal(number: float | str) -> Decimal:
    """A decimal text, or the shortest decimal of a double. Raises GradError for a text that is none, or too long."""
    text = number if isinstance(number, str) else repr(float(number)).removesuffix(".0")
    try:
        decimal = Decimal(text)
    except InvalidOperation:
        raise GradError(f"'{text[:40]}' is not a decimal number") from None
    if decimal.is_finite() and (len(text) > 3 * LONGEST or abs(decimal.adjusted()) > 2 * LONGEST):
        raise GradError("a number too long to be rounded", hint="a double has 17 digits")
    return decimal


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _quantized(number: Decimal, digit: int) -> Decimal:
    return context().quantize(number, Decimal(1).scaleb(digit))


def _last_digit(u: Decimal, rule: str) -> int:
    """The power of ten of the last digit of an uncertainty that a rule leaves."""
    lead = u.adjusted()
    if rule == "none":
        return _exponent(u)
    count = 1 if rule == "1" else 2
    if rule == "pdg":
        leading = int(context().scaleb(u, 2 - lead))
        if leading >= 950:
            return lead
        count = 2 if leading < 355 else 1
    digit = lead + 1 - count
    # 0.0999 is rounded to 0.100, of which two digits are 0.10.
    return digit + 1 if _quantized(u, digit).adjusted() > lead else digit


def _text(number: Decimal) -> str:
    """A number by itself: nan, inf, and a finite one with its digits."""
    if not number.is_finite():
        return "nan" if number.is_nan() else "inf" if number > 0 else "-inf"
    return str(number).replace("E", "e").replace("e+", "e")
