"""Ticks of an axis: multiples of 1, 2 or 5 times a power of ten, with the decimals that stand for them."""

from __future__ import annotations

import math
from typing import NamedTuple

_PLAIN = 6
"""Digits before the point, or places behind it, up to which a number is written without an exponent."""
_MOST = 200
"""Ticks of an axis, at most."""


class Tick(NamedTuple):
    """A place on an axis, in its units, and the number written there, such as ``-0.5`` or ``2e9``."""

    place: float
    label: str


def ticks(low: float, high: float, most: int) -> list[Tick]:
    """At most ``most`` round numbers from ``low`` to ``high``, with labels that tell them apart.

    >>> [t.label for t in ticks(-1, 1, 5)], [t.label for t in ticks(0, 3e9, 4)]
    (['-1', '-0.5', '0', '0.5', '1'], ['0', '1e9', '2e9', '3e9'])
    """
    most = min(max(most, 2), _MOST)
    span = high / most - low / most
    if not 0 < span < math.inf:
        return []
    exponent = math.floor(math.log10(span))
    choices = [(digit, exponent + up) for up in (0, 1, 2) for digit in (1, 2, 5)]
    for digit, power in choices:
        first, last = _index(low, digit, power, math.ceil), _index(high, digit, power, math.floor)
        if last - first < most:
            break
    whole = range(first, last + 1)
    return [Tick(_value(k * digit, power), decimal(k * digit, power)) for k in whole]


def _index(x: float, digit: int, power: int, f: object) -> int:
    """The number of the step next to ``x``, which counts as on it where rounding could tell no other."""
    # A power of ten beyond the doubles is taken in two factors.
    half = power // 2
    steps = x / digit / 10.0**half / 10.0 ** (power - half)
    near = round(steps)
    if abs(steps - near) <= max(1e-9, 4 * math.ulp(steps)):
        return near
    return math.ceil(steps) if f is math.ceil else math.floor(steps)


def _value(whole: int, power: int) -> float:
    return float(f"{whole}e{power}")


def decimal(whole: int, power: int) -> str:
    """The text of ``whole * 10**power``, exactly, without trailing zeros behind the point.

    >>> decimal(25, -1), decimal(-5, 3), decimal(15, 8), decimal(0, 5)
    ('2.5', '-5000', '1.5e9', '0')
    """
    if whole == 0:
        return "0"
    digits = str(abs(whole))
    stripped = digits.rstrip("0")
    power += len(digits) - len(stripped)
    sign, size = "-" if whole < 0 else "", len(stripped) + power
    if power >= 0 and size <= _PLAIN:
        return sign + stripped + "0" * power
    if power < 0 and -_PLAIN < size <= _PLAIN and -power <= 2 * _PLAIN:
        padded = stripped.rjust(1 - power, "0")
        return f"{sign}{padded[:power]}.{padded[power:]}"
    rest = f".{stripped[1:]}" if len(stripped) > 1 else ""
    return f"{sign}{stripped[0]}{rest}e{size - 1}"


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Ticks of a logarithmic axis from 10**low to 10**high: powers of ten, or 1, 2 and 5 times them, or round numbers.

    >>> [t.label for t in log_ticks(0, 4, 6)], [t.label for t in log_ticks(0, 1, 6)]
    (['1', '10', '100', '1000', '10000'], ['1', '2', '5', '10'])
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first >= 2:
        stride = 1
        while (last - first) // stride + 1 > max(most, 2):
            stride += 1
        whole = [k for k in range(first, last + 1) if k % stride == 0]
        return [Tick(float(k), decimal(1, k)) for k in whole]
    parts = [
        Tick(math.log10(digit) + k, decimal(digit, k))
        for k in range(math.floor(low), math.ceil(high) + 1)
        for digit in (1, 2, 5)
    ]
    inside = [t for t in parts if low - 1e-9 <= t.place <= high + 1e-9]
    if len(inside) >= 3 or high > 300 or low < -300:
        return inside
    plain = ticks(10.0**low, 10.0**high, most)
    return [Tick(math.log10(t.place), t.label) for t in plain if t.place > 0]
