"""The command explain: the derivation of a derivative, rule by rule, and the tape's tables at a point."""

from __future__ import annotations

import sys

import click

from gradcli.cli import equations, options, stderr
from gradcli.cli.inputs import names, sources
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown

SCHEMA = "gradcli-explain/1"
ORDERS = 50
"""The highest order of a series."""


@options.command(
    "explain",
    examples=(
        'gradcli explain "x**2*sin(x)"',
        'gradcli explain "exp(-x*y)/y" --wrt y --at x=1,y=2',
        'gradcli explain "sin(x)/x" --at x=0 --order 6',
        'gradcli explain "sin(x)**2" --at x=1 --json',
    ),
    help="How the derivative comes about: the rule at each step; with --at, the forward and reverse tables of the "
    "tape, and the series on both sides of the point.",
    params=options.named("expr file natural wrt allow_unused at series_order report report_format json"),
)
def explain(ctx: click.Context, line: CommandLine) -> None:
    import orjson

    from gradcli.job import Job, Request
    from gradcli.job.near import nears
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.notation.explain import explained, explained_json

    form = options.table_or_json(line, "explanations")
    output = ctx.obj.to(line.path, line)
    if not 0 <= line.order <= ORDERS:
        raise GradError(f"--order: a series of explain has an order from 0 to {ORDERS}, not {line.order}")
    points = Points(line.at)
    wrt = names(line.wrt)
    request = Request(Job(sources(line), wrt=wrt, order=0, allow_unused=line.allow_unused), points.names)
    request.pointwise()
    wanted = request.variables if wrt is None else wrt
    if not wanted:
        raise GradError("there is no variable to differentiate in")
    if points:
        points.bind([*request.points, *wanted])
    point = points.at if points else None
    beside = None if point is None else nears(request, points, wanted, line.order)
    if form == "json":
        answer = {
            "schema": SCHEMA,
            **equations.read_as(request.read_as),
            **explained_json(request.outputs, wanted, point, beside or ()),
        }
        text = orjson.dumps(answer) + b"\n"
        text = json_shown(text) if output.terminal else text
    else:
        width = stderr.text_width(sys.stdout) if output.terminal else None
        text = stderr.fitted(explained(request.outputs, wanted, point, beside or ()), width).encode()
    with output:
        output(text)
    stderr.read_as(request.read_as, line)
    missing = "the series on both sides need python-flint (pip install python-flint)"
    for note in (request.note, missing if point is not None and beside is None else ""):
        if note and not line.quiet:
            stderr.note(note, line.color)
