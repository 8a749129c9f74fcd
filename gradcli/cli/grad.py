"""The command grad: torch.autograd.grad in the shell."""

from __future__ import annotations

from typing import Any

import click

from gradcli.cli import options
from gradcli.cli.diff import Target, check_alone, names, rows, sources
from gradcli.errors import GradError


def _grad(ctx: click.Context, **given: Any) -> None:
    from gradcli.job import POINT_LIMIT
    from gradcli.job.gradient import GradJob, grad_formulas, run_grad

    target = Target(ctx, given)
    job = GradJob(
        sources(given | {"expr": [*given["expr"], *given["outputs"]]}),
        names(given["wrt"]) or (),
        given["grad_outputs"],
        at=given["at"],
        grids=given["grid"],
        fill=given["fill"],
        allow_unused=given["allow_unused"],
        materialize_grads=given["materialize_grads"],
        is_grads_batched=given["is_grads_batched"],
        engine=given["engine"],
        threads=given["threads"],
        max_points=given["max_points"] or POINT_LIMIT,
        strict=given["strict"],
    )
    if given["create_graph"]:
        if given["input"]:
            raise GradError("--create-graph prints expressions, for any rows: leave --input out")
        check_alone(given)
        target.tell(grad_formulas(job))
    else:
        asked = rows(given, target.progress)
        target.write(lambda: run_grad(job, asked), asked)


def grad() -> click.Command:
    return options.Command(
        "grad",
        examples=(
            'gradcli grad "y = x**2" --wrt x --grid 3x4',
            'gradcli grad "loss = mean((a*x + b - 2*x)**2)" --wrt a,b --at a=1,b=0.5 --grid x=0:1:101',
            'gradcli grad "y = x**2" --wrt x --create-graph',
            'gradcli grad "loss = mean((q - k*t)**2)" --wrt k --at k=0.1 --input runs.csv',
        ),
        help="The vector-Jacobian product: the gradients of all outputs, weighted by --grad-outputs and summed. "
        "An input that is one number gets the sum over the points.",
        params=[*options.expressions(), *options.gradients(), *options.points(), *options.rows(), *options.output()],
        callback=click.pass_context(_grad),
    )
