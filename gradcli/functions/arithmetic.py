"""Arithmetic, comparisons, selection: what the language writes with operators and keywords."""

from __future__ import annotations

from fractions import Fraction

from gradcli.expr import ONE, ZERO, Expr, apply, const, exact
from gradcli.functions.row import and_, define, eq, fmod, ge, log, lt, positive, rint, where


def _less_one(n: Expr) -> Expr:
    """n - 1 with the constants folded: y - 2, never (y - 1) - 1, which rounds twice."""
    if n.op == "sub" and exact(n.args[1]) is not None:
        return n.args[0] - (n.args[1] + ONE)
    return n - ONE


def _is_double(number: Fraction) -> bool:
    return Fraction(float(number)) == number


def _power_base(y: Expr, x: Expr, n: Expr) -> Expr:
    number = exact(n)
    if number is not None:
        if _is_double(number) and _is_double(number - 1):
            return n * x ** (n - 1)
        # 0.3 is not a double: x**0.3 is x**0.299...9889, whose slope has the exponent -0.700...111, not -0.7.
        return n * apply("power_shift", x, n, value=1)
    # 0 at (0, 0) alone: elsewhere n*x**(n - 1) is right, and its slope in n is needed where n = 0.
    return where(and_(eq(x, ZERO), eq(n, ZERO)), ZERO, n * x ** _less_one(n))


def _power_shift(x: Expr, c: Expr, n: int) -> Expr:
    number = exact(c)
    assert number is not None
    exponent = Fraction(float(number)) - n
    near = Fraction(float(exponent))
    return apply("power_residual", x, const(near), const(exponent - near))


def _power_exponent(y: Expr, x: Expr, n: Expr) -> Expr:
    base = exact(x)
    if x.op in ("constant", "exp") or (base is not None and base != 0):
        return log(x) * y
    return where(and_(eq(x, ZERO), ge(n, ZERO)), ZERO, log(x) * y)


def _power_singular(x: Expr, n: Expr) -> list[Expr]:
    number = exact(n)
    if number is None:
        if exact(x) == 0:
            return [n]
        # Of a negative base the power exists at whole exponents alone.
        return [x] if positive(x) else [x, where(lt(x, ZERO), n - rint(n), ONE)]
    return [] if number.denominator == 1 and number >= 0 else [x]


define("add", "sum", None, None, arity=(2, 2), infix="+", commutes=True, direct=True, numpy="add")
define("sub", "difference", None, None, infix="-", direct=True, numpy="subtract")
define("mul", "product", None, None, infix="*", commutes=True, direct=True, shrinks=True, numpy="multiply")
define(
    "div", "quotient", None, None, infix="/", domain="y != 0",
    direct=True, shrinks=True, poles=lambda x, y: [y], numpy="divide",
)  # fmt: skip
define("neg", "negative", None, infix="-", parity="odd", direct=True, numpy="negative")
define(
    "power", "power x**y", _power_base, _power_exponent, infix="**", synonyms="pow power",
    domain="x > 0; x < 0 with integer y", notes="0**0 = 1; x**n exact at 0 and for negative x with integer n",
    shrinks=True, edges=lambda x, n: [x], singular=_power_singular, numpy="power", libm="pow",
)  # fmt: skip
define(
    "power_shift", "x**(c - n) for a constant c, c - n not rounded",
    lambda y, x, c, n: (c - n) * apply("power_shift", x, c, value=n + 1), None,
    expansion=_power_shift, infix="**", parameter=True, internal=True, singular=lambda x, c: [x],
    readable=lambda x, c, n: x ** (c - const(n)),
)  # fmt: skip


def beside_integers(x: Expr) -> list[Expr]:
    """0 at the integers."""
    return [x - rint(x)]


def beside_whole_quotients(x: Expr, y: Expr) -> list[Expr]:
    return beside_integers(x / y)


def divisor(x: Expr, y: Expr) -> list[Expr]:
    return [y]


define(
    "mod", "remainder with the sign of y", lambda y, a, b: ONE, lambda y, a, b: -apply("floordiv", a, b),
    infix="%", synonyms="mod", domain="y != 0", notes="slopes 1 and -floor(x/y), also at jumps",
    error=1, edges=lambda x, y: [y], ties=beside_whole_quotients, singular=divisor, numpy="remainder",
)  # fmt: skip
define(
    "floordiv", "floor(x/y) without rounding the quotient first", None, None, internal=True,
    expansion=lambda a, b: where(eq(b, ZERO), a / b, rint((a - apply("mod", a, b)) / b)),
    readable=lambda x, y: apply("floor", x / y), numpy="floor_divide",
    ties=beside_whole_quotients, singular=divisor,
)  # fmt: skip
define(
    "truncdiv", "trunc(x/y) without rounding the quotient first", None, None, internal=True,
    expansion=lambda a, b: where(eq(b, ZERO), a / b, rint((a - fmod(a, b)) / b)),
    readable=lambda x, y: apply("trunc", x / y), ties=beside_whole_quotients, singular=divisor,
)  # fmt: skip
for _op, _doc, _math, _numpy in (
    ("lt", "<", "<", "less"), ("le", "<=", "≤", "less_equal"), ("gt", ">", ">", "greater"),
    ("ge", ">=", "≥", "greater_equal"), ("eq", "==", "=", "equal"), ("ne", "!=", "≠", "not_equal"),
):  # fmt: skip
    define(
        _op, f"true where x {_doc} y", None, None, infix=_doc, internal=True,
        commutes=_op in ("eq", "ne"), ties=lambda x, y: [x - y], numpy=_numpy, math=_math,
    )  # fmt: skip
for _op, _math in (("and", "∧"), ("or", "\u2228")):
    define(
        _op, f"true where x {_op} y", None, None, infix=_op, internal=True, commutes=True, numpy=f"logical_{_op}",
        math=_math,
    )  # fmt: skip
define("not", "true where not x", None, infix="not", internal=True, numpy="logical_not", math="¬")
define(
    "where", "a where the condition holds, else b", None, None, None, arguments="condition a b",
    notes="selects, never multiplies: nothing leaks from the branch not taken", direct=True,
)  # fmt: skip
define(
    "instead", "a instead of b where c holds: two forms of one function, a for the ends of the range", None, None, None,
    internal=True, expansion=where, direct=True, readable=lambda condition, rare, usual: usual, kinks=True,
)  # fmt: skip
define(
    "defined", "the second, but nan where the first is nan", None, None, internal=True,
    direct=True, readable=lambda y, slope: slope, kinks=True,
)  # fmt: skip
