"""The command study: what a function does over a range, as a table, as data and as a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gradcli.cli import equations, options, stderr
from gradcli.cli.inputs import sources
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.formats.terminal import json_shown

if TYPE_CHECKING:
    from gradcli.cli.output import Output
    from gradcli.plot.picture import Picture
    from gradcli.plot.study_request import Studied, Studies

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
    params=options.named("expr file natural study_range at no_picture size ascii study study_format json md"),
)
def study(ctx: click.Context, line: CommandLine) -> None:
    form = _form(line)
    output = ctx.obj.to(line.path, line)
    from gradcli.plot.study_request import studies

    found = studies(sources(line), line.grid, line.at)
    notes = [found.note] if found.note else []
    width = stderr.text_width(sys.stdout) if output.terminal else None
    if form == "json":
        data = _json(found)
        text = (json_shown(data) if output.terminal else data).decode()
    else:
        pictures = [None if line.no_picture else _drawn(s, line, form, output, notes) for s in found.studies]
        text = _report(form, found.studies, pictures, line, width)
    with output:
        output(text.encode())
    stderr.read_as(found.read_as, line)
    for note in notes:
        if not line.quiet:
            stderr.note(note, line.color)


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


def _json(found: Studies) -> bytes:
    import json

    from gradcli.plot.study_json import as_json

    answer = {"schema": SCHEMA, **equations.read_as(found.read_as), "studies": [as_json(s) for s in found.studies]}
    return (json.dumps(answer, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _drawn(studied: Studied, line: CommandLine, form: str, output: Output, notes: list[str]) -> Picture | None:
    """The picture of a study; a note where it cannot be drawn."""
    from gradcli.cli.plot import canvas
    from gradcli.plot.study_picture import drawn

    try:
        made = drawn(studied, line.grid[0], line.at, canvas(line, "svg" if form == "html" else "text", output))
    except GradError as e:
        if line.size is not None:
            raise
        notes.append(f"no picture: {e.message}")
        return None
    # Those about the curve; what breaks off is told by the study.
    notes += [note for note in made.notes if note.startswith(f"{studied.name}: ")]
    return made


def _report(
    form: str, studies: list[Studied], pictures: Sequence[Picture | None], line: CommandLine, width: int | None
) -> str:
    if form == "html":
        from gradcli.plot.study_html import document
        from gradcli.plot.svg import svg

        return document(studies, ["" if p is None else svg(p) for p in pictures])
    from gradcli.cli.plot import utf8
    from gradcli.plot.braille import written
    from gradcli.plot.study_text import markdown, table

    parts = []
    for studied, picture in zip(studies, pictures, strict=True):
        color = form == "table" and line.path is None and stderr.colored(sys.stdout, line.color)
        below = "" if picture is None else written(picture, ascii_=line.ascii or not utf8(), color=color)
        if form == "markdown":
            parts.append(markdown(studied) + (f"\n```text\n{below}```\n" if below else ""))
        else:
            parts.append(stderr.fitted(table(studied), width) + (f"\n{below}" if below else ""))
    return "\n".join(parts)
