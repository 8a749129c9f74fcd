"""The columns of results with uncertainties, by name, and the same as expressions without points.

Layer: must not know points.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gradcli.errors import GradError
from gradcli.expr import Expr, const, spell_name, var
from gradcli.job.request import Expressions, Formulas
from gradcli.uncertainty.formula import Inputs, Propagated, correlation, propagate
from gradcli.uncertainty.given import read_given
from gradcli.uncertainty.request import PropagateJob

HIDDEN = "\0"
"""The beginning of names of columns that are computed and not written; no name that is typed has it."""


def named(base: str, output: Propagated, formulas: Sequence[Propagated], name: str = "") -> str:
    """Return the name of a column about an output, which stands in it only where there are several."""
    return "_".join(filter(None, [base, output.name if len(formulas) > 1 else "", name]))


def columns(
    job: PropagateJob, formulas: Sequence[Propagated], inputs: Inputs, *, point: bool
) -> list[tuple[str, Expr]]:
    """Return the columns that a request asks for, by name. ``point``: they are those of a single point.

    Raises GradError for correlations of a single result.
    """
    columns: list[tuple[str, Expr]] = []
    for f in formulas:
        columns += [(f.name, f.y), (f"u_{f.name}", f.u)]
        if f.plus is not None and f.minus is not None:
            columns += [(f"u_{f.name}_plus", f.plus), (f"u_{f.name}_minus", f.minus)]
        if job.k is not None and not point:
            columns.append((f"U_{f.name}", const(job.k) * f.u))
        if job.second_order and f.second is not None:
            columns += [(f"{f.name}_second", f.second.y), (f"u_{f.name}_second", f.second.u),
                        (named("linear", f, formulas), f.second.linear)]  # fmt: skip
    for f in formulas if job.budget else ():
        for name in inputs.u:
            columns += [(named("c", f, formulas, name), f.sensitivities[name]),
                        (named("share", f, formulas, name), f.share(name))]  # fmt: skip
    if job.correlations:
        if len(formulas) < 2:
            raise GradError("--correlations: there is one result, and it takes two to be correlated")
        for k, a in enumerate(formulas):
            columns += [(f"r_{a.name}_{b.name}", correlation(a, b, inputs)) for b in formulas[k + 1 :]]
    return columns


def hidden(
    formulas: Sequence[Propagated], inputs: Inputs, shown: Collection[str]
) -> list[tuple[str, Expr]]:  # fmt: skip
    """What a budget tells beside the columns ``shown``."""
    columns = [(named("c", f, formulas, name), f.sensitivities[name]) for f in formulas for name in inputs.u]
    for f in formulas:
        if f.second is not None:
            columns.append((f"u_{f.name}_second", f.second.u))
    return [(HIDDEN + name, e) for name, e in columns if name not in shown]


def formulas(job: PropagateJob) -> Formulas:
    """Return the results and their uncertainties as expressions of the inputs x and their uncertainties u_x.

    Every variable is uncertain; correlations are those of ``corr``. Raises GradError for an invalid request, and for
    options of points.

    >>> formulas(PropagateJob(["g = L/T"])).lines[-1]
    ('u_g', 'hypot(u_L*(1/T), -u_T*(L/T/T))')
    """
    given = read_given(job)
    for option, names in (("--u", [*given.numbers, *given.columns]), ("--dist", given.shapes), ("--df", given.df)):
        if names:
            raise GradError(f"{option} is about points, and there are none", hint="give some: --at x=1.02\u00b10.03")
    request = Expressions(job.expressions, ())
    for parsed in request.parsed:
        parsed.pointwise("and an uncertainty here is of each point alone")
    variables = request.variables
    for name in variables:
        if f"u_{name}" in variables:
            raise GradError(
                f"'u_{name}' is a variable of the expression, and would be the uncertainty of '{name}' too",
                hint=f"write another name for the variable {spell_name(f'u_{name}')}",
            )
    request.unused([name for pair in given.corr for name in pair], "--corr: ", False)
    inputs = Inputs(
        {name: var(f"u_{name}") for name in variables}, {pair: const(r) for pair, r in given.corr.items() if r}
    )
    made = propagate(request.outputs, inputs, second=job.second_order)
    derived = columns(job, made, inputs, point=False)
    request.check_columns([name for name, _ in derived], [f"u_{name}" for name in variables])
    return Formulas(request, 0, derived)
