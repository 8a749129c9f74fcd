"""Taylor polynomials of the outputs of a request about a point, with exact coefficients and proved error bounds.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, const, exact, reachable, spell_name, substitute, var, variables
from gradcli.job.bounds import Side
from gradcli.job.numbers_told import Told, exactly_at, needs_flint, place_text, refused, told
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request, as_text
from gradcli.notation.polynomial import latex_of, terms, text_of

if TYPE_CHECKING:
    from gradcli.truth.closed import Number
    from gradcli.truth.remainder import Remainder
    from gradcli.truth.taylor import Expansion

ORDERS, SYMBOLIC = 100, 30
"""The highest order at numbers, and where other variables are left."""
TERMS = 2000
"""The most terms of a polynomial in several variables."""

Powers = tuple[int, ...]
"""The exponent of each variable of a polynomial."""


class Polynomial(NamedTuple):
    """A Taylor polynomial of one output.

    ``about`` is the point by variable, ``fixed`` the values of the other variables. ``coefficients``: those of the
    products of powers of (x - a), by total order; ``side``: "both", or the only side on which the output is defined;
    ``hole``: it has no value, or another one, at the point itself.
    """

    name: str
    expression: str
    about: dict[str, str]
    fixed: dict[str, str]
    coefficients: dict[Powers, Told]
    text: str
    latex: str
    side: str
    hole: bool
    proved: bool
    remainder: Remainder | None


class Taylor(NamedTuple):
    order: int
    over: dict[str, Side]
    polynomials: list[Polynomial]
    notes: list[str]
    read_as: str | None = None


def taylor(job: Job, points: Points, order: int, over: Mapping[str, Side]) -> Taylor:
    """The Taylor polynomials of the outputs of a job; a variable of ``wrt`` without a value is expanded about 0.

    ``over``: the range over which the error is bounded. Raises GradError for an invalid request, and with exit code 1
    where an output has no Taylor series.
    """
    request = Request(job, points.names)
    request.pointwise()
    wrt = _variables(request, job.wrt, points)
    _check(request, points, wrt, order, over)
    needs_flint("Taylor polynomials")
    typed = exactly_at(points, [*points.at])
    centre = {x: typed.get(x, ZERO) for x in wrt}
    others = {n: e for n, e in typed.items() if n not in centre}
    polynomials = []
    notes = [request.note] if request.note else []
    for name, e in request.outputs:
        polynomial = _polynomial(name, e, centre, others, order, over)
        polynomials.append(polynomial)
        notes += _notes(polynomial, place_text(centre))
    return Taylor(order, dict(over), polynomials, notes, request.read_as)


def _variables(request: Request, named: Sequence[str] | None, points: Points) -> list[str]:
    if named is not None:
        return list(named)
    given = [v for v in request.variables if v in points.at]
    if given:
        return given
    if len(request.variables) > 1:
        raise GradError(
            f"in which variable? The expression has {', '.join(request.variables[:8])}",
            hint=f"name it: --wrt {spell_name(request.variables[0])}, "
            f"or give the point: --at {spell_name(request.variables[0])}=0",
        )
    return request.variables


def _check(request: Request, points: Points, wrt: list[str], order: int, over: Mapping[str, Side]) -> None:
    if not wrt:
        raise GradError("there is no variable to expand in", hint="its value: gradcli eval")
    free = [v for v in request.variables if v not in points.at and v not in wrt]
    most = SYMBOLIC if free else ORDERS
    if not 0 <= order <= most:
        why = f" where {spell_name(free[0])} has no value" if free else ""
        raise GradError(f"--order: a Taylor polynomial has an order from 0 to {most}{why}, not {order}")
    if free and len(wrt) > 1:
        raise GradError(f"variable '{free[0]}' has no value", hint="in several variables, the others need values")
    count = 1
    for k in range(1, len(wrt) + 1):
        count = count * (order + k) // k
    if count > TERMS:
        raise GradError(f"order {order} in {len(wrt)} variables makes {count} terms, the limit is {TERMS}",
                        hint="a lower order, or fewer variables: --wrt x")  # fmt: skip
    if over and (len(wrt) > 1 or free or [*over] != wrt):
        needed = f"--remainder {spell_name(wrt[0])}=-0.1:0.1"
        raise GradError("--remainder is the range of the one variable of the polynomial, where all others have values",
                        hint=f"such as {needed}" if len(wrt) == 1 and not free else None)  # fmt: skip


def _polynomial(
    name: str, e: Expr, centre: Mapping[str, Expr], others: Mapping[str, Expr], order: int, over: Mapping[str, Side]
) -> Polynomial:
    free = [v for v in variables(e) if v not in centre and v not in others]
    numbers: dict[Powers, Number]
    expansion: Expansion | None = None
    if free:
        numbers = _in_symbols(e, centre, others, order)
    elif len(centre) == 1:
        ((x, _),) = centre.items()
        expansion = _at_numbers(name, e, centre, others, x, order)
        numbers = {(k,): c for k, c in enumerate(expansion.coefficients)}
    else:
        numbers = _in_several(name, e, centre, others, order)
    summands = [(c, _monomial(centre, powers)) for powers, c in numbers.items()]
    parts = terms(summands)
    remainder = None
    if over and expansion is not None:
        from gradcli.truth.remainder import remainder as proved

        ((x, side),) = over.items()
        remainder = proved(e, {**others, **centre}, x, expansion.coefficients, side.low, side.high)
    side_told = "both" if expansion is None or not expansion.side else "right" if expansion.side > 0 else "left"
    return Polynomial(
        name, as_text(e), {x: as_text(a) for x, a in centre.items()}, {n: as_text(a) for n, a in others.items()},
        {powers: told(c) for powers, c in numbers.items()}, text_of(parts), latex_of(parts), side_told,
        expansion is not None and expansion.hole, expansion is None or expansion.proved, remainder,
    )  # fmt: skip


def _at_numbers(
    name: str, e: Expr, centre: Mapping[str, Expr], others: Mapping[str, Expr], x: str, order: int
) -> Expansion:
    from gradcli.truth.taylor import NotSmoothError, expansion

    try:
        return expansion(e, {**others, **centre}, x, order)
    except NotSmoothError as error:
        shown = {**centre, **{n: a for n, a in others.items() if n in variables(e)}}
        raise refused("Taylor series", error.truth, name, shown, error.wrt) from None


def _in_several(
    name: str, e: Expr, centre: Mapping[str, Expr], others: Mapping[str, Expr], order: int
) -> dict[Powers, Number]:
    from gradcli.truth.multivariate import coefficients
    from gradcli.truth.taylor import NotSmoothError

    wrt = [*centre]
    try:
        found = coefficients(e, {**others, **centre}, wrt, order)
    except NotSmoothError as error:
        raise refused("Taylor series", error.truth, name, dict(centre), error.wrt) from None
    return {tuple([key.count(k) for k in range(len(wrt))]): c for key, c in found.items()}


def _in_symbols(
    e: Expr, centre: Mapping[str, Expr], others: Mapping[str, Expr], order: int
) -> dict[Powers, Number]:  # fmt: skip
    from gradcli.calculus.derive import expand
    from gradcli.calculus.taylor import symbolic
    from gradcli.truth.closed import double

    ((x, at),) = centre.items()
    (e,) = substitute(expand([e]), dict(others))
    coefficients = symbolic(e, x, at, order)
    closed = [e for e in reachable(coefficients) if not e.variables and e.op not in BOOLEANS]
    if any(double(part) is None for part in closed):
        raise GradError(f"there is no value at {place_text(centre)}")
    return {(k,): c if (number := exact(c)) is None else number for k, c in enumerate(coefficients)}


def _monomial(centre: Mapping[str, Expr], powers: Powers) -> Expr | None:
    """The product of powers of (x - a); None for 1."""
    product: Expr | None = None
    for (x, at), power in zip(centre.items(), powers, strict=True):
        if power:
            base = var(x) if exact(at) == 0 else apply("sub", var(x), at)
            factor = apply("power", base, const(power))
            product = factor if product is None else apply("mul", product, factor)
    return product


def _notes(polynomial: Polynomial, where: str) -> list[str]:
    f, notes = spell_name(polynomial.name), []
    if polynomial.hole:
        notes.append(f"{f} has a hole at {where}: the polynomial is that of the function beside it")
    if polynomial.side != "both":
        notes.append(f"{f} is defined on the {polynomial.side} of {where} only")
    if not polynomial.proved:
        notes.append(f"{f}: a coefficient that no arithmetic tells from 0 was taken for 0")
    return notes
