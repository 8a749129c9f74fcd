"""The command check: compares claimed derivatives with the true ones; the exit code is the answer."""

from __future__ import annotations

import math
import sys

import click

from gradcli.caret import inert
from gradcli.cli import options, stderr
from gradcli.cli.inputs import read, rows, sources
from gradcli.cli.options import CommandLine
from gradcli.cli.output import FileOutput
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown


@options.command(
    "check",
    examples=(
        'gradcli check "x**2*sin(y)" --claim "df_dx = 2*x*sin(y)" --claim "df_dy = x**2*cos(y)"',
        "gradcli check -f model.grad --claims claims.grad --junit report.xml",
        'gradcli check "a*exp(-b*t)" --input runs.csv --claim-column df_da=grad_a',
        'gradcli check "diff(u,t)" --equals "k*diff(u,x,2)" --let "u = exp(-k*t)*sin(x)"',
    ),
    help="Is this claimed derivative right? Exit 0 where all claims agree, 1 where some do not, 2 where they could "
    "not be checked. Without points, gradcli chooses them.",
    params=options.named(
        "expr file claim claims claim_column equals let points thorough seed rtol atol max_ulp at grid fill "
        f"max_points engine threads input {options.DIALECT} max_bytes constant output format json junit github"
    ),
)
def check(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.cli import check_report
    from gradcli.verify import CheckJob, Texts, Tolerance, run_check

    form = options.table_or_json(line, "verdicts")
    if [*line.file, *line.claims, *line.input].count("-") > 1:
        raise GradError("stdin cannot be read twice")
    for name in ("rtol", "atol", "max_ulp"):
        limit = getattr(line, name)
        if limit is not None and not 0 <= limit < math.inf:
            raise GradError(f"--{name.replace('_', '-')}: a finite number from 0 is needed")
    output = ctx.obj.to(line.path, line)
    annotations = ctx.obj.to(None, line) if line.github and line.path is not None else None
    junit = None if line.junit is None else ctx.obj.to(line.junit, line)
    same = isinstance(junit, FileOutput) and isinstance(output, FileOutput) and junit.target == output.target
    if line.junit in ("", "-") or same:
        raise GradError("--junit needs a file of its own", hint="such as: --junit report.xml")
    for name in ("points", "thorough"):
        if line.pointed and getattr(line, name):
            raise GradError(f"--{name} is for points that are chosen", hint="leave out --at, --grid and --input")
    texts = Texts(
        [*options.operands(line.claim), *map(read, line.claims)], options.operands(line.equals), line.claim_column,
        options.operands(line.let),
    )  # fmt: skip
    job = CheckJob(
        sources(line), texts, points=line.points, seed=line.seed, thorough=line.thorough,
        tolerance=Tolerance(line.rtol, line.atol, line.max_ulp), **line.where_and_how(),
    )  # fmt: skip
    tables = rows(line, None)
    report = run_check(job, tables)
    ctx.obj.code = report.exit_code
    if junit is not None:
        with junit:
            junit(inert(check_report.junit(report)).encode())
    with output:
        color = line.path is None and stderr.colored(sys.stdout, line.color)
        text = inert(check_report.FORMS[form](report, color)).encode()
        output(json_shown(text) if form == "json" and output.terminal else text)
        if line.github and line.path is None and form != "json":
            output("".join(check_report.github(report)).encode())
    if annotations is not None:
        with annotations:
            annotations("".join(check_report.github(report)).encode())
    elif line.github and form == "json":
        # Annotations go to stderr, which GitHub reads too: stdout stays one JSON object.
        sys.stderr.write("".join(check_report.github(report)))
    if tables is not None and not line.quiet:
        for note in tables.notes:
            stderr.note(note, line.color)
    ctx.exit(report.exit_code)
