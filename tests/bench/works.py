"""The works: what every engine computes, on which points. Must not know engines or clocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Work(NamedTuple):
    """A function, and the points at which its value and all its partials up to ``order`` are wanted.

    ``text`` is the function in gradcli's language, ``formula(m, *variables)`` the same in that of a module ``m`` of
    functions. Each variable has a range; the points are random in their box, or, for a ``product``, on equally
    spaced axes of so many values.
    """

    name: str
    title: str
    text: str
    formula: Callable[..., Any]
    ranges: dict[str, tuple[float, float]]
    order: int
    points: int
    product: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(self.ranges)

    @property
    def partials(self) -> list[tuple[int, ...]]:
        """One tuple of variables' places per result: the value first, then by total order."""
        places = range(len(self.ranges))
        return [p for n in range(self.order + 1) for p in combinations_with_replacement(places, n)]

    @property
    def side(self) -> int:
        """Values per variable."""
        return round(self.points ** (1 / len(self.ranges))) if self.product else self.points

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.side,) * len(self.ranges) if self.product else (self.side,)

    @property
    def size(self) -> int:
        """Points in all."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Input plus output."""
        return 8 * (self.side * len(self.ranges) + self.size * len(self.partials))

    def inputs(self) -> Array:
        """Values, one row per variable."""
        if self.product:
            return np.array([np.linspace(low, high, self.side) for low, high in self.ranges.values()])
        values = np.random.default_rng(1).random((len(self.ranges), self.side))
        for row, (low, high) in zip(values, self.ranges.values(), strict=True):
            row *= high - low
            row += low
        return values

    def expanded(self, inputs: Array) -> Array:
        """Every point written out, one row per variable: for engines without products."""
        return np.array([grid.ravel() for grid in np.meshgrid(*inputs, indexing="ij")]) if self.product else inputs


def _hessian(m: Any, x: Any, y: Any) -> Any:
    return m.sin(x) * m.exp(-(y**2)) + m.log(1 + x**2 * y**2)


def _black_scholes(m: Any, S: Any, K: Any, r: Any, sigma: Any, T: Any) -> Any:
    d1 = (m.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * m.sqrt(T))
    d2 = d1 - sigma * m.sqrt(T)
    return (S * (1 + m.erf(d1 / 2**0.5)) - K * m.exp(-r * T) * (1 + m.erf(d2 / 2**0.5))) / 2


def _square(m: Any, x: Any) -> Any:
    return x**2


def _high_order(m: Any, x: Any) -> Any:
    return m.exp(m.sin(x))


def _product(m: Any, x: Any, y: Any) -> Any:
    return m.sin(x) * m.exp(y)


_MANY = tuple(f"x{k}" for k in range(100))


def _many(m: Any, *x: Any) -> Any:
    total = 0
    for k in range(len(x)):
        a, b, c, d, e, f = (x[(k + step) % len(x)] for step in (0, 1, 2, 3, 5, 7))
        bend = m.sin(a * b) + c
        w = bend * bend + 1
        total = total + m.log(w) * d + m.exp(-((a - e) ** 2)) / w + m.sqrt(w + f**2)
    return total


def _said(count: int) -> str:
    """`_many` in gradcli's language."""
    lines = []
    for k in range(count):
        a, b, c, d, e, f = (f"x{(k + step) % count}" for step in (0, 1, 2, 3, 5, 7))
        lines += [f"b{k} = sin({a}*{b}) + {c}", f"w{k} = b{k}*b{k} + 1"]
        lines.append(f"t{k} = log(w{k})*{d} + exp(-({a} - {e})**2)/w{k} + sqrt(w{k} + {f}**2)")
    return "\n".join([*lines, "y = " + " + ".join(f"t{k}" for k in range(count))])


_CALL = """
d1 = (log(S/K) + (r + sigma**2/2)*T)/(sigma*sqrt(T))
d2 = d1 - sigma*sqrt(T)
call = (S*(1 + erf(d1/sqrt(2))) - K*exp(-r*T)*(1 + erf(d2/sqrt(2))))/2
"""

WORKS = [
    Work(
        "hessian", "sin(x)*exp(-y**2) + log(1 + x**2*y**2), gradient and Hessian",
        "sin(x)*exp(-y**2) + log(1 + x**2*y**2)", _hessian, {"x": (-3, 3), "y": (-2, 2)}, 2, 4_000_000,
    ),
    Work(
        "black-scholes", "Black-Scholes call price, five sensitivities", _CALL, _black_scholes,
        {"S": (50, 150), "K": (50, 150), "r": (0.01, 0.06), "sigma": (0.1, 0.5), "T": (0.1, 2)}, 1, 4_000_000,
    ),
    Work("square", "x**2, both derivatives", "x**2", _square, {"x": (-3, 3)}, 2, 4_000_000),
    *[
        Work(
            f"order-{n}", f"exp(sin(x)), derivatives 1 to {n}", "exp(sin(x))", _high_order, {"x": (-3, 3)}, n, 1_000_000
        )
        for n in (10, 15, 20, 40)
    ],
    Work(
        "gradient-100", "2,000 operations on 100 variables, gradient", _said(100), _many,
        dict.fromkeys(_MANY, (0.1, 1)), 1, 100_000,
    ),
    Work(
        "product", "sin(x)*exp(y) on a product grid, gradient and Hessian", "sin(x)*exp(y)", _product,
        {"x": (-3, 3), "y": (-2, 2)}, 2, 16_000_000, product=True,
    ),
]  # fmt: skip
