"""Reports of verdicts on claims: as text, JSON, JUnit XML for CI servers, and annotations for GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from gradcli.caret import inert, printable
from gradcli.cli.destinations import Outputs
from gradcli.cli.options import CommandLine
from gradcli.cli.output import Output
from gradcli.errors import GradError
from gradcli.verify import Place, Report, wording
from gradcli.verify.wording import outcome, place_of, short, truth

_COLORS = {"agrees": "\x1b[32m", "disagrees": "\x1b[1;31m", "unchecked": "\x1b[1;33m"}


def table(report: Report, color: bool, width: int | None = None) -> str:
    """The report for people, fitted to ``width`` cells."""
    return wording.table(report, width, _colored if color else str)


def _colored(status: str) -> str:
    return f"{_COLORS[status.lower()]}{status}\x1b[0m"


def json(report: Report, color: bool, width: int | None = None) -> str:
    """One JSON object and a newline."""
    return orjson.dumps(wording.fields(report)).decode() + "\n"


def junit(report: Report) -> str:
    """A JUnit XML document with a suite for each model, and in it a test case for each claim."""
    suites = [_suite(name or "gradcli check", part) for name, part in report.models or [("", report)]]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites>{''.join(suites)}</testsuites>", ""])


def _suite(name: str, report: Report) -> str:
    statuses = [v.status for v in report.verdicts]
    errors = statuses.count("unchecked") + len(report.errors)
    lines = [
        f'<testsuite name={_quoted(name)} tests="{len(statuses) + len(report.errors)}" '
        f'failures="{statuses.count("disagrees")}" errors="{errors}" skipped="0">',
    ]
    for v in report.verdicts:
        head = f"<testcase classname={_quoted(v.claim.output)} name={_quoted(v.claim.name)}{_where(v.claim.place)}>"
        if v.status == "agrees":
            lines.append(f"{head}<system-out>{_escaped(outcome(v))}</system-out></testcase>")
            continue
        tag = "failure" if v.status == "disagrees" else "error"
        body = f"{outcome(v)}\nclaimed {short(v.claim.typed)}\ntrue    {truth(v)}"
        lines.append(f"{head}<{tag} message={_quoted(outcome(v))}>{_escaped(body)}</{tag}></testcase>")
    for error in report.errors:
        place = place_of(error)
        case = "check" if place is None else f"{place.file}:{place.line}"
        head = f'<testcase classname="gradcli" name={_quoted(case)}{_where(place)}>'
        lines.append(f"{head}<error message={_quoted(error.message)}>{_escaped(str(error))}</error></testcase>")
    return "\n".join([*lines, "</testsuite>"])


def _where(place: Place | None) -> str:
    return "" if place is None else f' file={_quoted(place.file)} line="{place.line}"'


def _escaped(text: str) -> str:
    # It imports urllib, and with it 10 ms of modules for the network.
    from xml.sax.saxutils import escape

    return escape("\n".join(map(printable, text.split("\n"))))


def _quoted(text: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(printable(text))


def github(report: Report) -> Iterator[str]:
    """GitHub workflow commands that annotate the line of each claim that does not agree, or that cannot be read."""
    for v in report.verdicts:
        if v.status != "agrees":
            kind = "error" if v.status == "disagrees" else "warning"
            message = f"{v.claim.name} {v.status} {outcome(v)}; true: {truth(v)}"
            yield _annotation(kind, f": {printable(v.claim.name)}", v.claim.place, message)
    for error in report.errors:
        yield _annotation("error", "", place_of(error), ": ".join(filter(None, [error.message, error.hint])))


def _annotation(kind: str, subject: str, place: Place | None, message: str) -> str:
    where = f"file={_property(printable(place.file))},line={place.line},col={place.column}," if place else ""
    return f"::{kind} {where}title={_property(f'gradcli check{subject}')}::{_data(printable(message))}\n"


def tell_failure(error: GradError, words: Sequence[str], path: str | None, annotated: bool, json: bool) -> None:
    """Writes the report and the annotation of a check that could not be carried out, so that no older report stands.

    Raises GradError if that would write into a file that the command line names.
    """
    report = Report([], {}, None, [error])
    inputs = CommandLine(file=tuple(piece for word in words for piece in (word, word.partition("=")[2])))
    if path not in (None, "", "-"):
        with Outputs().to(path, inputs) as output:
            output(inert(junit(report)).encode())
    if annotated:
        with Outputs().to(None, inputs) if not json else Output("stderr", 2) as output:
            output("".join(github(report)).encode())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMS = {"table": table, "json": json}
