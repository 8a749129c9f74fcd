"""The rule of every kernel, and which infinities and nans are surely such.

Layer: must not know programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

from gradcli.compute.trust.elementary import ELEMENTARY
from gradcli.compute.trust.rules import ARITHMETIC, INF, Floats, Rule, U
from gradcli.compute.trust.special import BRANCH, SPECIAL

SELECTING = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "where", "refined", "defined"})
"""Conditions and choices, whose rules hold for infinities and nans, too."""


def _below(end: float) -> Any:
    return lambda o, x, e: x[-1] + e[-1] * U < end


def _beyond_one(o: Any, x: Sequence[Any], e: Sequence[Any]) -> Any:
    return abs(x[0]) - e[0] * U > 1


def _fractional(o: Any, x: Sequence[Any], e: Sequence[Any]) -> Any:
    return (x[0] + e[0] * U < 0) & (sum(e[1:]) == 0) & (o.rint(x[1]) != x[1])


_OUTSIDE: dict[str, Any] = {
    **dict.fromkeys(("sqrt", "log", "log2", "log10", "bessely", "besselk", "jv", "yv", "iv", "kv", "gammainc",
                     "gammaincc", "gammapdf", "betainc", "betapdf"), _below(0.0)),
    "log1p": _below(-1.0), "acosh": _below(1.0), "lambertw": _below(BRANCH), "lambertw_low": _below(BRANCH),
    "lambertw_above": _below(BRANCH),
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv", "erfinv_gauss"), _beyond_one),
    "power": _fractional, "power_residual": _fractional,
}  # fmt: skip
"""Where a function is surely undefined, of the arguments and their errors."""


def _at(end: float) -> Any:
    return lambda o, x: x[-1] == end


def _at_whole(o: Any, x: Sequence[Any]) -> Any:
    return (x[0] <= 0) & (o.rint(x[0]) == x[0])


_POLES: dict[str, Any] = {
    **dict.fromkeys(("log", "log2", "log10", "div", "mod", "fmod", "bessely", "besselk", "yv", "kv", "lambertw_low"),
                    _at(0.0)),
    "log1p": _at(-1.0), **dict.fromkeys(("atanh", "erfinv", "erfinv_gauss"), lambda o, x: abs(x[0]) == 1),
    **dict.fromkeys(("gamma", "lgamma", "digamma", "polygamma"), _at_whole),
    "power": lambda o, x: x[0] == 0, "power_residual": lambda o, x: x[0] == 0,
}  # fmt: skip
"""Where a function has a pole, of exact arguments."""


def surely(o: Any, name: str, v: Any, x: Sequence[Any], e: Sequence[Any]) -> Any:
    """The error of a result that has no finite bound: 0 if it is surely the infinity or nan that it is, else inf."""
    if name in SELECTING or rule_of(name) is None:
        return o.where(v == v, INF, INF)
    total = sum(e)
    beside = reduce(or_, [a != a for a in x])
    endless = reduce(or_, [abs(a) == INF for a in x])
    pole = _POLES[name](o, x) if name in _POLES else False
    outside = _OUTSIDE[name](o, x, e) if name in _OUTSIDE else False
    # 0*inf and inf - inf are nan whatever the truth is.
    sure = ((total == 0) & (beside | pole | (endless & (v == v)))) | ((v != v) & (beside | outside))
    if name in ("add", "sub", "mul"):
        away = reduce(and_, [a != 0 for a in x]) if name == "mul" else True
        sure = sure | ((abs(v) == INF) & endless & away)
    return o.where(sure & (total < INF), 0.0, INF)


def rule_of(name: str) -> Rule | None:
    """The rule of a kernel; None where there is no bound."""
    return ARITHMETIC.get(name) or ELEMENTARY.get(name) or SPECIAL.get(name)


def bounded(name: str, value: int | None) -> Callable[..., float]:
    """The error of a kernel as a function of numbers: the errors of its arguments, these and the value."""
    rule, more = rule_of(name) or _unknown, () if value is None else (value,)

    def error(*numbers: float) -> float:
        count = len(numbers) // 2
        # The common cases without slices: half of the time would go into them.
        try:
            if count == 2:
                p, q, a, b, v = numbers
                size = rule(Floats, v, a, b, p, q, *more)
            elif count == 1:
                p, a, v = numbers
                size = rule(Floats, v, a, p, *more)
            else:
                size = rule(Floats, numbers[-1], *numbers[count:-1], *numbers[:count], *more)
            if size < INF:
                return float(size)
        except (ArithmeticError, ValueError):
            pass
        try:
            return float(surely(Floats, name, numbers[-1], numbers[count:-1], numbers[:count]))
        except (ArithmeticError, ValueError):
            return INF

    return error


def _unknown(*x: Any) -> float:
    return INF
