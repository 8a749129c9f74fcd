"""Is this derivative right? A check -> a verdict on every claim.

Claims are compared with exact derivatives, never with differences: first as graphs, then at points. What may differ
is what rounding can do to both formulas. Must not know how verdicts are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from gradcli.calculus.derive import derivatives
from gradcli.calculus.leibniz import derivative_name
from gradcli.calculus.simplify import simplified
from gradcli.check import chosen
from gradcli.check.claims import Claim, Claims, Place, Texts
from gradcli.check.compare import (
    AGREES,
    DIFFERS,
    HAZY,
    OUTSIDE,
    UNSURE,
    WIDTH,
    WRONG,
    Compared,
    Point,
    Probe,
    Tolerance,
    columns,
    compared,
    pattern,
    plainness,
)  # fmt: skip
from gradcli.compute import engine
from gradcli.compute.grid import Axis, Grid, Values
from gradcli.compute.passes import Plan
from gradcli.errors import GradError, Source
from gradcli.expr import Expr, reachable, readable, text, var, variables
from gradcli.job.points import Points
from gradcli.job.request import POINT_LIMIT, Facts, Rows, Settings, check_size
from gradcli.job.result import Result
from gradcli.job.tables import rows_of

__all__ = ["CheckJob", "Example", "Place", "Report", "Texts", "Tolerance", "Verdict", "differing", "run_check"]

_AS_PAYS = Settings()
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


@dataclass(frozen=True)
class CheckJob:
    """A request. Texts as typed on the command line; without points they are chosen."""

    expressions: Sequence[str | Source]
    texts: Texts = field(default_factory=Texts)
    at: Sequence[str] = ()
    grids: Sequence[str] = ()
    fill: str | None = None
    points: int | None = None
    seed: int = 0
    thorough: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    engine: str = "auto"
    threads: int | None = None
    max_points: int = POINT_LIMIT


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
        if len(reachable([e])) > 400:
            return "an expression of more than 400 operations"
        spelled = text(simplified([e])[0])
        return spelled if len(spelled) <= 400 else spelled[:400] + " ..."


class Report(NamedTuple):
    """``seed`` is None where the points were given."""

    verdicts: list[Verdict]
    expressions: dict[str, str]
    seed: int | None

    @property
    def exit_code(self) -> int:
        statuses = {v.status for v in self.verdicts}
        return 1 if "disagrees" in statuses else 2 if "unchecked" in statuses else 0


class _Tally:
    """What one claim has met so far."""

    def __init__(self, claim: Claim) -> None:
        self.claim, self.columns = claim, columns(claim)
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
        agrees = (verdict == AGREES) & np.isfinite(true)
        said = agrees & telling
        self.telling += int(np.count_nonzero(said))
        self.quiet += int(np.count_nonzero(agrees & ~telling))
        self.outside += int(np.count_nonzero(verdict == OUTSIDE))
        self.unsure += int(np.count_nonzero(verdict == UNSURE))
        self.zero = self.zero and bool(np.all(zero, where=agrees))
        if said.any():
            c, t = claimed[said], true[said]
            with np.errstate(all="ignore"):
                apart = np.abs(c - t) / np.abs(np.spacing(t))
            self.ulps = max(self.ulps, float(np.max(apart)))
        wrong = np.flatnonzero(np.isin(verdict, WRONG))
        if plain and len(wrong) > 1 and at:
            wrong = wrong[np.argsort(sum(np.abs(np.asarray(column)[wrong]) for column in at), kind="stable")]
        for places, points, most in (
            (np.flatnonzero(agrees), self.inside, _INSIDE),
            (wrong, self.suspects, _SUSPECTS),
            (np.flatnonzero(verdict == HAZY), self.hazy, _SUSPECTS),
        ):
            for k in places[: most - len(points)]:
                points.append(tuple([float(column[k]) for column in at]))


class _Check:
    def __init__(self, job: CheckJob, names: Sequence[str], outputs: dict[str, Expr], claims: Sequence[Claim]) -> None:
        self.job, self.variables, self.outputs, self.claims = job, names, outputs, claims
        self.given_points = False
        self.data = list(dict.fromkeys(variables(c.claimed)[0] for c in claims if c.column))
        self.names = list(dict.fromkeys([*names, *self.data]))

    def blocks(self, grid: Grid, tallies: Sequence[_Tally]) -> None:
        """Compare all claims at all points of a grid."""
        job = self.job
        outputs = [*map(var, self.names), *[e for t in tallies for e in t.columns]]
        width = len(self.names)
        for block in _computed(outputs, grid, Settings(job.engine, job.threads)).blocks:
            for k, tally in enumerate(tallies):
                first = width + WIDTH * k
                found = compared(tally.claim, block[first : first + WIDTH], job.tolerance)
                tally.add(found, block[:width], plain=self.given_points)

    def given(self, points: Points, rows: Rows | None, tallies: Sequence[_Tally]) -> None:
        """At the points asked for."""
        self.given_points = True
        axis = None
        if rows is not None:
            axis, _ = rows_of(rows, points, self.names, ()).whole(self.job.max_points)
        grid, filled = points.bind(self.names, rows=axis)
        check_size(grid, self.job.max_points)
        if filled:
            grid = _expanded(grid, self.names, filled)
        self.blocks(grid, tallies)

    def choose(self, tallies: Sequence[_Tally]) -> None:
        """At points that are chosen."""
        job = self.job
        if not self.names:
            self.blocks(Grid([]), tallies)
            return
        wanted = job.points or (THOROUGH if job.thorough else POINTS)
        roots = [e for t in tallies for e in (t.claim.claimed, t.claim.truth)] + list(self.outputs.values())
        first = [*chosen.special(self.names, job.seed), *chosen.edges(roots, self.names, job.seed)]
        plenty = chosen.points(self.names, job.seed)
        for k in range(_ROUNDS):
            live = [t for t in tallies if t.telling < wanted and len(t.suspects) < _SUSPECTS]
            if not live:
                break
            batch = [*islice(plenty, wanted if k else 2 * wanted), *(first if not k else ())]
            for t in live:
                if k and t.inside:
                    batch += islice(chosen.near(t.inside, job.seed + k), _BATCH * wanted // len(live))
            self.blocks(_at(self.names, batch), live)


def _computed(exprs: Sequence[Expr], grid: Grid, settings: Settings = _AS_PAYS) -> Result:
    """The values of expressions over a grid, a column each."""
    names = [str(k) for k in range(len(exprs))]
    return Result(Plan(exprs, grid, reductions=False), names, 0, Facts({}, [], 0), settings, matrix=False)


def _at(names: Sequence[str], points: Sequence[Point]) -> Grid:
    return Grid([Axis(names, [Values(column) for column in zip(*points, strict=True)])])


def _expanded(grid: Grid, names: Sequence[str], filled: dict[str, Expr]) -> Grid:
    """The points of a grid of which a shape fills variables, with their values."""
    exprs = [filled.get(name, var(name)) for name in names]
    whole = _computed(exprs, grid).whole()
    return _at(names, list(zip(*[[float(x) for x in column] for column in whole], strict=True)))


def run_check(job: CheckJob, rows: Rows | None = None) -> Report:
    """A verdict on every claim of a job. Raises GradError for what is wrong with the request."""
    engine.check(job.engine)
    points = Points(job.at, job.grids, job.fill)
    claims = Claims(job.expressions, job.texts)
    check = _Check(job, claims.variables, claims.outputs, claims.found)
    if check.data and rows is None:
        raise GradError("--claim-column needs the table it is a column of: --input FILE")
    unknown = [name for name in points.names if name not in check.names]
    if unknown:
        raise GradError(f"'{unknown[0]}' is not used in the expression")
    is_given = bool(points) or rows is not None
    same = [not c.column and _one_graph(c) for c in check.claims]
    tallies = [_Tally(c) for c, one in zip(check.claims, same, strict=True) if not one]
    if tallies or is_given:
        if is_given:
            check.given(points, rows, tallies)
        else:
            check.choose(tallies)
    left = iter(tallies)
    verdicts = [
        Verdict(c, "agrees", same=True) if one else _judged(check, next(left))
        for c, one in zip(check.claims, same, strict=True)
    ]
    expressions = {name: text(e) if len(reachable([e])) < 400 else "..." for name, e in claims.outputs.items()}
    return Report(verdicts, expressions, None if is_given else job.seed)


def differing(pairs: Sequence[tuple[str, Expr, Expr]], names: Sequence[str]) -> list[str]:
    """Of (name, expression, the same in another form) the names of those that are not the same."""
    claims = [Claim(name, other, e, name, None, "", root=e) for name, e, other in pairs if e is not other]
    check = _Check(CheckJob(()), names, {name: e for name, e, _ in pairs}, claims)
    tallies = list(map(_Tally, claims))
    if tallies:
        check.choose(tallies)
    return [t.claim.name for t in tallies if _judged(check, t).status == "disagrees"]


def _one_graph(claim: Claim) -> bool:
    if claim.claimed is claim.truth:
        return True
    a, b = readable([claim.claimed, claim.truth])
    return a is b


def _judged(check: _Check, tally: _Tally) -> Verdict:
    claim = tally.claim
    kinks = holes = overflows = 0
    wrong: list[Point] = []
    # Where something told the two apart, or together, what is unclear elsewhere says nothing.
    suspects = [*tally.suspects, *([] if tally.telling else tally.hazy)]
    if suspects:
        probe = Probe(claim, tally.columns, check.names, check.job.tolerance)
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
    given = check.job.tolerance.given
    counts = {"kinks": kinks, "holes": holes, "outside": tally.outside, "ulps": tally.ulps, "asked": given}
    if tally.telling or kinks or (given and tally.quiet):
        return Verdict(claim, "agrees", compared=tally.telling or tally.quiet, **counts)  # type: ignore[arg-type]
    if tally.quiet and (tally.zero and (tally.quiet >= _FEW or not check.names)):
        return Verdict(claim, "agrees", compared=tally.quiet, **counts)  # type: ignore[arg-type]
    return Verdict(claim, "unchecked", reason=_reason(tally, overflows + holes), **counts)  # type: ignore[arg-type]


def _reason(tally: _Tally, infinite: int) -> str:
    if infinite:
        return f"the claim has no finite value at any of the points ({infinite})"
    if tally.outside and not (tally.unsure or tally.quiet or tally.hazy):
        return f"the derivative is not finite at any of the points ({tally.outside})"
    if tally.quiet or tally.unsure or tally.hazy:
        return "rounding could hide any difference at all of the points: --rtol or --atol decide otherwise"
    return "there are no points to compare at"


def _example(check: _Check, probe: Probe, wrong: Sequence[Point]) -> Example:
    claim = probe.claim
    # Where points are given, it is one of them.
    point = min(wrong, key=plainness) if check.given_points else probe.simplest(wrong)
    here = probe([point])
    found = probe(wrong)
    places = np.flatnonzero(found.verdict == DIFFERS).tolist()
    pairs = list(zip(found.claimed[places].tolist(), found.true[places].tolist(), strict=True))
    said = pattern(pairs, _others(check, claim, [wrong[k] for k in places]) if len(pairs) > 1 else {})
    told = check.variables if claim.column else {*variables(claim.truth), *variables(claim.claimed)}
    shown = {name: x for name, x in zip(check.names, point, strict=True) if name in told}
    return Example(shown, float(here.claimed[0]), float(here.true[0]), said)


def _others(check: _Check, claim: Claim, points: Sequence[Point]) -> dict[str, list[float]]:
    """The values of the output and its first derivatives, for one who took one for the other."""
    root = check.outputs[claim.output]
    found = {derivative_name(claim.output, check.variables, ()): root}
    for partial, e in derivatives(root, check.variables, 1).items():
        found[derivative_name(claim.output, check.variables, partial)] = e
    found.pop(claim.name, None)
    if not found or not check.names:
        return {}
    values = _computed(list(found.values()), _at(check.names, points)).whole()
    return {name: [float(x) for x in column] for name, column in zip(found, values, strict=True)}
