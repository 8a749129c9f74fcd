"""How far a picture is from a curve: points of the true curve by mpmath's or NumPy's functions, never by ours."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

WIDTH, HEIGHT = 800, 400


def _where(f: Callable, *pieces: tuple[Callable, Callable]) -> Callable:
    def run(x):
        y = f(x)
        for condition, piece in pieces:
            y = np.where(condition(x), piece(x), y)
        return y

    return run


class Case(NamedTuple):
    """An expression over a range, the true curve, and where there is more to see than random points show.

    ``tame``: at most 220 points draw it.
    """

    text: str
    left: float
    right: float
    true: Callable
    near: tuple[float, float] | None = None
    tame: bool = True


CASES = [
    # The cases of the sketch by which the sampler was designed.
    Case("sin(x)/x", -10, 10, lambda x: np.sin(x) / x),
    Case("1/x", -1, 1, lambda x: 1 / x),
    Case("tan(x)", -5, 5, np.tan),
    Case("exp(-1e6*(x-0.123456)**2)", 0, 1, lambda x: np.exp(-1e6 * (x - 0.123456) ** 2), (0.123456, 3e-3)),
    Case("exp(-1e10*(x-0.123456)**2)", 0, 1, lambda x: np.exp(-1e10 * (x - 0.123456) ** 2), (0.123456, 3e-5)),
    Case("sin(1/x)", 0.01, 1, lambda x: np.sin(1 / x)),
    Case("abs(x-0.3)", -1, 1, lambda x: np.abs(x - 0.3)),
    Case("floor(x)", -3, 3, np.floor),
    Case("sqrt(x)", 0, 4, np.sqrt),
    Case("sin(300*x)", 0, 10, lambda x: np.sin(300 * x), tame=False),
    Case("exp(-x**2)*sin(1000*x)", -3, 3, lambda x: np.exp(-x * x) * np.sin(1000 * x), tame=False),
    Case("x**3-x", -2, 2, lambda x: x**3 - x),
    Case("where(x<0.5,x,x+1)", 0, 1, lambda x: np.where(x < 0.5, x, x + 1)),
    Case("1/(1+1e8*(x-0.7)**2)", 0, 1, lambda x: 1 / (1 + 1e8 * (x - 0.7) ** 2), (0.7, 3e-3)),
    Case("log(abs(x))", -1, 1, lambda x: np.log(np.abs(x))),
    Case("atan(1e4*(x-0.31))", 0, 1, lambda x: np.arctan(1e4 * (x - 0.31)), (0.31, 1e-3)),
    # Others.
    Case("exp(-1e24*(x-0.123456)**2)", 0, 1, lambda x: np.exp(-1e24 * (x - 0.123456) ** 2), (0.123456, 3e-12)),
    Case("x**x", 0, 3, lambda x: np.power(x, x)),
    Case("sqrt(x)", -2, 4, np.sqrt),
    Case("erf(x)", -4, 4, lambda x: np.array([math.erf(v) for v in x])),
    Case("gamma(x)", -3, 4, lambda x: np.array([math.gamma(v) for v in x])),
    Case("lgamma(x)", 0, 9, lambda x: np.array([math.lgamma(v) if v else math.inf for v in x])),
    Case("mod(x,1)", -3, 3, lambda x: np.mod(x, 1)),
    Case("atan2(x,x-1)", -3, 3, lambda x: np.arctan2(x, x - 1)),
    Case("asin(x)", -1, 1, np.arcsin),
    Case("acosh(x)", 0, 5, np.arccosh),
    Case("max(x,x**2,sin(5*x))", -2, 2, lambda x: np.maximum(np.maximum(x, x * x), np.sin(5 * x))),
    Case("x*sin(1e4*x)-x**2*cos(7000*x)", -2, 2, lambda x: x * np.sin(1e4 * x) - x * x * np.cos(7000 * x), tame=False),
    Case("round(3*x)/3", -2, 2, lambda x: np.rint(3 * x) / 3),
    Case("exp(1/x)", -1, 1, lambda x: np.exp(1 / x)),
    Case("(x**2-1)/(x-1)", -2, 2, lambda x: x + 1),
    Case("sin(x)**2+cos(x)**2", -5, 5, np.ones_like),
    Case("x**20-x**19", -1, 1.2, lambda x: x**20 - x**19),
    Case("hypot(x,0.001)", -1, 1, lambda x: np.hypot(x, 0.001), (0, 0.01)),
    Case("x**(1/3)", -1, 8, lambda x: np.where(x < 0, np.nan, np.cbrt(x))),
    Case("1/(x**2-2)", -3, 3, lambda x: 1 / (x * x - 2)),
    Case("log(x)", -1, 10, np.log),
    Case("exp(x)", -10, 10, np.exp),
    Case("min(abs(x),1)", -2, 2, lambda x: np.minimum(np.abs(x), 1)),
    Case("csc(x)", -10, 10, lambda x: 1 / np.sin(x), tame=False),
    Case("cbrt(x)", -3, 3, np.cbrt),
    Case("x*sin(1/x)", -1, 1, lambda x: x * np.sin(1 / x), tame=False),
    Case("1e-12/(x-0.3)**2", 0, 1, lambda x: 1e-12 / (x - 0.3) ** 2, (0.3, 1e-5)),
    Case("floor(20*x)+x", 0, 10, lambda x: np.floor(20 * x) + x, tame=False),
]
