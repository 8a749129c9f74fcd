"""Rules in ball arithmetic for exponentials, logarithms, trigonometric and hyperbolic functions.

The series of each function is made from Taylor coefficients that hold their full relative precision where the function
is tiny, or near 1: a difference of two near numbers would cost a second pass at twice the bits.
Layer: must not know expressions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from flint import arb, arb_series

from gradcli.truth.ball_steps import absolute
from gradcli.truth.balls import (
    Ball,
    Rule,
    composed,
    head,
    integral,
    kink,
    moves,
    nonzero,
    outside,
    pole,
    sign,
    unsure,
    with_head,
    within,
)


def _method(name: str) -> Rule:
    """The method of this name of both kinds of values."""
    return operator.methodcaller(name)


# Exponentials and logarithms.


def _expm1(u: Ball) -> Ball:
    return with_head(u[0].expm1(), u.exp()) if isinstance(u, arb_series) else u.expm1()


def log(u: Ball) -> Ball:
    a = head(u)
    if a > 0:
        return u.log()
    raise pole() if a.is_zero() else outside() if a < 0 else unsure()


def _inside(u: Ball, low: int | None, high: int | None) -> Ball:
    """``u`` between the ends, which are poles."""
    a = head(u)
    for direction, end in ((1, low), (-1, high)):
        if end is not None and (a - end).is_zero():
            raise pole()
        if end is not None and not (a - end) * direction > 0:
            raise outside() if (a - end) * direction < 0 else unsure()
    return u


_log1p = integral(lambda a: a.log1p(), lambda u: 1 / (u + 1))
_log1mexp = integral(
    lambda a: log(-a.expm1()) if a > arb("-0.7") else (-a.exp()).log1p(),
    lambda u: 1 / -_expm1(-u),
)


def _logit_at(a: Ball) -> Ball:
    return 2 * (2 * a - 1).atanh() if abs(4 * a - 2) < 1 else a.log() - (-a).log1p()


def _softplus_at(a: Ball) -> Ball:
    return a.exp().log1p() if a < 0 else a + (-a).exp().log1p()


def _sigmoid_coefficients(a: Ball, count: int) -> list[Ball]:
    """From 1/(1 + exp(-x)) = (1 + tanh(x/2))/2."""
    below = _tanh_coefficients(a / 2, count)
    return [1 / (1 + (-a).exp()), *[c / 2 ** (k + 1) for k, c in enumerate(below[1:], 1)]]


def _softplus_coefficients(a: Ball, count: int) -> list[Ball]:
    slopes = _sigmoid_coefficients(a, count - 1) if count > 1 else []
    return [_softplus_at(a), *[c / k for k, c in enumerate(slopes, 1)]]


softplus = composed(_softplus_coefficients)
_sigmoid = composed(_sigmoid_coefficients)


# Trigonometric and hyperbolic functions.


def _riccati(value: Ball, slope: Ball, sign: int, count: int) -> list[Ball]:
    """Taylor coefficients of y with y' = c + sign*y**2, from the value and the slope."""
    y = [value]
    for k in range(1, count):
        y.append(slope / k)
        slope = sum((y[i] * y[k - i] for i in range(1, k)), 2 * value * y[k]) * sign
    return y


def _tanh_coefficients(a: Ball, count: int) -> list[Ball]:
    return _riccati(a.tanh(), a.sech() ** 2, -1, count)


def _alternating(first: Ball, second: Ball, count: int) -> list[Ball]:
    """Taylor coefficients of a function whose second derivative is itself."""
    pair, factor, coefficients = (first, second), 1, []
    for k in range(count):
        factor *= max(k, 1)
        coefficients.append(pair[k % 2] / factor)
    return coefficients


_sinh = composed(lambda a, count: _alternating(a.sinh(), a.cosh(), count))
_cosh = composed(lambda a, count: _alternating(a.cosh(), a.sinh(), count))
_acosh = integral(lambda a: a.acosh(), lambda u: ((u - 1) * (u + 1)).rsqrt())
_asinh = integral(lambda a: a.asinh(), lambda u: (u * u + 1).rsqrt())
_atanh = integral(lambda a: a.atanh(), lambda u: 1 / ((1 - u) * (1 + u)))
_asin = integral(lambda a: a.asin(), lambda u: ((1 - u) * (1 + u)).rsqrt())
_acos = integral(lambda a: a.acos(), lambda u: -((1 - u) * (1 + u)).rsqrt())


def _beyond_one(a: Ball) -> Ball:
    """sqrt(a**2 - 1) for |a| >= 1."""
    square = (abs(a) - 1) * (abs(a) + 1)
    if square > 0 or square.is_zero():
        return square.sqrt()
    raise outside() if square < 0 else unsure()


def _asec_slope(u: Ball) -> Ball:
    size = absolute(u)
    return ((size - 1) * (size + 1)).rsqrt() / size


def _secant(at: Callable[[Ball, Ball], Ball], slope: Rule) -> Rule:
    def value(a: Ball) -> Ball:
        return at(_beyond_one(a), nonzero(a))

    whole = integral(value, slope)

    def rule(u: Ball) -> Ball:
        if moves(u):
            _inside(abs(u[0]), 1, None)
        return whole(u)

    return rule


_asec = _secant(lambda root, a: arb.atan2(root, arb(sign(a))), _asec_slope)
_acsc = _secant(lambda root, a: sign(a) * arb.atan2(arb(1), root), lambda u: -_asec_slope(u))


def _acot(u: Ball) -> Ball:
    if head(u).is_zero():
        raise kink()
    return (1 / nonzero(u)).atan()


_cot = composed(lambda a, count: _riccati(a.cot(), -(a.csc() ** 2), -1, count))
_coth = composed(lambda a, count: _riccati(a.coth(), -(a.csch() ** 2), -1, count))
_logit = integral(_logit_at, lambda u: 1 / (u * (1 - u)))


RULES: dict[str, Rule] = {
    "exp": _method("exp"),
    "exp2": lambda u: (u * arb.const_log2()).exp(),
    "expm1": _expm1,
    "log": log,
    "log2": lambda u: log(u) / arb.const_log2(),
    "log10": lambda u: log(u) / arb.const_log10(),
    "log1p": lambda u: _log1p(_inside(u, -1, None)),
    "log1mexp": lambda u: _log1mexp(_inside(u, None, 0)),
    "logaddexp": lambda a, b: b + softplus(a - b),
    "softmax": lambda a, b: _sigmoid(a - b),
    "sin": _method("sin"),
    "cos": _method("cos"),
    "tan": composed(lambda a, count: _riccati(a.tan(), a.sec() ** 2, 1, count)),
    "sec": lambda u: 1 / nonzero(u.cos()),
    "csc": lambda u: 1 / nonzero(u.sin()),
    "cot": lambda u: _cot(nonzero(u)),
    "asin": lambda u: _asin(within(u, -1, 1)),
    "acos": lambda u: _acos(within(u, -1, 1)),
    "atan": _method("atan"),
    "asec": _asec,
    "acsc": _acsc,
    "acot": _acot,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": composed(_tanh_coefficients),
    "sech": lambda u: 1 / _cosh(u),
    "csch": lambda u: 1 / _sinh(nonzero(u)),
    "coth": lambda u: _coth(nonzero(u)),
    "asinh": _asinh,
    "acosh": lambda u: _acosh(within(u, 1, None)),
    "atanh": lambda u: _atanh(_inside(u, -1, 1)),
    "asech": lambda u: _acosh(within(1 / nonzero(within(u, 0, None)), 1, None)),
    "acsch": lambda u: _asinh(1 / nonzero(u)),
    "acoth": lambda u: _atanh(_inside(1 / nonzero(u), -1, 1)),
    "sigmoid": _sigmoid,
    "softplus": softplus,
    "logit": lambda u: _logit(_inside(u, 0, 1)),
}
