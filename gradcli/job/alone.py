"""Rows that are computed each by itself, so that parts of a table can be computed apart."""

from __future__ import annotations

from typing import NamedTuple

from gradcli.compute import engine
from gradcli.errors import GradError
from gradcli.expr import Expr, spell_name
from gradcli.formats.columns import key_of
from gradcli.job.choices import conflicts
from gradcli.job.gradient import GradJob, GradRequest
from gradcli.job.inputs import Tables
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request, Rows
from gradcli.job.stream import Streamed, streamed

AnyJob = Job | GradJob
_TOGETHER = "without a folder, one process reads all rows: -o FILE"


class Alone(NamedTuple):
    """What is known of a job before its rows are read.

    ``header``: the columns of the first table, "" for one without a name. ``load``: steps for each row, and ``steps``
    those of the program. ``result``: what no row has been computed of yet; None for gradients. ``read_as``: the strict
    texts of natural notation, where they differ.
    """

    header: tuple[str, ...]
    load: int
    steps: int
    result: Streamed | None
    read_as: str | None


def alone(job: AnyJob, rows: Rows) -> Alone:
    """Check a job against the table of ``rows`` without reading its rows.

    Raise GradError if the request is invalid, and if a number depends on several rows: a reduction such as a sum, or
    the gradient in an input that is one number.
    """
    engine.check(job.engine)
    points = Points(job.at, job.grids, job.fill)
    if isinstance(job, GradJob):
        return _gradient(job, points, rows)
    request = Request(job, points.names, rows)
    _refuse_reductions(request.reductions)
    conflicts(job, reductions=False)
    result = streamed(job, request, points, rows)
    result.tables.opened.close()
    steps = result.program.length
    return Alone(_header(result.tables), steps * result.inner, steps, result, request.read_as)


def _gradient(job: GradJob, points: Points, rows: Rows) -> Alone:
    request = GradRequest(job, points, rows)
    _refuse_reductions(request.reductions)
    tables = request.tables(rows, points)
    tables.opened.close()
    for name in request.inputs:
        if name not in tables.variables:
            raise GradError(
                f"--wrt: '{name}' is one number for all rows, so that its gradient is a sum over them, and each part "
                "has only some of the rows",
                hint=f"{_TOGETHER}; or the partial derivatives of each row: gradcli diff --wrt {spell_name(name)}",
            )
    for name, cotangent in request.cotangents.items():
        if not isinstance(cotangent, Expr) or cotangent.variables:
            raise GradError(
                f"--grad-outputs: the cotangent of '{name}' has an element for each row of the whole input, and each "
                "part has only some of the rows",
                hint=f"give it as a column: {name} = column * (expression); or {_TOGETHER}",
            )
    return Alone(_header(tables), 1, 1, None, request.read_as)


def _refuse_reductions(reductions: bool) -> None:
    if reductions:
        raise GradError(
            "a reduction such as sum or mean takes all rows together, and each part has only some of the rows",
            hint=_TOGETHER,
        )


def _header(tables: Tables) -> tuple[str, ...]:
    return tuple(map(key_of, tables.tables[0].names))
