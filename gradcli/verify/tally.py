"""The counts of the comparisons of a claim, and the points that are examined closely.

Layer: must not know how a point is examined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.verify import compare
from gradcli.verify.claims import Claim
from gradcli.verify.compare import Compared
from gradcli.verify.probe import Point

INSIDE = 200
"""The most points in the domain kept as centres of further points."""
SUSPECTS = 48
"""The most points kept at which a claim seems wrong; each is examined closely."""
HARD = 16
"""The most hard points kept of those that are chosen; of given ones as many as of suspects."""
LOST = 16
"""The most points kept at which rounding errors of the derivative's own formula hide a difference."""


class Tally:
    """The counts of comparisons of one claim so far, and the points kept for closer examination."""

    def __init__(self, claim: Claim) -> None:
        self.claim, self.columns = claim, compare.columns(claim)
        self.conclusive = self.inconclusive = self.outside = self.unsure = 0
        self.ulps = 0.0
        self.zero = True
        self.suspects: list[Point] = []
        self.inside: list[Point] = []
        self.overflows: list[Point] = []
        self.hard: list[Point] = []
        self.lost: list[Point] = []

    def add(self, block: Compared, at: Sequence[Any], *, smallest: bool) -> None:
        """Add the comparisons at a block of points with the coordinates ``at``, one column per name.

        ``smallest``: keep the wrong points of the smallest coordinates instead of the first ones.
        """
        verdict, conclusive, zero, claimed, true, hard, lost = block
        room = SUSPECTS if smallest else HARD
        # Hard points are judged one by one, as many as there is room for.
        judged = np.flatnonzero(hard & ~compare.among(verdict, (*compare.WRONG, compare.OVERFLOWS)))[
            : room - len(self.hard)
        ]
        agrees = (verdict == compare.AGREES) & np.isfinite(true)
        agrees[judged] = False
        certain = agrees & conclusive
        self.conclusive += int(np.count_nonzero(certain))
        self.inconclusive += int(np.count_nonzero(agrees & ~conclusive))
        self.outside += int(np.count_nonzero(verdict == compare.OUTSIDE))
        self.unsure += int(np.count_nonzero(verdict == compare.UNSURE))
        self.zero = self.zero and bool(np.all(zero, where=agrees))
        if certain.any():
            c, t = claimed[certain], true[certain]
            with np.errstate(all="ignore"):
                apart = np.abs(c - t) / np.abs(np.spacing(t))
            self.ulps = max(self.ulps, float(np.max(apart)))
        wrong = np.flatnonzero(compare.among(verdict, compare.WRONG))
        if smallest and len(wrong) > 1 and at:
            wrong = wrong[np.argsort(sum(np.abs(np.asarray(column)[wrong]) for column in at), kind="stable")]
        for indices, points, most in (
            (np.flatnonzero(agrees), self.inside, INSIDE),
            (wrong, self.suspects, SUSPECTS),
            (np.flatnonzero(verdict == compare.OVERFLOWS), self.overflows, SUSPECTS),
            (judged, self.hard, room),
            (np.flatnonzero(lost & ~hard), self.lost, LOST),
        ):
            for k in indices[: most - len(points)]:
                points.append(tuple([float(column[k]) for column in at]))
