"""Results with uncertainties as text, LaTeX and siunitx, rounded for people.

Layer: must not know terminals or files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.uncertainty.budget import Answer, Outcome
from gradcli.uncertainty.rounding import Rounded, rounded, two_sided

FORMS = ("text", "latex", "siunitx")
"""The forms of ``--as``."""


def result_of(outcome: Outcome, rounding: str, *, second: bool = False) -> Rounded:
    """Return the rounded result, with two uncertainties where an input is two-sided; ``second``: of second order."""
    if second and outcome.second is not None:
        value, u, _ = outcome.second
        return rounded(value, u, rounding)
    if outcome.plus is not None and outcome.minus is not None:
        return two_sided(outcome.value, outcome.plus, outcome.minus, rounding)
    return rounded(outcome.value, outcome.u, rounding)


def text(answer: Answer, rounding: str = "2", *, second: bool = False) -> str:
    """Return the results, and below each its budget, the largest contribution first.

    ``rounding``: a rule of `rounding.RULES`. ``second``: tell second order too. Raises GradError for an unknown rule.
    """
    blocks = [
        "\n".join([*_result(outcome, rounding, second), *_budget(answer, outcome)]) for outcome in answer.outcomes
    ]
    if answer.correlations:
        blocks.append("\n".join(_correlations(answer)))
    return "\n\n".join(blocks) + "\n"


def formula(answer: Answer, form: str, rounding: str = "2", *, second: bool = False) -> str:
    """Return a line for each result, as ``latex`` in math mode or for the package ``siunitx``."""
    from gradcli.notation.polynomial import latex_name

    lines = []
    for outcome in answer.outcomes:
        told = result_of(outcome, rounding, second=second)
        body = told.latex if form == "latex" else told.siunitx
        lines.append(f"{latex_name(outcome.name)} = {body}\n")
    return "".join(lines)


def _result(outcome: Outcome, rounding: str, second: bool) -> Iterator[str]:
    yield f"{spell_name(outcome.name)} = {result_of(outcome, rounding).concise}"
    if second and outcome.second is not None:
        yield f"second order: {spell_name(outcome.name)} = {result_of(outcome, rounding, second=True).concise}"


def _budget(answer: Answer, outcome: Outcome) -> list[str]:
    rows = [["input", "value", "u", "sensitivity", "contribution", "share"]]
    for line in outcome.sources:
        value, u = answer.inputs[line.name].typed
        share = f"{100 * line.share:.1f} %"
        rows.append(
            [spell_name(line.name), value, u, *[_number(x) for x in (line.sensitivity, line.contribution)], share]
        )
    return table(rows)


def _correlations(answer: Answer) -> list[str]:
    names = [outcome.name for outcome in answer.outcomes]
    rows = [["correlation", *map(spell_name, names)]]
    for a in names:
        cells = []
        for b in names:
            r = 1.0 if a == b else answer.correlations.get((a, b), answer.correlations.get((b, a), 0.0))
            cells.append(f"{r:.6f}")
        rows.append([spell_name(a), *cells])
    return table(rows)


def _number(value: float) -> str:
    return spell(float(f"{value:.6g}"))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *[cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]])
        for row in rows
    ]
