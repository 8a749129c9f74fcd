"""Bessel and Airy functions, and Lambert's W.

The derivatives of Bessel functions are those of the neighbouring orders (DLMF 10.6.1, 10.29.1). Those of a whole
order that is written as a number have a row with that order as the parameter, all others a row with two arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.errors import GradError
from gradcli.expr import ONE, ZERO, Expr, apply, const, exact
from gradcli.functions.row import abs_, define, eq, exp, le, maximum, where

_WHOLE = 1000
"""The largest order that is a parameter."""


def _bessel(kind: str) -> Callable[[Expr, Expr], Expr]:
    """The node of an order and an argument."""

    def made(order: Expr, x: Expr) -> Expr:
        n = exact(order)
        if n is None or n.denominator != 1 or abs(n) > _WHOLE:
            return apply(REAL_ORDER[kind], order, x)
        value = apply(kind, x, value=int(abs(n)))
        return -value if n < 0 and n % 2 and kind in ("besselj", "bessely") else value

    return made


def _mean(low: Expr, high: Expr, below: int, above: int) -> Expr:
    """Half of below*low + above*high, halved first: the sum of two values below the largest double may be beyond it."""
    low, high = low / 2, high / 2
    total = low + high if below == above else low - high
    return total if below > 0 else -total


def _neighbours(kind: str, below: int, above: int) -> Callable[..., Expr]:
    made = _bessel(kind)

    def slope(y: Expr, x: Expr, n: int) -> Expr:
        low, high = made(const(n - 1), x), made(const(n + 1), x)
        if n == 0:
            return high if above > 0 else -high
        mean = _mean(low, high, below, above)
        if kind != "bessely":
            return mean
        # Next to 0 both neighbours of Y overflow to the same infinity, the higher order first: there it counts alone.
        alone = le(high, -maximum(abs_(low), ONE) * const(2**60))
        return apply("instead", alone, -high / 2, mean)

    return slope


def _real_neighbours(kind: str, below: int, above: int) -> Callable[..., Expr]:
    made = _bessel(kind)

    def slope(y: Expr, order: Expr, x: Expr) -> Expr:
        low, high = made(order - 1, x), made(order + 1, x)
        return _mean(low, high, below, above)

    return slope


REAL_ORDER = {"besselj": "jv", "bessely": "yv", "besseli": "iv", "besselk": "kv"}
"""The row of any real order beside that of a whole one, by the names of SciPy."""
for _kind, _doc, _below, _above, _domain in (
    ("besselj", "Bessel function J of order n", 1, -1, "all x"),
    ("bessely", "Bessel function Y of order n", 1, -1, "x > 0"),
    ("besseli", "modified Bessel function I of order n", 1, 1, "all x"),
    ("besselk", "modified Bessel function K of order n", -1, -1, "x > 0"),
):
    _facts: dict[str, Any] = {
        "needs": "scipy", "turns": _kind in ("besselj", "bessely"),
        "poles": (lambda *x: [x[-1]]) if _domain == "x > 0" else None,
    }  # fmt: skip
    define(
        _kind, _doc, _neighbours(_kind, _below, _above), parameter=True, domain=_domain, made=_bessel(_kind),
        math=f"{_kind[-1].upper()} n", error=16,
        notes="n is any real number" + ("; x >= 0 unless it is whole" if _domain == "all x" else ""),
        **_facts,
    )  # fmt: skip
    define(
        REAL_ORDER[_kind], f"{_doc}, any real number", None, _real_neighbours(_kind, _below, _above), unknown=("n",),
        arguments="n x", word=_kind, readable=_bessel(_kind), internal=True, math=f"{_kind[-1].upper()} x",
        domain="x > 0", error=1024, singular=lambda n, x: [x], **_facts,
    )  # fmt: skip

# Airy functions: y'' = x*y.
for _name, _symbol in (("airyai", "Ai"), ("airybi", "Bi")):
    define(
        _name, f"Airy function {_symbol}", lambda y, x: apply(f"{y.op}prime", x), needs="scipy", turns=True, error=128,
        shrinks=_symbol == "Ai", math=_symbol,
    )  # fmt: skip
    define(
        f"{_name}prime", f"slope of the Airy function {_symbol}", lambda y, x: x * apply(y.op[: -len("prime")], x),
        needs="scipy", turns=True, error=128, shrinks=_symbol == "Ai",
    )  # fmt: skip


# Lambert's W: W' = exp(-W)/(1 + W). Near the branch point -1/e the sum 1 + W has digits that W has lost, and at 0 the
# quotient W/x = exp(-W) is 1: both are rows of their own, with the branch as the parameter (1 for the lower).
def _w(x: Expr, branch: int) -> Expr:
    return apply("lambertw_low" if branch else "lambertw", x)


def _w_slope(x: Expr, branch: int) -> Expr:
    return apply("lambertw_ratio", x, value=branch) / apply("lambertw_above", x, value=branch)


def _branches(x: Expr, branch: Expr = ZERO) -> Expr:
    k = exact(branch)
    if k not in (0, -1):
        raise GradError("lambertw has two real branches, 0 and -1", hint="write lambertw(x) or lambertw(x, -1)")
    return _w(x, -int(k))


_BRANCH_POINT = const(0.36787944117144233)


def _branch_point(x: Expr) -> list[Expr]:
    return [x + _BRANCH_POINT]


define(
    "lambertw", "W(x) with W*exp(W) = x, W >= -1", lambda y, x: _w_slope(x, 0), needs="scipy", domain="x >= -1/e",
    notes="lambertw(x, -1) is the branch W <= -1, for -1/e <= x < 0; slope inf at -1/e", made=_branches, more=1,
    at={0: 0}, edges=_branch_point, error=8, math="W 0",
)  # fmt: skip
define(
    "lambertw_low", "W(x) with W*exp(W) = x, W <= -1", lambda y, x: _w_slope(x, 1), needs="scipy",
    domain="-1/e <= x < 0", word="lambertw -1", internal=True, edges=lambda x: [x + _BRANCH_POINT, x], math="W -1",
)  # fmt: skip
define(
    "lambertw_above", "1 + W(x)", lambda y, x, n: _w_slope(x, n), parameter=True, needs="scipy", internal=True,
    readable=lambda x, n: ONE + _w(x, n), singular=_branch_point,
)  # fmt: skip
define(
    "lambertw_ratio", "W(x)/x = exp(-W(x))", lambda y, x, n: -y * _w_slope(x, n), parameter=True, needs="scipy",
    internal=True, expansion=lambda x, n: where(eq(x, ZERO), exp(-_w(x, n)), _w(x, n) / x),
    readable=lambda x, n: exp(-_w(x, n)), singular=_branch_point,
)  # fmt: skip
