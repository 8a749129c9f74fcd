"""The command parts: what a folder of parts holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gradcli.caret import counted, inert, printable
from gradcli.cli import options
from gradcli.cli.options import CommandLine
from gradcli.cli.output import emit

if TYPE_CHECKING:
    from gradcli.parts.report import Report

_SHOWN = 20
"""Parts that are not done which are listed; JSON lists all."""


@options.command(
    "parts",
    examples=("gradcli parts out/", "gradcli parts out/ --verify", "gradcli parts s3://bucket/out/ --json"),
    help="What a folder of parts holds: how many are done, missing and broken. Exit 1 if it is not whole.",
    params=[options.argument("folder", metavar="FOLDER"), *options.named("verify json")],
)
def parts(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.parts.report import report

    path = line.folder if line.folder.endswith(("/", os.sep)) else f"{line.folder}/"
    found = report(path, line.verify)
    ctx.obj.code = 0 if found.whole else 1
    if line.json:
        import json

        emit(json.dumps(_fields(found)) + "\n", fit=False)
    else:
        emit("\n".join([*_lines(found), ""]))
    if not found.whole:
        ctx.exit(1)


def _lines(found: Report) -> Iterator[str]:
    """The report for people."""
    from gradcli.parts.report import BROKEN, DONE, MISSING

    yield f"rows     {found.rows:,}"
    yield f"done     {found.count(DONE):,} of {counted(len(found.states), 'parts')}"
    yield f"missing  {found.count(MISSING):,}"
    yield f"broken   {found.count(BROKEN):,}"
    wrong = [state for state in found.states if state.status != DONE]
    for state in wrong[:_SHOWN]:
        yield inert(printable(f"{state.status}: {state.part.name} of {state.part.where}: {state.why}"))
    if len(wrong) > _SHOWN:
        yield f"and {len(wrong) - _SHOWN:,} more; --json lists all"
    for name in found.foreign[:_SHOWN]:
        yield inert(printable(f"'{name}' does not belong to a folder of parts"))
    if found.whole:
        yield "whole"
    elif not wrong and not found.foreign:
        yield "not whole: the manifest is missing; the command that made the parts writes it"
    else:
        yield "not whole: the command that began the folder goes on with it"


def _fields(found: Report) -> dict[str, Any]:
    """The report as JSON."""
    from gradcli.parts.report import BROKEN, DONE, MISSING

    counts = {status: found.count(status) for status in (DONE, MISSING, BROKEN)}
    listed = []
    for state in found.states:
        entry: dict[str, Any] = {
            "part": state.part.name, "source": state.part.source.path,
            "range": state.part.range, "status": state.status,
        }  # fmt: skip
        if state.why:
            entry["why"] = state.why
        if state.status == DONE and state.record is not None:
            entry |= {name: state.record[name] for name in ("rows_in", "rows", "bytes", "crc32")}
        if state.blake2b is not None:
            entry["blake2b"] = state.blake2b
        listed.append(entry)
    return {
        "schema": "gradcli-parts-report/1", "folder": found.path, "whole": found.whole, "rows": found.rows, **counts,
        "foreign": found.foreign, "parts": listed,
    }  # fmt: skip
