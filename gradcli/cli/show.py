"""The command show: derivatives as expressions, as code in other languages, as formulas and pictures."""

from __future__ import annotations

import click

from gradcli import notation
from gradcli.calculus.derive import Named
from gradcli.cli import options, stderr
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.cli.target import Target
from gradcli.codegen import LANGUAGES, code
from gradcli.errors import GradError

_FORMS = ["text", *LANGUAGES, *notation.NOTATIONS]


@options.command(
    "show",
    examples=(
        'gradcli show "x**3*sin(x)"',
        'gradcli show "exp(-x*x/2)" --order 4 --simplify',
        'gradcli show "sqrt(x*x + y*y)" --order 2 --as c -o hypot.c',
        'gradcli show "m*c**2" --wrt m --as latex',
    ),
    help="Derivatives as expressions, where what several of them share is named t1, t2 ... first; or as code, "
    "formulas and pictures.",
    params=[
        *options.named("expr file order wrt allow_unused"),
        options.option("--as", "language", type=click.Choice(_FORMS), default="text", metavar="FORM",
                       help=f"One of {', '.join(_FORMS)}.  [default: text]"),
        *options.named(f"simplify {options.OUTPUT}"),
    ],
)  # fmt: skip
def show(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job import Formulas, Job, Request

    form = line.language
    if line.simplify and form in LANGUAGES:
        raise GradError(
            f"--simplify is for reading, and {form} for computing: code keeps the forms that lose no digits",
            hint=f"leave out --simplify, or --as {form}",
        )
    target = Target(ctx, line) if form == "text" else None
    output = ctx.obj.to(line.path, line) if target is None else target.output
    if target is None:
        for name in ("format", *options.SWITCHES):
            if getattr(line, name) and options.typed(ctx, name):
                raise GradError(f"--as {form} has one form: leave out --{name}")
    job = Job(sources(line), wrt=names(line.wrt), order=line.order, allow_unused=line.allow_unused)
    request = Request(job, ())
    request.pointwise()
    derived: Named = request.derived
    remarks: list[str] = []
    if line.simplify:
        from gradcli.cli.formulas import simplified

        derived, remarks = simplified(request, line)
    if target is not None:
        target.write_formulas(Formulas(request, job.order, derived, remarks=remarks))
        return
    write = code if form in LANGUAGES else notation.write
    text = write(form, derived, request.variables)
    with output:
        output(text.encode())
    if not line.quiet:
        for note in [*remarks, *([request.note] if request.note else [])]:
            stderr.note(note, line.color)
