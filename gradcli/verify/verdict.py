"""Claims and the truth at points: what each claim has met there, and the verdict that follows.

The work is counted. Where comparing all claims at once takes too much each is compared alone, and what is too much even
then stays unchecked. Must not know how a check is asked for, nor how verdicts are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from gradcli.calculus.derive import derivatives
from gradcli.calculus.leibniz import derivative_name
from gradcli.calculus.simplify import simplified
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.passes import Plan
from gradcli.expr import Expr, reachable, readable, text, var, variables
from gradcli.job.request import Facts, How
from gradcli.job.result import Result
from gradcli.limits.work import NUMBERS, SpentError, ahead, spend, within
from gradcli.verify import compare, sample
from gradcli.verify.claims import Claim
from gradcli.verify.compare import Compared, Point, Probe, Tolerance

POINTS, THOROUGH = 200, 4000
"""How many points each claim is compared at, unless asked otherwise."""
_ROUNDS, _BATCH = 6, 4
_INSIDE = 200
_SUSPECTS = 48
"""Points at which a claim seems wrong that are looked at closely."""
_ENOUGH = 8
"""Points at which a claim is wrong, once it is surely so, from which the simplest is sought."""
_FEW = 10
"""Comparisons with 0 that have to hold where there are no others."""
SPENT = "the work that a check may take is done"
"""How the reason begins where that is why."""
_NODE = 100
"""Steps that a node of a claim or of the truth takes at least."""
_COUNTED = 4096
"""Points of a grid whose work is counted: that of more grows with what is asked for, not with the expression."""
_OPERATIONS = {"scalar": NUMBERS, "vector": 64, "native": 64}
"""Operations of an engine that are one step."""
_LINE = 400
"""Characters of a formula, and its operations, that anybody reads in a report."""


class Example(NamedTuple):
    """A point where a claim is wrong: both values, and what all such points have in common, in words."""

    point: dict[str, float]
    claimed: float
    true: float
    pattern: str


class Verdict(NamedTuple):
    """``status`` is agrees, disagrees or unchecked, then ``reason`` says why.

    ``same``: the graphs are one. ``compared`` points told something; the claim was on one side of the derivative's jump
    at ``kinks`` of them, had no value at ``holes``; ``outside`` are beyond the domain. ``ulps``: the most they differ.
    ``asked``: a tolerance was given.
    """

    claim: Claim
    status: str
    same: bool = False
    compared: int = 0
    kinks: int = 0
    holes: int = 0
    outside: int = 0
    ulps: float = 0.0
    example: Example | None = None
    reason: str = ""
    asked: bool = False

    @property
    def truth(self) -> str:
        """The true derivative as a person would write it, or its beginning."""
        e = self.claim.truth
        if len(reachable([e])) > _LINE:
            return f"an expression of more than {_LINE} operations"
        return text(simplified([e])[0], _LINE)


class Tally:
    """What one claim has met so far."""

    def __init__(self, claim: Claim) -> None:
        self.claim, self.columns = claim, compare.columns(claim)
        self.telling = self.quiet = self.outside = self.unsure = 0
        self.ulps = 0.0
        self.zero = True
        self.suspects: list[Point] = []
        self.inside: list[Point] = []
        self.hazy: list[Point] = []

    def add(self, found: Compared, at: Sequence[Any], *, plain: bool) -> None:
        """One block of points, whose coordinates are ``at``.

        ``plain``: of those that seem wrong the smallest are kept.
        """
        verdict, telling, zero, claimed, true = found
        agrees = (verdict == compare.AGREES) & np.isfinite(true)
        said = agrees & telling
        self.telling += int(np.count_nonzero(said))
        self.quiet += int(np.count_nonzero(agrees & ~telling))
        self.outside += int(np.count_nonzero(verdict == compare.OUTSIDE))
        self.unsure += int(np.count_nonzero(verdict == compare.UNSURE))
        self.zero = self.zero and bool(np.all(zero, where=agrees))
        if said.any():
            c, t = claimed[said], true[said]
            with np.errstate(all="ignore"):
                apart = np.abs(c - t) / np.abs(np.spacing(t))
            self.ulps = max(self.ulps, float(np.max(apart)))
        wrong = np.flatnonzero(np.isin(verdict, compare.WRONG))
        if plain and len(wrong) > 1 and at:
            wrong = wrong[np.argsort(sum(np.abs(np.asarray(column)[wrong]) for column in at), kind="stable")]
        for places, points, most in (
            (np.flatnonzero(agrees), self.inside, _INSIDE),
            (wrong, self.suspects, _SUSPECTS),
            (np.flatnonzero(verdict == compare.HAZY), self.hazy, _SUSPECTS),
        ):
            for k in places[: most - len(points)]:
                points.append(tuple([float(column[k]) for column in at]))


class Check:
    """``grid``: the points asked for; without one they are chosen. ``wanted`` points are enough for a claim."""

    def __init__(
        self, names: Sequence[str], outputs: dict[str, Expr], claims: Sequence[Claim], *, seed: int = 0,
        wanted: int = POINTS, tolerance: Tolerance | None = None, how: How | None = None,
    ) -> None:  # fmt: skip
        self.variables, self.outputs, self.claims = names, outputs, claims
        self.seed, self.wanted = seed, wanted
        self.tolerance, self.how = tolerance or Tolerance(), how or How()
        self.grid: Grid | None = None
        self.data = list(dict.fromkeys(variables(c.claimed)[0] for c in claims if c.column))
        self.names = list(dict.fromkeys([*names, *self.data]))

    def verdicts(self) -> list[Verdict]:
        """One on every claim, as far as the work allowed goes: all together takes half of it at most."""
        same = [not c.column and _one_graph(c) for c in self.claims]
        left = [c for c, one in zip(self.claims, same, strict=True) if not one]
        found = None
        if len(left) != 1:
            with suppress(SpentError), within(part=1 / 2):
                found = self._together(left)
        if found is None:
            found = [self._alone(claim, 1 / 2 if len(left) == 1 else 1 / 8) for claim in left]
        others = iter(found)
        return [
            Verdict(c, "agrees", same=True) if one else next(others) for c, one in zip(self.claims, same, strict=True)
        ]

    def _together(self, claims: Sequence[Claim]) -> list[Verdict]:
        ahead(_NODE * len(reachable([e for c in claims for e in (c.claimed, c.truth)])))
        tallies = list(map(Tally, claims))
        if self.grid is not None:
            self.blocks(self.grid, tallies)
        elif tallies:
            self.choose(tallies)
        return [_judged(self, tally) for tally in tallies]

    def _alone(self, claim: Claim, part: float) -> Verdict:
        try:
            with within(part=part):
                return self._together([claim])[0]
        except SpentError:
            sizes = [len(reachable([e])) for e in (claim.claimed, claim.truth)]
            reason = f"{SPENT}: the claim has {sizes[0]:,} operations, the derivative {sizes[1]:,}"
            return Verdict(claim, "unchecked", reason=reason)

    def blocks(self, grid: Grid, tallies: Sequence[Tally]) -> None:
        """Compare all claims at all points of a grid."""
        outputs = [*map(var, self.names), *[e for t in tallies for e in t.columns]]
        width = len(self.names)
        result = computed(outputs, grid, self.how)
        spend(result.steps * min(grid.size, _COUNTED) / _OPERATIONS[result.engine])
        for block in result.blocks:
            for k, tally in enumerate(tallies):
                first = width + compare.WIDTH * k
                found = compare.compared(tally.claim, block[first : first + compare.WIDTH], self.tolerance)
                tally.add(found, block[:width], plain=self.grid is not None)

    def choose(self, tallies: Sequence[Tally]) -> None:
        """At points that are chosen."""
        if not self.names:
            self.blocks(Grid([]), tallies)
            return
        wanted, seed = self.wanted, self.seed
        roots = [e for t in tallies for e in (t.claim.claimed, t.claim.truth)] + list(self.outputs.values())
        first = [*sample.special(self.names, seed), *sample.edges(roots, self.names, seed)]
        plenty = sample.points(self.names, seed)
        for k in range(_ROUNDS):
            live = [t for t in tallies if t.telling < wanted and len(t.suspects) < _SUSPECTS]
            if not live:
                break
            batch = [*islice(plenty, wanted if k else 2 * wanted), *(first if not k else ())]
            for t in live:
                if k and t.inside:
                    batch += islice(sample.near(t.inside, seed + k), _BATCH * wanted // len(live))
            self.blocks(_at(self.names, batch), live)


def computed(exprs: Sequence[Expr], grid: Grid, how: How | None = None) -> Result:
    """The values of expressions over a grid, a column each."""
    names = [str(k) for k in range(len(exprs))]
    return Result(Plan(exprs, grid, reductions=False), names, 0, Facts({}, [], 0), how or How(), matrix=False)


def _at(names: Sequence[str], points: Sequence[Point]) -> Grid:
    return Grid([Axis(names, [Values(column) for column in zip(*points, strict=True)])])


def expanded(grid: Grid, names: Sequence[str], filled: dict[str, Expr]) -> Grid:
    """The points of a grid of which a shape fills variables, with their values."""
    exprs = [filled.get(name, var(name)) for name in names]
    whole = computed(exprs, grid).whole()
    return _at(names, list(zip(*[[float(x) for x in column] for column in whole], strict=True)))


def _one_graph(claim: Claim) -> bool:
    if claim.claimed is claim.truth:
        return True
    a, b = readable([claim.claimed, claim.truth])
    return a is b


def _judged(check: Check, tally: Tally) -> Verdict:
    claim = tally.claim
    kinks = holes = overflows = 0
    wrong: list[Point] = []
    # Where something told the two apart, or together, what is unclear elsewhere says nothing.
    suspects = [*tally.suspects, *([] if tally.telling else tally.hazy)]
    if suspects:
        probe = Probe(claim, tally.columns, check.names, check.tolerance)
        for point in suspects:
            if len(wrong) == _ENOUGH:
                break
            failure = probe.failure(point)
            if failure == "differs":
                wrong.append(point)
            kinks += failure == "kink"
            holes += failure == "hole"
            overflows += failure == "overflow"
        if wrong:
            return Verdict(claim, "disagrees", compared=tally.telling + len(wrong), outside=tally.outside,
                           example=_example(check, probe, wrong), ulps=tally.ulps)  # fmt: skip
    given = check.tolerance.given
    counts = {"kinks": kinks, "holes": holes, "outside": tally.outside, "ulps": tally.ulps, "asked": given}
    if tally.telling or kinks or (given and tally.quiet):
        return Verdict(claim, "agrees", compared=tally.telling or tally.quiet, **counts)  # type: ignore[arg-type]
    if tally.quiet and (tally.zero and (tally.quiet >= _FEW or not check.names)):
        return Verdict(claim, "agrees", compared=tally.quiet, **counts)  # type: ignore[arg-type]
    return Verdict(claim, "unchecked", reason=_reason(tally, overflows + holes), **counts)  # type: ignore[arg-type]


def _reason(tally: Tally, infinite: int) -> str:
    if infinite:
        return f"the claim has no finite value at any of the points ({infinite})"
    if tally.outside and not (tally.unsure or tally.quiet or tally.hazy):
        return f"the derivative is not finite at any of the points ({tally.outside})"
    if tally.quiet or tally.unsure or tally.hazy:
        return "rounding could hide any difference at all of the points: --rtol or --atol decide otherwise"
    return "there are no points to compare at"


def _example(check: Check, probe: Probe, wrong: Sequence[Point]) -> Example:
    claim = probe.claim
    # Where points are given, it is one of them.
    point = min(wrong, key=compare.plainness) if check.grid is not None else probe.simplest(wrong)
    here = probe([point])
    found = probe(wrong)
    places = np.flatnonzero(found.verdict == compare.DIFFERS).tolist()
    pairs = list(zip(found.claimed[places].tolist(), found.true[places].tolist(), strict=True))
    said = compare.pattern(pairs, _others(check, claim, [wrong[k] for k in places]) if len(pairs) > 1 else {})
    told = check.variables if claim.column else {*variables(claim.truth), *variables(claim.claimed)}
    shown = {name: x for name, x in zip(check.names, point, strict=True) if name in told}
    return Example(shown, float(here.claimed[0]), float(here.true[0]), said)


def _others(check: Check, claim: Claim, points: Sequence[Point]) -> dict[str, list[float]]:
    """The values of the output and its first derivatives, for one who took one for the other."""
    root = check.outputs[claim.output]
    found = {derivative_name(claim.output, check.variables, ()): root}
    for partial, e in derivatives(root, check.variables, 1).items():
        found[derivative_name(claim.output, check.variables, partial)] = e
    found.pop(claim.name, None)
    if not found or not check.names:
        return {}
    values = computed(list(found.values()), _at(check.names, points)).whole()
    return {name: [float(x) for x in column] for name, column in zip(found, values, strict=True)}
