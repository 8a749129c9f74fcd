"""The command diff: values and derivatives at points, or derivatives as expressions without points."""

from __future__ import annotations

import click

from gradcli.cli import options
from gradcli.cli.inputs import check_no_input_options, choice, names, rows, sources, to_parts
from gradcli.cli.options import CommandLine
from gradcli.cli.target import PICTURES, Target
from gradcli.errors import GradError


@options.command(
    "diff",
    examples=(
        'gradcli diff "x**2" --order 2 --grid 3x4',
        'gradcli diff "exp(-x)*sin(y)" --at x=1,y=pi/4',
        'gradcli diff "r = sqrt(x*x + y*y); u = log(r)" --wrt x --csv --grid x=1:2:11 --grid y=1,2',
        'gradcli diff "a*exp(-b*t)" --wrt a,b --input runs.csv --keep -o sensitivities.csv',
    ),
    help="Values and all partial derivatives at points; without points, the derivatives as expressions, simplified.",
    params=options.named(
        f"expr file natural order wrt allow_unused raw {options.POINTS} {options.HARD} {options.ROWS_IN} "
        f"{options.NUMBERS}"
    ),
)
def diff(ctx: click.Context, line: CommandLine) -> None:
    if not line.pointed and to_parts(line):
        raise GradError("a folder of parts is for the rows of files", hint="read some: --input FILE")
    if line.path is not None and line.path.lower().endswith(PICTURES):
        _picture(ctx, line)
        return
    if line.pointed:
        if line.raw:
            raise GradError("--raw is for derivatives as expressions: leave it out, or the points")
        numbers(ctx, line, line.order)
        return
    from gradcli.cli.formulas import simplified
    from gradcli.job import Formulas, Job, derivatives

    check_no_input_options(line)
    for name in options.HARD.split()[:-1]:
        if options.typed(ctx, name):
            raise GradError(
                f"--{name.replace('_', '-')} is about points, and there are none", hint="give some: --at x=0"
            )
    target = Target(ctx, line)
    job = Job(sources(line), names(line.wrt), line.order, allow_unused=line.allow_unused, **choice(line))
    request, derived = derivatives(job)
    remarks: list[str] = []
    if not line.raw:
        derived, remarks = simplified(request, derived, line, kept=[name for name, _ in request.outputs])
    target.write_formulas(Formulas(request, job.order, derived, remarks=remarks))


def _picture(ctx: click.Context, line: CommandLine) -> None:
    """Draw what ``diff`` computes. Raises GradError for an option that a picture has no use for."""
    from gradcli.cli.plot import draw

    for name in (*options.HARD.split(), *options.TABLES.split(), *options.SWITCHES, "fill", "raw", "format"):
        if options.typed(ctx, name):
            hint = "points of a file are drawn by: gradcli plot --data FILE" if name == "input" else None
            raise GradError(f"--{name.replace('_', '-')} is not for a picture, and {line.path} is one", hint=hint)
    draw(ctx, line, every=True)


def numbers(ctx: click.Context, line: CommandLine, order: int) -> None:
    """Write values, and derivatives up to an order, at the points of a command line."""
    from gradcli.job import Job, run

    target = None if to_parts(line) else Target(ctx, line)
    wrt = names(line.wrt) if order else ()
    job = Job(sources(line), wrt, order, allow_unused=line.allow_unused, **line.where_and_how(), **line.hard(),
              **choice(line))  # fmt: skip
    if target is None:
        from gradcli.cli.scale import write_parts

        write_parts(line, job)
        return
    tables = rows(line, target.progress)
    target.write(lambda: run(job, tables), tables, why=job if line.why else None)
