"""THE TABLE: every function, one row each.

A row gives the name, the slope in each argument as an expression of the answer ``y`` and the arguments
(None: flat everywhere), and, unless the backends have a kernel of that name, the ``expansion`` into functions they
have. One slope is enough for forward mode, reverse mode and every order, so its *form* decides the
accuracy: it must neither cancel nor overflow where the derivative is finite, nor do so when differentiated again.
Must not know parsing, evaluation or how derivatives are combined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import ONE, WORDS, ZERO, Expr, apply, const, constant, exact

Slopes = Callable[..., Sequence[Expr | None]]


class Function(NamedTuple):
    """One row. ``arity`` is (least, most), most None for any number; ``arguments`` are their names in its texts.

    ``reduces``: with one argument it takes all points of the grid and gives one number; its adjoint is in `reverse`.
    """

    name: str
    doc: str
    arity: tuple[int, int | None]
    slopes: Slopes | None
    expansion: Callable[..., Expr] | None
    domain: str
    notes: str
    synonyms: tuple[str, ...]
    infix: str | None
    parameter: bool
    internal: bool
    needs: str | None
    arguments: tuple[str, ...]
    reduces: bool


LOWERED = frozenset({"power_residual", "cbrt_near", "gauss", "erfinv_gauss"})
"""Only expansions and lowering use these.

gauss(x) is exp(-x**2); power_residual(x, n, lost) is x**(n + lost), lost below an ulp of n.
"""

NONLOCAL = frozenset({"unit", "cofactor", "cofactor_along"})
"""Rows with a value at each point that depends on all points: slopes of the reductions."""

TABLE: dict[str, Function] = {}
SPELLED: dict[str, Function] = {}


def define(
    name: str,
    doc: str,
    *slopes: Callable[..., Expr] | None,
    every: Slopes | None = None,
    arity: tuple[int, int | None] | None = None,
    expansion: Callable[..., Expr] | None = None,
    domain: str = "all x",
    notes: str = "",
    synonyms: str = "",
    infix: str | None = None,
    parameter: bool = False,
    internal: bool = False,
    needs: str | None = None,
    arguments: str = "x y z",
    reduces: bool = False,
) -> None:
    """Add a row. ``slopes`` are one rule per argument, ``every`` one rule that returns them all."""

    def each(y: Expr, *x: Expr, **parameters: int) -> Sequence[Expr | None]:
        return [None if rule is None else rule(y, *x, **parameters) for rule in slopes]

    least, most = arity or (len(slopes), len(slopes))
    flat = every is None and all(rule is None for rule in slopes)
    row = Function(
        name, doc, (least, most), None if flat else every or each, expansion,
        domain, notes, tuple(synonyms.split()), infix, parameter, internal, needs,
        tuple(arguments.split())[: least if most is None else most], reduces,
    )  # fmt: skip
    TABLE[name] = row
    for spelled in (() if infix or name == "neg" else (name,), row.synonyms):
        for word in spelled:
            SPELLED[word] = row


def reduces(e: Expr) -> bool:
    """Whether a node takes all points at once: sum(x), and max(x) where max(x, y) does not."""
    return len(e.args) == 1 and (row := TABLE.get(e.op)) is not None and row.reduces


def slopes(y: Expr) -> Sequence[Expr | None]:
    """dy/d(argument) for each argument of a node; None where it is zero everywhere.

    Raises GradError for a node that takes all points at once: it has adjoints, and no slope at a point.
    """
    row = TABLE[y.op]
    if y.op in NONLOCAL or reduces(y):
        raise GradError(f"{y.op} takes all points at once: its gradient is what grad gives")
    if row.slopes is None:
        return (None,) * len(y.args)
    if row.parameter:
        return row.slopes(y, *y.args, n=y.value)
    return row.slopes(y, *y.args)


def expansion(e: Expr, args: Sequence[Expr]) -> Expr | None:
    """What a node means in functions with kernels, on ``args``; None where it has a kernel itself."""
    row = TABLE.get(e.op)
    if row is None or row.expansion is None:
        return None
    return row.expansion(*args, n=e.value) if row.parameter else row.expansion(*args)


def _named(name: str) -> Callable[..., Expr]:
    return lambda *args: apply(name, *args)


(sqrt, exp, log, sin, cos, tan, sinh, cosh, tanh, abs_, sign, log1p) = map(
    _named, ["sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign", "log1p"]
)
(csc, cot, sech, csch, coth, sigmoid, digamma, rint, fmod) = map(
    _named, ["csc", "cot", "sech", "csch", "coth", "sigmoid", "digamma", "round", "fmod"]
)
(atan2, atanh, acosh, asinh, acos, asin, hypot, direction, softmax, copysign, where, xdivy) = map(
    _named,
    ["atan2", "atanh", "acosh", "asinh", "acos", "asin", "hypot", "direction", "softmax", "copysign", "where", "xdivy"],
)
(lt, le, gt, ge, eq, and_, maximum, minimum) = map(_named, ["lt", "le", "gt", "ge", "eq", "and", "max", "min"])
PI = constant("pi")
HALF = const(Fraction(1, 2))
QUARTER = const(Fraction(1, 4))


def positive(e: Expr, depth: int = 8) -> bool:
    """Whether a node is surely >= 0 wherever it is a number (a sufficient sign rule, not a proof search)."""
    number = exact(e)
    if number is not None:
        return number >= 0
    if e.op in ("exp", "abs", "constant", "cosh", "sech", "sigmoid", "softplus", "sqrt", "norm"):
        return True
    if depth == 0:
        return False
    if e.op == "power":
        n = exact(e.args[1])
        return (n is not None and n % 2 == 0) or positive(e.args[0], depth - 1)
    if e.op == "mul" and e.args[0] is e.args[1]:
        return True
    return e.op in ("add", "mul", "div") and all(positive(a, depth - 1) for a in e.args)


def defined(y: Expr, slope: Expr, argument: Expr | None = None) -> Expr:
    """``slope``, but nan where the function's own value ``y`` is: 1/x is no derivative of log at -1."""
    if argument is not None and positive(argument):
        return slope
    return apply("defined", y, slope)


def _less_one(n: Expr) -> Expr:
    """n - 1, kept as one step from what the user wrote (never ((y - 1) - 1))."""
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
        # 0.3 is no double: x**0.3 is x**0.299...9889, whose slope has the exponent -0.700...111, not -0.7's.
        return n * apply("power_shift", x, n, value=1)
    # Only at (0, 0): elsewhere n*x**(n - 1) is right, and its own slope in n is needed where n = 0.
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


def _shares(beats: Callable[..., Expr]) -> Slopes:
    """Ties share equally among all that attain the extreme."""

    def every(y: Expr, *x: Expr) -> list[Expr | None]:
        if len(x) == 2:
            a, b = x
            tie = where(eq(a, b), HALF, ZERO)
            return [defined(y, where(beats(a, b), ONE, tie)), defined(y, where(beats(b, a), ONE, tie))]
        attained = [where(eq(a, y), ONE, ZERO) for a in x]
        count = attained[0]
        for one in attained[1:]:
            count = count + one
        return [defined(y, one / count) for one in attained]

    return every


def _pairwise(name: str) -> Callable[..., Expr]:
    def expansion(*x: Expr) -> Expr:
        best = x[0]
        for one in x[1:]:
            best = apply(name, best, one)
        return best

    return expansion


# Arithmetic. forward and reverse know + - * / neg, where, instead and defined by heart.
define("add", "sum", None, None, arity=(2, 2), infix="+")
define("sub", "difference", None, None, infix="-")
define("mul", "product", None, None, infix="*")
define("div", "quotient", None, None, infix="/", domain="y != 0")
define("neg", "negative", None, infix="-")
define(
    "power", "power x**y", _power_base, _power_exponent, infix="**", synonyms="pow power",
    domain="x > 0; x < 0 with integer y", notes="0**0 = 1; x**n exact at 0 and for negative x with integer n",
)  # fmt: skip
define(
    "power_shift", "x**(c - n) for a constant c, c - n not rounded",
    lambda y, x, c, n: (c - n) * apply("power_shift", x, c, value=n + 1), None,
    expansion=_power_shift, infix="**", parameter=True, internal=True,
)  # fmt: skip
define(
    "mod", "remainder with the sign of y", lambda y, a, b: ONE, lambda y, a, b: -apply("floordiv", a, b),
    infix="%", synonyms="mod", domain="y != 0", notes="slopes 1 and -floor(x/y), also at jumps",
)  # fmt: skip
define(
    "floordiv", "floor(x/y) without rounding the quotient first", None, None, internal=True,
    expansion=lambda a, b: where(eq(b, ZERO), a / b, rint((a - apply("mod", a, b)) / b)),
)  # fmt: skip
define(
    "truncdiv", "trunc(x/y) without rounding the quotient first", None, None, internal=True,
    expansion=lambda a, b: where(eq(b, ZERO), a / b, rint((a - fmod(a, b)) / b)),
)  # fmt: skip
for _op, _doc in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!="), ("and", "and")):
    define(_op, f"true where x {_doc} y", None, None, infix=_doc, internal=True)
define("or", "true where x or y", None, None, infix="or", internal=True)
define("not", "true where not x", None, infix="not", internal=True)
define(
    "where", "a where the condition holds, else b", None, None, None, arguments="condition a b",
    notes="selects, never multiplies: nothing leaks from the branch not taken",
)  # fmt: skip
define(
    "instead", "a instead of b where c holds: two forms of one function, a for the ends of the range", None, None, None,
    internal=True, expansion=where,
)  # fmt: skip
define("defined", "the second, but nan where the first is nan", None, None, internal=True)

# Roots, exponentials, logarithms.


def _halves(x: Expr) -> tuple[Expr, Expr]:
    """x as a sum of two numbers of 26 bits, whose products are exact (Veltkamp)."""
    wide = x * const(2**27 + 1)
    lead = wide - (wide - x)
    return lead, x - lead


def _cbrt(x: Expr) -> Expr:
    # The C library's error reaches 3.7 ulp; one Newton step on the exact residual y**3 - x leaves half of one.
    size = abs_(x)
    up, down = lt(size, const(Fraction(1, 2**600))), gt(size, const(Fraction(2) ** 600))
    x1 = x * where(up, const(Fraction(2) ** 450), where(down, const(Fraction(1, 2**450)), ONE))
    y = apply("cbrt_near", x1)
    a, b = _halves(y)
    square = y * y
    low = ((a * a - square) + 2 * (a * b)) + b * b
    c, d = _halves(square)
    cube = square * y
    lost = ((c * a - cube) + (c * b + d * a)) + d * b
    better = y - ((cube - x1) + (lost + low * y)) / (3 * square)
    back = where(up, const(Fraction(1, 2**150)), where(down, const(Fraction(2) ** 150), ONE))
    return where(and_(lt(ZERO, size), lt(size, const(float("inf")))), better * back, y)


define("sqrt", "square root", lambda y, x: HALF / y, domain="x >= 0", notes="slope inf at 0")
define(
    "cbrt", "cube root, also of negative numbers", lambda y, x: const(Fraction(1, 3)) * y**-2, synonyms="cuberoot",
    expansion=_cbrt, notes="slope inf at 0",
)  # fmt: skip
define("exp", "exponential", lambda y, x: y)
define("exp2", "power of two", lambda y, x: log(const(2)) * y)
define("expm1", "exp(x) - 1 without cancellation", lambda y, x: exp(x))
define(
    "log", "natural logarithm", lambda y, x: defined(y, 1 / x, x), domain="x > 0", synonyms="ln",
    notes="log(0) = -inf, slope inf at 0; nan below",
)  # fmt: skip
define("log2", "binary logarithm", lambda y, x: defined(y, 1 / log(const(2)) / x, x), domain="x > 0", synonyms="lb")
define("log10", "decimal logarithm", lambda y, x: defined(y, 1 / log(const(10)) / x, x), domain="x > 0", synonyms="lg")
define("log1p", "log(1 + x) without cancellation", lambda y, x: defined(y, 1 / (1 + x), x), domain="x > -1")
define(
    "logaddexp", "log(exp(x) + exp(y))", lambda z, x, y: softmax(x, y), lambda z, x, y: softmax(y, x),
    expansion=lambda x, y: where(eq(x, y), x + log(const(2)), maximum(x, y) + log1p(exp(-abs_(x - y)))),
)  # fmt: skip


def _difference_error(x: Expr, y: Expr) -> tuple[Expr, Expr]:
    """x - y and what its rounding lost (Knuth's two-sum), the loss 0 where the difference is not finite."""
    d = x - y
    back = d + y
    lost = (x - back) - (y - (back - d))
    return d, where(lt(abs_(d), const(Fraction(10) ** 300)), lost, ZERO)


def _softmax(x: Expr, y: Expr) -> Expr:
    d, lost = _difference_error(x, y)
    e = exp(-abs_(d)) * (ONE - where(ge(d, ZERO), lost, -lost))
    return where(ge(d, ZERO), ONE, e) / (ONE + e) + (d - d)


def _sech_half(x: Expr, y: Expr) -> Expr:
    return QUARTER * sech((x - y) / 2) ** 2


define(
    "softmax", "exp(x)/(exp(x) + exp(y)), the slope of logaddexp",
    lambda z, x, y: _sech_half(x, y), lambda z, x, y: -_sech_half(x, y), internal=True,
    expansion=lambda x, y: where(
        eq(abs_(x - y), const(float("inf"))), where(gt(x, y), ONE, ZERO), _softmax(x, y)
    ),
)  # fmt: skip
define(
    "xlogy", "x*log(y), 0 where x = 0", lambda z, x, y: log(y), lambda z, x, y: defined(z, xdivy(x, y), y),
    domain="y > 0", notes="0 at (0, 0), where the slope in x is -inf and in y 0",
    expansion=lambda x, y: where(and_(eq(x, ZERO), eq(y, y)), ZERO, x * log(y)),
)  # fmt: skip
define(
    "xdivy", "x/y, 0 where x = 0", lambda z, x, y: 1 / y, lambda z, x, y: -xdivy(x, y) / y, internal=True,
    expansion=lambda x, y: where(and_(eq(x, ZERO), eq(y, y)), ZERO, x / y),
)  # fmt: skip

# Trigonometric.
define("sin", "sine (radians)", lambda y, x: cos(x))
define("cos", "cosine (radians)", lambda y, x: -sin(x))
define("tan", "tangent (radians)", lambda y, x: 1 + y**2, synonyms="tg")
define("sec", "1/cos(x)", lambda y, x: y * tan(x), expansion=lambda x: 1 / cos(x))
define("csc", "1/sin(x)", lambda y, x: -y * cot(x), expansion=lambda x: 1 / sin(x), synonyms="cosec", domain="x != 0")
define(
    "cot", "1/tan(x)", lambda y, x: -(csc(x) ** 2), expansion=lambda x: 1 / tan(x), synonyms="ctg cotan",
    domain="x != 0",
)  # fmt: skip
define("asin", "inverse sine", lambda y, x: 1 / sqrt(1 - x**2), domain="-1 <= x <= 1", synonyms="arcsin")
define("acos", "inverse cosine", lambda y, x: -1 / sqrt(1 - x**2), domain="-1 <= x <= 1", synonyms="arccos")
define("atan", "inverse tangent", lambda y, x: inversion(ONE, x), synonyms="arctan arctg")
define(
    "atan2", "angle of the point (x, y), y first",
    lambda z, y, x: inversion(x, y), lambda z, y, x: apply("inversion_im", x, y, value=1), synonyms="arctan2",
    notes="slopes 0 at (0, 0)", arguments="y x",
)  # fmt: skip
define(
    "hypot", "sqrt(x**2 + y**2) without overflow",
    lambda z, x, y: direction(x, y), lambda z, x, y: direction(y, x), notes="slopes 0 at (0, 0)",
)  # fmt: skip

_FAR, _NEAR = const(Fraction(2) ** 500), const(Fraction(1, 2**500))
_UP, _DOWN = const(Fraction(2) ** 600), const(Fraction(1, 2**600))


def _scaled(x: Expr, y: Expr) -> tuple[Expr, Expr, Expr]:
    """(x, y) times a power of two that keeps the squares in range, and that power."""
    size = maximum(abs_(x), abs_(y))
    power = where(gt(size, _FAR), _DOWN, where(lt(size, _NEAR), _UP, ONE))
    return x * power, y * power, power


def _direction(x: Expr, y: Expr) -> Expr:
    # Scaled only where hypot itself would leave the range, and by little: the smaller of the two must keep its digits.
    size = maximum(abs_(x), abs_(y))
    power = where(gt(size, const(Fraction(2) ** 1022)), QUARTER, where(lt(size, const(Fraction(1, 2**900))), _UP, ONE))
    p, q = x * power, y * power
    return where(eq(size, ZERO), ZERO, p / hypot(p, q))


def inversion(x: Expr, y: Expr) -> Expr:
    return apply("inversion", x, y, value=1)


def _inversion_factors(x: Expr, y: Expr, n: int, phase: int) -> Expr:
    """r**-n * sin(n*a + phase*pi/2) for the point (x, y) = r*(cos a, sin a), 0 at the origin for n = 1.

    As a product of lines through the origin: sin(n*a + b) = 2**(n-1) * prod_k sin(a + (b + k*pi)/n). No sum of powers,
    so it cancels at its own zeros alone, and overflows only where it is infinite.
    """
    p, q, power = _scaled(x, y)
    square = p * p + q * q
    if n == 1:
        return where(eq(maximum(abs_(x), abs_(y)), ZERO), ZERO, (p if phase else q) / square * power)
    p, q = p / square, q / square
    value = const(2 ** (n - 1))
    for k in range(n):
        quarters = Fraction(phase + 2 * k, n)
        turn = math.pi / 2 * quarters
        if quarters in (0, 1):
            factor = p if quarters else q
        else:
            factor = const(math.cos(turn)) * q + const(math.sin(turn)) * p
        value = value * factor * power
    return value


define(
    "direction", "x/hypot(x, y), the direction cosine; 0 at (0, 0)",
    lambda c, x, y: direction(y, x) * inversion(y, x), lambda c, x, y: -c * inversion(y, x),
    expansion=_direction, internal=True,
)  # fmt: skip
define(
    # d/dx z**-n = -n*z**-(n+1) and d/dy z**-n = -i*n*z**-(n+1): every slope is one node of the family.
    "inversion", "real part of (x + i*y)**-n; x/(x**2 + y**2) for n = 1, then 0 at (0, 0)",
    lambda p, x, y, n: -n * apply("inversion", x, y, value=n + 1),
    lambda p, x, y, n: n * apply("inversion_im", x, y, value=n + 1),
    expansion=lambda x, y, n: _inversion_factors(x, y, n, 1), parameter=True, internal=True,
)  # fmt: skip
define(
    "inversion_im", "imaginary part of (x + i*y)**-n; -y/(x**2 + y**2) for n = 1, then 0 at (0, 0)",
    lambda p, x, y, n: -n * apply("inversion_im", x, y, value=n + 1),
    lambda p, x, y, n: -n * apply("inversion", x, y, value=n + 1),
    expansion=lambda x, y, n: -_inversion_factors(x, y, n, 0), parameter=True, internal=True,
)  # fmt: skip


def _asec_slope(x: Expr) -> Expr:
    a = abs_(x)
    return 1 / a / (sqrt(a - 1) * sqrt(a + 1))


def _asec_root(a: Expr) -> Expr:
    return sqrt(a - 1) * sqrt(a + 1)


_OUTSIDE = "|x| >= 1"
define(
    "asec", "inverse secant, acos(1/x)", lambda y, x: _asec_slope(x), domain=_OUTSIDE, synonyms="arcsec",
    expansion=lambda x: where(
        lt(abs_(x), const(2)), atan2(_asec_root(abs_(x)), copysign(ONE, x)), acos(1 / x)
    ),
)  # fmt: skip
define(
    "acsc", "inverse cosecant, asin(1/x)", lambda y, x: -_asec_slope(x), domain=_OUTSIDE, synonyms="arccsc",
    expansion=lambda x: where(
        lt(abs_(x), const(2)), copysign(atan2(ONE, _asec_root(abs_(x))), x), asin(1 / x)
    ),
)  # fmt: skip
define(
    "acot", "inverse cotangent, atan(1/x)", lambda y, x: -inversion(ONE, x), synonyms="arccot arcctg",
    expansion=lambda x: apply("atan", 1 / x), notes="odd: jumps from -pi/2 to pi/2 at 0",
)  # fmt: skip

# Hyperbolic.
define("sinh", "hyperbolic sine", lambda y, x: cosh(x), synonyms="sh")
define("cosh", "hyperbolic cosine", lambda y, x: sinh(x), synonyms="ch")
define("tanh", "hyperbolic tangent", lambda y, x: sech(x) ** 2, synonyms="th")


def _sech(x: Expr) -> Expr:
    e = exp(-abs_(x))
    return 2 * e / (1 + e * e)


def _csch(x: Expr) -> Expr:
    return where(lt(abs_(x), const(20)), 1 / sinh(x), copysign(2 * exp(-abs_(x)), x))


def _near_zero(x: Expr, near: Expr, far: Expr) -> Expr:
    # Below 1e-9 the two agree to the last digit, and the simple one overflows in one term, not in two that cancel.
    return apply("instead", lt(abs_(x), const(Fraction(1, 10**9))), near, far)


def sech_squared(x: Expr) -> Expr:
    """sech(x)**2 with one error of the exponential, not two."""
    e = exp(-2 * abs_(x))
    return 4 * e / ((1 + e) * (1 + e))


def csch_squared(x: Expr) -> Expr:
    """csch(x)**2 likewise."""
    less = apply("expm1", -2 * abs_(x))
    return 4 * exp(-2 * abs_(x)) / (less * less)


define("sech", "1/cosh(x)", lambda y, x: -y * tanh(x), expansion=_sech)
define("csch", "1/sinh(x)", lambda y, x: -y * coth(x), expansion=_csch, domain="x != 0")
define("coth", "1/tanh(x)", lambda y, x: -(csch(x) ** 2), expansion=lambda x: 1 / tanh(x), domain="x != 0")
define("asinh", "inverse hyperbolic sine", lambda y, x: direction(ONE, x), synonyms="arcsinh arsinh")
define(
    "acosh", "inverse hyperbolic cosine", lambda y, x: 1 / (sqrt(x - 1) * sqrt(x + 1)), domain="x >= 1",
    synonyms="arccosh arcosh",
)  # fmt: skip
define(
    "atanh", "inverse hyperbolic tangent", lambda y, x: defined(y, 1 / (1 - x**2)), domain="-1 <= x <= 1",
    synonyms="arctanh artanh",
)  # fmt: skip
define(
    "asech", "inverse hyperbolic secant, acosh(1/x)",
    lambda y, x: defined(y, _near_zero(x, -1 / x, -1 / (x * sqrt(1 - x**2)))),
    domain="0 <= x <= 1", synonyms="arcsech arsech",
    expansion=lambda x: where(
        lt(x, const(Fraction(1, 10**8))), log(const(2)) - log(x),
        where(lt(x, HALF), acosh(1 / x), 2 * atanh(sqrt((1 - x) / (1 + x)))),
    ),
)  # fmt: skip
define(
    "acsch", "inverse hyperbolic cosecant, asinh(1/x)",
    lambda y, x: _near_zero(x, -1 / abs_(x), -direction(ONE, x) / abs_(x)),
    domain="x != 0", synonyms="arccsch arcsch",
    expansion=lambda x: where(
        lt(abs_(x), const(Fraction(1, 10**8))), copysign(log(const(2)) - log(abs_(x)), x), asinh(1 / x)
    ),
)  # fmt: skip
define(
    "acoth", "inverse hyperbolic cotangent, atanh(1/x)", lambda y, x: defined(y, 1 / (1 - x) / (1 + x)),
    domain=_OUTSIDE, synonyms="arccoth arcoth",
    expansion=lambda x: copysign(HALF * log1p(2 / (abs_(x) - 1)), x),
)  # fmt: skip

# Steps, kinks, integer parts. Their slopes are 0 at every jump.
define("abs", "absolute value", lambda y, x: sign(x), synonyms="fabs", notes="slope 0 at 0")
define("sign", "-1, 0 or 1", None, synonyms="sgn signum", notes="slope 0 everywhere")
define("floor", "largest integer <= x", None, notes="slope 0 everywhere, jumps included")
define("ceil", "smallest integer >= x", None, notes="slope 0 everywhere, jumps included")
define("round", "nearest integer, halves to even", None, synonyms="rint", notes="slope 0 everywhere")
define("trunc", "integer part, toward 0", None, notes="slope 0 everywhere")
define(
    "min", "least of its arguments", every=_shares(lt), arity=(1, None), expansion=_pairwise("min"),
    synonyms="minimum", notes="ties share equally; nan if any is nan; min(x) is the least of all points",
    reduces=True,
)  # fmt: skip
define(
    "max", "greatest of its arguments", every=_shares(gt), arity=(1, None), expansion=_pairwise("max"),
    synonyms="maximum", notes="ties share equally; nan if any is nan; max(x) is the greatest of all points",
    reduces=True,
)  # fmt: skip
define(
    "clip", "x held between a and b",
    lambda y, x, a, b: defined(y, where(and_(lt(a, x), lt(x, b)), ONE, ZERO)),
    lambda y, x, a, b: defined(y, where(and_(le(x, a), lt(a, b)), ONE, ZERO)),
    lambda y, x, a, b: defined(y, where(and_(lt(a, x), lt(x, b)), ZERO, where(and_(le(x, a), lt(a, b)), ZERO, ONE))),
    expansion=lambda x, a, b: minimum(maximum(x, a), b), synonyms="clamp", notes="slope 0 at both bounds",
    arguments="x a b",
)  # fmt: skip
define(
    "copysign", "|x| with the sign of y", lambda z, x, y: sign(x) * copysign(ONE, y), None,
    notes="slope 0 at x = 0",
)  # fmt: skip
define(
    "fmod", "remainder with the sign of x", lambda z, x, y: ONE, lambda z, x, y: -apply("truncdiv", x, y),
    domain="y != 0", notes="slopes 1 and -trunc(x/y)",
)  # fmt: skip
define("fma", "x*y + z rounded once", lambda w, x, y, z: y, lambda w, x, y, z: x, lambda w, x, y, z: ONE)
define(
    "heaviside", "0, h or 1 for x < 0, x = 0, x > 0", None,
    lambda y, x, h: defined(y, where(eq(x, ZERO), ONE, ZERO)), notes="slope in x 0 everywhere", arguments="x h",
    expansion=lambda x, h: where(gt(x, ZERO), ONE, where(lt(x, ZERO), ZERO, where(eq(x, ZERO), h, x))),
)  # fmt: skip
define(
    "relu", "max(x, 0) with slope 0 at 0", lambda y, x: apply("heaviside", x, ZERO),
    expansion=lambda x: maximum(x, ZERO), synonyms="ReLU",
)  # fmt: skip


def _sigmoid(x: Expr) -> Expr:
    e = exp(-abs_(x))
    return where(lt(x, ZERO), e, ONE) / (1 + e)


define(
    "sigmoid", "1/(1 + exp(-x))", lambda y, x: QUARTER * sech(x / 2) ** 2, expansion=_sigmoid,
    synonyms="logistic expit",
)  # fmt: skip
define(
    "softplus", "log(1 + exp(x)) without overflow", lambda y, x: sigmoid(x),
    expansion=lambda x: maximum(x, ZERO) + log1p(exp(-abs_(x))),
)  # fmt: skip


# sinc and its derivatives: each is its own row's kernel, since any formula in sin and cos cancels near 0.
def _sinc(x: Expr) -> Expr:
    whole = rint(x)
    part = x - whole
    odd = abs_(whole - 2 * rint(whole / 2))
    wave = sin(PI * part)
    return where(eq(x, ZERO), ONE, where(gt(odd, ZERO), -wave, wave) / PI / x)


define("sinc", "sin(pi*x)/(pi*x), 1 at 0", lambda y, x: apply("dsinc", x, value=1), expansion=_sinc)
define(
    "dsinc", "n-th derivative of sinc", lambda y, x, n: apply("dsinc", x, value=n + 1), parameter=True, internal=True
)

# Error function, gamma family.


def _dgauss(x: Expr, n: int) -> Expr:
    if n == 0:
        return apply("gauss", x)
    # x*x is exact for the 25 leading bits of x; the rest enters to first order. Beyond 40 the result is 0.
    scale = const(2**20)
    size = minimum(abs_(x), const(40))
    lead = rint(size * scale) / scale
    rest = exp(-((size - lead) * (size + lead)))
    before, hermite = ONE, -2 * x
    for k in range(1, n):
        before, hermite = hermite, -2 * (x * hermite + k * before)
    # Half of the exponential at a time: the polynomial lifts what would underflow alone.
    half = exp(-(lead * lead / 2))
    return where(lt(abs_(x), const(40)), hermite * half * half * rest, ZERO * x)


define(
    "dgauss", "n-th derivative of exp(-x**2)", lambda y, x, n: apply("dgauss", x, value=n + 1), parameter=True,
    expansion=_dgauss, internal=True,
)  # fmt: skip


def gauss(x: Expr) -> Expr:
    return apply("dgauss", x, value=0)


define("erf", "Gauss error function", lambda y, x: 2 / sqrt(PI) * gauss(x))
define("erfc", "1 - erf(x) without cancellation", lambda y, x: -2 / sqrt(PI) * gauss(x))
define(
    "erfinv", "inverse of erf", lambda y, x: sqrt(PI) / 2 * exp(y**2), domain="-1 <= x <= 1", synonyms="inverf",
    needs="scipy",
)  # fmt: skip
define(
    # Past its last finite value all is infinite, and the terms of the higher derivatives are so with both signs.
    "gamma",
    "gamma function",
    lambda y, x: apply("instead", gt(x, const(Fraction("171.6243769563027"))), y, y * digamma(x)),
    domain="x > 0; x < 0 off the integers",
    synonyms="tgamma",
)
define("lgamma", "log |gamma(x)|", lambda y, x: digamma(x), synonyms="gammaln loggamma", notes="inf at 0, -1, -2 ...")
define(
    "digamma", "slope of lgamma", lambda y, x: apply("polygamma", x, value=1), synonyms="psi",
    domain="x > 0; x < 0 off the integers", needs="scipy",
)  # fmt: skip
define(
    "polygamma", "n-th derivative of digamma", lambda y, x, n: apply("polygamma", x, value=n + 1),
    parameter=True, domain="x > 0; x < 0 off the integers", needs="scipy",
)  # fmt: skip


# Reductions: one number from all points of the grid. min and max stand above.
define("sum", "sum over all points", None, reduces=True, notes="rounded once, whatever the order of the points")
define("mean", "mean over all points", None, reduces=True, notes="rounded once")
define("prod", "product over all points", None, reduces=True, notes="slopes exact where factors are 0")
define("norm", "Euclidean norm over all points", None, reduces=True, notes="slopes 0 where all points are 0")

# What their slopes are made of: numbers from all points, and values at each point that depend on all.
for _name, _doc in (
    ("sum_lost", "what the sum over all points lost in rounding"),
    ("norm_lead", "the norm over all points without its power of two"),
    ("norm_scale", "the power of two whose square takes norm to norm_lead"),
    ("prod_lead", "the product over all points that are not 0, without its power of two"),
    ("prod_scale", "the power of two whose fourth power goes with prod_lead"),
):
    define(_name, _doc, None, reduces=True, internal=True)
define(
    "along", "the second, which is one number, at every point of the first", None, lambda z, x, y: ONE, internal=True,
    expansion=lambda x, y: y,
)  # fmt: skip
define("unit", "x over the norm of all points; 0 where that is 0", None, internal=True)
define("cofactor", "product over all other points", None, internal=True)
define("cofactor_along", "slope of cofactor(x) where x moves by v at all points", None, None, internal=True)


# Bessel functions of integer order (DLMF 10.6.1, 10.29.1).
def _order(kind: str, n: int, x: Expr) -> Expr:
    if n >= 0:
        return apply(kind, x, value=n)
    reflected = apply(kind, x, value=-n)
    return -reflected if kind in ("besselj", "bessely") and n % 2 else reflected


def _neighbours(kind: str, below: int, above: int) -> Callable[..., Expr]:
    def slope(y: Expr, x: Expr, n: int) -> Expr:
        low, high = _order(kind, n - 1, x), _order(kind, n + 1, x)
        if n == 0:
            return high if above > 0 else -high
        total = low + high if below == above else low - high
        return total / 2 if below > 0 else -total / 2

    return slope


for _kind, _doc, _below, _above, _where in (
    ("besselj", "Bessel function J of order n", 1, -1, "all x"),
    ("bessely", "Bessel function Y of order n", 1, -1, "x > 0"),
    ("besseli", "modified Bessel function I of order n", 1, 1, "all x"),
    ("besselk", "modified Bessel function K of order n", -1, -1, "x > 0"),
):
    define(_kind, _doc, _neighbours(_kind, _below, _above), parameter=True, domain=_where, needs="scipy")

_NAMES_TOO = frozenset(
    {"gamma", "psi", "th", "sh", "ch", "tg", "lb", "lg", "mod", "power", "sum", "mean", "prod", "norm"}
)
"""Functions spelled like everyday variables: these are functions only where they are called."""
WORDS.update(word for word, row in SPELLED.items() if not row.internal and word not in _NAMES_TOO)
