"""Bessel functions of integer order; their derivatives are those of the neighbouring orders (DLMF 10.6.1, 10.29.1)."""

from __future__ import annotations

from collections.abc import Callable

from gradcli.expr import Expr, apply
from gradcli.functions.row import define


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


for _kind, _doc, _below, _above, _domain in (
    ("besselj", "Bessel function J of order n", 1, -1, "all x"),
    ("bessely", "Bessel function Y of order n", 1, -1, "x > 0"),
    ("besseli", "modified Bessel function I of order n", 1, 1, "all x"),
    ("besselk", "modified Bessel function K of order n", -1, -1, "x > 0"),
):
    define(
        _kind, _doc, _neighbours(_kind, _below, _above), parameter=True, domain=_domain, needs="scipy",
        turns=_kind in ("besselj", "bessely"), poles=(lambda x: [x]) if _domain == "x > 0" else None, error=16,
        math=f"{_kind[-1].upper()} n",
    )  # fmt: skip
