"""The command explain: how a derivative comes about, rule by rule, and the tape's tables at a point."""

from __future__ import annotations

from typing import Any

import click

from gradcli.cli import options
from gradcli.cli.diff import names, sources
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown

SCHEMA = "gradcli-explain/1"


def _explain(ctx: click.Context, **given: Any) -> None:
    import orjson

    from gradcli.explain import explained, explained_json
    from gradcli.grid.points import Points
    from gradcli.job import Job, Request

    form = options.table_or_json(given, "explanations")
    output = ctx.obj.to(given["output"], given)
    points = Points(given["at"])
    wrt = names(given["wrt"])
    request = Request(Job(sources(given), wrt=wrt, order=0, allow_unused=given["allow_unused"]), points.names)
    request.pointwise()
    wanted = request.variables if wrt is None else wrt
    if not wanted:
        raise GradError("there is no variable to differentiate in")
    if points:
        points.bind([*request.points, *wanted])
    point = points.at if points else None
    if form == "json":
        found = {"schema": SCHEMA, **explained_json(request.outputs, wanted, point)}
        text = orjson.dumps(found) + b"\n"
        text = json_shown(text) if output.terminal else text
    else:
        text = explained(request.outputs, wanted, point).encode()
    with output as door:
        door(text)


def explain() -> click.Command:
    return options.Command(
        "explain",
        examples=(
            'gradcli explain "x**2*sin(x)"',
            'gradcli explain "exp(-x*y)/y" --wrt y --at x=1,y=2',
            'gradcli explain "sin(x)**2" --at x=1 --json',
        ),
        help="How the derivative comes about: the rule at each step; with --at, the forward and reverse tables of the "
        "tape.",
        params=[
            *options.expressions(),
            *[p for p in options.derivatives() if p.name != "order"],
            *[p for p in options.points() if p.name == "at"],
            *[p for p in options.output(numbers=False) if p.name in ("output", "format", "json")],
        ],
        callback=click.pass_context(_explain),
    )
