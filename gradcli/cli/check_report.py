"""Reports of verdicts on claims: as text, JSON, JUnit XML for CI servers, and annotations for GitHub Actions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from gradcli.caret import display_width, inert, printable, wrapped
from gradcli.cli.destinations import Outputs
from gradcli.cli.options import CommandLine
from gradcli.cli.output import Output
from gradcli.cli.stderr import counted
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.verify import Example, Place, Report, Verdict

SCHEMA = "gradcli-check/1"
MISSING = (
    "what is true at kinks and holes needs python-flint, which is not installed: there the derivative's own formula is "
    "taken for it (pip install python-flint)"
)
_COLORS = {"agrees": "\x1b[32m", "disagrees": "\x1b[1;31m", "unchecked": "\x1b[1;33m"}


def _number(value: float) -> str:
    return spell(value).removesuffix(".0")


def _at(point: Mapping[str, float]) -> str:
    return ", ".join(f"{spell_name(name)}={_number(value)}" for name, value in point.items())


def _counterexample(example: Example) -> str:
    """The counterexample in words, such as ``at x=1, y=2: claimed 4, true 2 (the sign is wrong)``."""
    where = f"at {_at(example.point)}: " if example.point else ""
    pattern = f" ({example.pattern})" if example.pattern else ""
    hole = f" ({example.hole})" if example.hole else ""
    return f"{where}claimed {_number(example.claimed)}{hole}, true {_number(example.true)}{pattern}"


def _agreement(verdict: Verdict) -> str:
    if verdict.same:
        return "the same expression"
    parts = [f"at {counted(verdict.compared, 'points')}"]
    if verdict.ulps:
        why = "as asked" if verdict.tolerance_given else "as rounding explains"
        parts.append(f"largest difference {verdict.ulps:.3g} ulp, {why}")
    if verdict.kinks:
        parts.append(f"at {counted(verdict.kinks, 'kinks')} it is on a side of the jump")
    if verdict.holes:
        hole = f" ({_hole(verdict)})" if verdict.hole else ""
        parts.append(f"it has no value at {counted(verdict.holes, 'points')} where the derivative has{hole}")
    if verdict.undecided:
        parts.append(_undecided(verdict))
    return "; ".join(parts)


def _hole(verdict: Verdict) -> str:
    """The operation of the claim that has no value, such as ``0/0 at x=0 in the claim``."""
    where = f" at {_at(verdict.hole_at)}" if verdict.hole_at else ""
    return f"{verdict.hole}{where} in the claim"


def _undecided(verdict: Verdict) -> str:
    return f"at {counted(verdict.undecided, 'points')} it could not be decided ({_at(verdict.undecided_at)})"


def _outcome(verdict: Verdict) -> str:
    if verdict.example is not None:
        return _counterexample(verdict.example)
    if verdict.reason and verdict.hole:
        return f"{verdict.reason}: {_hole(verdict)}"
    return verdict.reason or _agreement(verdict)


def _summary(report: Report) -> str:
    counts = {status: sum(v.status == status for v in report.verdicts) for status in _COLORS}
    words = {"agrees": "agree", "disagrees": "disagree", "unchecked": "could not be checked"}
    pieces = [
        f"{n} {status if n == 1 and status != 'unchecked' else words[status]}" for status, n in counts.items() if n
    ]
    if report.errors:
        pieces.append(f"{len(report.errors)} could not be read")
    chosen = report.seed is not None and not all(v.same for v in report.verdicts)
    seed = f" (points chosen by --seed {report.seed})" if chosen else ""
    models = f" in {counted(len(report.models), 'models')}" if report.models else ""
    return f"{counted(len(report.verdicts) + len(report.errors), 'claims')}{models}: {', '.join(pieces)}{seed}"


def table(report: Report, color: bool, width: int | None = None) -> str:
    """One line per claim, the claimed and true derivatives under each wrong one, and a last line with counts.

    Several models follow each other, each under its name. Lines are fitted to ``width`` cells.
    """
    if not report.verdicts:
        return ""
    lines = []
    for name, part in report.models or [("", report)]:
        if name:
            lines += [*wrapped(printable(name), width), *_lines(part.verdicts, color, width), ""]
        else:
            lines += _lines(part.verdicts, color, width)
    return "\n".join([*lines, *wrapped(_summary(report), width), ""])


def _lines(verdicts: Sequence[Verdict], color: bool, width: int | None) -> Iterator[str]:
    room = max([display_width(printable(v.claim.name)) for v in verdicts], default=0)
    for v in verdicts:
        status = v.status.upper() if v.status == "disagrees" else v.status
        name = printable(v.claim.name)
        head = f"{name}{' ' * (room - display_width(name))}  {status}"
        first, *more = wrapped(f"{head}{' ' * (9 - len(status))}  {printable(_outcome(v))}", width)
        if color and first.startswith(head):
            first = f"{head.removesuffix(status)}{_COLORS[v.status]}{status}\x1b[0m{first[len(head) :]}"
        yield from (first, *more)
        if v.status == "disagrees":
            yield from wrapped(f"{'':{room}}  {'claimed':9}  {printable(_short(v.claim.typed))}", width)
            yield from wrapped(f"{'':{room}}  {'true':9}  {printable(_truth(v))}", width)


def _truth(verdict: Verdict) -> str:
    """The formula of the true derivative, and the point of the counterexample if it does not hold there."""
    example = verdict.example
    return verdict.truth if example is None or example.formula else f"{verdict.truth} (not at {_at(example.point)})"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 400 else text[:400] + " ..."


def json(report: Report, color: bool, width: int | None = None) -> str:
    """One JSON object and a newline. Numbers that are not finite are null."""
    parts = report.models or [("", report)]
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "expressions": report.expressions,
        "seed": report.seed,
        "ok": report.exit_code == 0,
        "checks": [({"model": name} if name else {}) | _fields(v) for name, part in parts for v in part.verdicts],
    }
    if report.errors:
        fields["errors"] = [_error_fields(error) for error in report.errors]
    if report.models:
        fields["models"] = [{"name": name, "expressions": part.expressions} for name, part in report.models]
    return orjson.dumps(fields).decode() + "\n"


def _error_fields(error: GradError) -> dict[str, Any]:
    place = _place(error)
    return {
        "message": error.message, "hint": error.hint, "file": place and place.file, "line": place and place.line,
        "column": place and place.column,
    }  # fmt: skip


def _place(error: GradError) -> Place | None:
    """The position of an error if it is in a file."""
    if error.span is None or error.source is None or error.source.name is None:
        return None
    line, column, _ = error.source.place(error.span.start)
    return Place(error.source.name, line, column)


def _fields(v: Verdict) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": v.claim.name, "status": v.status, "claimed": v.claim.typed, "true": v.truth, "same": v.same,
        "points": v.compared, "kinks": v.kinks, "holes": v.holes, "outside": v.outside, "ulps": v.ulps,
    }  # fmt: skip
    if v.hole:
        fields["hole"] = {"point": v.hole_at, "operation": v.hole}
    if v.undecided:
        fields["undecided"] = {"points": v.undecided, "point": v.undecided_at}
    if v.example is not None:
        e = v.example
        fields["counterexample"] = {
            "point": e.point, "claimed": e.claimed if math.isfinite(e.claimed) else None, "true": e.true,
            "pattern": e.pattern,
        }  # fmt: skip
    if v.reason:
        fields["reason"] = v.reason
    return fields


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
            lines.append(f"{head}<system-out>{_escaped(_outcome(v))}</system-out></testcase>")
            continue
        tag = "failure" if v.status == "disagrees" else "error"
        body = f"{_outcome(v)}\nclaimed {_short(v.claim.typed)}\ntrue    {_truth(v)}"
        lines.append(f"{head}<{tag} message={_quoted(_outcome(v))}>{_escaped(body)}</{tag}></testcase>")
    for error in report.errors:
        place = _place(error)
        case = "check" if place is None else f"{place.file}:{place.line}"
        head = f'<testcase classname="gradcli" name={_quoted(case)}{_where(place)}>'
        lines.append(f"{head}<error message={_quoted(error.message)}>{_escaped(str(error))}</error></testcase>")
    return "\n".join([*lines, "</testsuite>"])


def _where(place: Place | None) -> str:
    return "" if place is None else f' file={_quoted(place.file)} line="{place.line}"'


def _escaped(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))))


def _quoted(text: str) -> str:
    return quoteattr(printable(text))


def github(report: Report) -> Iterator[str]:
    """GitHub workflow commands that annotate the line of each claim that does not agree, or that cannot be read."""
    for v in report.verdicts:
        if v.status != "agrees":
            kind = "error" if v.status == "disagrees" else "warning"
            message = f"{v.claim.name} {v.status} {_outcome(v)}; true: {_truth(v)}"
            yield _annotation(kind, f": {printable(v.claim.name)}", v.claim.place, message)
    for error in report.errors:
        yield _annotation("error", "", _place(error), ": ".join(filter(None, [error.message, error.hint])))


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
