"""From a request with uncertainties to its columns: points, grids and the rows of files, by the ordinary jobs.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.formats.input import STDIN
from gradcli.job import Job, run
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Expressions, Rows
from gradcli.job.result import Computed
from gradcli.language import Parsed
from gradcli.uncertainty.checked import Checked
from gradcli.uncertainty.formula import Propagated, affordable, propagate
from gradcli.uncertainty.given import read_given
from gradcli.uncertainty.inputs import Uncertain
from gradcli.uncertainty.outputs import columns, hidden, named
from gradcli.uncertainty.request import PropagateJob

if TYPE_CHECKING:
    from gradcli.job.alone import Alone


class Prepared(NamedTuple):
    """A checked request: its ``request`` and ``uncertain`` inputs, its formulas, and the job that computes them.

    ``rows``: the tables to read; of stdin the bytes of the header are read again. ``second``: whether second order was
    asked for.
    """

    request: Expressions
    uncertain: Uncertain
    formulas: list[Propagated]
    job: Job
    rows: Rows | None
    second: bool

    @property
    def linear(self) -> set[str]:
        """The names of the columns of quotients of the uncertainties of second and first order."""
        return {named("linear", f, self.formulas) for f in self.formulas if self.second and f.second is not None}


class Propagation(NamedTuple):
    """The columns of a request; ``checked.bent`` counts the results that are not linear enough, as they come."""

    columns: Computed
    checked: Checked


def prepare(
    job: PropagateJob, rows: Rows | None = None, *, more: bool = False, only: Collection[str] | None = None
) -> Prepared:  # fmt: skip
    """Check a request. Raises GradError if it is invalid.

    ``more``: compute what a budget tells as well, in columns whose names begin with `HIDDEN`, and second order
    where that is cheap. ``only``: the names of the columns to compute.
    """
    given = read_given(job)
    _check_expanded(job, point=more)
    points = Points(given.at, job.grids, job.fill)
    header: Sequence[str] = ()
    where = ""
    if rows is not None:
        from gradcli.job.header import header_of

        header, rows = header_of(rows)
        where = rows.first or rows.paths[0]
    request = Expressions(job.expressions, points.names, rows)
    for parsed in request.parsed:
        parsed.pointwise("and an uncertainty here is of each point alone")
        if rows is not None:
            # Before inputs are looked for: what is a constant and a column may be the one with an uncertainty.
            parsed.check_columns(STDIN if where == "-" else where, header, rows.constants)
    # A dict and no set: errors list the columns in their order.
    try:
        uncertain = Uncertain(given, request, points.names, dict.fromkeys(header))
    except GradError:
        if rows is not None and not {*request.variables} <= {*points.names, *header}:
            # A column that is missing explains an uncertainty that is, and tells of a wrong delimiter.
            run(Job(request.parsed, (), 0, at=given.at, grids=job.grids, fill=job.fill), rows)
        raise
    if job.second_order:
        _check_moments(uncertain)
    second = job.second_order or (more and only is None and affordable(request.outputs, uncertain.inputs))
    formulas = propagate(request.outputs, uncertain.inputs, second=second)
    asked = columns(job, formulas, uncertain.inputs, point=more)
    if more:
        asked += hidden(formulas, uncertain.inputs)
    if only is not None:
        asked = [(name, e) for name, e in asked if name in only]
    return Prepared(request, uncertain, formulas, _inner(job, request, uncertain, asked, more), rows, job.second_order)


def run_propagate(job: PropagateJob, rows: Rows | None = None) -> Computed:
    """Results and their uncertainties at the points of a job and of every row of its tables, as columns.

    The columns of an output g are g and u_g; with two-sided inputs u_g_plus and u_g_minus; with ``k`` U_g = k*u_g; with
    ``second_order`` g_second, u_g_second and linear (u_g_second/u_g); with ``budget`` c_L and share_L for each input L.
    Raises GradError for an invalid request and, from the blocks, for an uncertainty that is negative or not a number,
    or a correlation that is not between -1 and 1.

    >>> job = PropagateJob(["g = 4*pi**2*L/T**2"], at=["L=1.000(2),T=2.00(1)"])
    >>> result = run_propagate(job)
    >>> dict(zip(result.names, result.whole()))["u_g"]
    [0.10065061086519174]
    """
    return propagated(prepare(job, rows)).columns


def propagated(prepared: Prepared) -> Propagation:
    """Return the columns of a checked request, and what is found in them as they are computed."""
    result = run(prepared.job, prepared.rows)
    request = prepared.request
    result.expressions = dict(request.facts(0).expressions)
    result.variables, result.note, result.read_as = request.variables, request.note, request.read_as
    checked = result.inspect = Checked(result, prepared.uncertain, prepared.linear, prepared.rows)
    return Propagation(result, checked)


def alone_propagate(job: PropagateJob, rows: Rows) -> Alone:
    """Check a request against the table of ``rows`` without reading its rows. Raises GradError if it is invalid."""
    from gradcli.job.alone import alone

    prepared = prepare(job, rows)
    assert prepared.rows is not None
    return alone(prepared.job, prepared.rows)._replace(read_as=prepared.request.read_as)


def _inner(
    job: PropagateJob, request: Expressions, uncertain: Uncertain, columns: list[tuple[str, Expr]], every: bool
) -> Job:  # fmt: skip
    """The job that computes the columns; the texts of the user stay in it for messages.

    ``every``: all columns, finite or not, whatever the user chose.
    """
    typed = [parsed._replace(outputs=[], names={}) for parsed in request.parsed]
    first = request.parsed[0]
    variables = (*request.variables, *[name for name in uncertain.names if name not in request.variables])
    outputs: list[tuple[str | None, Expr]] = [*columns]
    made = Parsed(first.source, outputs, {}, variables, {}, {}, {}, {})
    fields = ["grids", "fill", "max_points", "engine", "threads", "kink", "sides", "verdict", "trust", "careful",
              "exact", "proved_digits", *(() if every else ("select", "drop", "strict"))]  # fmt: skip
    return Job([*typed, made], (), 0, at=uncertain.at, **{name: getattr(job, name) for name in fields})


def _check_expanded(job: PropagateJob, *, point: bool) -> None:
    """Raises GradError for options of an expanded uncertainty that say nothing together, or not for many points."""
    if job.k is not None:
        if job.coverage is not None:
            raise GradError("--coverage and -k exclude each other", hint="a probability gives the factor k")
        if not 0 < job.k < math.inf:
            raise GradError(f"-k {job.k:g}: a coverage factor is positive and finite", hint="such as -k 2")
    if job.mc is not None and not point:
        raise GradError("--mc is for a result at one point", hint="give all inputs in --at, or in --dist")
    if job.coverage is not None and not point:
        raise GradError(
            "--coverage is for a result at one point",
            hint="over grids and rows a factor of your own makes a column: -k 2",
        )


def _check_moments(uncertain: Uncertain) -> None:
    """Raises GradError for a correlated input that is not normal, whose fourth moments are not known."""
    for pair in uncertain.inputs.r:
        for name in pair:
            if name in uncertain.inputs.moments:
                raise GradError(
                    f"--second-order: '{name}' is correlated, and only normal inputs can be there",
                    hint="leave out its distribution, its correlation or --second-order",
                )
