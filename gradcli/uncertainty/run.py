"""From a request with uncertainties to its columns: points, grids and the rows of files, by the ordinary jobs.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.job import Job, run
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Expressions, Rows
from gradcli.job.result import Computed
from gradcli.language import Parsed
from gradcli.uncertainty.flags import NOT_LINEAR, not_linear
from gradcli.uncertainty.formula import Propagated, affordable, correlation, propagate
from gradcli.uncertainty.given import read_given
from gradcli.uncertainty.inputs import Uncertain
from gradcli.uncertainty.request import PropagateJob

if TYPE_CHECKING:
    from gradcli.job.alone import Alone

HIDDEN = "\0"
"""The beginning of names of columns that are computed and not written; no name that is typed has it."""


class Prepared(NamedTuple):
    """A checked request: its ``request`` and ``uncertain`` inputs, its formulas, and the job that computes them.

    ``rows``: the tables to read; of stdin the bytes of the header are read again.
    """

    request: Expressions
    uncertain: Uncertain
    formulas: list[Propagated]
    job: Job
    rows: Rows | None

    @property
    def linear(self) -> set[str]:
        """The names of the columns of quotients of the uncertainties of second and first order."""
        return {named("linear", f, self.formulas) for f in self.formulas if f.second is not None}


class Propagation(NamedTuple):
    """The columns of a request; ``checked.bent`` counts the results that are not linear enough, as they come."""

    columns: Computed
    checked: _Checked


def prepare(job: PropagateJob, rows: Rows | None = None, *, more: bool = False) -> Prepared:
    """Check a request. Raises GradError if it is invalid.

    ``more``: compute what a budget tells as well, in columns whose names begin with `HIDDEN`.
    """
    given = read_given(job)
    points = Points(given.at, job.grids, job.fill)
    columns: Sequence[str] = ()
    if rows is not None:
        from gradcli.uncertainty.columns import header

        columns, rows = header(rows)
    request = Expressions(job.expressions, points.names, rows)
    for parsed in request.parsed:
        parsed.pointwise("and an uncertainty here is of each point alone")
    known = set(columns)
    uncertain = Uncertain(given, request, points.names, known)
    if job.second_order:
        _check_moments(uncertain)
    second = job.second_order or (more and affordable(request.outputs, uncertain.inputs))
    formulas = propagate(request.outputs, uncertain.inputs, second=second)
    columns_ = _columns(job, formulas, uncertain)
    if more:
        columns_ += _hidden(formulas, uncertain, {name for name, _ in columns_})
    return Prepared(request, uncertain, formulas, _inner(job, request, uncertain, columns_, more), rows)


def run_propagate(job: PropagateJob, rows: Rows | None = None) -> Computed:
    """Results and their uncertainties at the points of a job and of every row of its tables, as columns.

    The columns of an output g are g and u_g, with two-sided inputs u_g_plus and u_g_minus, with ``second_order``
    g_second, u_g_second and linear (u_g_second/u_g), and with ``budget`` c_L and share_L for each input L. Raises
    GradError for an invalid request and, from the blocks, for an uncertainty that is negative or not a number, or a
    correlation that is not between -1 and 1.

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
    result.expressions = dict(list(request.facts(0).expressions.items()))
    result.variables, result.note = request.variables, request.note
    checked = result.inspect = _Checked(result, prepared)
    return Propagation(result, checked)


def alone_propagate(job: PropagateJob, rows: Rows) -> Alone:
    """Check a request against the table of ``rows`` without reading its rows. Raises GradError if it is invalid."""
    from gradcli.job.alone import alone

    prepared = prepare(job, rows)
    assert prepared.rows is not None
    return alone(prepared.job, prepared.rows)


def named(base: str, output: Propagated, formulas: Sequence[Propagated], name: str = "") -> str:
    """Return the name of a column about an output, which stands in it only where there are several."""
    return "_".join(filter(None, [base, output.name if len(formulas) > 1 else "", name]))


def _columns(job: PropagateJob, formulas: Sequence[Propagated], uncertain: Uncertain) -> list[tuple[str, Expr]]:
    columns: list[tuple[str, Expr]] = []
    for f in formulas:
        columns += [(f.name, f.y), (f"u_{f.name}", f.u)]
        if f.plus is not None and f.minus is not None:
            columns += [(f"u_{f.name}_plus", f.plus), (f"u_{f.name}_minus", f.minus)]
        if job.second_order and f.second is not None:
            columns += [(f"{f.name}_second", f.second.y), (f"u_{f.name}_second", f.second.u),
                        (named("linear", f, formulas), f.second.linear)]  # fmt: skip
    for f in formulas if job.budget else ():
        for name in uncertain.u:
            columns += [(named("c", f, formulas, name), f.sensitivities[name]),
                        (named("share", f, formulas, name), f.share(name))]  # fmt: skip
    if job.correlations:
        if len(formulas) < 2:
            raise GradError("--correlations: there is one result, and it takes two to be correlated")
        for k, a in enumerate(formulas):
            columns += [(f"r_{a.name}_{b.name}", correlation(a, b, uncertain.inputs)) for b in formulas[k + 1 :]]
    return columns


def _hidden(
    formulas: Sequence[Propagated], uncertain: Uncertain, shown: Collection[str]
) -> list[tuple[str, Expr]]:  # fmt: skip
    """What a budget tells beside the columns ``shown``."""
    columns = [(named("c", f, formulas, name), f.sensitivities[name]) for f in formulas for name in uncertain.u]
    for f in formulas:
        if f.second is not None:
            columns += [(f"u_{f.name}_second", f.second.u), (named("linear", f, formulas), f.second.linear)]
    return [(HIDDEN + name, e) for name, e in columns if name not in shown]


def _inner(
    job: PropagateJob, request: Expressions, uncertain: Uncertain, columns: list[tuple[str, Expr]], every: bool
) -> Job:  # fmt: skip
    """The job that computes the columns; the texts of the user stay in it for messages.

    ``every``: all columns, whatever the user chose.
    """
    typed = [parsed._replace(outputs=[], names={}) for parsed in request.parsed]
    first = request.parsed[0]
    variables = (*request.variables, *[name for name in uncertain.names if name not in request.variables])
    outputs: list[tuple[str | None, Expr]] = [*columns]
    made = Parsed(first.source, outputs, {}, variables, {}, {}, {}, {})
    choice: dict[str, Any] = {} if every else {"select": job.select, "drop": job.drop}
    fields = ("grids", "fill", "max_points", "engine", "threads", "strict", "kink", "sides",
              "verdict", "trust", "careful", "exact", "proved_digits")  # fmt: skip
    return Job([*typed, made], (), 0, at=uncertain.at, **choice, **{name: getattr(job, name) for name in fields})


def _check_moments(uncertain: Uncertain) -> None:
    """Raises GradError for a correlated input that is not normal, whose fourth moments are not known."""
    for pair in uncertain.inputs.r:
        for name in pair:
            if name in uncertain.inputs.moments:
                raise GradError(
                    f"--second-order: '{name}' is correlated, and only normal inputs can be there",
                    hint="leave out its distribution, its correlation or --second-order",
                )


class _Checked:
    """A look at every block: uncertainties that are none are errors, results that are not linear enough are counted."""

    def __init__(self, result: Computed, prepared: Prepared) -> None:
        names = result.names[len(result.kept) :]
        uncertain, self.rows, self.result = prepared.uncertain, prepared.rows, result
        bounds = dict.fromkeys([*uncertain.u.values(), *[s for pair in uncertain.sides.values() for s in pair]], 0.0)
        bounds |= dict.fromkeys(uncertain.r.values(), -1.0)
        self.bounds = [(names.index(name), name, low) for name, low in bounds.items()]
        self.linear = [k for k, name in enumerate(names) if name in prepared.linear]
        self.inner, self.note = getattr(result, "inner", 1), result.note
        self.bent = self.points = 0

    def __call__(self, first: int, block: Sequence[Any]) -> None:
        for k, name, low in self.bounds:
            place = _wrong(block[k], low, nan=self.rows is not None and self.rows.dialect.na == "nan")
            if place is None:
                continue
            where = f"point {first + place + 1}" if self.rows is None else f"row {(first + place) // self.inner + 1}"
            value = float(block[k][place])
            what = "an uncertainty is a number, 0 or more" if low == 0 else "a correlation lies between -1 and 1"
            raise GradError(f"{where}: {name} is {value!r}, and {what}")
        for k in self.linear:
            self._count(block[k])

    def _count(self, column: Any) -> None:
        """Count the numbers of a column of quotients that tell that first order is not enough."""
        self.points += len(column)
        if isinstance(column, list):
            self.bent += sum(map(not_linear, column))
        else:
            self.bent += len(column) - int((abs(column - 1) <= NOT_LINEAR).sum())
        if self.bent:
            told = f"{self.bent:,} of {self.points:,} results are not linear enough: first and second order differ by "
            told += f"more than {100 * NOT_LINEAR:g} %"
            self.result.note = f"{self.note}; {told}" if self.note else told


def _wrong(column: Any, low: float, *, nan: bool) -> int | None:
    """The place of the first number of a column that is below ``low``, above 1 if that is -1, or nan unless allowed."""
    high = 1.0 if low else math.inf

    def bad(v: float) -> bool:
        return not low <= v <= high and not (nan and v != v)

    if isinstance(column, list):
        return next((k for k, v in enumerate(column) if bad(v)), None)
    import numpy as np

    least = np.fmin.reduce(column) if nan else column.min()
    if least >= low and (not low or (np.fmax.reduce(column) if nan else column.max()) <= high):
        return None
    wrong = ~((column >= low) & (column <= high))
    if nan:
        wrong &= column == column
    places = np.flatnonzero(wrong)
    return int(places[0]) if len(places) else None
