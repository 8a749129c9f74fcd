"""Points where mistakes show, for expressions that came without any: random ones, and those where formulas change.

Random doubles of all sizes, moderate ones preferred; 0, -0, 1, -1, the tiny and the huge; neighbours of every kink,
pole and end of a domain that a search along the axes meets. The same seed gives the same points, on every machine.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.expr import ONE, ZERO, Expr, apply, reachable, variables
from gradcli.functions import TABLE
from gradcli.limits.work import NUMBERS, SpentError, spend, within

Point = tuple[float, ...]

SPECIAL = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 10.0, -0.0, 1e-5, -1e-5, 1e-160, 1e5, -1e5, 1e160, 5e-324,
           1.7976931348623157e308)  # fmt: skip
_MODES: tuple[tuple[int, int, int, int], ...] = (
    # weight, exponents of 2 from and to, signs (0: any, 1: positive)
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
_BASES = 3
_CHANGES = 4
"""Most changes of an edge that are followed along one line."""


def points(names: Sequence[str], seed: int) -> Iterator[Point]:
    """Random points without end."""
    draw = random.Random(seed)
    weights = [mode[0] for mode in _MODES]
    while True:
        _, low, high, sign = draw.choices(_MODES, weights)[0]
        yield tuple([_number(draw, low, high, sign) for _ in names])


def _number(draw: random.Random, low: int, high: int, sign: int) -> float:
    size = math.ldexp(1 + draw.getrandbits(52) / 2**52, draw.randint(low, high - 1))
    return size if sign or draw.getrandbits(1) else -size


def near(given: Sequence[Point], seed: int) -> Iterator[Point]:
    """Points without end beside given ones, far and close: a domain may be narrow."""
    draw = random.Random(f"near {seed}")
    while True:
        point = list(draw.choice(given))
        for k in [draw.randrange(len(point))] if draw.getrandbits(1) else range(len(point)):
            part = math.ldexp(1.0, -draw.randrange(24))
            point[k] += part * (draw.random() - 0.5) * draw.choice((point[k], point[k], 1.0))
        yield tuple(point)


def special(names: Sequence[str], seed: int) -> list[Point]:
    """The same special number everywhere; then one of them in one place, among moderate ones."""
    draw = random.Random(f"special {seed}")
    found = [tuple([value] * len(names)) for value in SPECIAL]
    if len(names) > 1:
        for k in range(min(len(names), 20)):
            for value in SPECIAL:
                point = [_number(draw, -2, 2, 0) for _ in names]
                point[k] = value
                found.append(tuple(point))
    return found


# Kinks, poles and ends of domains.


def _switches(roots: Iterable[Expr]) -> list[Expr]:
    """Expressions that change sign where a function below ``roots`` changes its form."""
    found: dict[Expr, None] = {}
    for e in reachable(roots):
        row = TABLE.get(e.op)
        if e.variables and row is not None and row.edges is not None:
            found.update(dict.fromkeys(edge for edge in row.edges(*e.args) if edge.variables))
    return list(found)[:_SWITCHES]


def edges(roots: Iterable[Expr], names: Sequence[str], seed: int) -> list[Point]:
    """Neighbouring doubles on both sides of places where an expression changes its form, and between them.

    Fewer places where looking for more would take a quarter of the work allowed.
    """
    draw = random.Random(f"edges {seed}")
    found: dict[Point, None] = {}
    with suppress(SpentError), within(part=1 / 4):
        for end in _switches(roots):
            state = _state(end, names)
            for _ in range(_BASES):
                base = [_number(draw, -2, 2, 0) for _ in names]
                inside = variables(end)
                for k in (names.index(v) for v in draw.sample(inside, min(len(inside), 3))):
                    along = sorted({*SPECIAL, *[_number(draw, -3, 3, 0) for _ in range(6)]})
                    for pair in _changes(state, base, k, along):
                        found.update(dict.fromkeys(pair))
    return list(found)


def _state(end: Expr, names: Sequence[str]) -> Callable[[Sequence[float]], float]:
    program = build([apply("where", apply("gt", end, ZERO), ONE, apply("sign", end))], [names])
    value = scalar.function(program, names)

    def state(point: Sequence[float]) -> float:
        spend(program.length / NUMBERS)
        found = value(*point)
        return -2.0 if found != found else float(found)

    return state


def _changes(
    state: Callable[[Sequence[float]], float], base: Sequence[float], k: int, along: Sequence[float]
) -> Iterator[list[Point]]:
    def at(x: float) -> Point:
        return (*base[:k], x, *base[k + 1 :])

    states = [state(at(x)) for x in along]
    steps = zip(along, along[1:], states, states[1:], strict=False)
    changes = [(a, b, before) for a, b, before, after in steps if before != after]
    # Far from 0 an argument is rounded so much that nothing can be said beside an edge.
    for a, b, before in sorted(changes, key=lambda change: max(abs(change[0]), abs(change[1])))[:_CHANGES]:
        low, high = _ordered(a), _ordered(b)
        while high - low > 1:
            middle = (low + high) // 2
            if state(at(_double(middle))) == before:
                low = middle
            else:
                high = middle
        yield [at(_double(place)) for place in (low, high, high + 1) if abs(_double(place)) < math.inf]


def _ordered(x: float) -> int:
    """Doubles as integers in the same order."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def _double(place: int) -> float:
    found: float = struct.unpack("<d", struct.pack("<q", abs(place)))[0]
    return found if place >= 0 else -found
