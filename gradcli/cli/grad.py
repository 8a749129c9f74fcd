"""The command grad: torch.autograd.grad in the shell."""

from __future__ import annotations

import click

from gradcli.cli import options
from gradcli.cli.inputs import check_no_input_options, choice, names, rows, sources, to_parts
from gradcli.cli.options import CommandLine
from gradcli.cli.target import Target
from gradcli.errors import GradError


@options.command(
    "grad",
    examples=(
        'gradcli grad "y = x**2" --wrt x --grid 3x4',
        'gradcli grad "loss = mean((a*x + b - 2*x)**2)" --wrt a,b --at a=1,b=0.5 --grid x=0:1:101',
        'gradcli grad "y = x**2" --wrt x --create-graph',
        'gradcli grad "loss = mean((q - k*t)**2)" --wrt k --at k=0.1 --input runs.csv',
    ),
    help="The vector-Jacobian product: the gradients of all outputs, weighted by --grad-outputs and summed. "
    "An input that is one number gets the sum over the points.",
    params=options.named(
        f"expr file natural outputs inputs grad_outputs create_graph allow_unused materialize_grads "
        f"is_grads_batched {options.POINTS} {options.ROWS_IN} {options.NUMBERS}"
    ),
)
def grad(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job.gradient import GradJob, grad_formulas, run_grad

    target = None if to_parts(line) else Target(ctx, line)
    job = GradJob(
        sources(line), names(line.wrt) or (), line.grad_outputs, allow_unused=line.allow_unused,
        materialize_grads=line.materialize_grads, is_grads_batched=line.is_grads_batched, **line.where_and_how(),
        **choice(line),
    )  # fmt: skip
    if target is None:
        from gradcli.cli.scale import write_parts

        if line.create_graph:
            raise GradError("--create-graph prints expressions, which have no rows: write them to a file")
        write_parts(line, job)
        return
    if line.create_graph:
        if line.input:
            raise GradError("--create-graph prints expressions, for any rows: leave --input out")
        check_no_input_options(line)
        target.write_formulas(grad_formulas(job))
    else:
        tables = rows(line, target.progress)
        target.write(lambda: run_grad(job, tables), tables)
