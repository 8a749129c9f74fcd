"""Verdicts: compares claims with the truth at points, tallies the comparisons and judges each claim.

The work is counted. If comparing all claims together exceeds the limit, each is compared alone, and one that exceeds it
alone stays unchecked. Layer: must not know how a check is requested, nor how verdicts are printed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import numpy as np

from gradcli.calculus.derive import derivatives
from gradcli.calculus.hazards import hazards
from gradcli.calculus.leibniz import derivative_name
from gradcli.calculus.simplify import simplified
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.passes import Plan
from gradcli.expr import Expr, reachable, readable, text, var, variables
from gradcli.job.choices import How
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Facts
from gradcli.job.result import Result
from gradcli.limits.work import NUMBERS, SpentError, ahead, spend, within
from gradcli.verify import compare, sample
from gradcli.verify.claims import Claim
from gradcli.verify.compare import Tolerance
from gradcli.verify.probe import Point, Probe, plainness
from gradcli.verify.tally import SUSPECTS, Tally
from gradcli.verify.truths import Truths

POINTS, THOROUGH = 200, 4000
"""The number of points for each claim, by default and with --thorough."""
_ROUNDS, _BATCH = 6, 4
_ENOUGH = 8
"""Confirmed wrong points from which the search for the simplest one starts."""
_FEW = 10
"""The comparisons with an exact 0 that must hold if no other comparison is conclusive."""
SPENT = "the work that a check may take is done"
"""The beginning of the reason if the work limit is exceeded."""
_NODE = 100
"""The least number of steps for a node of a claim or of the truth."""
_COUNTED = 4096
"""The points of a grid that count as work: larger grids are the user's choice, not a property of the expression."""
_OPERATIONS = {"scalar": NUMBERS, "vector": 64, "native": 64}
"""Operations of an engine that count as one step."""
_LINE = 400
"""The most characters, and the most operations, of a formula in a report."""


class Example(NamedTuple):
    """A point where a claim is wrong, with both values there and, in words, the error common to all wrong points.

    ``hole``: the operation of the claim that has no value there. ``formula``: whether the true derivative's formula
    has the true value there.
    """

    point: dict[str, float]
    claimed: float
    true: float
    pattern: str
    hole: str = ""
    formula: bool = True


class Verdict(NamedTuple):
    """``status`` is agrees, disagrees or unchecked; ``reason`` explains unchecked.

    ``same``: both graphs are identical. ``compared``: the number of conclusive points; at ``kinks`` points the claim is
    within a jump of the derivative, at ``holes`` it has no value; ``outside`` points are not in the domain. ``ulps``:
    the largest difference. ``tolerance_given``: it replaces the bound on rounding errors. ``hole`` says which operation
    has no value, at ``hole_at``. At ``undecided`` hard points, of which ``undecided_at`` is one, nothing can be said.
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
    tolerance_given: bool = False
    hole: str = ""
    hole_at: Mapping[str, float] = {}
    undecided: int = 0
    undecided_at: Mapping[str, float] = {}

    @property
    def truth(self) -> str:
        """The simplified text of the true derivative, cut at `_LINE` characters."""
        e = self.claim.truth
        if len(reachable([e])) > _LINE:
            return f"an expression of more than {_LINE} operations"
        return text(simplified([e])[0], _LINE)


class Check:
    """A check of claims at the points of ``grid``, or at chosen points if it is None: ``wanted`` of them per claim.

    ``given``: the user gave the points of ``grid``, so that an example is one of the smallest, not of the first ones.
    """

    def __init__(
        self, names: Sequence[str], outputs: dict[str, Expr], claims: Sequence[Claim], *, seed: int = 0,
        wanted: int = POINTS, tolerance: Tolerance | None = None, how: How | None = None,
        typed: Points | None = None,
    ) -> None:  # fmt: skip
        self.variables, self.outputs, self.claims = names, outputs, claims
        self.seed, self.wanted = seed, wanted
        self.tolerance, self.how = tolerance or Tolerance(), how or How()
        self.grid: Grid | None = None
        self.given = True
        self.truths = Truths(names, typed)
        self.data = list(dict.fromkeys(variables(c.claimed)[0] for c in claims if c.column))
        self.names = list(dict.fromkeys([*names, *self.data]))

    def verdicts(self) -> list[Verdict]:
        """A verdict on every claim. Comparing all claims together takes at most half of the work limit."""
        same = [c for c in self.claims if not c.column and _same_graph(c)]
        # A formula may be wrong at a decision, as that of the branch taken at a single point is.
        settled = [c for c in same if not c.partial or not hazards([c.root]).ties]
        claims = [c for c in self.claims if c not in settled]
        verdicts = None
        if len(claims) != 1:
            with suppress(SpentError), within(part=1 / 2):
                verdicts = self._together(claims)
        if verdicts is None:
            verdicts = [self._alone(claim, 1 / 2 if len(claims) == 1 else 1 / 8) for claim in claims]
        others = iter(verdicts)
        every = [Verdict(c, "agrees", same=True) if c in settled else next(others) for c in self.claims]
        return [_of_same(v) if v.claim in same else v for v in every]

    def _together(self, claims: Sequence[Claim]) -> list[Verdict]:
        ahead(_NODE * len(reachable([e for c in claims for e in (c.claimed, c.truth)])))
        tallies = list(map(Tally, claims))
        if self.grid is not None:
            self.blocks(self.grid, tallies)
        elif tallies:
            self.choose(tallies)
        return [_verdict(self, tally) for tally in tallies]

    def _alone(self, claim: Claim, part: float) -> Verdict:
        try:
            with within(part=part):
                return self._together([claim])[0]
        except SpentError:
            sizes = [len(reachable([e])) for e in (claim.claimed, claim.truth)]
            reason = f"{SPENT}: the claim has {sizes[0]:,} operations, the derivative {sizes[1]:,}"
            return Verdict(claim, "unchecked", reason=reason)

    def blocks(self, grid: Grid, tallies: Sequence[Tally]) -> None:
        """Compare all claims at all points of a grid, block by block."""
        outputs = [*map(var, self.names), *[e for t in tallies for e in t.columns]]
        width = len(self.names)
        result = computed(outputs, grid, self.how)
        spend(result.steps * min(grid.size, _COUNTED) / _OPERATIONS[result.engine])
        for block in result.blocks:
            for k, tally in enumerate(tallies):
                first = width + compare.WIDTH * k
                comparison = compare.compared(tally.claim, block[first : first + compare.WIDTH], self.tolerance)
                tally.add(comparison, block[:width], smallest=self.grid is not None and self.given)

    def choose(self, tallies: Sequence[Tally]) -> None:
        """Compare all claims at chosen points, in rounds, until each has enough conclusive or enough wrong points."""
        if not self.names:
            self.blocks(Grid([]), tallies)
            return
        wanted, seed = self.wanted, self.seed
        roots = [e for t in tallies for e in (t.claim.claimed, t.claim.truth)] + list(self.outputs.values())
        first = [*sample.special(self.names, seed), *sample.edges(roots, self.names, seed)]
        random_points = sample.points(self.names, seed)
        for k in range(_ROUNDS):
            unfinished = [t for t in tallies if t.conclusive < wanted and len(t.suspects) < SUSPECTS]
            if not unfinished:
                break
            batch = [*islice(random_points, wanted if k else 2 * wanted), *(first if not k else ())]
            for t in unfinished:
                if k and t.inside:
                    batch += islice(sample.near(t.inside, seed + k), _BATCH * wanted // len(unfinished))
            self.blocks(_grid(self.names, batch), unfinished)


def computed(exprs: Sequence[Expr], grid: Grid, how: How | None = None) -> Result:
    """The values of expressions over a grid, one column per expression."""
    names = [str(k) for k in range(len(exprs))]
    return Result(Plan(exprs, grid, reductions=False), names, 0, Facts({}, [], 0), how or How(), matrix=False)


def _grid(names: Sequence[str], points: Sequence[Point]) -> Grid:
    return Grid([Axis(names, [Values(column) for column in zip(*points, strict=True)])])


def expanded(grid: Grid, names: Sequence[str], filled: dict[str, Expr]) -> Grid:
    """The points of a grid, with the values of ``names``; those in ``filled`` are computed by a shape's rule."""
    exprs = [filled.get(name, var(name)) for name in names]
    columns = computed(exprs, grid).whole()
    return _grid(names, list(zip(*[[float(x) for x in column] for column in columns], strict=True)))


def _same_graph(claim: Claim) -> bool:
    if claim.claimed is claim.truth:
        return True
    a, b = readable([claim.claimed, claim.truth])
    return a is b


def _of_same(verdict: Verdict) -> Verdict:
    """The verdict on a claim that is the formula of the truth: it agrees unless a hard point proves it wrong."""
    return verdict if verdict.status == "disagrees" else Verdict(verdict.claim, "agrees", same=True)


def _verdict(check: Check, tally: Tally) -> Verdict:
    claim = tally.claim
    failures: Counter[str] = Counter()
    at: dict[str, list[Point]] = {}
    wrong: list[Point] = []
    # Overflowing comparisons count only if no other point was conclusive.
    suspects = [*tally.suspects, *tally.hard, *tally.lost, *([] if tally.conclusive else tally.overflows)]
    if suspects:
        probe = Probe(claim, tally.columns, check.names, check.tolerance, check.truths)
        for point in suspects:
            if len(wrong) == _ENOUGH:
                break
            failure = probe.failure(point)
            if failure == "differs":
                wrong.append(point)
            failures[failure] += 1
            at.setdefault(failure, []).append(point)
        if wrong:
            return Verdict(claim, "disagrees", compared=tally.conclusive + len(wrong), outside=tally.outside,
                           example=_example(check, probe, wrong), ulps=tally.ulps)  # fmt: skip
    given = check.tolerance.given
    verdict = Verdict(claim, "unchecked", kinks=failures["kink"], holes=failures["hole"], outside=tally.outside,
                      ulps=tally.ulps, tolerance_given=given, undecided=failures["undecided"])  # fmt: skip
    if "hole" in at:
        point = min(at["hole"], key=plainness)
        verdict = verdict._replace(hole=probe.birth(point), hole_at=_coordinates(check, claim, point))
    if "undecided" in at:
        point = min(at["undecided"], key=plainness)
        verdict = verdict._replace(undecided_at=_coordinates(check, claim, point))
    conclusive = tally.conclusive + failures["agrees"]
    enough = given or (tally.zero and (tally.inconclusive >= _FEW or not check.names))
    if conclusive or verdict.kinks or (tally.inconclusive and enough):
        compared = conclusive + (tally.inconclusive if enough else 0)
        return verdict._replace(status="agrees", compared=compared)
    return verdict._replace(reason=_reason(tally, failures))


def _reason(tally: Tally, failures: Mapping[str, int]) -> str:
    infinite = failures["overflow"] + failures["hole"]
    if failures["undecided"]:
        return "the derivative could not be decided"
    if infinite and not tally.inconclusive:
        return f"the claim has no finite value at any of the points ({infinite})"
    unsure = tally.unsure or tally.inconclusive or tally.overflows or failures["unsure"]
    if tally.outside and not unsure:
        return f"the derivative is not finite at any of the points ({tally.outside})"
    if unsure:
        return "rounding could hide any difference at all of the points: --rtol or --atol decide otherwise"
    return "there are no points to compare at"


def _example(check: Check, probe: Probe, wrong: Sequence[Point]) -> Example:
    claim = probe.claim
    # The example is one of the given points, if points are given.
    point = min(wrong, key=plainness) if check.grid is not None else probe.simplest(wrong)
    here = probe([point], careful=True)
    comparisons = probe(wrong, careful=True)
    differing = np.flatnonzero(comparisons.verdict == compare.DIFFERS).tolist()
    pairs = list(zip(comparisons.claimed[differing].tolist(), comparisons.true[differing].tolist(), strict=True))
    others = _other_derivatives(check, claim, [wrong[k] for k in differing]) if len(pairs) > 1 else {}
    claimed, true = float(here.claimed[0]), float(here.true[0])
    hole = "" if math.isfinite(claimed) or claim.column else probe.birth(point)
    pattern = compare.pattern(pairs, others)
    return Example(_coordinates(check, claim, point), claimed, true, pattern, hole, probe.by_formula(point))


def _coordinates(check: Check, claim: Claim, point: Point) -> dict[str, float]:
    used = check.variables if claim.column else {*variables(claim.truth), *variables(claim.claimed)}
    return {name: x for name, x in zip(check.names, point, strict=True) if name in used}


def _other_derivatives(check: Check, claim: Claim, points: Sequence[Point]) -> dict[str, list[float]]:
    """The values of the output and its first derivatives at points, to recognize a claim of the wrong derivative."""
    root = check.outputs[claim.output]
    partials = {(): root, **derivatives(root, check.variables, 1)}
    others = {derivative_name(claim.output, check.variables, partial): e for partial, e in partials.items()}
    others.pop(claim.name, None)
    if not others or not check.names:
        return {}
    values = computed(list(others.values()), _grid(check.names, points)).whole()
    return {name: [float(x) for x in column] for name, column in zip(others, values, strict=True)}
