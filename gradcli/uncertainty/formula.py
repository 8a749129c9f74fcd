"""The law of propagation of uncertainty as expressions, graph to graph (JCGM 100:2008, clause 5).

Inputs x have uncertainties u_x and correlations r_x_y, which are expressions as well, in the simplest case variables.
Layer: purely symbolic; must not know points, files or how inputs are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product as pairs_of
from typing import NamedTuple

from gradcli.calculus.derive import count_partials, derivatives, expand
from gradcli.errors import GradError
from gradcli.expr import ONE, ZERO, Expr, apply, const, exact, reachable
from gradcli.functions.row import HALF, abs_, eq, where
from gradcli.uncertainty.matrices import (
    Correlations,
    Vector,
    bilinear,
    coefficient,
    length,
    product,
    root,
    scale,
    total,
)

SECOND_LIMIT = 20_000
"""Third derivatives, of all outputs, up to which second order is looked at."""
_ASIDE = 300
"""Derivatives up to third order, and nodes of the outputs, up to which second order is looked at unasked."""


class Moments(NamedTuple):
    """The standardized third and fourth central moments of an input: 0 and 3 of a normal distribution."""

    skewness: Fraction | float
    kurtosis: Fraction | float


@dataclass(frozen=True)
class Inputs:
    """The uncertain inputs of a formula, by name.

    ``u``: standard uncertainties, in the unit of the input. ``r``: correlations of pairs. ``moments``: those of inputs
    that are not normal, for second order. ``sides``: the uncertainties upwards and downwards of two-sided inputs.
    """

    u: Mapping[str, Expr]
    r: Correlations = field(default_factory=dict)
    moments: Mapping[str, Moments] = field(default_factory=dict)
    sides: Mapping[str, tuple[Expr, Expr]] = field(default_factory=dict)


class Second(NamedTuple):
    """Second order (JCGM 100, note to 5.1.2): the value with the shift of the mean, its uncertainty, and ``linear``,
    the quotient of the uncertainties of second and of first order."""

    y: Expr
    u: Expr
    linear: Expr


@dataclass(frozen=True)
class Propagated:
    """An output and its uncertainty: ``u`` (JCGM 100, 5.1.2 and 5.2.2) and, by input, what it is made of.

    ``terms``: sensitivity times uncertainty, signed; those that are zero everywhere are missing. ``plus``, ``minus``:
    the uncertainties upwards and downwards, where an input is two-sided.
    """

    name: str
    y: Expr
    u: Expr
    sensitivities: Mapping[str, Expr]
    terms: Vector
    second: Second | None = None
    plus: Expr | None = None
    minus: Expr | None = None

    def contribution(self, name: str) -> Expr:
        """Return |c|*u of an input, in the unit of the output."""
        return abs_(self.terms[name]) if name in self.terms else ZERO

    def share(self, name: str) -> Expr:
        """Return the squared contribution as a fraction of the variance; with correlations they need not add to 1."""
        part = self.contribution(name)
        if part is ZERO:
            return ZERO
        fraction = apply("div", part, self.u)
        return where(eq(part, ZERO), ZERO, fraction * fraction)


def propagate(outputs: Sequence[tuple[str, Expr]], inputs: Inputs, *, second: bool = False) -> list[Propagated]:
    """Return every output with its uncertainty, to first order and with ``second`` to second order too.

    Raises GradError where second order takes more derivatives than the limit.

    >>> from gradcli.expr import text, var
    >>> y, = propagate([("y", var("x") * var("x"))], Inputs({"x": var("u_x")}))
    >>> text(y.u)
    'abs(2*x*u_x)'
    """
    names = [*inputs.u]
    if second and len(outputs) * count_partials(len(names), 3) > SECOND_LIMIT:
        raise GradError(
            f"second order of {len(outputs)} outputs in {len(names)} uncertain inputs takes more than "
            f"{SECOND_LIMIT:,} derivatives, which is the limit",
            hint="fewer outputs at a time",
        )
    roots = expand(e for _, e in outputs)
    return [_propagated(name, e, inputs, second) for (name, _), e in zip(outputs, roots, strict=True)]


def correlation(a: Propagated, b: Propagated, inputs: Inputs) -> Expr:
    """Return the correlation of two outputs (JCGM 100, H.2.3): nan where one of them has no uncertainty."""
    # Each vector is divided by its length, so that no product overflows.
    left, right = ({name: apply("div", term, y.u) for name, term in y.terms.items()} for y in (a, b))
    return bilinear(left, right, inputs.r) or ZERO


def affordable(outputs: Sequence[tuple[str, Expr]], inputs: Inputs) -> bool:
    """Return whether second order is cheap enough, some 20 ms, to be looked at without being asked for."""
    size = len(reachable([e for _, e in outputs]))
    return len(outputs) * count_partials(len(inputs.u), 3) <= _ASIDE and size <= _ASIDE


def _propagated(name: str, e: Expr, inputs: Inputs, second: bool) -> Propagated:
    names = [*inputs.u]
    partials = derivatives(e, names, 3 if second else 1) if names else {}
    slopes = {x: partials.get((k,), ZERO) for k, x in enumerate(names)}
    terms = {x: t for x, c in slopes.items() if (t := product(c, inputs.u[x])) is not None}
    u = length(terms, inputs.r)
    plus = minus = None
    if inputs.sides:
        plus, minus = (length(_side(slopes, terms, inputs, k), inputs.r) for k in (0, 1))
    order = _second(e, u, terms, partials, inputs) if second else None
    return Propagated(name, e, u, slopes, terms, order, plus, minus)


def _side(slopes: Mapping[str, Expr], terms: Vector, inputs: Inputs, upwards: int) -> Vector:
    """The terms towards greater values of the output if ``upwards`` is 0, else towards smaller ones.

    Where a slope is negative an input moves the output the other way.
    """
    side = dict(terms)
    for name, ends in inputs.sides.items():
        if name in terms:
            slope = slopes[name]
            side[name] = slope * where(apply("lt", slope, ZERO), ends[1 - upwards], ends[upwards])
    return side


def _second(
    e: Expr, u: Expr, terms: Vector, partials: Mapping[tuple[int, ...], Expr], inputs: Inputs
) -> Second:  # fmt: skip
    """Second order of a Taylor series in correlated normal inputs, with corrections for those that are not normal.

    With B = c*u, A = f_ij*u_i*u_j and D_i = sum over j, k of f_ijk*u_i*u_j*u_k*r_jk the variance to fourth order in u
    is B'RB + tr(ARAR)/2 + B'RD, and the mean is f + tr(AR)/2. Of uncorrelated inputs this is the note to 5.1.2. An
    input with skewness g and kurtosis k adds g*B_i*A_ii + (k - 3)*(A_ii**2/4 + B_i*C_iii/3).
    """
    names, r = [*inputs.u], inputs.r

    def term(*places: int) -> Expr | None:
        return product(partials.get(tuple(sorted(places))), *[inputs.u[names[k]] for k in places])

    count = range(len(names))
    curved = {(i, j): a for i in count for j in count if (a := term(i, j)) is not None}
    third: dict[str, Expr] = {}
    related = [(j, k, c) for j in count for k in count if (c := coefficient(r, names[j], names[k])) is not None]
    for i in count:
        inner = total(product(term(i, j, k), c) for j, k, c in related)
        if inner is not None:
            third[names[i]] = inner
    shift = total(product(a, coefficient(r, names[i], names[j])) for (i, j), a in curved.items())
    mean = e if shift is None else e + HALF * shift
    if not curved and not (third and terms):
        return Second(mean, u, ONE)
    size = scale([*terms.values(), *curved.values(), *third.values()])
    scaled = {x: t / size for x, t in terms.items()}
    bent = {key: a / size for key, a in curved.items()}
    mixed = _times(bent, names, r)
    parts = [
        bilinear(scaled, scaled, r),
        product(HALF, total(product(mixed.get((i, j)), mixed.get((j, i))) for i, j in pairs_of(count, count))),
        bilinear(scaled, {x: d / size for x, d in third.items()}, r),
    ]
    for i, name in enumerate(names):
        if (moments := inputs.moments.get(name)) is not None:
            c = term(i, i, i)
            thirds = None if c is None else c / size
            parts += _corrections(moments, scaled.get(name), bent.get((i, i)), thirds)
    variance = total(parts)
    assert variance is not None
    u_second = root(variance, size)
    linear = where(eq(u_second, u), ONE, u_second / u)
    return Second(mean, u_second, linear)


def _times(
    matrix: Mapping[tuple[int, int], Expr], names: Sequence[str], r: Correlations
) -> dict[tuple[int, int], Expr]:  # fmt: skip
    """The product of a matrix with the correlation matrix, without its zeros."""
    count = range(len(names))
    found = {}
    for i, j in pairs_of(count, count):
        entry = total(product(matrix.get((i, k)), coefficient(r, names[k], names[j])) for k in count)
        if entry is not None:
            found[i, j] = entry
    return found


def _corrections(moments: Moments, b: Expr | None, a: Expr | None, c: Expr | None) -> list[Expr | None]:
    excess = const(moments.kurtosis) - 3
    skew = const(moments.skewness)
    if exact(excess) == 0 and exact(skew) == 0:
        return []
    quarter, thirds = const(Fraction(1, 4)), const(Fraction(1, 3))
    return [product(skew, b, a), product(excess, quarter, a, a), product(excess, thirds, b, c)]
