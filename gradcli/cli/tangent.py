"""The command tangent: tangent lines and planes, and normal lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gradcli.cli import options
from gradcli.cli.equations import Report, aligned, form, number, read_as, tell, write
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.expr import spell_name

if TYPE_CHECKING:
    from gradcli.job.tangent import Touching

SCHEMA = "gradcli-tangent/1"


@options.command(
    "tangent",
    examples=(
        'gradcli tangent "x**3 - 3*x" --at x=2',
        'gradcli tangent "sin(x)" --at x=pi/4 --as latex',
        'gradcli tangent "sqrt(x*x + y*y)" --at x=3,y=4',
        'gradcli tangent "a*exp(-b*t)" --wrt t --at a=2,b=1,t=0 --json',
    ),
    help="The tangent line at a point and the line at right angles to it; in several variables the tangent plane. "
    "Numbers are exact where they can be.",
    params=options.named("expr file natural wrt allow_unused at form form_file form_format csv json"),
)
def tangent(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job import Job
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.job.tangent import tangents

    chosen = form(ctx, line)
    output = ctx.obj.to(line.path, line)
    job = Job(sources(line), wrt=names(line.wrt), order=1, allow_unused=line.allow_unused)
    found, notes, strict = tangents(job, Points(line.at))
    write(output, chosen, Report(
        lambda: "\n".join([_table(one, len(found) > 1) for one in found]),
        lambda: "".join([f"{one.tangent.latex}\n" for one in found]),
        lambda: _rows(found),
        lambda: {"schema": SCHEMA, **read_as(strict), "tangents": [_data(one) for one in found]},
    ))  # fmt: skip
    tell(line, notes, strict)


def _table(one: Touching, several: bool) -> str:
    heading = f"{spell_name(one.name)}:\n" if several else ""
    return heading + aligned([("tangent", one.tangent.text), ("normal", one.normal.text)])


def _rows(found: list[Touching]) -> list[list[str]]:
    """One row a number, since outputs may have different variables."""
    rows = [["output", "quantity", "variable", "exact", "value"]]
    for one in found:
        told = [("value", "", one.value), *[("slope", x, s) for x, s in one.slopes.items()],
                ("intercept", "", one.intercept)]  # fmt: skip
        rows += [[one.name, what, x, (n and n.exact) or "", number(n and n.value)] for what, x, n in told]
    return rows


def _data(one: Touching) -> dict[str, Any]:
    from gradcli.job.numbers_told import data

    return {
        "name": one.name,
        "expression": one.expression,
        "point": one.point,
        "tangent": one.tangent.text,
        "normal": one.normal.text,
        "latex": one.tangent.latex,
        "value": data(one.value),
        "slopes": {x: slope and data(slope) for x, slope in one.slopes.items()},
        "intercept": one.intercept and data(one.intercept),
        "notes": one.notes,
    }
