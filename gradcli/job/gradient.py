"""The vector-Jacobian product: a gradient job -> columns of numbers, or expressions.

`GradRequest` checks the request; `Layout` and `run_grad` decide the shape of each gradient and the points it is summed
over. An input has the shape of the axes it varies over; an output that is the same for all points is a single number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradcli.calculus.derive import expand
from gradcli.calculus.reverse import Varying, adjoints
from gradcli.caret import Source
from gradcli.compute import engine
from gradcli.compute.grid import Axis, Grid, Index
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, spell_name, substitute, var
from gradcli.formats.npy_random import Stored
from gradcli.job import cotangents
from gradcli.job.choices import Choice, How, Where
from gradcli.job.gradient_result import Layout, arranged
from gradcli.job.inputs import Tables
from gradcli.job.parse_at_grid_fill import INDICES, Points
from gradcli.job.request import Expressions, Formulas, Rows, check_size
from gradcli.job.result import Computed

_RENAME = "call the variable something else"


@dataclass(frozen=True)
class GradJob(Where, How, Choice):
    """A request for the gradients of the outputs in the inputs ``wrt``, weighted by ``grad_outputs`` and summed.

    Texts are as typed on the command line and checked when the job runs.
    """

    expressions: Sequence[str | Source]
    wrt: Sequence[str]
    grad_outputs: Sequence[str] = ()
    allow_unused: bool = False
    materialize_grads: bool = False
    is_grads_batched: bool = False


class GradRequest(Expressions):
    """The checked outputs, inputs and cotangents of a gradient job. ``empty``: the inputs that have no gradient."""

    def __init__(self, job: GradJob, points: Points, rows: Rows | None = None) -> None:
        super().__init__(job.expressions, {*points.names, *job.wrt}, rows)
        if not self.variables and not job.materialize_grads:
            name = self.outputs[0][0]
            raise GradError(f"the output '{name}' depends on no variable: it has no gradient")
        self.inputs = list(job.wrt)
        if not self.inputs:
            raise GradError("--wrt: the inputs are missing", hint="name what to differentiate in: --wrt x,y")
        self.check_names(self.inputs, "--wrt: ")
        self.materialize = job.materialize_grads
        allowed = job.allow_unused or job.materialize_grads
        used = set(self.variables)
        for name in self.inputs:
            if name not in used and not allowed:
                hint = self.meant(name)
                if not hint.endswith("?"):
                    hint += "; --allow-unused makes its gradient null, --materialize-grads 0"
                raise GradError(f"--wrt: the input '{name}' appears to not have been used in the outputs", hint=hint)
        # A materialized gradient of zeros has the shape of its input, so the input needs points.
        filled = self.inputs if job.materialize_grads and points.shape else []
        self.points = list(dict.fromkeys([*self.variables, *filled, *self.unused(points.names, "", allowed)]))
        self.empty = [n for n in self.inputs if n not in used and not self.materialize]
        self.names = {name: f"grad_{name}" for name in self.inputs}
        self.cotangents = cotangents.read(job.grad_outputs, [n for n, _ in self.outputs])
        self.roots = expand(e for _, e in self.outputs)

    def tables(self, rows: Rows, points: Points) -> Tables:
        """The opened tables of the request. Raises GradError if they lack a column, and for columns to keep."""
        if rows.keep:
            raise GradError(
                "--keep goes with diff and eval, whose rows are those of the input; gradients are sums of them"
            )
        return Tables(rows, points, self.points, self.parsed)

    def gradients(self, weights: Sequence[Expr], single: Sequence[str]) -> dict[str, Expr]:
        """The gradient in every non-empty input, given the cotangents ``weights`` of the outputs."""
        gradients = adjoints(list(zip(self.roots, weights, strict=True)), self.inputs, single)
        empty = set(self.empty)
        return {n: gradients.get(n, ZERO) for n in self.inputs if n not in empty}


class GradFormulas(Formulas):
    """Gradients as expressions; ``unused`` names those of inputs without a gradient."""

    def __init__(self, request: GradRequest, gradients: dict[str, Expr]) -> None:
        super().__init__(request, 1, [(request.names[n], e) for n, e in gradients.items()], kinks=True)
        self.derivatives = self.names
        self.unused = tuple([request.names[n] for n in request.empty])


def grad_formulas(job: GradJob) -> GradFormulas:
    """The gradients as expressions. Without points, every variable is taken to vary over all of them.

    A cotangent of an output y that is a file, or a rule with indices, becomes the variable v_y. Raises GradError for an
    invalid request.
    """
    points = Points(job.at, job.grids, job.fill)
    request = GradRequest(job, points)
    if job.is_grads_batched:
        raise GradError("--create-graph prints expressions: it goes without --is-grads-batched")
    single: list[str] = []
    shape: tuple[int, ...] | None = None
    if points:
        grid, _ = points.bind(request.points, counted=request.reductions)
        shape, single = grid.shape, [n for n in request.points if not _axes(n, grid, points)]
        for name in request.inputs:
            axes = _axes(name, grid, points)
            if axes and len(axes) < len(grid.shape):
                raise GradError(
                    f"--create-graph: the gradient in '{name}' is summed over some of the axes alone, "
                    "which no expression says",
                    hint=f"give {spell_name(name)} by the only --grid, or by --at",
                )
    varies = Varying(single)
    weights = []
    taken = {*request.points, *request.variables, *request.inputs, *points.names}
    request.check_columns(request.names.values(), request.points, _RENAME)
    for (name, cotangent), root in zip(request.cotangents.items(), request.roots, strict=True):
        if isinstance(cotangent, Expr) and not cotangent.variables:
            weights.append(cotangent)
            continue
        if shape is not None or not varies(root):
            cotangents.check(name, cotangent, shape if shape is not None and varies(root) else (), False)
        if f"v_{name}" in taken:
            raise GradError(f"--create-graph: the cotangent of '{name}' would be called 'v_{name}', as a variable is")
        weights.append(var(f"v_{name}"))
        if not varies(root):
            single.append(f"v_{name}")
    gradients = request.gradients(weights, single)
    varies, used = Varying(single), set(request.variables)
    for name, e in gradients.items():
        if name in used and varies(var(name)) and not varies(e):
            # A constant would become a single number as an output; `along` broadcasts it to the shape of its input.
            gradients[name] = apply("along", var(name), e)
    names = [request.names[n] for n in (*gradients, *request.empty)]
    shown = {names[k] for k in job.places((), names)}
    request.empty = [n for n in request.empty if request.names[n] in shown]
    return GradFormulas(request, {n: e for n, e in gradients.items() if request.names[n] in shown})


def run_grad(job: GradJob, rows: Rows | None = None) -> Computed:
    """The gradients at the points of a job; the rows of its tables are one axis of the grid.

    Raises GradError for an invalid request and, from the result's blocks, for a value that is not finite with
    ``strict`` (exit code 1).
    """
    engine.check(job.engine)
    points = Points(job.at, job.grids, job.fill)
    request = GradRequest(job, points, rows)
    axis, read = None, 0
    if rows is not None:
        tables = request.tables(rows, points)
        axis, _ = tables.whole(job.max_points)
        read = tables.rows_read
        job = replace(job, engine=engine.chosen_for_table(job.engine, lambda: tables.exceed(engine.LARGE))[0])
    grid, filled = points.bind(request.points, counted=request.reductions, rows=axis)
    check_size(grid, job.max_points)
    axes = {name: _axes(name, grid, points) for name in (*request.points, *request.inputs)}
    single = [name for name, own in axes.items() if not own]
    varies = Varying(single)
    batch = cotangents.batch_of(request.cotangents) if job.is_grads_batched else None
    files: dict[str, Stored] = {}
    indices = {k: var(f"\0at {k}") for k in INDICES}
    weights = []
    for (name, cotangent), root in zip(request.cotangents.items(), request.roots, strict=True):
        shape = grid.shape if varies(root) else ()
        cotangents.check(name, cotangent, shape, job.is_grads_batched)
        if isinstance(cotangent, Stored):
            # The NUL keeps the name apart from all names that can be typed.
            internal = f"\0v{name}"
            files[internal] = cotangent
            weights.append(var(internal))
            if not shape:
                single.append(internal)
        else:
            weights += substitute([cotangent], indices)
    gradients = request.gradients(weights, single)
    layout = Layout(
        _indexed(grid), {n: axes[n] for n in request.points}, {request.names[n]: axes[n] for n in request.inputs},
        filled, files, batch, matrix=bool(points.shape) and not points.grids,
    )  # fmt: skip
    exprs = dict(zip([request.names[n] for n in gradients], substitute(gradients.values(), filled), strict=True))
    results = [*request.names.values(), *(["batch"] if batch is not None else [])]
    request.check_columns(results, request.points, _RENAME)
    result = arranged(layout, exprs, request.facts(1), job)
    result.rows_read = read
    return result.chosen(job.places((), result.names))


def _axes(name: str, grid: Grid, points: Points) -> tuple[int, ...]:
    """The axes of the grid that a variable varies over; () if it is a single number."""
    if name in points.at:
        return ()
    own = tuple([k for k, axis in enumerate(grid.axes) if name in axis.names and not axis.fixed])
    # A variable that is filled by a shape's rule has all axes of the shape, even if the rule is a constant.
    return own or tuple([k for k, axis in enumerate(grid.axes) if axis.names[0].startswith("\0")])


def _indexed(grid: Grid) -> Grid:
    """The grid with the index along each axis as an additional column of that axis."""
    axes, letters = [], iter(INDICES)
    for axis in grid.axes:
        letter = None if axis.fixed else next(letters, None)
        if letter is None:
            axes.append(axis)
        else:
            axes.append(Axis([*axis.names, f"\0at {letter}"], [*axis.columns, Index(axis.length)]))
    return Grid(axes)
