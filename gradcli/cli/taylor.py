"""The command taylor: Taylor polynomials, with proved bounds on their errors."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING, Any

import click

from gradcli.cli import options
from gradcli.cli.equations import Report, form, number, read_as, tell, write
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.expr import spell_name

if TYPE_CHECKING:
    from gradcli.job.taylor import Polynomial, Taylor

SCHEMA = "gradcli-taylor/1"


@options.command(
    "taylor",
    examples=(
        'gradcli taylor "exp(sin(x))" --at x=0 --order 8',
        'gradcli taylor "log(x)" --at x=1 --order 4 --remainder x=0.9:1.1',
        'gradcli taylor "exp(a*x)" --wrt x --as latex',
        'gradcli taylor "exp(x*y)" --at x=0,y=0 --order 4 --csv',
    ),
    help="The Taylor polynomial about a point (0 by default), with exact coefficients where they have a closed form; "
    "--remainder proves how far it is off.",
    params=options.named(
        "expr file natural wrt allow_unused at taylor_order remainder form form_file form_format csv json"
    ),
)
def taylor(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job import Job
    from gradcli.job.bounds import read_box
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.job.taylor import taylor as expanded

    chosen = form(ctx, line)
    output = ctx.obj.to(line.path, line)
    over = read_box(line.remainder, "--remainder")
    job = Job(sources(line), wrt=names(line.wrt), order=0, allow_unused=line.allow_unused)
    found = expanded(job, Points(line.at), line.order, over)
    write(output, chosen, Report(
        lambda: _table(found),
        lambda: "".join([f"{p.latex}\n" for p in found.polynomials]),
        lambda: _rows(found),
        lambda: {
            "schema": SCHEMA, **read_as(found.read_as), "order": found.order,
            "series": [_data(p, found) for p in found.polynomials],
        },
    ))  # fmt: skip
    tell(line, found.notes, found.read_as)


def _table(found: Taylor) -> str:
    lines = []
    for p in found.polynomials:
        lines.append(f"{spell_name(p.name)} = {p.text}" if len(found.polynomials) > 1 else p.text)
        if p.remainder is not None:
            ((x, (low, high)),) = found.over.items()
            over = f"{spell_name(x)}={_text(float(low))}:{_text(float(high))}"
            bound = rounded_up(p.remainder.bound)
            lines.append(f"|{spell_name(p.name)} - p| <= {bound} over {over}, which it reaches to {_share(p)}")
    return "\n".join(lines) + "\n"


def rounded_up(x: float) -> str:
    """A number from 0 with four digits, never less than it."""
    return repr(float(Context(prec=4, rounding=ROUND_CEILING).create_decimal_from_float(x))).removesuffix(".0")


def _share(p: Polynomial) -> str:
    """How near the error comes to its bound, in per cent rounded down."""
    assert p.remainder is not None
    bound, reached = p.remainder
    return f"{int(1000 * reached / bound) / 10:g} %" if bound else "100 %"


def _text(x: float) -> str:
    return repr(x).removesuffix(".0")


def _rows(found: Taylor) -> list[list[str]]:
    """One row a coefficient, with the exponent of each variable."""
    variables = list(dict.fromkeys(x for p in found.polynomials for x in p.about))
    rows = [["output", *variables, "exact", "value"]]
    for p in found.polynomials:
        for powers, c in p.coefficients.items():
            exponents = dict(zip(p.about, powers, strict=True))
            rows.append([p.name, *[str(exponents.get(x, "")) for x in variables], c.exact or "", number(c.value)])
    return rows


def _data(p: Polynomial, found: Taylor) -> dict[str, Any]:
    from gradcli.job.numbers_told import data

    remainder = None
    if p.remainder is not None:
        ((_, (low, high)),) = found.over.items()
        remainder = {"over": [float(low), float(high)], "bound": p.remainder.bound, "reached": p.remainder.reached}
    return {
        "name": p.name,
        "expression": p.expression,
        "about": p.about,
        "at": p.fixed,
        "polynomial": p.text,
        "latex": p.latex,
        "coefficients": [
            {"powers": dict(zip(p.about, powers, strict=True)), **data(c)} for powers, c in p.coefficients.items()
        ],
        "side": p.side,
        "hole": p.hole,
        "proved": p.proved,
        "remainder": remainder,
    }
