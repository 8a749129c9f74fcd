"""The words of a report: its verdicts as text for people, and as the members of a JSON object.

Layer: must not know where a report is printed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gradcli.caret import counted, display_width, printable, wrapped
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.verify.claims import Place
from gradcli.verify.report import Report
from gradcli.verify.verdict import Example, Verdict

Mark = Callable[[str], str]

SCHEMA = "gradcli-check/1"
STATUSES = ("agrees", "disagrees", "unchecked")
MISSING = (
    "what is true at kinks and holes needs python-flint, which is not installed: there the derivative's own formula is "
    "taken for it (pip install python-flint)"
)


def spell_value(value: float) -> str:
    """A number as short as it reads back, integers without a point."""
    return spell(value).removesuffix(".0")


def spell_point(point: Mapping[str, float]) -> str:
    """A point as ``x=1, y=2``."""
    return ", ".join(f"{spell_name(name)}={spell_value(value)}" for name, value in point.items())


def _counterexample(example: Example) -> str:
    """The counterexample in words, such as ``at x=1, y=2: claimed 4, true 2 (the sign is wrong)``."""
    where = f"at {spell_point(example.point)}: " if example.point else ""
    pattern = f" ({example.pattern})" if example.pattern else ""
    hole = f" ({example.hole})" if example.hole else ""
    return f"{where}claimed {spell_value(example.claimed)}{hole}, true {spell_value(example.true)}{pattern}"


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
    where = f" at {spell_point(verdict.hole_at)}" if verdict.hole_at else ""
    return f"{verdict.hole}{where} in the claim"


def _undecided(verdict: Verdict) -> str:
    return f"at {counted(verdict.undecided, 'points')} it could not be decided ({spell_point(verdict.undecided_at)})"


def outcome(verdict: Verdict) -> str:
    """What was found about a claim, without its name and status."""
    if verdict.example is not None:
        return _counterexample(verdict.example)
    if verdict.reason and verdict.hole:
        return f"{verdict.reason}: {_hole(verdict)}"
    return verdict.reason or _agreement(verdict)


def _summary(report: Report) -> str:
    counts = {status: sum(v.status == status for v in report.verdicts) for status in STATUSES}
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


def table(report: Report, width: int | None = None, mark: Mark = lambda status: status) -> str:
    """One line per claim, the claimed and true derivatives under each wrong one, and a last line with counts.

    Several models follow each other, each under its name. Lines are fitted to ``width`` cells. ``mark`` is called on
    the status in each line, and may put an escape sequence around it.
    """
    if not report.verdicts:
        return ""
    lines = []
    for name, part in report.models or [("", report)]:
        if name:
            lines += [*wrapped(printable(name), width), *_lines(part.verdicts, width, mark), ""]
        else:
            lines += _lines(part.verdicts, width, mark)
    return "\n".join([*lines, *wrapped(_summary(report), width), ""])


def _lines(verdicts: Sequence[Verdict], width: int | None, mark: Mark) -> Iterator[str]:
    room = max([display_width(printable(v.claim.name)) for v in verdicts], default=0)
    for v in verdicts:
        status = v.status.upper() if v.status == "disagrees" else v.status
        name = printable(v.claim.name)
        head = f"{name}{' ' * (room - display_width(name))}  {status}"
        first, *more = wrapped(f"{head}{' ' * (9 - len(status))}  {printable(outcome(v))}", width)
        if first.startswith(head):
            first = f"{head.removesuffix(status)}{mark(status)}{first[len(head) :]}"
        yield from (first, *more)
        if v.status == "disagrees":
            yield from wrapped(f"{'':{room}}  {'claimed':9}  {printable(short(v.claim.typed))}", width)
            yield from wrapped(f"{'':{room}}  {'true':9}  {printable(truth(v))}", width)


def truth(verdict: Verdict) -> str:
    """The formula of the true derivative, and the point of the counterexample if it does not hold there."""
    example = verdict.example
    return (
        verdict.truth
        if example is None or example.formula
        else f"{verdict.truth} (not at {spell_point(example.point)})"
    )


def short(text: str) -> str:
    """The text of a claim in one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= 400 else text[:400] + " ..."


def fields(report: Report) -> dict[str, Any]:
    """The fields of the report's JSON object, as ``docs/schemas/check.json`` describes them.

    What is not finite, the value of a claim or a difference in ulp, is None.
    """
    parts = report.models or [("", report)]
    members: dict[str, Any] = {
        "schema": SCHEMA,
        "expressions": report.expressions,
        "seed": report.seed,
        "ok": report.exit_code == 0,
        "checks": [({"model": name} if name else {}) | _fields(v) for name, part in parts for v in part.verdicts],
    }
    if report.read_as is not None:
        members["read_as"] = report.read_as
    if report.errors:
        members["errors"] = [_error_fields(error) for error in report.errors]
    if report.models:
        members["models"] = [
            {"name": name, "expressions": part.expressions}
            | ({} if part.read_as is None else {"read_as": part.read_as})
            for name, part in report.models
        ]
    return members


def _error_fields(error: GradError) -> dict[str, Any]:
    place = place_of(error)
    return {
        "message": error.message, "hint": error.hint, "file": place and place.file, "line": place and place.line,
        "column": place and place.column,
    }  # fmt: skip


def place_of(error: GradError) -> Place | None:
    """The position of an error if it is in a file."""
    if error.span is None or error.source is None or error.source.name is None:
        return None
    line, column, _ = error.source.place(error.span.start)
    return Place(error.source.name, line, column)


def _fields(v: Verdict) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": v.claim.name, "status": v.status, "claimed": v.claim.typed, "true": v.truth, "same": v.same,
        "points": v.compared, "kinks": v.kinks, "holes": v.holes, "outside": v.outside,
        "ulps": v.ulps if math.isfinite(v.ulps) else None,
    }  # fmt: skip
    if v.hole:
        members["hole"] = {"point": v.hole_at, "operation": v.hole}
    if v.undecided:
        members["undecided"] = {"points": v.undecided, "point": v.undecided_at}
    if v.example is not None:
        e = v.example
        members["counterexample"] = {
            "point": e.point, "claimed": e.claimed if math.isfinite(e.claimed) else None, "true": e.true,
            "pattern": e.pattern,
        }  # fmt: skip
    if v.reason:
        members["reason"] = v.reason
    return members
