"""Overlays of curves: tangents and Taylor polynomials, as expressions."""

from __future__ import annotations

import math
from fractions import Fraction

from gradcli.calculus.derive import derivatives
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, const, var
from gradcli.plot.curve import Curve
from gradcli.plot.request import Overlay, at_text
from gradcli.truth.repair import available


def overlay(curve: Curve, wanted: Overlay, variable: str) -> Expr:
    """The polynomial of a curve at a point.

    Its coefficients are the doubles of the derivatives over k!. Raises GradError where the curve has no derivative.
    """
    place, order = wanted.place, wanted.order
    at = at_text(wanted, variable)
    option = f"--tangent {at}" if wanted.tangent else f"--taylor {at}:{order}"
    root = curve.expression
    partials = derivatives(root, [curve.variable], order)
    tower = [root, *[partials.get((0,) * k, ZERO) for k in range(1, order + 1)]]
    values = [float(v) for v in at_point(tower, {curve.variable: place})]
    bad = next((k for k, v in enumerate(values) if not math.isfinite(v)), None)
    if bad is None:
        bad = _broken(curve, place, order)
    if bad is not None:
        what = "value" if bad == 0 else "derivative" if bad == 1 else f"derivative of order {bad}"
        raise GradError(f"{option}: there is no {what}", hint=f"what the point is: gradcli explain EXPR --at {at}")
    step = apply("sub", var(curve.variable), const(Fraction(place)))
    polynomial: Expr = const(Fraction(values[-1]) / math.factorial(order))
    for k in range(order - 1, -1, -1):
        polynomial = apply("add", const(Fraction(values[k]) / math.factorial(k)), apply("mul", polynomial, step))
    return polynomial


def _broken(curve: Curve, place: float, order: int) -> int | None:
    """The order of the first derivative that fails at a point, as at a kink or a hole; None if none is known to."""
    if not available():
        return None
    from gradcli.truth.verdict import Judge

    judge = curve.judge if order <= 1 and curve.judge is not None else Judge(curve.expression, order)
    truth = judge.along({curve.variable: const(Fraction(repr(place)))}, curve.variable)
    return truth.breaks if truth.breaks is not None and truth.breaks <= order else None
