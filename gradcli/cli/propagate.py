"""The command propagate: results with their uncertainties, at points, over grids and for the rows of files."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gradcli.cli import options, stderr
from gradcli.cli.estimates import estimates
from gradcli.cli.inputs import check_no_input_options, choice, rows, sources, to_parts
from gradcli.cli.options import CommandLine
from gradcli.cli.target import Target
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.job.request import Rows
    from gradcli.job.result import Computed
    from gradcli.uncertainty.budget import Answer
    from gradcli.uncertainty.request import PropagateJob
    from gradcli.uncertainty.run import Propagation

_MEASURED = re.compile(r"'[^']*[0-9.]\s*(\u00b1|\+-|\+/-|\()[^']*'")
"""A cell, in the message of an error, that holds a value and its uncertainty."""


@options.command(
    "propagate",
    examples=(
        'gradcli propagate "g = 4*pi**2*L/T**2" --at "L=1.000\u00b10.002,T=2.00\u00b10.01"',
        'gradcli propagate "exp(x)" --at "x=1.0\u00b10.2" --second-order',
        'gradcli propagate "R = V/I; P = V*I" --at "V=5.0(1),I=0.20(1)" --corr V,I=0.4 --correlations --json',
        'gradcli propagate "a*exp(-b*t)" --u a=0.1 --u b=0.005 --input runs.csv --keep -o results.csv',
    ),
    help="Results with their standard uncertainties, by the Guide to the expression of uncertainty in measurement "
    "(GUM). Inputs have theirs in --at, by --u, or in columns u_X. Without points, uncertainties as expressions.",
    params=options.named(
        f"expr file natural at_measured {options.UNCERTAIN} mc_seed grid fill max_points strict_uncertain careful "
        f"no_careful {options.ENGINE} {options.ROWS_IN} {options.NUMBERS} uncertain_form"
    ),
)
def propagate(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.uncertainty.budget import is_point
    from gradcli.uncertainty.request import PropagateJob

    if line.digits is not None and line.digits > 17:
        raise GradError("--digits: propagate has at most 17 digits")
    target = None if to_parts(line) else Target(ctx, line)
    where = line.where_and_how()
    expressions = sources(line)
    job = PropagateJob(
        expressions, u=line.u, dist=line.dist, df=line.df, corr=line.corr, estimates=estimates(line, expressions),
        second_order=line.second_order, budget=line.budget, correlations=line.correlations, coverage=line.coverage,
        k=line.k, mc=line.mc, seed=line.seed,
        careful=True if line.careful else False if line.no_careful else None, **where, **choice(line),
    )  # fmt: skip
    if line.careful and line.no_careful:
        raise GradError("--no-careful and --careful exclude each other")
    if target is None:
        from gradcli.cli.scale import write_parts

        write_parts(line, job)
        return
    if line.language != "text" and not is_point(job, line.input or None):
        raise GradError(f"--as {line.language} is for a result at one point")
    if not line.pointed and not line.dist and not job.estimates:
        from gradcli.uncertainty.outputs import formulas

        if line.language != "text":
            raise GradError(f"--as {line.language} is for numbers", hint="formulas in LaTeX: gradcli show --as latex")
        _check_numbers(line, "is for a result at one point, and there are none")
        check_no_input_options(line)
        target.write_formulas(formulas(job))
        return
    tables = rows(line, target.progress)
    if is_point(job, tables):
        _point(ctx, line, target, job)
        return
    _columns(ctx, target, job, tables)


def _columns(ctx: click.Context, target: Target, job: PropagateJob, tables: Rows | None) -> None:
    from gradcli.uncertainty.run import prepare, propagated

    prepared = prepare(job, tables)
    made: list[Propagation] = []

    def compute() -> Computed:
        made.append(propagated(prepared))
        return made[0].columns

    try:
        target.write(compute, prepared.rows)
    except GradError as error:
        if _MEASURED.search(error.message):
            error.hint = "value and uncertainty are two columns, such as L and u_L"
        raise
    if job.strict and made[0].checked.bent:
        _strict(ctx)


def _point(ctx: click.Context, line: CommandLine, target: Target, job: PropagateJob) -> None:
    from gradcli.uncertainty import texts
    from gradcli.uncertainty.budget import at_point

    if line.language != "text" and target.format.name != "table":
        raise GradError(f"--as {line.language} has one form: leave out {target.format.name}")
    if job.mc is not None and line.language != "text":
        raise GradError(f"--mc: {line.language} has no place for a simulation", hint="leave out --mc, or --as")
    if job.mc is not None and target.format.name not in ("table", "json"):
        raise GradError(
            f"--mc: {target.format.name} has no place for a simulation", hint="leave out --mc, or ask for --json"
        )
    try:
        answer = at_point(job, _watch(target, job))
    finally:
        if target.progress is not None:
            target.progress.erase()
    if target.format.name != "table":
        target.write(lambda: answer.columns, None)
    else:
        _text(line, target, answer)
    for note in (*texts.notes(answer), *[flag.text for flag in answer.flags]):
        if not line.quiet:
            stderr.note(note, line.color)
    if job.strict and answer.flags:
        _strict(ctx)


def _check_numbers(line: CommandLine, why: str) -> None:
    """Raises GradError for an option that makes numbers which have no place."""
    for option, given in (("--mc", line.mc), ("--coverage", line.coverage)):
        if given is not None:
            raise GradError(f"{option} {why}")


def _watch(target: Target, job: PropagateJob) -> Callable[[int], None] | None:
    """What shows the progress of a simulation on a terminal."""
    progress = target.progress
    if job.mc is None or progress is None:
        return None
    from gradcli.uncertainty.simulation import trials

    total = trials(job.mc)
    return lambda done: progress(done, done / total if total else None)


def _strict(ctx: click.Context) -> None:
    ctx.obj.code = 1
    ctx.exit(1)


def _text(line: CommandLine, target: Target, answer: Answer) -> None:
    from gradcli.uncertainty import texts

    width = stderr.text_width(sys.stdout) if target.terminal else None
    if line.language == "text":
        told = texts.text(answer, line.rounding, second=line.second_order, width=width)
    else:
        told = texts.formula(answer, line.language, line.rounding, second=line.second_order)
    with target.output:
        target.output(stderr.fitted(told, width).encode())
    stderr.read_as(answer.columns.read_as, line)
    for note in answer.columns.notes:
        if note and not line.quiet:
            stderr.note(note, line.color)
    if answer.columns.nonfinite and not line.quiet:
        stderr.note(stderr.nonfinite(answer.columns.nonfinite), line.color)
