"""Sentences on single steps: the reason why an operation on these numbers is infinite or no number.

Most follow from the function's row: its poles, its edges, its domain; a few have words of their own.
Layer: must not know texts, spans or derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gradcli.compute.backends.scalar import at_point
from gradcli.expr import Expr, const, text
from gradcli.expr.printing import WORDS_OF
from gradcli.formats import spell
from gradcli.functions import TABLE

Value = float | bool

OPERATORS = {
    "add": "the sum", "sub": "the difference", "mul": "the product", "div": "the quotient", "neg": "the negative",
    "power": "the power", "power_shift": "the power", "mod": "the remainder", "floordiv": "the quotient",
    "truncdiv": "the quotient", "where": "the branch", "instead": "the branch",
}  # fmt: skip
"""What operators, which have no word of their own, are called in a sentence."""

OVERFLOWS = {
    "exp": "709.78", "exp2": "1024", "expm1": "709.78", "sinh": "710.47", "cosh": "710.47", "gamma": "171.62",
    "factorial": "170.62",
}  # fmt: skip
"""The argument from which a function is beyond the range of a double."""

_FORM = 40
"""Characters of a step's text in a sentence."""


def word(e: Expr) -> str:
    """The word of a step in a sentence: ``sqrt``, ``the quotient``."""
    return OPERATORS.get(e.op) or WORDS_OF.get(e.op, e.op).partition(" ")[0]


def shown(value: Value) -> str:
    """A value in a sentence: ``0``, ``-inf``, ``0.1``, ``true``."""
    return str(value).lower() if isinstance(value, bool) else spell(value).removesuffix(".0")


def listed(args: Sequence[Value]) -> str:
    """The arguments of a step in a sentence: ``0``, ``(0, 1)``."""
    texts = [shown(a) for a in args[:4]] + (["..."] if len(args) > 4 else [])
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def reason(e: Expr, args: Sequence[Value], value: float) -> str:
    """Why the operation of ``e`` on ``args`` is ``value``, which is infinite or nan though no argument explains it."""
    own = _OWN.get(e.op)
    numbers = [float(a) for a in args]
    sentence = own(*numbers) if own is not None else ""
    return sentence or _by_row(e, numbers, value)


def _by_row(e: Expr, args: Sequence[float], value: float) -> str:
    row = TABLE[e.op]
    if row.internal and e.op not in WORDS_OF and e.op not in OPERATORS:
        # Such a step is told by its text as a reader writes it.
        return f"{text(e, _FORM)} is {'not defined' if math.isnan(value) else 'infinite'}"
    name, at = word(e), listed(args)
    if not all(map(math.isfinite, args)):
        return f"{name} of {at}"
    if _vanishes(row.poles, args):
        return f"a pole of {name}, at {at}"
    limited = row.domain != "all x"
    if math.isinf(value):
        if e.op in OVERFLOWS:
            return f"{name} overflows beyond {OVERFLOWS[e.op]}"
        if limited and _vanishes(row.edges, args):
            return f"{name} of {at}, at the end of its domain"
        # The order of a Bessel function may well be 0.
        pole = 0 in (args[-1:] if "n" in row.unknown else args)
        return f"{name} is infinite at {at}" if pole else f"{name} is too large for a double"
    return f"{name} of {at}, outside its domain ({row.domain})" if limited else f"{name} of {at}"


def _vanishes(places: Callable[..., list[Expr]] | None, args: Sequence[float]) -> bool:
    """Whether one of the distances that a row gives is 0 at these arguments."""
    return places is not None and any(d == 0 for d in at_point(places(*map(const, args)), {}))


def _product(a: float, b: float) -> str:
    return "0 times inf" if 0 in (a, b) and math.isinf(a + b) else "the product is too large for a double"


def _sum(a: float, b: float) -> str:
    return "inf - inf" if math.isinf(a) and math.isinf(b) else "the sum is too large for a double"


def _difference(a: float, b: float) -> str:
    return "inf - inf" if math.isinf(a) and math.isinf(b) else "the difference is too large for a double"


def _quotient(a: float, b: float) -> str:
    if b == 0:
        return "0/0" if a == 0 else "division by 0"
    return "inf/inf" if math.isinf(a) and math.isinf(b) else "the quotient is too large for a double"


def _power(x: float, n: float) -> str:
    if x == 0 and n < 0:
        return "0 to a negative power"
    if x < 0 and n % 1:
        return "a negative number to a power that is not an integer"
    return "the power is too large for a double"


def _remainder(a: float, b: float) -> str:
    return "remainder by 0" if b == 0 else "remainder of inf"


def _logarithm(name: str) -> Callable[[float], str]:
    return lambda x: f"{name} of 0" if x == 0 else f"{name} of a negative number"


def _beta(name: str) -> Callable[[float, float], str]:
    def of(x: float, y: float) -> str:
        if x > 0 and y > 0:
            return f"{name} of {listed([x, y])} is beyond what is computed"
        # 1/gamma(x + y) is 0, and no factor of it infinite.
        return "log of 0" if name == "betaln" and x % 1 > 0 < y % 1 and (x + y) % 1 == 0 >= x + y else ""

    return of


_OWN: dict[str, Callable[..., str]] = {
    "add": _sum, "sub": _difference, "mul": _product, "div": _quotient,
    "dcbrt": lambda x: "0 to a negative power" if x == 0 else "",
    "power": _power, "power_shift": _power, "power_residual": lambda x, n, _: _power(x, n),
    "mod": _remainder, "fmod": _remainder, "floordiv": _quotient, "truncdiv": _quotient,
    "log": _logarithm("log"), "log2": _logarithm("log2"), "log10": _logarithm("log10"),
    "log1p": lambda x: "log of 0" if x == -1 else "log of a negative number",
    "sqrt": lambda x: "square root of a negative number",
    "xdivy": _quotient, "beta": _beta("beta"), "betaln": _beta("betaln"),
    "betapdf": lambda a, b, x: "the density is infinite there" if x in (0, 1) and a > 0 < b else "",
    "gammapdf": lambda a, x: "the density is infinite there" if x == 0 < a else "",
    "fma": lambda x, y, z: _product(x, y) if 0 in (x, y) else "inf - inf" if math.isinf(z) else "",
}  # fmt: skip
"""Sentences of the steps for which the row's facts say too little; an empty one leaves it to the row."""
