"""The command study: what a function does over a range, as a table, as data and as a report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from gradcli.cli import options, stderr
from gradcli.cli.inputs import sources
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown

if TYPE_CHECKING:
    from gradcli.plot.study_request import Studied

SCHEMA = "gradcli-study/1"
FORMS = {"table": (".txt",), "json": (".json",), "markdown": (".md", ".markdown"), "html": (".html", ".htm")}
"""The forms of a study, and the suffixes of files."""


@options.command(
    "study",
    examples=(
        'gradcli study "x**3/(x**2 - 1)" --grid x=-5:5',
        'gradcli study "x*exp(-a*x)" --grid x=0:10 --at a=1/2',
        'gradcli study "sin(x)/x" --grid x=-2*pi:2*pi --json',
        'gradcli study "log(x)/x" --grid x=0:10 -o study.html',
    ),
    help="Domain, zeros, poles, asymptotes, extrema and inflections over a range, where it rises and how it bends. "
    "Every zero is isolated and proved; what could not be decided is said.",
    params=[
        *options.named("expr file grid at"),
        options.option("-o", "--output", "output", metavar="FILE",
                       help="Write to FILE, format by suffix: .txt, .json, .md or .html"),
        options.option("--format", "format", type=click.Choice(list(FORMS)), metavar="FORMAT",
                       help=f"One of {', '.join(FORMS)}.  [default: table]"),
        *options.named("json"),
        options.option("--md", "md", is_flag=True, envvar=None, help="Same as --format markdown."),
    ],
)  # fmt: skip
def study(ctx: click.Context, line: CommandLine) -> None:
    form = _form(line)
    output = ctx.obj.to(line.path, line)
    from gradcli.plot.study_request import studies

    found = studies(sources(line), line.grid, line.at)
    text = _written(form, found.studies)
    if output.terminal:
        text = (
            json_shown(text.encode()).decode() if form == "json" else stderr.fitted(text, stderr.text_width(sys.stdout))
        )
    with output:
        output(text.encode())
    if found.note and not line.quiet:
        stderr.note(found.note, line.color)


def _form(line: CommandLine) -> str:
    """The form by a switch, by --format, by the suffix of the file, else a table."""
    chosen = dict.fromkeys([*(["json"] if line.json else []), *(["markdown"] if line.md else []),
                            *([line.format] if line.format else [])])  # fmt: skip
    if len(chosen) > 1:
        raise GradError(f"one format at a time, not {' and '.join(chosen)}")
    if chosen:
        return next(iter(chosen))
    if line.path is None:
        return "table"
    suffix = os.path.splitext(line.path)[1].lower()
    form = next((form for form, suffixes in FORMS.items() if suffix in suffixes), None)
    if form is None:
        known = ", ".join([suffixes[0] for suffixes in FORMS.values()])
        raise GradError(f"--output: '{line.path}' ends in none of {known}", hint="or say it: --format table")
    return form


def _written(form: str, studies: list[Studied]) -> str:
    if form == "json":
        import json

        from gradcli.plot.study_json import as_json

        return json.dumps({"schema": SCHEMA, "studies": [as_json(s) for s in studies]}, ensure_ascii=False) + "\n"
    if form == "html":
        from gradcli.plot.study_html import document

        return document(studies)
    from gradcli.plot.study_text import markdown, table

    return "\n".join([(markdown if form == "markdown" else table)(s) for s in studies])
