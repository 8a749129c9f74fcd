"""Whether expressions are surely not 0 at a point, by ball arithmetic.

Layer: must not know what the expressions stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction

from gradcli.expr import Expr, exact
from gradcli.truth.balls import BallError, arithmetic, number
from gradcli.truth.jets import Jet

_BITS = (128, 1024)


class Distances:
    """Expressions that are 0 at certain points; points and literals mean their exact decimals."""

    def __init__(self, distances: Sequence[Expr]) -> None:
        with arithmetic():
            self._jets = [Jet(e, doubles=False) for e in distances]

    def apart(self, point: Mapping[str, Expr]) -> bool:
        """Whether none is 0 at a point of rational coordinates; False, too, where 1,024 bits do not tell."""
        place = {name: q for name, e in point.items() if (q := exact(e)) is not None}
        return all(place.keys() >= set(jet.variables) and _apart(jet, place) for jet in self._jets)


def _apart(jet: Jet, place: Mapping[str, Fraction]) -> bool:
    for bits in _BITS:
        with suppress(BallError), arithmetic(bits):
            balls = {name: number(q) for name, q in place.items()}
            (ball,) = jet.run(balls, (bits, *place.values()), {})
            if ball > 0 or ball < 0:
                return True
    return False
