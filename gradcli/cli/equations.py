"""What tangent, taylor and implicit have in common: their forms, and how a report is written in each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gradcli.cli import options, stderr
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.formats import by_suffix, spell
from gradcli.formats.passthrough import quoted
from gradcli.formats.terminal import csv_shown, json_shown

if TYPE_CHECKING:
    from gradcli.cli.output import Output

FORMS = ("table", "latex", "csv", "json")


class Report(NamedTuple):
    """The forms of a result: each is made when it is asked for."""

    table: Callable[[], str]
    latex: Callable[[], str]
    rows: Callable[[], Sequence[Sequence[str]]]
    data: Callable[[], Mapping[str, Any]]


def form(ctx: click.Context, line: CommandLine) -> str:
    """The form, by a switch, --format, --as or the suffix of the file. Raises GradError for another one."""
    named = "json" if line.json else "csv" if line.csv else line.format
    if line.json and line.csv:
        raise GradError("one format at a time, not --csv and --json")
    if line.language == "latex":
        if named is not None and (options.typed(ctx, "format") or line.json or line.csv):
            raise GradError(f"--as latex has one form: leave out {named}")
        return "latex"
    if named is None and line.path is not None:
        named = "latex" if line.path.lower().endswith(".tex") else by_suffix(line.path).name
    if (named or "table") not in FORMS:
        raise GradError(f"{ctx.info_name} writes {', '.join(FORMS)}, not {named}")
    return named or "table"


def write(output: Output, chosen: str, report: Report) -> None:
    """Write a report in one form; a terminal gets no control characters."""
    if chosen == "json":
        data = (json.dumps(report.data()) + "\n").encode()
        data = json_shown(data) if output.terminal else data
    elif chosen == "csv":
        lines = [b",".join([quoted(cell.encode(), b",") for cell in row]) for row in report.rows()]
        data = b"\n".join(lines) + b"\n"
        data = csv_shown(data) if output.terminal else data
    else:
        text = report.latex() if chosen == "latex" else report.table()
        data = stderr.fitted(text, stderr.text_width(sys.stdout) if output.terminal else None).encode()
    with output:
        output(data)


def read_as(text: str | None) -> dict[str, str]:
    """The member of JSON that tells how natural notation was read; none where it is strict already."""
    return {} if text is None else {"read_as": text}


def tell(line: CommandLine, notes: Sequence[str], text: str | None) -> None:
    """Notes on stderr, unless --quiet; first how natural notation was read as ``text``, if it is not strict."""
    stderr.read_as(text, line)
    for note in dict.fromkeys(notes):
        if note and not line.quiet:
            stderr.note(note, line.color)


def number(value: float | None) -> str:
    """A double as a cell; empty where there is none."""
    return "" if value is None else spell(value)


def aligned(pairs: Sequence[tuple[str, str]], between: str = "  ") -> str:
    """Lines of a heading and a text, the texts in one column."""
    width = max([len(heading) for heading, _ in pairs], default=0)
    return "".join([f"{heading.ljust(width)}{between}{text}\n" for heading, text in pairs])
