"""What someone with paper, pencil and NumPy writes: each work's derivatives by hand, on whole arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from works import Array


def _erf(x: Array) -> Array:
    """SciPy's where it is installed; else one by one."""
    if find_spec("scipy") is None:
        return np.fromiter(map(math.erf, x.tolist()), np.float64, x.size)
    y: Array = import_module("scipy.special").erf(x)
    return y


def _hessian(x: Array, y: Array) -> list[Array]:
    s, c, e = np.sin(x), np.cos(x), np.exp(-y * y)
    xx, yy = x * x, y * y
    q = xx * yy
    w = 1 + q
    bend = 2 * (1 - q) / (w * w)
    return [
        s * e + np.log(w),
        c * e + 2 * x * yy / w,
        -2 * y * s * e + 2 * xx * y / w,
        bend * yy - s * e,
        4 * x * y / (w * w) - 2 * y * c * e,
        (4 * yy - 2) * s * e + bend * xx,
    ]


def _black_scholes(S: Array, K: Array, r: Array, sigma: Array, T: Array) -> list[Array]:
    root = np.sqrt(T)
    d1 = (np.log(S / K) + (r + sigma * sigma / 2) * T) / (sigma * root)
    d2 = d1 - sigma * root
    n1, n2 = (1 + _erf(d1 / math.sqrt(2))) / 2, (1 + _erf(d2 / math.sqrt(2))) / 2
    density = S * np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    discount = np.exp(-r * T)
    cash = K * discount * n2
    slope_of_time = density * sigma / (2 * root) + r * cash
    return [S * n1 - cash, n1, -discount * n2, T * cash, density * root, slope_of_time]


def _square(x: Array) -> list[Array]:
    return [x * x, 2 * x, np.full_like(x, 2)]


def _high_order(order: int, x: Array) -> list[Any]:
    s, c = np.sin(x), np.cos(x)
    sines = [s, c, -s, -c]
    y: list[Any] = [np.exp(s)]
    for n in range(order):
        y.append(sum(math.comb(n, k) * sines[(k + 1) % 4] * y[n - k] for k in range(n + 1)))
    return y


def _product(x: Array, y: Array) -> list[Array]:
    s, c, e = np.sin(x), np.cos(x), np.exp(y)
    return [np.multiply.outer(a, e).ravel() for a in (s, c, s, -s, c, s)]


BY_HAND: dict[str, Callable[..., list[Any]]] = {
    "hessian": _hessian,
    "black-scholes": _black_scholes,
    "square": _square,
    **{f"order-{n}": partial(_high_order, n) for n in (10, 15, 20, 40)},
    "product": _product,
}
