"""Reports of verdicts on claims: as text, JSON, JUnit XML for CI servers, and annotations for GitHub Actions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from gradcli.caret import printable
from gradcli.cli.stderr import counted
from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.verify import Example, Report, Verdict

SCHEMA = "gradcli-check/1"
_COLORS = {"agrees": "\x1b[32m", "disagrees": "\x1b[1;31m", "unchecked": "\x1b[1;33m"}


def _number(value: float) -> str:
    return spell(value).removesuffix(".0")


def _counterexample(example: Example) -> str:
    """The counterexample in words, such as ``at x=1, y=2: claimed 4, true 2 (the sign is wrong)``."""
    point = ", ".join(f"{spell_name(name)}={_number(value)}" for name, value in example.point.items())
    where = f"at {point}: " if point else ""
    pattern = f" ({example.pattern})" if example.pattern else ""
    return f"{where}claimed {_number(example.claimed)}, true {_number(example.true)}{pattern}"


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
        parts.append(f"it has no value at {counted(verdict.holes, 'points')} where the derivative has")
    return "; ".join(parts)


def _outcome(verdict: Verdict) -> str:
    if verdict.example is not None:
        return _counterexample(verdict.example)
    return verdict.reason or _agreement(verdict)


def _summary(report: Report) -> str:
    counts = {status: sum(v.status == status for v in report.verdicts) for status in _COLORS}
    words = {"agrees": "agree", "disagrees": "disagree", "unchecked": "could not be checked"}
    counted_statuses = ", ".join(
        f"{n} {status if n == 1 and status != 'unchecked' else words[status]}" for status, n in counts.items() if n
    )
    chosen = report.seed is not None and not all(v.same for v in report.verdicts)
    seed = f" (points chosen by --seed {report.seed})" if chosen else ""
    return f"{counted(len(report.verdicts), 'claims')}: {counted_statuses}{seed}"


def table(report: Report, color: bool) -> str:
    """One line per claim, the claimed and true derivatives under each wrong one, and a last line with counts."""
    width = max(len(printable(v.claim.name)) for v in report.verdicts)
    lines = []
    for v in report.verdicts:
        status = v.status.upper() if v.status == "disagrees" else v.status
        shown = f"{_COLORS[v.status]}{status}\x1b[0m" if color else status
        name = printable(v.claim.name)
        lines.append(f"{name.ljust(width)}  {shown}{' ' * (9 - len(status))}  {printable(_outcome(v))}")
        if v.status == "disagrees":
            lines.append(f"{'':{width}}  {'claimed':9}  {printable(_short(v.claim.typed))}")
            lines.append(f"{'':{width}}  {'true':9}  {printable(v.truth)}")
    return "\n".join([*lines, _summary(report), ""])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 400 else text[:400] + " ..."


def json(report: Report, color: bool) -> str:
    """One JSON object and a newline. Numbers that are not finite are null."""
    fields = {
        "schema": SCHEMA,
        "expressions": report.expressions,
        "seed": report.seed,
        "ok": report.exit_code == 0,
        "checks": list(map(_fields, report.verdicts)),
    }
    return orjson.dumps(fields).decode() + "\n"


def _fields(v: Verdict) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": v.claim.name, "status": v.status, "claimed": v.claim.typed, "true": v.truth, "same": v.same,
        "points": v.compared, "kinks": v.kinks, "holes": v.holes, "outside": v.outside, "ulps": v.ulps,
    }  # fmt: skip
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
    """A JUnit XML document with a test case for each claim."""
    statuses = [v.status for v in report.verdicts]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites><testsuite name="gradcli check" tests="{len(statuses)}" failures="{statuses.count("disagrees")}" '
        f'errors="{statuses.count("unchecked")}" skipped="0">',
    ]
    for v in report.verdicts:
        where = f' file={_quoted(v.claim.place.file)} line="{v.claim.place.line}"' if v.claim.place else ""
        head = f"<testcase classname={_quoted(v.claim.output)} name={_quoted(v.claim.name)}{where}>"
        if v.status == "agrees":
            lines.append(f"{head}<system-out>{_escaped(_outcome(v))}</system-out></testcase>")
            continue
        tag = "failure" if v.status == "disagrees" else "error"
        body = f"{_outcome(v)}\nclaimed {_short(v.claim.typed)}\ntrue    {v.truth}"
        lines.append(f"{head}<{tag} message={_quoted(_outcome(v))}>{_escaped(body)}</{tag}></testcase>")
    return "\n".join([*lines, "</testsuite></testsuites>", ""])


def _escaped(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))))


def _quoted(text: str) -> str:
    return quoteattr(printable(text))


def github(report: Report) -> Iterator[str]:
    """GitHub workflow commands that annotate the line of each claim that does not agree."""
    for v in report.verdicts:
        if v.status != "agrees":
            place = v.claim.place
            where = f"file={_property(printable(place.file))},line={place.line},col={place.column}," if place else ""
            kind = "error" if v.status == "disagrees" else "warning"
            message = f"{v.claim.name} {v.status} {_outcome(v)}; true: {v.truth}"
            title = _property(f"gradcli check: {printable(v.claim.name)}")
            yield f"::{kind} {where}title={title}::{_data(printable(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMS = {"table": table, "json": json}
