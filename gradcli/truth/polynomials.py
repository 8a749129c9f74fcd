"""Rational functions of one variable as exact polynomials, and all their real zeros, isolated and proved.

An irreducible factor over the rationals has simple zeros, which flint isolates (see its `fmpz_poly.complex_roots`).
Layer: must not know what a zero is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

from flint import acb, fmpq, fmpq_poly, fmpz_poly

from gradcli.calculus.derive import derivatives
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, const, exact, post_order, readable
from gradcli.truth.balls import arithmetic
from gradcli.truth.budget import Budget, UnknownError
from gradcli.truth.closed_forms import FINE, negative, place, quadratic, root
from gradcli.truth.places import Place, ends
from gradcli.truth.ratios import Ratio, combine, long

_DEGREE = 256
"""The largest degree of a polynomial whose zeros are isolated."""
_OPERATIONS = frozenset({"add", "sub", "mul", "div"})


def ratio(e: Expr) -> Ratio | None:
    """Numerator and denominator, without common factors, of a rational function of one variable with rational
    coefficients; None of any other expression, and where they are long.

    >>> from gradcli.expr import var
    >>> x = var("x")
    >>> ratio((x**2 - 1) / (x - 1))
    (x + 1, 1)
    """
    budget = Budget(1)
    known: dict[Expr, Ratio] = {}
    for node in post_order([e]):
        try:
            made = _ratio(node, known, budget)
        except UnknownError:
            return None
        if made is None or long(made) or max(made[0].degree(), made[1].degree()) > _DEGREE:
            return None
        known[node] = made
    above, below = known[e]
    lead = below[below.degree()]
    return above / lead, below / lead


def _ratio(e: Expr, known: dict[Expr, Ratio], budget: Budget) -> Ratio | None:
    q = exact(e)
    if q is not None:
        return fmpq_poly([fmpq(q.numerator, q.denominator)]), fmpq_poly([1])
    if e.op == "var":
        return fmpq_poly([0, 1]), fmpq_poly([1])
    if e.op in _OPERATIONS:
        return combine(e.op, known[e.args[0]], known[e.args[1]], budget)
    if e.op == "neg":
        above, below = known[e.args[0]]
        return -above, below
    if e.op == "power" and (n := exact(e.args[1])) is not None and n.denominator == 1:
        above, below = known[e.args[0]]
        size = abs(int(n))
        if size * max(above.degree(), below.degree(), 1) > _DEGREE or (n < 0 and not above):
            return None
        raised = above**size, below**size
        return raised if n >= 0 else (raised[1], raised[0])
    return None


def real_zeros(p: fmpq_poly) -> list[Place]:
    """All real zeros of a polynomial other than 0, in order, each with its multiplicity."""
    zeros = []
    for factor, multiplicity in p.numer().factor()[1]:
        zeros += [z._replace(multiplicity=int(multiplicity)) for z in _of_irreducible(factor)]
    return sorted(zeros, key=lambda z: z.low)


def _of_irreducible(p: fmpz_poly) -> list[Place]:
    step = max([n for n in range(1, p.degree() + 1) if all(not p[k] or k % n == 0 for k in range(p.degree() + 1))])
    inner = fmpz_poly([p[k] for k in range(0, p.degree() + 1, step)])
    # A number in closed form may have a constant beyond the range of doubles.
    with suppress(GradError):
        if inner.degree() <= 2:
            return [place(e) for q in _inner_zeros(inner) for e in _roots_of(q, step)]
    with arithmetic(FINE):
        zeros: list[tuple[acb, int]] = p.complex_roots()  # type: ignore[assignment]
        return [Place(*ends(z.real)) for z, _ in zeros if z.imag.is_zero()]


def _inner_zeros(p: fmpz_poly) -> list[Expr]:
    a, b, c = [Fraction(int(p[k])) for k in (2, 1, 0)]
    if not a:
        return [const(-c / b)]
    square = (b * b - 4 * a * c) / (4 * a * a)
    return [quadratic(-b / (2 * a), square, sign) for sign in (-1, 1)] if square > 0 else []


def _roots_of(e: Expr, n: int) -> list[Expr]:
    """The real numbers whose n-th power is a number in closed form."""
    if n == 1:
        return [e]
    below = place(e).high < 0
    if below and n % 2 == 0:
        return []
    size = negative(e) if below else e
    q = exact(size)
    if q is not None:
        power = root(q, n)
    elif n in (2, 3):
        power = apply("sqrt" if n == 2 else "cbrt", size)
    else:
        power = apply("power", size, const(Fraction(1, n)))
    opposite = negative(power)
    return [opposite, power] if n % 2 == 0 else [opposite if below else power]


def sign(r: Ratio, x: Fraction, order: int) -> int | None:
    """The sign of a derivative of a rational function at a number; None at a pole."""
    at = fmpq(x.numerator, x.denominator)
    below = r[1](at)
    above = _derived(r)[order](at)
    if not below:
        return None
    return ((above > 0) - (above < 0)) * (1 if below > 0 or order % 2 else -1)


def _derived(r: Ratio) -> list[fmpq_poly]:
    """The numerators of p/q and of its first two derivatives, over q, q**2 and q**3."""
    p, q = r
    slope = q.derivative()
    first = p.derivative() * q - p * slope
    return [p, first, first.derivative() * q - 2 * first * slope]


def numerators(e: Expr, name: str) -> list[fmpq_poly | None]:
    """Polynomials that have the zeros of an expression and of its first two derivatives, as far as these are rational
    functions: those of x*log(x) are not, but its second derivative is.
    """
    r = ratio(e)
    if r is not None:
        return [*_derived(r)]
    found = derivatives(e, [name], 2)
    ratios = [ratio(d) for d in readable([found.get((0,), ZERO), found.get((0, 0), ZERO)])]
    return [None, *[None if r is None else r[0] for r in ratios]]
