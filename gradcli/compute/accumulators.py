"""Accumulators of the reductions: they take the values of all points block by block, in bounded memory.

The results do not depend on the block size: sums are exact integers that are rounded once, and products are formed over
runs of points whose boundaries are independent of the blocks. ``digest(values, first)`` condenses a block, whose first
value is number ``first`` of the pass, and may run on any thread; ``add`` takes the digests in the order of the points.
Values are lists of floats (plain Python) or one-dimensional float64 arrays.
Layer: must not know expressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.compute.exact_sum import PLACES, Exact, exact_sum, in_units, quotient, scaled

if TYPE_CHECKING:
    from gradcli.compute.exact_sum import Array


class Accumulator(Protocol):
    """The interface of an accumulator.

    ``results(times)`` returns the numbers by the names of their reductions, each value counted ``times`` times.
    """

    def digest(self, values: Any, first: int) -> Any: ...
    def add(self, part: Any) -> None: ...
    def results(self, times: int) -> dict[str, float]: ...


class Sum:
    """Accumulates sum, sum_lost (the rounding error of the sum) and mean."""

    def __init__(self) -> None:
        self.total, self.count = Exact(0), 0

    def digest(self, values: Any, first: int) -> tuple[Exact, int]:
        return exact_sum(values), len(values)

    def add(self, part: tuple[Exact, int]) -> None:
        self.total, self.count = self.total.plus(part[0]), self.count + part[1]

    def results(self, times: int) -> dict[str, float]:
        nonfinite = self.total.not_finite()
        if nonfinite is not None:
            return {"sum": nonfinite, "sum_lost": 0.0, "mean": nonfinite}
        units = self.total.units * times
        rounded = quotient(units, 1 << PLACES)
        lost = quotient(units - in_units(rounded), 1 << PLACES) if math.isfinite(rounded) else 0.0
        return {"sum": rounded, "sum_lost": lost, "mean": quotient(units, self.count * times << PLACES)}


_LARGE, _SMALL = 2.0**500, 2.0**-500
_SHIFT = 600
"""Binary exponent of the factor that scales numbers whose squares would overflow or underflow."""


class Norm:
    """Accumulates norm, norm_lead and norm_scale, with norm = norm_lead / norm_scale**2.

    Three exact sums, of small, medium and large values, hold the squares, each of which is rounded once.
    """

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
            nonfinite = square.not_finite()
            if nonfinite is not None:
                return {"norm": nonfinite, "norm_lead": nonfinite, "norm_scale": 1.0}
        small, usual, large = [square.units * times for square in self.squares]
        units = (large << 4 * _SHIFT) + (usual << 2 * _SHIFT) + small
        if not units:
            return {"norm": 0.0, "norm_lead": 0.0, "norm_scale": 1.0}
        # Shift by an even number of bits to 128 or 129 bits, whose root has 64 or 65, and append a sticky bit.
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
"""Factors in a run, the unit that is multiplied first; runs start at multiples of 256 points, whatever the blocks."""
_BITS = 200
"""Bits of precision of a partial product."""
_SCALE_LIMIT = 824
"""Bound of the exponent of ``prod_scale``, a quarter of the binary exponent of the product.

Beyond it no quotient of the product by three doubles is in the range of a double.
"""


class ProductDigest(NamedTuple):
    """The digest of a block: factors before its first complete run, products of its runs, and factors after them.

    ``signs`` counts the negative, zero, infinite and nan values.
    """

    head: Any
    runs: list[tuple[int, int]]
    tail: Any
    signs: tuple[int, int, int, int]


class Product:
    """Accumulates prod, prod_lead and prod_scale, with prod = prod_lead * prod_scale**4 where nothing is clamped."""

    def __init__(self) -> None:
        self.whole, self.exponent = 1, 0
        # Numbers of negative, zero, infinite and nan values.
        self.signs = (0, 0, 0, 0)
        self.pending: list[float] = []

    def digest(self, values: Any, first: int) -> ProductDigest:
        head = min(-first % RUN, len(values))
        tail = head + (len(values) - head) // RUN * RUN
        if isinstance(values, list):
            factors = [abs(v) if v and math.isfinite(v) else 1.0 for v in values]
            infinite, nans = sum(map(math.isinf, values)), sum(map(math.isnan, values))
            signs = sum(v < 0 for v in values), values.count(0.0), infinite, nans
            runs = [_run(factors[k : k + RUN]) for k in range(head, tail, RUN)]
            return ProductDigest(factors[:head], runs, factors[tail:], signs)
        import numpy as np

        usual = np.isfinite(values) & (values != 0)
        array = np.where(usual, np.abs(values), 1.0)
        negative, zero = int((values < 0).sum()), int((values == 0).sum())
        signs = negative, zero, int(np.isinf(values).sum()), int(np.isnan(values).sum())
        return ProductDigest(array[:head].tolist(), _runs(array[head:tail]), array[tail:].tolist(), signs)

    def add(self, part: ProductDigest) -> None:
        negative, zero, infinite, nans = (a + b for a, b in zip(self.signs, part.signs, strict=True))
        self.signs = (negative, zero, infinite, nans)
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
        self._times(*_run(self.pending))
        self.pending = []
        negative, zero, infinite, nans = self.signs
        sign = -1 if negative * times % 2 else 1
        if nans or infinite:
            lead = math.nan if nans else sign * math.inf
            return {"prod": math.nan if zero else lead, "prod_lead": lead, "prod_scale": 1.0}
        whole, exponent = 1, 0
        for digit in f"{times:b}":
            whole, exponent = _short(whole * whole, 2 * exponent)
            if digit == "1":
                whole, exponent = _short(whole * self.whole, exponent + self.exponent)
        # Round the quarter exponent towards 0, so that prod_lead and prod_scale are both >= 1 or both <= 1.
        size = whole.bit_length()
        quarter = int((size + exponent) / 4)
        lead = scaled(whole, exponent - 4 * quarter)
        quarter = min(max(quarter, -_SCALE_LIMIT), _SCALE_LIMIT)
        near = min(max(exponent, -12 * _SCALE_LIMIT), 12 * _SCALE_LIMIT)
        return {
            "prod": 0.0 if zero else sign * scaled(whole, near),
            "prod_lead": sign * lead,
            "prod_scale": 2.0**quarter,
        }


def _short(whole: int, exponent: int) -> tuple[int, int]:
    """Truncate ``whole * 2**exponent`` to _BITS bits; return the integer and the exponent."""
    extra = max(whole.bit_length() - _BITS, 0)
    return whole >> extra, exponent + extra


def _run(factors: Sequence[float]) -> tuple[int, int]:
    """Return the product of positive numbers as an integer of at most _BITS bits and a binary exponent."""
    whole, exponent = 1, 0
    for v in factors:
        m, e = math.frexp(v)
        whole, exponent = _short(whole * int(m * 2.0**53), exponent + e - 53)
    return whole, exponent


def _runs(factors: Array) -> list[tuple[int, int]]:
    """Return the product of each run of an array of positive numbers, as ``_run`` does.

    Pairwise multiplication in double-double arithmetic, one half of each run by the other.
    """
    import numpy as np

    m, e = np.frexp(factors)
    exponents = e.reshape(-1, RUN).sum(axis=1).tolist()
    high = m.reshape(-1, RUN)
    low = np.zeros_like(high)
    while high.shape[1] > 1:
        half = high.shape[1] // 2
        high, low = _double_product(high[:, :half], low[:, :half], high[:, half:], low[:, half:])
    # The mantissas lie in [1/2, 1), so that the product of a run is at least 2**-256.
    pairs = zip(high[:, 0].tolist(), low[:, 0].tolist(), exponents, strict=True)
    return [_short(int(math.ldexp(h, 400)) + int(math.ldexp(rest, 400)), exponent - 400) for h, rest, exponent in pairs]


def _double_product(a: Array, a_low: Array, b: Array, b_low: Array) -> tuple[Array, Array]:
    """Return the product of two double-double numbers (high, low), to about 104 bits (Dekker 1971)."""
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
    """Accumulates max or min: nan if any value is nan; the result is 0.0, never -0.0."""

    def __init__(self, op: str) -> None:
        self.op, self.of = op, max if op == "max" else min
        self.best: float | None = None

    def digest(self, values: Any, first: int) -> float:
        if isinstance(values, list):
            return math.nan if any(v != v for v in values) else self.of(values) + 0.0
        return float(getattr(values, self.op)()) + 0.0

    def add(self, part: float) -> None:
        # max and min return the first argument if the other is not beyond it, so that nan stays.
        self.best = part if self.best is None or part != part else self.of(self.best, part)

    def results(self, times: int) -> dict[str, float]:
        assert self.best is not None
        return {self.op: math.nan if self.best != self.best else self.best}


ACCUMULATORS: dict[str, Callable[[], Accumulator]] = {
    "sum": Sum, "sum_lost": Sum, "mean": Sum, "norm": Norm, "norm_lead": Norm, "norm_scale": Norm,
    "prod": Product, "prod_lead": Product, "prod_scale": Product,
    "max": partial(Extreme, "max"), "min": partial(Extreme, "min"),
}  # fmt: skip
"""The accumulator that holds the result of each reduction; reductions of equal arguments share it."""
