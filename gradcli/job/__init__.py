"""Jobs: from a request with texts and points to a result, which computes blocks of numbers.

Every error of a request is raised here, before any computation. Layer: must not know formats or terminals.
"""

from __future__ import annotations

from gradcli.calculus.derive import Named
from gradcli.calculus.reverse import Varying
from gradcli.compute import engine
from gradcli.compute.engine import ENGINES, block_points
from gradcli.compute.grid import Axis, Grid
from gradcli.compute.passes import Plan
from gradcli.errors import GradError
from gradcli.expr import Expr, substitute, var
from gradcli.job.choices import POINT_LIMIT, conflicts
from gradcli.job.hard_points import HardPoints
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Formulas, Job, Request, Rows, check_size
from gradcli.job.result import Computed, Result

__all__ = [
    "ENGINES", "POINT_LIMIT", "Formulas", "Job", "Request", "Result", "Rows", "block_points", "derivatives",
    "formulas", "run",
]  # fmt: skip


def derivatives(job: Job) -> tuple[Request, Named]:
    """The request, and the outputs and derivatives chosen for its output. Raises GradError for an invalid request."""
    request = Request(job, ())
    request.pointwise()
    derived = request.derived
    return request, [derived[k] for k in job.places((), [name for name, _ in derived])]


def formulas(job: Job) -> Formulas:
    """The outputs and their derivatives as expressions. Raises GradError for an invalid request."""
    request, derived = derivatives(job)
    return Formulas(request, job.order, derived)


def run(job: Job, rows: Rows | None = None) -> Computed:
    """Values and derivatives at the points of a job and of every row of its tables.

    If all outputs are single numbers, such as sums over the points, the result is a single row. Raises GradError for an
    invalid request and, from the result's blocks, for a value that is not finite with ``strict`` (exit code 1).
    """
    engine.check(job.engine)
    points = Points(job.at, job.grids, job.fill)
    request = Request(job, points.names, rows)
    if rows is None:
        _bound_grid(job, points, request)
    conflicts(job, request.reductions)
    if rows is not None and not request.reductions:
        from gradcli.job.stream import streamed

        stream = streamed(job, request, points, rows)
        return stream.chosen(stream.tables.places)
    outputs = [e for _, e in request.derived]
    varies = Varying(points.at)
    single = bool(request.reductions) and not any(map(varies, outputs))
    coordinates = [name for name in request.points if not single or name in points.at]
    hard = None if request.reductions else HardPoints(job, request, points)
    names = (*coordinates, *[n for n, _ in request.derived], *(hard.names if hard else ()))
    axis, kept, places = None, {}, None
    if rows is not None:
        if single and rows.keep:
            raise GradError("--keep: there is one number for all rows, and so no row that could keep its columns")
        from gradcli.job.inputs import Tables

        tables = Tables(rows, points, request.points, request.parsed, names, None if single else job)
        axis, cells = tables.whole(job.max_points)
        kept, places = dict(zip(tables.kept, cells, strict=True)), None if single else tables.places
    grid, filled = _bound_grid(job, points, request, axis)
    outputs = [*map(var, coordinates), *outputs, *(hard.mask if hard else ())]
    if filled:
        # Substitute after differentiation, so that derivatives are in the filled variable, not in the indices.
        outputs = substitute(outputs, filled)
    over = Grid([axis for axis in grid.axes if axis.fixed]) if single else grid
    plan = Plan(outputs, grid, over, reductions=request.reductions)
    if hard is not None:
        hard.begin(outputs, grid.size, plan.steps)
    result = Result(
        plan, names, len(coordinates), request.facts(job.order), job,
        matrix=bool(points.shape) and not points.grids and not single, kept=kept, hard=hard,
    )  # fmt: skip
    return result.chosen(job.places((), names) if places is None else places)


def _bound_grid(job: Job, points: Points, request: Request, rows: Axis | None = None) -> tuple[Grid, dict[str, Expr]]:
    """The grid and the expressions of variables that a shape fills. Raises GradError if a variable has no value."""
    grid, filled = points.bind(request.points, counted=request.reductions, rows=rows)
    check_size(grid, job.max_points)
    return grid, filled
