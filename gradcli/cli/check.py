"""The command check: is this claimed derivative right? The exit code is the answer."""

from __future__ import annotations

import math
import sys
from typing import Any

import click

from gradcli.cli import messages, options
from gradcli.cli.diff import read, rows, sources
from gradcli.cli.output import FileDoor
from gradcli.errors import GradError, inert
from gradcli.formats.terminal import json_shown


def _check(ctx: click.Context, **given: Any) -> None:
    from gradcli.cli import check_report
    from gradcli.job import POINT_LIMIT
    from gradcli.verify import CheckJob, Texts, Tolerance, run_check

    output = None if given["output"] == "-" else given["output"]
    form = options.table_or_json(given, "verdicts")
    if [*given["file"], *given["claims"], *given["input"]].count("-") > 1:
        raise GradError("stdin cannot be read twice")
    for name in ("rtol", "atol", "max_ulp"):
        limit = given[name]
        if limit is not None and not 0 <= limit < math.inf:
            raise GradError(f"--{name.replace('_', '-')}: a finite number from 0 is needed")
    told = ctx.obj.to(output, given)
    apart = ctx.obj.to(None, given) if given["github"] and output is not None else None
    junit = None if given["junit"] is None else ctx.obj.to(given["junit"], given)
    same = isinstance(junit, FileDoor) and isinstance(told, FileDoor) and junit.target == told.target
    if given["junit"] in ("", "-") or same:
        raise GradError("--junit needs a file of its own", hint="such as: --junit messages.xml")
    pointed = given["at"] or given["grid"] or given["fill"] is not None or given["input"]
    for name in ("points", "thorough"):
        if pointed and given[name]:
            raise GradError(f"--{name} is for points that are chosen", hint="leave out --at, --grid and --input")
    job = CheckJob(
        sources(given),
        Texts([*options.operands(given["claim"]), *map(read, given["claims"])], options.operands(given["equals"]),
              given["claim_column"], options.operands(given["let"])),
        at=given["at"],
        grids=given["grid"],
        fill=given["fill"],
        points=given["points"],
        seed=given["seed"],
        thorough=given["thorough"],
        tolerance=Tolerance(given["rtol"], given["atol"], given["max_ulp"]),
        engine=given["engine"],
        threads=given["threads"],
        max_points=given["max_points"] or POINT_LIMIT,
    )  # fmt: skip
    asked = rows(given | {"keep": False}, None)
    found = run_check(job, asked)
    ctx.obj.code = found.exit_code
    if junit is not None:
        with junit as door:
            door(inert(check_report.junit(found)).encode())
    with told as door:
        color = output is None and messages.colored(sys.stdout, given["color"])
        text = inert(check_report.FORMS[form](found, color)).encode()
        door(json_shown(text) if form == "json" and door.terminal else text)
        if given["github"] and output is None and form != "json":
            door("".join(check_report.github(found)).encode())
    if apart is not None:
        with apart as door:
            door("".join(check_report.github(found)).encode())
    elif given["github"] and form == "json":
        # GitHub reads both; what is on stdout stays one object.
        sys.stderr.write("".join(check_report.github(found)))
    if asked is not None and not given["quiet"]:
        for line in asked.notes:
            messages.note(line, given["color"])
    ctx.exit(found.exit_code)


def check() -> click.Command:
    return options.Command(
        "check",
        examples=(
            'gradcli check "x**2*sin(y)" --claim "df_dx = 2*x*sin(y)" --claim "df_dy = x**2*cos(y)"',
            "gradcli check -f model.grad --claims claims.grad --junit messages.xml",
            'gradcli check "a*exp(-b*t)" --input runs.csv --claim-column df_da=grad_a',
            'gradcli check "diff(u,t)" --equals "k*diff(u,x,2)" --let "u = exp(-k*t)*sin(x)"',
        ),
        help="Is this claimed derivative right? Exit 0 where all claims agree, 1 where some do not, 2 where they could "
        "not be checked. Without points, gradcli chooses them.",
        params=[
            *options.expressions(),
            *options.claims(),
            *[p for p in options.points() if p.name not in ("strict", "verbose", "no_progress")],
            *[p for p in options.rows() if p.name != "keep"],
            *options.told(),
        ],
        callback=click.pass_context(_check),
    )
