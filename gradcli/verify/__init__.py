"""Verification of claimed derivatives: a check -> a verdict on every claim.

Claims are compared with exact derivatives, never with finite differences: first as graphs, then at points. The
tolerance is a bound on the rounding errors of both formulas. Layer: must not know where verdicts are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from gradcli.caret import Source
from gradcli.compute import engine
from gradcli.compute.grid import Axis, Grid, Values, joined
from gradcli.errors import GradError
from gradcli.expr import Expr, reachable
from gradcli.job.choices import How, Where
from gradcli.job.inputs import Tables
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Rows, as_text, check_size, read_as
from gradcli.language import Parsed
from gradcli.limits import work
from gradcli.verify.claims import Claim, Claims, Place
from gradcli.verify.compare import Tolerance
from gradcli.verify.given import Data, Texts, in_memory
from gradcli.verify.models import model
from gradcli.verify.report import Report
from gradcli.verify.sample import moderate
from gradcli.verify.verdict import POINTS, SPENT, THOROUGH, Check, Example, Verdict, expanded

__all__ = [
    "CheckJob",
    "Data",
    "Example",
    "Place",
    "Report",
    "Texts",
    "Tolerance",
    "Verdict",
    "check_model",
    "differing",
    "run_check",
]


@dataclass(frozen=True)
class CheckJob(Where, How):
    """A request for verdicts on claims, with texts as typed on the command line. Without points they are chosen.

    ``axes``: points whose coordinates are numbers in memory.
    """

    expressions: Sequence[str | Source]
    texts: Texts = field(default_factory=Texts)
    points: int | None = None
    seed: int = 0
    thorough: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    axes: Sequence[Axis] = ()

    @property
    def names(self) -> list[str]:
        """The names that have values in memory."""
        return [name for axis in self.axes for name in axis.names]


@work.request()
def run_check(job: CheckJob, rows: Rows | None = None) -> Report:
    """A verdict on every claim of a job. Raises GradError for an invalid request."""
    engine.check(job.engine)
    points = Points(job.at, job.grids, job.fill)
    bound = [*points.names, *job.names]
    claims = Claims(job.expressions, job.texts, bound, rows)
    check = Check(
        claims.variables, claims.outputs, claims.claims, seed=job.seed,
        wanted=job.points or (THOROUGH if job.thorough else POINTS),
        tolerance=job.tolerance, how=job, typed=points,
    )  # fmt: skip
    if job.texts.columns and rows is None:
        raise GradError("--claim-column needs the table it is a column of: --input FILE")
    for k, name in enumerate(bound):
        if name not in check.names:
            raise GradError(f"'{name}' is not used in the expression")
        if name in bound[:k]:
            raise GradError(f"'{name}' is given twice")
    check.given = given = bool(points or job.axes or rows is not None)
    if given or job.texts.data:
        check.grid = _grid(job, check, points, rows, claims.parsed)
    verdicts = check.verdicts()
    expressions = {name: as_text(e) if len(reachable([e])) < 400 else "..." for name, e in claims.outputs.items()}
    return Report(verdicts, expressions, None if given else job.seed, claims.errors, (), check.truths.missing,
                  read_as(claims.parsed))  # fmt: skip


def check_model(source: Source, job: CheckJob, rows: Rows | None = None) -> Report:
    """A verdict on every claim that a text makes about its own expressions; without claims, a report without verdicts.

    Raises GradError if nothing can be read.
    """
    parts = model(source)
    if parts.claims is None:
        return Report([], {}, None, parts.errors)
    texts = job.texts._replace(claims=[parts.claims])
    report = run_check(replace(job, expressions=[parts.expressions], texts=texts), rows)
    return report._replace(errors=[*parts.errors, *report.errors])


def _grid(job: CheckJob, check: Check, points: Points, rows: Rows | None, parsed: Sequence[Parsed]) -> Grid:
    """The grid of the given points and rows, with a value of every name at each point.

    Without any, it has the points that are chosen for claims in memory.
    """
    names: Sequence[str] = check.names
    data = job.texts.data
    axis = joined(job.axes) if job.axes else None
    if rows is not None:
        axis = Tables(rows, points, names, parsed).whole(job.max_points)[0]
    elif data:
        names = check.variables
        if names and axis is None and not points:
            chosen = islice(moderate(names, job.seed), check.wanted)
            axis = Axis(names, [Values(column) for column in zip(*chosen, strict=True)])
    grid, filled = points.bind(names, rows=axis)
    check_size(grid, job.max_points)
    if filled:
        grid = expanded(grid, names, filled)
    if data:
        claimed = [d.values(grid, names) for d in data]
        grid = Grid([joined(grid.axes, [in_memory(d.name) for d in data], claimed)])
    return grid


def differing(pairs: Sequence[tuple[str, Expr, Expr]], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Compare (name, expression, other form) triples: the names of those that disagree, and of those not compared.

    The second list holds the names whose comparison exceeds the work limit.
    """
    claims = [Claim(name, other, e, name, None, "", root=e) for name, e, other in pairs if e is not other]
    verdicts = Check(names, {name: e for name, e, _ in pairs}, claims).verdicts()
    return (
        [v.claim.name for v in verdicts if v.status == "disagrees"],
        [v.claim.name for v in verdicts if v.reason.startswith(SPENT)],
    )
