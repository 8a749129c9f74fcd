"""Hard places of an output within two standard uncertainties of a point: edges, kinks and jumps.

The places are where a distance of `calculus.hazards` is 0 on lines through the point; what each of them is, values of
the output beside it tell. Layer: must not know how uncertainties are propagated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from gradcli.calculus.hazards import hazards
from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.expr import Expr, variables

REACH = 2.0
"""Standard uncertainties from the point."""
_STEPS = 16
"""Samples of a line on either side."""
_HAZARDS, _INPUTS = 64, 16
"""Distances, and inputs, beyond which no place is looked for: a flag is a help, not a proof."""
_NEAR = 1e-3
"""How far beside a place the output is looked at, in standard uncertainties."""
_EPS = 2.0**-52


class Line(NamedTuple):
    """A line through a point: ``steps`` by input, in its unit, for a parameter of 1."""

    point: Mapping[str, float]
    steps: Mapping[str, float]

    def at(self, s: float) -> dict[str, float]:
        """Return the point of the line at a parameter."""
        return {name: value + s * self.steps.get(name, 0.0) for name, value in self.point.items()}


Values = Callable[[Line, Sequence[float]], list[list[float]]]
"""The values of expressions along a line: a list for each expression, a number for each parameter."""


def hard_places(e: Expr, point: Mapping[str, float], u: Mapping[str, float]) -> Iterator[tuple[str, float, Line]]:
    """Yield the kind of each place near a point, edge, kink or jump, its parameter and the line on which it lies.

    ``e`` has no ``diff`` inside; ``point``: its variables; ``u``: standard uncertainties of some of them, in their
    units. A parameter of 1 is one standard uncertainty of the distance along its gradient, or of one input.

    >>> from gradcli.expr import apply, var
    >>> [(kind, s) for kind, s, line in hard_places(apply("abs", var("x")), {"x": 0.5}, {"x": 0.5})]
    [('kink', -1.0)]
    """
    uncertain = {name: width for name, width in u.items() if width > 0}
    found = hazards([e])
    distances = [
        d for d in dict.fromkeys([*found.ties, *found.singular]) if not uncertain.keys().isdisjoint(variables(d))
    ]
    numbers = [*point.values(), *uncertain.values()]
    if not distances or len(distances) > _HAZARDS or len(uncertain) > _INPUTS or not all(map(math.isfinite, numbers)):
        return
    point = {name: point[name] for name in point}
    distance_values, output = _values(distances, [*point]), _values([e], [*point])
    axes = {name: Line(point, {name: width}) for name, width in uncertain.items()}
    beside = {name: distance_values(line, (-1.0, 1.0)) for name, line in axes.items()}
    for k, d in enumerate(distances):
        own = set(variables(d))
        slopes = {name: (pair[k][1] - pair[k][0]) / 2 for name, pair in beside.items() if name in own}
        lines = [axes[name] for name in slopes]
        size = math.hypot(*slopes.values())
        if len(lines) > 1 and 0 < size < math.inf:
            lines.append(Line(point, {name: uncertain[name] * (slope / size) for name, slope in slopes.items()}))
        for line in lines:
            for s in _zeros(partial(_along, distance_values, line, k)):
                kind = _kind(partial(_along, output, line, 0), s)
                if kind:
                    yield kind, s, line


def _values(roots: Sequence[Expr], names: Sequence[str]) -> Values:
    program = build(roots, [[*names]])
    kernel = scalar.kernel(program)

    def values(line: Line, where: Sequence[float]) -> list[list[float]]:
        columns = {name: [value + s * line.steps.get(name, 0.0) for s in where] for name, value in line.point.items()}
        outs: list[list[float]] = [[0.0] * len(where) for _ in roots]
        kernel([columns[name] for name, _ in program.inputs], outs, (len(where),))
        return [list(map(float, column)) for column in outs]

    return values


def _along(values: Values, line: Line, k: int, where: Sequence[float]) -> list[float]:
    """The values of one of the expressions along a line."""
    return values(line, where)[k]


def _zeros(distance: Callable[[Sequence[float]], list[float]]) -> Iterator[float]:
    """Yield parameters at which a distance is 0, by its sign at samples, and where its size touches 0."""
    where = [REACH * k / _STEPS for k in range(-_STEPS, _STEPS + 1)]
    values = distance(where)
    for k, value in enumerate(values):
        if value == 0:
            yield where[k]
        elif k and value * values[k - 1] < 0:
            yield _bisected(distance, where[k - 1], where[k], values[k - 1] > 0)
        elif 0 < k < len(values) - 1 and _turns(values[k - 1 : k + 2]):
            s, least = _least(distance, where[k - 1], where[k + 1])
            if least <= 1e-6 * abs(value) or least <= 1e-9 * max(map(abs, values[k - 1 : k + 2])):
                yield s


def _turns(values: Sequence[float]) -> bool:
    before, value, after = map(abs, values)
    same = (values[0] > 0) == (values[1] > 0) == (values[2] > 0)
    # Between samples |s| is at most a quarter of the sum of its neighbours, and s**2 a tenth.
    return same and 0 < value <= min(before, after) and value <= 0.3 * (before + after)


def _bisected(distance: Callable[[Sequence[float]], list[float]], low: float, high: float, positive: bool) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        value = distance((middle,))[0]
        if value == 0:
            return middle
        if (value > 0) == positive:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _least(distance: Callable[[Sequence[float]], list[float]], low: float, high: float) -> tuple[float, float]:
    """The least size of a distance between two parameters, and where, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        left, right = map(abs, distance((a, b)))
        if left < right:
            high = b
        else:
            low = a
    middle = (low + high) / 2
    return middle, abs(distance((middle,))[0])


def _kind(output: Callable[[Sequence[float]], list[float]], s: float) -> str:
    """What an output has at a parameter, by its values beside it: edge, jump or kink, "" where it is smooth.

    What is there to stay does not shrink as the samples come nearer, as the differences of a smooth function do.
    """
    h, near = _NEAR, _NEAR / 16
    offsets = (near, 2 * near, h, 2 * h)
    right, left = output([s + t for t in offsets]), output([s - t for t in offsets])
    values = [*right, *left]
    if not all(map(math.isfinite, values)):
        return "edge" if any(map(math.isfinite, values)) else ""
    noise = 256 * _EPS * max(map(abs, values))
    if any(abs(side[0]) > 1.5 * abs(side[2]) > 1.5 * noise for side in (right, left)):
        return "edge"
    across, wider = abs(right[0] - left[0]), abs(right[2] - left[2])
    beside = abs(right[0] - right[2]) + abs(left[0] - left[2])
    if across > noise + 4 * beside and across > 0.6 * wider:
        return "jump"
    up, down = (right[1] - right[0]) / near, (left[0] - left[1]) / near
    up_wider, down_wider = (right[3] - right[2]) / h, (left[2] - left[3]) / h
    steep = max(abs(up), abs(down))
    if steep > 2 * noise / near and steep > 4 * max(abs(up_wider), abs(down_wider)):
        return "kink"
    bend, bend_wider = abs(up - down), abs(up_wider - down_wider)
    return "kink" if bend > 2 * noise / near + 1e-3 * steep and bend > 0.6 * bend_wider else ""
