"""Piecewise functions: kinks and ties (abs, max, min), steps, integer parts.

Their slopes are 0 at every jump, and nan at nan.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from itertools import accumulate
from operator import add

from gradcli.expr import ONE, ZERO, Expr, apply, exact
from gradcli.functions.arithmetic import beside_integers, beside_whole_quotients, divisor
from gradcli.functions.row import (
    HALF,
    Slopes,
    abs_,
    and_,
    copysign,
    define,
    defined,
    eq,
    gt,
    le,
    lt,
    maximum,
    minimum,
    vanishing,
    where,
)


def _shares(beats: Callable[..., Expr]) -> Slopes:
    """The slopes of an extreme: ties share equally among all arguments that attain it."""

    def every(y: Expr, *x: Expr) -> list[Expr | None]:
        if len(x) == 2:
            a, b = x
            tie = where(eq(a, b), HALF, ZERO)
            return [defined(y, where(beats(a, b), ONE, tie)), defined(y, where(beats(b, a), ONE, tie))]
        attained = [where(eq(a, y), ONE, ZERO) for a in x]
        count = reduce(add, attained)
        return [defined(y, share / count) for share in attained]

    return every


def _pairwise(name: str) -> Callable[..., Expr]:
    return lambda *x: reduce(partial(apply, name), x)


def _differences(*x: Expr) -> list[Expr]:
    return [a - b for k, a in enumerate(x) for b in x[k + 1 :]]


def _ladder(*x: Expr, name: str) -> list[Expr]:
    """Each argument less the extreme of those before it: as many differences as there are arguments, not pairs."""
    extremes = accumulate(x[:-1], partial(apply, name))
    return [a - b for a, b in zip(extremes, x[1:], strict=True)]


def _clip_ties(x: Expr, a: Expr, b: Expr) -> list[Expr]:
    apart = exact(a) is not None and exact(b) is not None
    return [x - a, (x if apart else maximum(x, a)) - b]


define(
    "abs", "absolute value", lambda y, x: apply("sign", x), synonyms="fabs", notes="slope 0 at 0",
    parity="even", at={0: 0}, nonnegative=True, ties=lambda x: [x], numpy="absolute", libm="fabs", math="||",
)  # fmt: skip
define(
    "sign", "-1, 0 or 1", lambda y, x: vanishing(x), synonyms="sgn signum", notes="slope 0; nan at nan",
    parity="odd", at={0: 0, 1: 1}, exact=True, ties=lambda x: [x], numpy="sign", math="sgn",
)  # fmt: skip
define(
    "floor", "largest integer <= x", lambda y, x: vanishing(x), notes="slope 0, jumps included; nan at nan",
    at={0: 0}, exact=True, ties=beside_integers, numpy="floor", libm="floor", math="⌊⌋",
)  # fmt: skip
define(
    "ceil", "smallest integer >= x", lambda y, x: vanishing(x), notes="slope 0, jumps included; nan at nan",
    at={0: 0}, exact=True, ties=beside_integers, numpy="ceil", libm="ceil", math="⌈⌉",
)  # fmt: skip
define(
    "round", "nearest integer, halves to even", lambda y, x: vanishing(x), synonyms="rint", notes="slope 0; nan at nan",
    parity="odd", at={0: 0}, exact=True, edges=lambda x: [x - apply("floor", x) - HALF], numpy="rint", libm="rint",
    ties=lambda x: [abs_(x - apply("round", x)) - HALF],
)  # fmt: skip
define(
    "trunc", "integer part, toward 0", lambda y, x: vanishing(x), notes="slope 0; nan at nan",
    parity="odd", at={0: 0}, exact=True, ties=beside_integers, numpy="trunc", libm="trunc",
)  # fmt: skip
for _name, _which, _beats in (("min", "least", lt), ("max", "greatest", gt)):
    define(
        _name, f"{_which} of its arguments", every=_shares(_beats), arity=(1, None), expansion=_pairwise(_name),
        notes=f"ties share equally; nan if any is nan; {_name}(x) is the {_which} of all points",
        synonyms=f"{_name}imum", reduces=True, commutes=True, selects=True, numpy=f"{_name}imum",
        edges=_differences, ties=partial(_ladder, name=_name),
    )  # fmt: skip
define(
    "clip", "x held between a and b",
    lambda y, x, a, b: defined(y, where(and_(lt(a, x), lt(x, b)), ONE, ZERO)),
    lambda y, x, a, b: defined(y, where(and_(le(x, a), lt(a, b)), ONE, ZERO)),
    lambda y, x, a, b: defined(y, where(and_(lt(a, x), lt(x, b)), ZERO, where(and_(le(x, a), lt(a, b)), ZERO, ONE))),
    expansion=lambda x, a, b: minimum(maximum(x, a), b), synonyms="clamp", notes="slope 0 at both bounds",
    arguments="x a b", selects=True, edges=lambda x, a, b: [x - a, x - b], ties=_clip_ties,
)  # fmt: skip
define(
    "copysign", "|x| with the sign of y", lambda z, x, y: apply("sign", x) * copysign(ONE, y), None,
    notes="slope 0 at x = 0", exact=True, ties=lambda x, y: [x, y], numpy="copysign", libm="copysign",
)  # fmt: skip
define(
    "fmod", "remainder with the sign of x", lambda z, x, y: ONE, lambda z, x, y: -apply("truncdiv", x, y),
    domain="y != 0", notes="slopes 1 and -trunc(x/y)", exact=True, edges=lambda x, y: [x, y], numpy="fmod", libm="fmod",
    ties=beside_whole_quotients, singular=divisor,
)  # fmt: skip
define("fma", "x*y + z rounded once", lambda w, x, y, z: y, lambda w, x, y, z: x, lambda w, x, y, z: ONE, libm="fma")
define(
    "heaviside", "0, h or 1 for x < 0, x = 0, x > 0", lambda y, x, h: vanishing(x),
    lambda y, x, h: defined(y, where(eq(x, ZERO), ONE, ZERO)), notes="slope in x 0; nan at nan", arguments="x h",
    expansion=lambda x, h: where(gt(x, ZERO), ONE, where(lt(x, ZERO), ZERO, where(eq(x, ZERO), h, x))),
    exact=True, ties=lambda x, h: [x], numpy="heaviside",
)  # fmt: skip
define(
    "relu", "max(x, 0) with slope 0 at 0", lambda y, x: apply("heaviside", x, ZERO),
    expansion=lambda x: maximum(x, ZERO), synonyms="ReLU", exact=True, nonnegative=True, ties=lambda x: [x],
)  # fmt: skip
