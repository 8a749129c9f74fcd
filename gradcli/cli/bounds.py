"""The command bounds: proved least and greatest values over a box."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import click

from gradcli.cli import equations, options, stderr
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.expr import spell_name
from gradcli.formats.terminal import json_shown

if TYPE_CHECKING:
    from gradcli.job.bounds import Bounds
    from gradcli.truth.bounds import Enclosure

SCHEMA = "gradcli-bounds/1"


@options.command(
    "bounds",
    examples=(
        'gradcli bounds "x**3 - 3*x" --over x=-2:2',
        'gradcli bounds "exp(-x*x)*sin(y)" --over x=-1:1 --over y=0:2 --order 2',
        'gradcli bounds "sqrt(1 - x**2)" --over x=-1:1 --order 0 --tol 1e-12',
        'gradcli bounds "a*exp(-b*t)" --wrt a --over a=1:2,b=0.1:1,t=0:10 --json',
    ),
    help="The least and the greatest value of each output and derivative over a box, proved: two numbers that it "
    "surely lies between.",
    params=options.named("expr file natural over order wrt tol allow_unused report report_format json"),
)
def bounds(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.job import Job
    from gradcli.job.bounds import bounds as proved
    from gradcli.job.bounds import read_box

    form = options.table_or_json(line, "bounds")
    output = ctx.obj.to(line.path, line)
    over = read_box(line.over)
    job = Job(sources(line), wrt=names(line.wrt), order=line.order, allow_unused=line.allow_unused)
    found = proved(job, over, line.tol)
    failed = [row for row in found.rows if row.least is None]
    ctx.obj.code = int(bool(failed))
    if form == "json":
        text = _json(found, line.tol)
        text = json_shown(text) if output.terminal else text
    else:
        width = stderr.text_width(sys.stdout) if output.terminal else None
        text = stderr.fitted(_table(found), width).encode()
    with output:
        output(text)
    stderr.read_as(found.read_as, line)
    wide = [row.name for row in found.rows if row.least is not None and not row.met]
    hints = list(dict.fromkeys([row.hint for row in failed if row.hint]))
    for note in (
        found.note,
        f"{', '.join(map(spell_name, wide[:3]))}{' ...' if len(wide) > 3 else ''}: proved, but not as narrow as "
        f"--tol {line.tol:g} asks" if wide else "",
        f"{', '.join([spell_name(row.name) for row in failed[:3]])}{' ...' if len(failed) > 3 else ''}: no bounds; "
        f"{'; '.join(hints)}" if failed else "",
    ):  # fmt: skip
        if note and not line.quiet:
            stderr.note(note, line.color)
    ctx.exit(ctx.obj.code)


def _table(found: Bounds) -> str:
    box = ", ".join([f"{spell_name(n)}={_text(float(a))}:{_text(float(b))}" for n, (a, b) in found.over.items()])
    lines = [["", "least", "greatest"]]
    for row in found.rows:
        if row.least is None or row.greatest is None:
            lines.append([spell_name(row.name), row.why])
        else:
            lines.append([spell_name(row.name), _shown(row.least), _shown(row.greatest)])
    full = [cells for cells in lines if len(cells) == 3]
    widths = [max([len(cells[k]) for cells in (lines if k == 0 else full)]) for k in range(2)]
    body = [
        "  ".join([*[cell.ljust(width) for cell, width in zip(cells, widths, strict=False)], *cells[2:]]).rstrip()
        for cells in lines
    ]
    return "\n".join([f"over {box}", "", *body]) + "\n"


def _shown(enclosure: Enclosure) -> str:
    low, high = enclosure
    return _text(low) if low == high else f"{_text(low)} .. {_text(high)}"


def _text(x: float) -> str:
    return repr(x).removesuffix(".0")


def _json(found: Bounds, tol: float) -> bytes:
    import json

    def pair(enclosure: Enclosure | None) -> list[float | None] | None:
        return None if enclosure is None else [x if math.isfinite(x) else None for x in enclosure]

    rows = [
        {"name": row.name, "least": pair(row.least), "greatest": pair(row.greatest), "met": row.met,
         "why": row.why or None}
        for row in found.rows
    ]  # fmt: skip
    over = {n: [float(a), float(b)] for n, (a, b) in found.over.items()}
    members = {"schema": SCHEMA, **equations.read_as(found.read_as), "over": over, "tol": tol, "bounds": rows}
    return (json.dumps(members) + "\n").encode()
