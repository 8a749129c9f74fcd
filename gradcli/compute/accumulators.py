"""Totals: what a reduction makes of all its points, met a block at a time, in bounded memory.

The same bits whatever the blocks: sums are exact integers until they are rounded once, products go by runs of points
that do not move with the blocks. A total's ``digest`` of a block may run on any thread; ``add`` takes the digests in
the order of the points. Values come as lists (plain Python) or as arrays. Must not know expressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.compute.exact_sum import PLACES, Exact, exact_sum, in_units, quotient, scaled

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]


class Total(Protocol):
    """``results(times)``: the numbers by the names of their reductions, every value having been met ``times`` times."""

    def digest(self, values: Any, first: int) -> Any: ...
    def add(self, part: Any) -> None: ...
    def results(self, times: int) -> dict[str, float]: ...


class Sum:
    """sum, sum_lost, mean."""

    def __init__(self) -> None:
        self.total, self.count = Exact(0), 0

    def digest(self, values: Any, first: int) -> tuple[Exact, int]:
        return exact_sum(values), len(values)

    def add(self, part: tuple[Exact, int]) -> None:
        self.total, self.count = self.total.plus(part[0]), self.count + part[1]

    def results(self, times: int) -> dict[str, float]:
        odd = self.total.not_finite()
        if odd is not None:
            return {"sum": odd, "sum_lost": 0.0, "mean": odd}
        units = self.total.units * times
        rounded = quotient(units, 1 << PLACES)
        lost = quotient(units - in_units(rounded), 1 << PLACES) if math.isfinite(rounded) else 0.0
        return {"sum": rounded, "sum_lost": lost, "mean": quotient(units, self.count * times << PLACES)}


_LARGE, _SMALL = 2.0**500, 2.0**-500
_SHIFT = 600
"""Powers of two by which numbers are scaled whose squares would leave the range of a double."""


class Norm:
    """norm, norm_lead, norm_scale: the sum of squares, each rounded once, in three ranges of size."""

    def __init__(self) -> None:
        self.squares = [Exact(0), Exact(0), Exact(0)]

    def digest(self, values: Any, first: int) -> list[Exact]:
        if isinstance(values, list):
            sizes: list[list[float]] = [[], [], []]
            for v in map(abs, values):
                sizes[2 if v > _LARGE else 0 if v < _SMALL else 1].append(v)
            small, usual, large = sizes
            scaled = [[v * 2.0**_SHIFT for v in small], usual, [v * 2.0**-_SHIFT for v in large]]
            return [exact_sum([v * v for v in part]) for part in scaled]
        import numpy as np

        size = np.abs(values)
        large, small = size > _LARGE, size < _SMALL
        if large.any() or small.any():
            with np.errstate(over="ignore", under="ignore"):
                parts = [
                    np.where(small, size, 0.0) * 2.0**_SHIFT,
                    np.where(large | small, 0.0, size),
                    np.where(large, size, 0.0) * 2.0**-_SHIFT,
                ]
                return [exact_sum(part * part) for part in parts]
        return [Exact(0), exact_sum(size * size), Exact(0)]

    def add(self, part: list[Exact]) -> None:
        self.squares = [a.plus(b) for a, b in zip(self.squares, part, strict=True)]

    def results(self, times: int) -> dict[str, float]:
        for square in self.squares:
            odd = square.not_finite()
            if odd is not None:
                return {"norm": odd, "norm_lead": odd, "norm_scale": 1.0}
        small, usual, large = [square.units * times for square in self.squares]
        units = (large << 4 * _SHIFT) + (usual << 2 * _SHIFT) + small
        if not units:
            return {"norm": 0.0, "norm_lead": 0.0, "norm_scale": 1.0}
        # An even shift leaves 128 bits, whose root has 64; one more says whether there is a rest.
        places = PLACES + 2 * _SHIFT
        shift = (units.bit_length() - 128) // 2 * 2
        short = units >> shift if shift > 0 else units << -shift
        root = math.isqrt(short)
        root = 2 * root + (root * root != short)
        below = places // 2 - shift // 2 + 1
        exponent = (root.bit_length() - below) // 2 * 2
        return {
            "norm": scaled(root, -below),
            "norm_lead": scaled(root, -below - exponent),
            "norm_scale": 2.0 ** (-exponent // 2),
        }


RUN = 256
"""Factors that are multiplied together first; runs start at every 256th point, wherever blocks start."""
_DIGITS = 200
"""Bits kept of a product."""
_REACH = 824
"""A fourth of the power of two beyond which no quotient of a product by three doubles is in range."""


class Part(NamedTuple):
    """Of a block: the factors before its first whole run, the products of its runs, the factors after them."""

    head: Any
    runs: list[tuple[int, int]]
    tail: Any
    signs: tuple[int, int, int, int]


class Product:
    """prod, prod_lead, prod_scale."""

    def __init__(self) -> None:
        self.whole, self.exponent = 1, 0
        # How many were negative, 0, infinite and nan.
        self.signs = (0, 0, 0, 0)
        self.pending: list[float] = []

    def digest(self, values: Any, first: int) -> Part:
        head = min(-first % RUN, len(values))
        tail = head + (len(values) - head) // RUN * RUN
        if isinstance(values, list):
            factors = [abs(v) if v and math.isfinite(v) else 1.0 for v in values]
            infinite, none = sum(map(math.isinf, values)), sum(map(math.isnan, values))
            signs = sum(v < 0 for v in values), values.count(0.0), infinite, none
            runs = [_run(factors[k : k + RUN]) for k in range(head, tail, RUN)]
            return Part(factors[:head], runs, factors[tail:], signs)
        import numpy as np

        usual = np.isfinite(values) & (values != 0)
        array = np.where(usual, np.abs(values), 1.0)
        negative, zero = int((values < 0).sum()), int((values == 0).sum())
        signs = negative, zero, int(np.isinf(values).sum()), int(np.isnan(values).sum())
        return Part(array[:head].tolist(), _runs(array[head:tail]), array[tail:].tolist(), signs)

    def add(self, part: Part) -> None:
        negative, zero, infinite, none = (a + b for a, b in zip(self.signs, part.signs, strict=True))
        self.signs = (negative, zero, infinite, none)
        self.pending += part.head
        if len(self.pending) == RUN:
            self._times(*_run(self.pending))
            self.pending = []
        for run in part.runs:
            self._times(*run)
        self.pending += part.tail

    def _times(self, whole: int, exponent: int) -> None:
        self.whole, self.exponent = _short(self.whole * whole, self.exponent + exponent)

    def results(self, times: int) -> dict[str, float]:
        if self.pending:
            self._times(*_run(self.pending))
            self.pending = []
        negative, zero, infinite, none = self.signs
        sign = -1 if negative * times % 2 else 1
        if none or infinite:
            lead = math.nan if none else sign * math.inf
            return {"prod": math.nan if zero else lead, "prod_lead": lead, "prod_scale": 1.0}
        whole, exponent = 1, 0
        for digit in f"{times:b}":
            whole, exponent = _short(whole * whole, 2 * exponent)
            if digit == "1":
                whole, exponent = _short(whole * self.whole, exponent + self.exponent)
        # Towards 1, so that lead and scale lie on one side of it.
        size = whole.bit_length()
        quarter = int((size + exponent) / 4)
        lead = scaled(whole, exponent - 4 * quarter)
        quarter = min(max(quarter, -_REACH), _REACH)
        near = min(max(exponent, -12 * _REACH), 12 * _REACH)
        return {
            "prod": 0.0 if zero else sign * scaled(whole, near),
            "prod_lead": sign * lead,
            "prod_scale": 2.0**quarter,
        }


def _short(whole: int, exponent: int) -> tuple[int, int]:
    extra = max(whole.bit_length() - _DIGITS, 0)
    return whole >> extra, exponent + extra


def _run(factors: Sequence[float]) -> tuple[int, int]:
    """The product of some positive numbers, as an integer of _DIGITS bits and a power of two."""
    whole, exponent = 1, 0
    for v in factors:
        m, e = math.frexp(v)
        whole, exponent = _short(whole * int(m * 2.0**53), exponent + e - 53)
    return whole, exponent


def _runs(factors: Array) -> list[tuple[int, int]]:
    """The product of every run of an array of positive numbers: halves of it times halves, to twice the digits."""
    import numpy as np

    m, e = np.frexp(factors)
    exponents = e.reshape(-1, RUN).sum(axis=1).tolist()
    high = m.reshape(-1, RUN)
    low = np.zeros_like(high)
    while high.shape[1] > 1:
        half = high.shape[1] // 2
        high, low = _double_product(high[:, :half], low[:, :half], high[:, half:], low[:, half:])
    # A run's product is at least 2**-256.
    pairs = zip(high[:, 0].tolist(), low[:, 0].tolist(), exponents, strict=True)
    return [_short(int(math.ldexp(h, 400)) + int(math.ldexp(rest, 400)), exponent - 400) for h, rest, exponent in pairs]


def _double_product(a: Array, a_low: Array, b: Array, b_low: Array) -> tuple[Array, Array]:
    """The product of pairs (high, low) of doubles, to 104 bits or so (Dekker)."""
    wide = a * 134217729.0
    a_lead = wide - (wide - a)
    wide = b * 134217729.0
    b_lead = wide - (wide - b)
    a_rest, b_rest = a - a_lead, b - b_lead
    high = a * b
    lost = ((a_lead * b_lead - high) + a_lead * b_rest + a_rest * b_lead) + a_rest * b_rest
    lost += a * b_low + a_low * b
    total = high + lost
    return total, lost - (total - high)


class Extreme:
    """max or min; nan where any is nan, and never -0.0."""

    def __init__(self, op: str) -> None:
        self.op = op
        self.best: float | None = None

    def digest(self, values: Any, first: int) -> float:
        if isinstance(values, list):
            none = any(v != v for v in values)
            return math.nan if none else (max if self.op == "max" else min)(values) + 0.0
        return float(values.max() if self.op == "max" else values.min()) + 0.0

    def add(self, part: float) -> None:
        best = self.best
        if best is None or part != part or (part > best if self.op == "max" else part < best):
            self.best = part

    def results(self, times: int) -> dict[str, float]:
        assert self.best is not None
        return {self.op: math.nan if self.best != self.best else self.best}


TOTALS: dict[str, Callable[[], Total]] = {
    "sum": Sum, "norm": Norm, "prod": Product, "max": lambda: Extreme("max"), "min": lambda: Extreme("min"),
}  # fmt: skip
OF = {
    "sum": "sum", "sum_lost": "sum", "mean": "sum", "norm": "norm", "norm_lead": "norm", "norm_scale": "norm",
    "prod": "prod", "prod_lead": "prod", "prod_scale": "prod", "max": "max", "min": "min",
}  # fmt: skip
"""The total that each reduction is read from."""
