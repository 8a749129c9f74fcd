"""The command show: derivatives as expressions, as code in other languages, as formulas and pictures."""

from __future__ import annotations

from typing import Any

import click

from gradcli.cli import options, report
from gradcli.cli.diff import Target, names, sources
from gradcli.derive import Named
from gradcli.errors import GradError


def _show(ctx: click.Context, **given: Any) -> None:
    from gradcli.job import Formulas, Job, Request
    from gradcli.languages import LANGUAGES

    wanted = given["as"]
    if given["simplify"] and wanted in LANGUAGES:
        raise GradError(
            f"--simplify is for reading, and {wanted} for computing: code keeps the forms that lose no digits",
            hint=f"leave out --simplify, or --as {wanted}",
        )
    target = Target(ctx, given) if wanted == "text" else None
    output = ctx.obj.to(given["output"], given) if target is None else target.door
    if target is None:
        for name in ("format", *options.SWITCHES):
            if given[name] and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise GradError(f"--as {wanted} has one form: leave out --{name}")
    job = Job(sources(given), wrt=names(given["wrt"]), order=given["order"], allow_unused=given["allow_unused"])
    request = Request(job, ())
    request.pointwise()
    derived = request.derived
    if given["simplify"]:
        derived = _simplified(derived, request.variables, given)
    if target is not None:
        target.tell(Formulas(request, job.order, derived))
        return
    text = _written(wanted, derived, request.variables)
    with output as door:
        door(text.encode())


def _written(wanted: str, derived: Named, variables: list[str]) -> str:
    from gradcli import notation

    if wanted in notation.NOTATIONS:
        return notation.write(wanted, derived, variables)
    from gradcli.languages import code

    return code(wanted, derived, variables)


def _simplified(derived: Named, variables: list[str], given: dict[str, Any]) -> Named:
    """The forms that a person would write, compared with what was derived at points."""
    from gradcli.check import differing
    from gradcli.expr import readable
    from gradcli.simplify import attempted

    plain = readable(e for _, e in derived)
    forms = attempted(plain)
    # Textbook forms are shown without --simplify too.
    new = [(name, e, f) for (name, e), f, p in zip(derived, forms, plain, strict=True) if f is not None and f is not p]
    wrong, unsure = differing(new, variables)
    long = [name for (name, _), form in zip(derived, forms, strict=True) if form is None or name in unsure]
    if not given["quiet"]:
        if wrong:
            report.note(
                f"{_listed(wrong)}: the simpler form is not the same function, and is not shown", given["color"]
            )
        if long:
            report.note(f"{_listed(long)} not simplified: that takes more work than the limit", given["color"])
    return [
        (name, p if form is None or name in wrong or name in long else form)
        for (name, _), form, p in zip(derived, forms, plain, strict=True)
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def show() -> click.Command:
    return options.Command(
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
            *options.expressions(),
            *options.derivatives(),
            options.option("--as", "as", type=click.Choice(_forms()), default="text", metavar="FORM",
                           help=f"One of {', '.join(_forms())}.  [default: text]"),
            options.option("--simplify", is_flag=True, help="The form that a person would write, for reading."),
            *options.output(numbers=False),
        ],
        callback=click.pass_context(_show),
    )  # fmt: skip


def _forms() -> list[str]:
    from gradcli.languages import LANGUAGES
    from gradcli.notation import NOTATIONS

    return ["text", *LANGUAGES, *NOTATIONS]
