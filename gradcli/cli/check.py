"""The command check: compares claimed derivatives with the true ones; the exit code is the answer."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gradcli.caret import inert
from gradcli.cli import options, stderr
from gradcli.cli.inputs import SUFFIX, read, rows, sources, typed
from gradcli.cli.options import CommandLine
from gradcli.cli.output import FileOutput
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown
from gradcli.limits import work

if TYPE_CHECKING:
    from gradcli.job.request import Rows
    from gradcli.verify import CheckJob, Report


@options.command(
    "check",
    examples=(
        'gradcli check "x**2*sin(y)" --claim "df_dx = 2*x*sin(y)" --claim "df_dy = x**2*cos(y)"',
        "gradcli check -f model.grad --claims claims.grad --junit report.xml",
        "gradcli check logistic.grad models/ --github",
        'gradcli check "a*exp(-b*t)" --input runs.csv --claim-column df_da=grad_a',
        'gradcli check "diff(u,t)" --equals "k*diff(u,x,2)" --let "u = exp(-k*t)*sin(x)"',
    ),
    help="Is this claimed derivative right? Exit 0 where all claims agree, 1 where some do not, 2 where they could "
    "not be checked. Without points, gradcli chooses them.",
    params=options.named(
        "expr file natural claim claims claim_column equals let points thorough seed rtol atol max_ulp at grid fill "
        f"max_points engine threads input {options.DIALECT} max_bytes constant report report_format json junit github"
    ),
)
def check(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.cli import check_report
    from gradcli.verify import CheckJob, Texts, Tolerance, run_check
    from gradcli.verify.wording import MISSING

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
    paths = models(line)
    files = [read(path, line) for path in line.claims]
    claims = [*typed(line, line.claim), *files]
    texts = Texts(claims, typed(line, line.equals), line.claim_column, typed(line, line.let))
    job = CheckJob(
        () if paths else sources(line), texts, points=line.points, seed=line.seed, thorough=line.thorough,
        tolerance=Tolerance(line.rtol, line.atol, line.max_ulp), **line.where_and_how(),
    )  # fmt: skip
    tables = rows(line, None)
    report = _of_models(paths, job, tables, line) if paths else run_check(job, tables)
    ctx.obj.code = report.exit_code
    if junit is not None:
        with junit:
            junit(inert(check_report.junit(report)).encode())
    with output:
        color = line.path is None and stderr.colored(sys.stdout, line.color)
        width = stderr.text_width(sys.stdout) if output.terminal else None
        text = inert(check_report.FORMS[form](report, color, width)).encode()
        output(json_shown(text) if form == "json" and output.terminal else text)
        if line.github and line.path is None and form != "json":
            output("".join(check_report.github(report)).encode())
    if annotations is not None:
        with annotations:
            annotations("".join(check_report.github(report)).encode())
    elif line.github and form == "json":
        # Annotations go to stderr, which GitHub reads too: stdout stays one JSON object.
        sys.stderr.write("".join(check_report.github(report)))
    for part in [part for _, part in report.models] or [report]:
        stderr.read_as(part.read_as, line)
    for error in report.errors:
        stderr.error(error, line.color)
    if report.missing and not line.quiet:
        stderr.note(MISSING, line.color)
    if tables is not None and not line.quiet:
        for note in tables.notes:
            stderr.note(note, line.color)
    ctx.exit(report.exit_code)


def models(line: CommandLine) -> list[str]:
    """The files and folders of models that are named: as operands, or by --file if nothing is claimed about it.

    A name is known by its suffix, or by the separator at its end, neither of which an expression has.
    """
    words = options.operands(line.expr)
    claimed = line.claim or line.claims or line.equals or line.claim_column
    paths = [word for word in words if word.endswith((SUFFIX, "/", os.sep)) or word in (".", "..")]
    if paths and (claimed or line.file or len(paths) < len(words)):
        raise GradError(
            f"{paths[0]}: a model holds its expressions and its claims, and goes without others",
            hint="claims about the expressions of a file: gradcli check -f FILE --claims FILE",
        )
    folder = next((word for word in words if os.path.isdir(word)), None)
    if folder is not None and not paths and not claimed:
        raise GradError("nothing is claimed", hint=f"for the models in a folder: gradcli check {folder}/")
    return paths or (list(line.file) if line.file and not claimed and not words else [])


def _files(path: str) -> list[str]:
    """The models below a folder, in order; a file is itself."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(SUFFIX)]
    if not found:
        raise GradError(f"{path}: there is no file *{SUFFIX} in this folder")
    return found


def _of_models(paths: Sequence[str], job: CheckJob, tables: Rows | None, line: CommandLine) -> Report:
    """The verdicts on the claims of models. The error of one does not hide the verdicts on the others.

    A note names what a folder holds without a claim.
    """
    from gradcli.verify import Report, check_model
    from gradcli.verify.report import joined

    reports, silent = [], []
    for named, name in [(path, name) for path in paths for name in _files(path)]:
        # Each model may take the work of a request.
        work.earn(work.REQUEST)
        try:
            report = check_model(read(name, line), job, tables)
            if report.verdicts or report.errors:
                reports.append((name, report))
            elif named == name:
                raise GradError(f"{name}: nothing is claimed", hint="a claim is a line such as df_dx = 2*x")
            else:
                silent.append(name)
        except GradError as error:
            if error.exit_code != 2:
                raise
            reports.append((name, Report([], {}, None, [error])))
    if not reports:
        raise GradError(f"{paths[0]}: nothing is claimed", hint="a claim is a line such as df_dx = 2*x")
    if len(reports) == 1 and not reports[0][1].verdicts:
        raise reports[0][1].errors[0]
    if silent and not line.quiet:
        what = "1 file without a claim is" if len(silent) == 1 else f"{len(silent)} files without a claim are"
        names = ", ".join(silent[:3]) + (" ..." if len(silent) > 3 else "")
        stderr.note(f"{what} left out: {names}", line.color)
    return joined(reports)
