"""Sample points for expressions without given points: random points, special values, and neighbours of edges.

Random doubles of all magnitudes, moderate ones preferred; 0, -0, 1, -1, tiny and huge values; adjacent doubles of each
kink, pole and end of a domain that a search along the axes finds. A seed gives the same points on every machine.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate

from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.expr import ONE, ZERO, Expr, apply, reachable, variables
from gradcli.functions import TABLE
from gradcli.limits.work import NUMBERS, SpentError, spend, within
from gradcli.verify.probe import Point

SPECIAL = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 10.0, -0.0, 1e-5, -1e-5, 1e-160, 1e5, -1e5, 1e160, 5e-324,
           1.7976931348623157e308)  # fmt: skip
_POSITIVE = (2.0, 3.0, 0.5, 1.5, 0.25, 5.0)
_SIGNED = (-0.5, 1.5, -1.5, 0.25, -2.5, 2.5)
"""Short numbers. Powers of negative numbers have values at integers alone, at which a formula may have none."""
_MODES: tuple[tuple[int, int, int, int], ...] = (
    # (weight, lowest exponent of 2, highest exponent of 2, sign (0: any, 1: positive))
    (6, -2, 2, 0),
    (4, -2, 2, 1),
    (2, -4, -1, 1),
    (2, -4, -1, 0),
    (2, 2, 6, 1),
    (2, -12, 12, 0),
    (1, -60, 60, 0),
    (1, -1022, 1023, 0),
)
_SWITCHES = 40
"""The most expressions whose sign changes are searched."""
_BASES = 3
"""Random base points of the search, per expression."""
_CHANGES = 4
"""The most changes of sign that are followed along one line."""


def points(names: Sequence[str], seed: int) -> Iterator[Point]:
    """An infinite sequence of random points, one coordinate per name."""
    draw = random.Random(seed)
    weights = list(accumulate(mode[0] for mode in _MODES))
    while True:
        _, low, high, sign = draw.choices(_MODES, cum_weights=weights)[0]
        yield tuple([_number(draw, low, high, sign) for _ in names])


def moderate(names: Sequence[str], seed: int) -> Iterator[Point]:
    """An infinite sequence of points from 1/8 to 8 in size, for a claim whose rounding errors are not known.

    The first ones are short, since one of these points may be shown.
    """
    draw = random.Random(f"moderate {seed}")
    for values in (_POSITIVE, _SIGNED):
        for value in values:
            yield (value, *[draw.choice(values) for _ in names[1:]])
    while True:
        sign = draw.getrandbits(1)
        yield tuple([_number(draw, -3, 3, sign) for _ in names])


def _number(draw: random.Random, low: int, high: int, sign: int) -> float:
    size = math.ldexp(1 + draw.getrandbits(52) / 2**52, draw.randint(low, high - 1))
    return size if sign or draw.getrandbits(1) else -size


def near(centres: Sequence[Point], seed: int) -> Iterator[Point]:
    """An infinite sequence of points around the given ones, at all distances, since a domain may be narrow."""
    draw = random.Random(f"near {seed}")
    while True:
        point = list(draw.choice(centres))
        for k in [draw.randrange(len(point))] if draw.getrandbits(1) else range(len(point)):
            part = math.ldexp(1.0, -draw.randrange(24))
            point[k] += part * (draw.random() - 0.5) * draw.choice((point[k], point[k], 1.0))
        yield tuple(point)


def special(names: Sequence[str], seed: int) -> list[Point]:
    """Points with a special value in all coordinates; then in a single one, the others moderate and random."""
    draw = random.Random(f"special {seed}")
    special_points = [tuple([value] * len(names)) for value in SPECIAL]
    if len(names) > 1:
        for k in range(min(len(names), 20)):
            for value in SPECIAL:
                point = [_number(draw, -2, 2, 0) for _ in names]
                point[k] = value
                special_points.append(tuple(point))
    return special_points


# Edges: kinks, poles and ends of domains.


def _switches(roots: Iterable[Expr]) -> list[Expr]:
    """Expressions that change sign at the edges of the functions in ``roots``, at most `_SWITCHES`."""
    switches: dict[Expr, None] = {}
    for e in reachable(roots):
        row = TABLE.get(e.op)
        if e.variables and row is not None and row.edges is not None:
            switches.update(dict.fromkeys(edge for edge in row.edges(*e.args) if edge.variables))
    return list(switches)[:_SWITCHES]


def edges(roots: Iterable[Expr], names: Sequence[str], seed: int) -> list[Point]:
    """Adjacent doubles on both sides of the edges of an expression, found by bisection along the axes.

    The search stops at a quarter of the work limit.
    """
    draw = random.Random(f"edges {seed}")
    neighbours: dict[Point, None] = {}
    with suppress(SpentError), within(part=1 / 4):
        for switch in _switches(roots):
            sign = _sign(switch, names)
            for _ in range(_BASES):
                base = [_number(draw, -2, 2, 0) for _ in names]
                used = variables(switch)
                for k in (names.index(v) for v in draw.sample(used, min(len(used), 3))):
                    along = sorted({*SPECIAL, *[_number(draw, -3, 3, 0) for _ in range(6)]})
                    for change in _changes(sign, base, k, along):
                        neighbours.update(dict.fromkeys(change))
    return list(neighbours)


def _sign(switch: Expr, names: Sequence[str]) -> Callable[[Sequence[float]], float]:
    """A function that returns the sign of ``switch`` at a point: -1, 0 or 1, and -2 for nan."""
    program = build([apply("where", apply("gt", switch, ZERO), ONE, apply("sign", switch))], [names])
    evaluate, steps = scalar.function(program, names), program.operations / NUMBERS

    def sign(point: Sequence[float]) -> float:
        spend(steps)
        value = evaluate(*point)
        return -2.0 if value != value else float(value)

    return sign


def _changes(
    sign: Callable[[Sequence[float]], float], base: Sequence[float], k: int, along: Sequence[float]
) -> Iterator[list[Point]]:
    """The points around the first two sign changes on the axis ``k`` through ``base``, between values ``along``."""

    def at(x: float) -> Point:
        return (*base[:k], x, *base[k + 1 :])

    signs = [sign(at(x)) for x in along]
    steps = zip(along, along[1:], signs, signs[1:], strict=False)
    changes = [(a, b, before) for a, b, before, after in steps if before != after]
    # Changes near 0 first: far from 0 an argument is rounded so much that nothing can be said beside an edge.
    for a, b, before in sorted(changes, key=lambda change: max(abs(change[0]), abs(change[1])))[:_CHANGES]:
        low, high = _rank(a), _rank(b)
        while high - low > 1:
            middle = (low + high) // 2
            if sign(at(_double(middle))) == before:
                low = middle
            else:
                high = middle
        yield [at(_double(rank)) for rank in (low, high, high + 1) if abs(_double(rank)) < math.inf]


def _rank(x: float) -> int:
    """The position of a double in the order of all doubles: adjacent doubles have consecutive ranks."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def _double(rank: int) -> float:
    """The double with this rank."""
    size: float = struct.unpack("<d", struct.pack("<q", abs(rank)))[0]
    return size if rank >= 0 else -size
