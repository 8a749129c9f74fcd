"""The command show: derivatives as expressions, as code in other languages, as formulas and pictures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gradcli import notation
from gradcli.calculus.derive import Named
from gradcli.cli import options, stderr
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.cli.target import Target
from gradcli.codegen import LANGUAGES, SUFFIXES, code
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.job import Request

_FORMS = ["text", *LANGUAGES, *notation.NOTATIONS]
_SUFFIXES = {**SUFFIXES, **{suffix: row.name for row in notation.NOTATIONS.values() for suffix in row.suffixes}}


@options.command(
    "show",
    examples=(
        'gradcli show "x**3*sin(x)"',
        'gradcli show "exp(-x*x/2)" --order 4 --simplify',
        'gradcli show "sqrt(x*x + y*y)" --order 2 -o hypot.c',
        'gradcli show "m*c**2" --wrt m --as latex',
    ),
    help="Derivatives as expressions, where what several of them share is named t1, t2 ... first; or as code, "
    "formulas and pictures.",
    params=[
        *options.named("expr file natural order wrt allow_unused"),
        options.option("--as", "language", type=click.Choice(_FORMS), default="text", metavar="FORM",
                       help=f"One of {', '.join(_FORMS)}.  [default: by the suffix of -o, or text]"),
        *options.named("args all_columns"),
        options.option("--environment", type=click.Choice(notation.ENVIRONMENTS), metavar="NAME",
                       help=f"LaTeX in an environment: {', '.join(notation.ENVIRONMENTS)}."),
        *options.named(f"simplify {options.OUTPUT}"),
    ],
)  # fmt: skip
def show(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job import Formulas, Job, Request

    form = _form(ctx, line)
    _check(ctx, line, form)
    target = Target(ctx, line) if form == "text" else None
    output = ctx.obj.to(line.path, line) if target is None else target.output
    job = Job(sources(line), wrt=names(line.wrt), order=line.order, allow_unused=line.allow_unused)
    request = Request(job, ())
    request.pointwise()
    arguments = _arguments(request, line)
    derived: Named = request.derived
    remarks: list[str] = []
    if line.simplify:
        from gradcli.cli.formulas import simplified

        derived, remarks = simplified(request, derived, line)
    if target is not None:
        if not target.format.teller:
            raise GradError(f"{target.format.name} holds numbers alone, and show has expressions",
                            hint="the numbers: gradcli diff EXPR --at ... -o FILE")  # fmt: skip
        target.write_formulas(Formulas(request, job.order, derived, remarks=remarks))
        return
    if form in LANGUAGES:
        text = code(form, derived, arguments, all_columns=line.all_columns)
    else:
        style = {"environment": line.environment} if line.environment else {}
        text = notation.write(form, derived, request.variables, **style)
    with output:
        output(text.encode())
    stderr.read_as(request.read_as, line)
    if not line.quiet:
        for note in [*remarks, *([request.note] if request.note else [])]:
            stderr.note(note, line.color)


def _form(ctx: click.Context, line: CommandLine) -> str:
    """The form as typed, else that of the file's suffix, else text."""
    if line.path is None or options.typed(ctx, "language"):
        return line.language
    return _SUFFIXES.get(os.path.splitext(line.path)[1].lower(), line.language)


def _check(ctx: click.Context, line: CommandLine, form: str) -> None:
    """Raises GradError for an option that the form does not have."""
    if line.simplify and form in LANGUAGES:
        raise GradError(
            f"--simplify is for reading, and {form} for computing: code keeps the forms that lose no digits",
            hint=f"leave out --simplify, or --as {form}",
        )
    if line.environment and form != "latex":
        raise GradError(f"--environment is for latex, not for {form}", hint="with it: --as latex")
    if line.all_columns and form not in LANGUAGES:
        raise GradError(f"--all-columns is for queries, not for {form}", hint="such as --as sql")
    if line.args and not (form in LANGUAGES and LANGUAGES[form].ordered):
        able = ", ".join(name for name, row in LANGUAGES.items() if row.ordered)
        raise GradError(f"--args is the order of a function's arguments, and {form} has none", hint=f"{able} have one")
    if form != "text":
        for name in ("format", *options.SWITCHES):
            if getattr(line, name) and options.typed(ctx, name):
                raise GradError(f"--as {form} has one form: leave out --{name}")


def _arguments(request: Request, line: CommandLine) -> list[str]:
    """The arguments of a function in the order of --args. Raises GradError unless it names every variable once."""
    given = names(line.args, "--args")
    if given is None:
        return request.variables
    request.check_names(given, "--args: ")
    request.unused(given, "--args: ", line.allow_unused)
    absent = [name for name in request.variables if name not in given]
    if absent:
        raise GradError(f"--args: '{absent[0]}' is missing", hint=f"such as --args {','.join([*given, *absent])}")
    return given
