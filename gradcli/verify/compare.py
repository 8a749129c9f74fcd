"""Comparison of one claim with the truth at points, and what wrong values have in common.

The tolerance is a bound on the rounding errors of both formulas. Layer: must not know how points are chosen, nor how
verdicts are printed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.compute import trust
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, const, text
from gradcli.job.marks import hazard_mask
from gradcli.verify.claims import Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, ...]

SLACK = 2
"""Factor on the error bounds, which neglect terms of second order."""
_DATA = 16.0
"""Tolerance for data, in error bounds of the truth: the formula that produced the data is unknown."""
_DATA_ULPS = 8.0
"""Tolerance for data, in ulp, in addition to `_DATA`."""
CLOSE = 1e-9
"""Relative difference of numbers that count as equal."""
_CONCLUSIVE = 1e-6
"""A comparison is conclusive if the tolerance is less than this fraction of the values."""
_UNIT = const(Fraction(1, 2**53))


class Tolerance(NamedTuple):
    """The tolerance: the larger of ``atol + rtol*|true|`` and ``max_ulp``; if all are None, the error bound."""

    rtol: float | None = None
    atol: float | None = None
    max_ulp: float | None = None

    @property
    def given(self) -> bool:
        """Whether a tolerance is given, which replaces the rounding error bound."""
        return any(limit is not None for limit in self)


class Compared(NamedTuple):
    """Claimed and true values at points, as arrays of one length. ``verdict``: one of the constants below per point.

    ``conclusive``: rounding cannot hide a difference. ``zero``: one of the two values is 0 without any rounding error.
    ``hard``: the point lies on a hazard of the expression. ``lost``: rounding errors of the truth alone hide a
    difference.
    """

    verdict: NDArray[np.int8]
    conclusive: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    claimed: NDArray[np.float64]
    true: NDArray[np.float64]
    hard: NDArray[np.bool_]
    lost: NDArray[np.bool_]


AGREES, DIFFERS, INFINITE, OUTSIDE, UNSURE, OVERFLOWS, UNDECIDED = range(7)
"""INFINITE: only the claim is not finite; OUTSIDE: the truth is not finite; UNSURE: the error bound is not finite;
OVERFLOWS: only that of the claim is not finite, as after an overflow, and its value differs from the truth; UNDECIDED:
the truth at a hard point cannot be told."""
WRONG = (DIFFERS, INFINITE)


def among(verdicts: NDArray[np.int8], kinds: Sequence[int]) -> NDArray[np.bool_]:
    """Which verdicts are of these kinds; `np.isin` takes five times as long for a few points."""
    found = np.zeros(len(verdicts), dtype=bool)
    for kind in kinds:
        found |= verdicts == kind
    return found


CLAIMED, TRUE, OWN, OTHER, VALUE, MASK = range(6)
WIDTH = 6
"""The `columns`, and their number."""


def bounds(roots: Iterable[Expr], literals: bool = True) -> list[Expr]:
    """An absolute bound on the rounding error of each root, of its decimal ``literals``, too; ZERO for an exact one."""
    return [e if e is ZERO else apply("mul", e, _UNIT) for e in trust.bounds(roots, literals=literals)]


def columns(claim: Claim) -> list[Expr]:
    """The expressions to evaluate for a claim: it, the truth, an error bound of each, the function, its hazards."""
    mask = [*(hazard_mask([claim.root]) if claim.partial else []), ZERO][0]
    return [claim.claimed, claim.truth, *bounds([claim.claimed, claim.truth]), claim.root, mask]


def compared(claim: Claim, values: Sequence[Any], tolerance: Tolerance) -> Compared:
    """Compare a claim with the truth, given the values of its `columns` at points as arrays."""
    claimed, true, own, other, value, mask = (np.asarray(column, dtype=np.float64) for column in values)
    finite = np.isfinite(true) & np.isfinite(value)
    with np.errstate(all="ignore"):
        apart = np.abs(claimed - true)
        ulp = np.abs(np.spacing(true))
        if tolerance.given:
            allowed = (tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * np.abs(true)
            allowed = np.maximum(allowed, (tolerance.max_ulp or 0.0) * ulp)
            conclusive, unsure = finite, np.zeros(len(true), dtype=bool)
            overflows = lost = unsure
        else:
            of_data = _DATA * other + _DATA_ULPS * ulp + claim.rtol * np.abs(true)
            allowed = of_data if claim.column else SLACK * (own + other)
            size = _CONCLUSIVE * np.maximum(np.abs(claimed), np.abs(true))
            conclusive = allowed <= size
            unsure = ~np.isfinite(SLACK * other) | (np.isfinite(claimed) & ~np.isfinite(allowed))
            vague = unsure & np.isfinite(claimed) & np.isfinite(SLACK * other)
            overflows = vague & (apart > np.maximum(SLACK * other, size))
            lost = finite & ~conclusive & (SLACK * own <= size) & (not claim.column)
        agrees = np.where(finite, apart <= allowed, (claimed == true) & np.isfinite(value))
    verdict = np.full(len(true), DIFFERS, dtype=np.int8)
    # The last one that holds counts; a mask each takes a third of the time of `np.select`.
    verdict[agrees] = AGREES
    verdict[~np.isfinite(claimed) & finite] = INFINITE
    verdict[finite & unsure] = UNSURE
    verdict[finite & overflows] = OVERFLOWS
    verdict[~finite & ~agrees] = OUTSIDE
    zero = ((true == 0) & (other == 0)) | ((claimed == 0) & (own == 0))
    return Compared(verdict, conclusive & finite, zero, claimed, true, mask != 0, lost)


def pattern(pairs: Sequence[tuple[float, float]], others: Mapping[str, Sequence[float]]) -> str:
    """The common error of (claimed, true) pairs in words: a factor, a difference, another derivative; "" if none.

    ``others``: the values of other derivatives at the same points, by name.
    """
    if len(pairs) < 2:
        return ""
    if all(t and c for c, t in pairs) and _same(ratios := [c / t for c, t in pairs]):
        if abs(ratios[0] + 1) < CLOSE:
            return "the sign is wrong"
        ratio = _short(ratios[0])
        return f"it is {ratio} times what it should be" if ratio != "1" else ""
    for name, values in others.items():
        if all(abs(c - v) <= CLOSE * abs(v) for (c, _), v in zip(pairs, values, strict=True)):
            return f"it is {name}"
    if _same(apart := [c - t for c, t in pairs]):
        return f"it is {_short(abs(apart[0]))} too {'large' if apart[0] > 0 else 'small'}"
    return ""


def _same(numbers: Sequence[float]) -> bool:
    low, high = min(numbers), max(numbers)
    return math.isfinite(high - low) and high - low <= CLOSE * max(abs(low), abs(high))


def _short(number: float) -> str:
    near = Fraction(number).limit_denominator(1000)
    if near and abs(number) < 1e15 and abs(float(near) - number) <= 1e-12 * abs(number):
        try:
            return text(const(near))
        except GradError:
            pass
    return f"{number:.13g}"
