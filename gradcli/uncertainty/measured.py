"""Measured values as people write them: a value with its uncertainty, read exactly and rounded once.

Layer: must not know expressions; what is no measured value is left to the caller.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from gradcli.caret import Source, Span
from gradcli.errors import GradError, meant
from gradcli.uncertainty.distributions import Distribution

LONGEST = 1000
"""Characters of a number, at most, which bounds the digits of exact arithmetic."""
_WIDTHS = {"rect": ("R", 3), "tri": ("T", 6), "arcsine": ("U", 2), "normal": ("N", 1)}
"""A distribution's word: its kind, and the square of its half-width over its variance (JCGM 100:2008, 4.3.7 to 4.3.9,
JCGM 101:2008, 6.4.6.3). The half-width of ``normal`` is ``k`` standard deviations, one if no ``k`` is given."""

_DIGITS = r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)"
_TENS = r"(?:[eE](?P<tens>[+-]?[0-9]++)|\s*+(?:\u00d7|\\times)\s*+10\^(?P<power>[+-]?[0-9]++|\{[+-]?[0-9]++\}))"
_PLAIN = rf"{_DIGITS}(?:[eE][+-]?[0-9]++)?"
_SIGN = r"(?:\u00b1|\\pm|\+/-|\+-)"
_MARK = re.compile(r"\u00b1|\\pm|\+/-")
"""What arithmetic has not: a text with it is a measured value or an error."""
_FORMS = tuple(
    re.compile(rf"\s*+(?:{form})\s*+")
    for form in (
        rf"(?P<value>[+-]?{_PLAIN})\s*+{_SIGN}\s*+(?P<u>{_PLAIN})\s*+(?P<percent>%)?",
        rf"\(\s*+(?P<value>[+-]?{_PLAIN})\s*+(?!\+-){_SIGN}\s*+(?P<u>{_PLAIN})\s*+\)(?:{_TENS})?",
        rf"(?P<value>[+-]?{_DIGITS})\((?P<last>{_DIGITS})\)(?:{_TENS})?",
        rf"(?P<value>[+-]?{_PLAIN})\s*+\+\s*+(?P<plus>{_PLAIN})\s*+-\s*+(?P<minus>{_PLAIN})",
        rf"(?P<value>[+-]?{_PLAIN})\s*+-\s*+(?P<minus>{_PLAIN})\s*+\+\s*+(?P<plus>{_PLAIN})",
    )
)
_NUMBER = re.compile(rf"\s*+[+-]?{_PLAIN}\s*+")
_K = re.compile(rf"\s*+([A-Za-z]++)\s*+(?:\(\s*+k\s*+=\s*+([+-]?{_PLAIN})\s*+\))?\s*+")
_EXAMPLES = "such as 1.020\u00b10.005, 1.020(5), 1.02\u00b10.5% or 1.02+0.03-0.01"


class Measured(NamedTuple):
    """A measured value, the estimate of an input quantity, with its standard uncertainty ``u`` in the same unit.

    ``typed``: both as decimal texts, exact where the uncertainty is a decimal (not after ``:rect``, ``:tri`` and
    ``:arcsine``, whose square roots are rounded to a double). ``plus`` and ``minus``: the uncertainties on both sides
    where they were given; ``u`` is their mean then. ``dist``: the distribution where one was named; None: normal, or
    Student's t where the degrees of freedom are known (JCGM 101:2008, table 1).
    """

    value: float
    u: float
    typed: tuple[str, str]
    plus: float | None = None
    minus: float | None = None
    dist: Distribution | None = None


def measured(value: float, u: float, where: str, typed: tuple[str, str] | None = None) -> Measured:
    """A value and its standard uncertainty that are doubles already; ``where`` begins the message of an error.

    ``typed``: their texts, where there are any, else the shortest ones of the doubles. Raises GradError unless both
    are finite and ``u`` >= 0.

    >>> measured(1.02, 0.005, "--u L").typed
    ('1.02', '0.005')
    """
    if not math.isfinite(value):
        raise GradError(f"{where}: the value {value} is not finite, and has no uncertainty")
    if not 0 <= u < math.inf:
        raise GradError(f"{where}: an uncertainty is a finite number that is not negative, not {u}")
    return Measured(value, u, typed or (repr(float(value)), repr(float(u))))


def read(text: str, option: str) -> Measured | None:
    """The measured value that a text writes, or None where it writes none and may be a constant expression.

    The notations are ``1.020±0.005`` (also ``+-``, ``+/-`` and ``\\pm``), ``1.020(5)`` (also ``1.020(5)e-3``; the
    digits in brackets belong to the last ones of the value; with a point, ``9.8(1.2)``, they are the uncertainty),
    ``1.02±0.5%`` (of the value), and ``1.02+0.03-0.01``. They win over arithmetic, which brackets keep:
    ``(1.02+0.03-0.01)``. ``:rect``, ``:tri``, ``:arcsine`` or ``:normal(k=2)`` behind one says that the half-width of
    that distribution stands in it. Sources: JCGM 100:2008, 7.2.2, and 4.3.3 to 4.3.9.

    Raises GradError, which names ``option`` and marks the place, for a text that can only be a measured value and is
    wrong: a negative uncertainty, a number that is not finite, an unknown distribution.

    >>> read("1.020(5)", "--at")
    Measured(value=1.02, u=0.005, typed=('1.020', '0.005'), plus=None, minus=None, dist=None)
    >>> read("1.02+0.03-0.01", "--at").u
    0.02
    >>> read("(1.02+0.03-0.01)", "--at") is None
    True
    """
    plain = text.replace("\u2212", "-")
    body, colon, word = plain.partition(":")
    for form in _FORMS:
        if match := form.fullmatch(body):
            return _Reader(Source(text), option, match).measured(word if colon else None)
    if _MARK.search(body):
        raise _malformed(body, Source(text), option)
    if colon and (name := _K.fullmatch(word)) and name[1] in _WIDTHS:
        raise GradError(
            f"{option}: a distribution needs a value with its half-width",
            hint=f"{body.strip() or '1.02'}\u00b10.005:{name[1]}", span=Span(len(body), len(text)), source=Source(text),
        )  # fmt: skip
    return None


def _malformed(body: str, source: Source, option: str) -> GradError:
    """The error for a text with ± that is no measured value: it marks the side that is not a number."""
    first, *others = _MARK.finditer(body)
    if others:
        return GradError(f"{option}: a second uncertainty", hint=f"one is read, {_EXAMPLES}",
                         span=Span(*others[0].span()), source=source)  # fmt: skip
    left, right = body[: first.start()], body[first.end() :]
    if not _NUMBER.fullmatch(left):
        message, place = "the value must be a decimal number", Span(0, max(first.start(), 1))
        hint = "for a constant expression: --at NAME=EXPRESSION and --u NAME=UNCERTAINTY"
    else:
        message, place = "the uncertainty must be a decimal number", Span(first.end(), len(body))
        hint = _EXAMPLES
        if _NUMBER.fullmatch(right.replace("%", "")) and right.lstrip().startswith("-"):
            message, hint = "the uncertainty is negative", "it is a standard deviation, 0 or more"
    return GradError(f"{option}: {message}", hint=hint, span=place, source=source)


class _Reader:
    """The numbers of a match, with the errors of those that no double holds."""

    def __init__(self, source: Source, option: str, match: re.Match[str]) -> None:
        self.source, self.option, self.match = source, option, match
        # A context keeps flags, which threads must not share: each reader has its own.
        self.exactly, self.rounding = context(), context(60)
        self.groups = match.groupdict()

    def error(self, message: str, group: str, hint: str | None = None) -> GradError:
        span = Span(*self.match.span(group))
        return GradError(f"{self.option}: {message}", hint=hint, span=span, source=self.source)

    def check(self, group: str) -> str | None:
        """The text of a group, None where the notation has none. Raises GradError if it is too long."""
        text = self.groups.get(group)
        if text is not None and len(text) > LONGEST:
            raise self.error(f"a number of more than {LONGEST:,} characters", group)
        return text

    def exact(self, group: str, scale: str = "") -> Decimal:
        """The number of a group times a power of ten. Raises GradError beyond the range of doubles."""
        text = self.check(group) or "0"
        if not re.search("[1-9]", _mantissa(text)):
            return Decimal(0)
        self.double(float(text + scale), group)
        return self.exactly.create_decimal(text + scale)

    def double(self, number: float, group: str) -> float:
        """A number that is not 0, as a double. Raises GradError for one that is rounded to 0 or infinity."""
        if not 0 < abs(number) < math.inf:
            side = "below" if not number else "beyond"
            raise self.error(f"the number is {side} the range of doubles", group)
        return number

    def measured(self, word: str | None) -> Measured:
        """The measured value, with the distribution that a word behind the colon names."""
        group = "tens" if self.groups.get("tens") else "power"
        tens = (self.check(group) or "").strip("{}")
        typed = self.groups["value"].removeprefix("+")
        if tens and _mantissa(typed) != typed:
            raise self.error("a second power of ten", group)
        scale = f"e{tens}" if tens else ""
        value = self.exact("value", scale)
        shown = typed + scale if value else _mantissa(typed)
        plus = minus = Decimal(0)
        if (last := self.check("last")) is not None:
            group, decimals = "last", 0 if "." in last else len(typed.partition(".")[2])
            width = self.exact(group, f"e{int(tens or 0) - decimals}")
            text = f"{self.exactly.scaleb(Decimal(last), -decimals):f}{scale if width else ''}"
        elif self.two_sided:
            group, plus, minus = "plus", self.exact("plus"), self.exact("minus")
            width = self.half(self.exactly.add(plus, minus))
            text = _decimal_text(width)
        elif self.groups.get("percent"):
            group, part = "u", self.exactly.multiply(self.exact("u"), Decimal("0.01"))
            width = self.exactly.multiply(part, value.copy_abs())
            text = _decimal_text(width)
        else:
            group, width = "u", self.exact("u", scale)
            text = self.groups["u"] + scale if width else _mantissa(self.groups["u"])
        u = self.double(float(width), group) if width else 0.0
        result = Measured(float(value), u, (shown, text))
        if self.two_sided:
            result = result._replace(plus=float(plus), minus=float(minus))
        if word is None:
            return result
        # The limits are value + plus and value - minus: their centre is the mean of the distribution.
        centre = self.exactly.add(value, self.half(self.exactly.subtract(plus, minus)))
        return self.spread(result, width, self.double(float(centre), group) if centre else 0.0, word)

    @property
    def two_sided(self) -> bool:
        return self.groups.get("plus") is not None

    def half(self, number: Decimal) -> Decimal:
        return self.exactly.divide(number, Decimal(2))

    def spread(self, result: Measured, width: Decimal, centre: float, word: str) -> Measured:
        """A measured value whose uncertainty was the half-width of a distribution around a centre, as the word says."""
        kind, square, k = self.shape(word)
        factor = self.rounding.multiply(k, self.rounding.sqrt(Decimal(square)))
        u, text = float(self.rounding.divide(width, factor)), ""
        if width and not 0 < u < math.inf:
            side = "beyond" if u else "below"
            raise GradError(f"{self.option}: the uncertainty is {side} the range of doubles",
                            span=self.behind(word), source=self.source)  # fmt: skip
        if kind == "N":
            held = Distribution(kind, result.value, u)
            quotient = self.rounding.divide(width, k)
            text = _decimal_text(quotient) if self.exactly.multiply(quotient, k) == width else ""
        else:
            held = Distribution(kind, centre, float(width))
        if self.two_sided:
            sides = [float(self.rounding.divide(self.exact(side), factor)) for side in ("plus", "minus")]
            result = result._replace(plus=sides[0], minus=sides[1])
        return result._replace(u=u, typed=(result.typed[0], text or repr(u)), dist=held)

    def shape(self, word: str) -> tuple[str, int, Decimal]:
        """The kind of a distribution's word, its half-width over its deviation, squared, and its coverage factor."""
        span, form = self.behind(word), _K.fullmatch(word)
        if form is None or form[1] not in _WIDTHS:
            name = form[1] if form else ""
            hint = meant(name, [*_WIDTHS], "it is one of") if name else "it is one of " + ", ".join(_WIDTHS)
            raise GradError(f"{self.option}: unknown distribution", hint=hint, span=span, source=self.source)
        kind, square = _WIDTHS[form[1]]
        if form[2] is None:
            return kind, square, Decimal(1)
        if kind != "N":
            raise GradError(f"{self.option}: only the normal distribution has a coverage factor k",
                            hint=f"write :{form[1]}", span=span, source=self.source)  # fmt: skip
        if not 0 < float(form[2]) < math.inf or len(form[2]) > LONGEST:
            raise GradError(f"{self.option}: the coverage factor k must be positive and finite",
                            hint="such as :normal(k=2)", span=span, source=self.source)  # fmt: skip
        return kind, square, self.exactly.create_decimal(form[2])

    def behind(self, word: str) -> Span:
        """The span of the word behind the colon, or of the colon where there is none."""
        start = len(self.source.text) - len(word)
        return Span(start, len(self.source.text)) if word.strip() else Span(start - 1, start)


def context(digits: int = 8 * LONGEST) -> Context:
    """Decimal arithmetic, half to even, with more digits than the sum or product of two numbers read here can have."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=10**6, Emin=-(10**6), traps=[])


def _mantissa(text: str) -> str:
    """A decimal text without its power of ten."""
    return re.split("[eE]", text)[0]


def _decimal_text(number: Decimal) -> str:
    """A decimal without trailing zeros of its fraction, with a power of ten where it is long."""
    if not number:
        return "0"
    number = context().normalize(number)
    if -6 < number.adjusted() < 16:
        return f"{number:f}"
    return str(number).replace("E", "e").replace("e+", "e")
