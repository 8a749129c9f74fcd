"""The command implicit: derivatives of a variable that an equation defines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gradcli.cli import options
from gradcli.cli.equations import Report, aligned, form, number, read_as, tell, write
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.expr import spell_name, statements, text
from gradcli.formats import spell

if TYPE_CHECKING:
    from gradcli.job.implicit import Implicit

SCHEMA = "gradcli-implicit/1"


@options.command(
    "implicit",
    examples=(
        'gradcli implicit "x**2 + y**2 = 25" --at x=3,y=4 --order 3',
        'gradcli implicit "x**2 + y**2 = 25" --wrt x --solve y',
        'gradcli implicit "p*v = n*r*t" --wrt t --solve v',
        'gradcli implicit "x*exp(y) + y*z = 1" --solve y --at x=1,y=0,z=2 --json',
    ),
    help="The derivatives of y where an equation (lhs = rhs, or an expression that is to be 0) defines it as a "
    "function: at a point of the curve, exact where they can be, or as expressions.",
    params=options.named("expr file natural wrt solve at order form form_file form_format csv json"),
)
def implicit(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job.implicit import implicit as derived
    from gradcli.job.parse_at_grid_fill import Points, read_name

    chosen = form(ctx, line)
    output = ctx.obj.to(line.path, line)
    equations = sources(line)
    if len(equations) > 1:
        raise GradError("one equation at a time", hint='in quotation marks: gradcli implicit "x**2 + y**2 = 25"')
    solve = None if line.solve is None else read_name(line.solve.strip(), "--solve")
    found = derived(equations[0], names(line.wrt), solve, Points(line.at), line.order)
    write(output, chosen, Report(
        lambda: _table(found), lambda: "".join([f"{equation}\n" for equation in found.latex]),
        lambda: _rows(found), lambda: _data(found),
    ))  # fmt: skip
    tell(line, found.notes, found.read_as)


def _texts(found: Implicit) -> list[tuple[str, str]]:
    """Each derivative as text, and what several of them share, named t1, t2 ..., first."""
    if found.expressions:
        return list(statements(list(found.expressions.items())))
    return [(name, n.exact or spell(n.value or 0.0)) for name, n in found.numbers.items()]


def _table(found: Implicit) -> str:
    return aligned([(spell_name(name), text) for name, text in _texts(found)], " = ")


def _rows(found: Implicit) -> list[list[str]]:
    if found.expressions:
        return [["name", "expression"], *[[name, text] for name, text in _texts(found)]]
    return [["name", "exact", "value"], *[[m, n.exact or "", number(n.value)] for m, n in found.numbers.items()]]


def _data(found: Implicit) -> dict[str, Any]:
    from gradcli.job.numbers_told import Told, data

    numbers = found.numbers or {name: Told(text(e), None) for name, e in found.expressions.items()}
    return {
        "schema": SCHEMA,
        **read_as(found.read_as),
        "equation": found.equation,
        "solve": found.solve,
        "wrt": found.wrt,
        "order": found.order,
        "point": found.point or None,
        "derivatives": [
            {"name": name, "powers": found.powers[name], **data(n), "latex": latex}
            for (name, n), latex in zip(numbers.items(), found.latex, strict=True)
        ],
        "notes": found.notes,
    }
