"""Results with uncertainties as text, LaTeX and siunitx, rounded for people.

Layer: must not know terminals or files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.uncertainty.budget import Answer
from gradcli.uncertainty.outcome import Outcome
from gradcli.uncertainty.rounding import Rounded, rounded, two_sided

if TYPE_CHECKING:
    from gradcli.uncertainty.coverage import Expanded
    from gradcli.uncertainty.simulation import Simulation

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
    blocks = []
    for outcome in answer.outcomes:
        lines = _result(outcome, rounding, second, answer.simulations.get(outcome.name))
        blocks.append("\n".join([*lines, *_budget(answer, outcome)]))
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


def _result(outcome: Outcome, rounding: str, second: bool, simulation: Simulation | None) -> Iterator[str]:
    yield f"{spell_name(outcome.name)} = {result_of(outcome, rounding).concise}"
    if second and outcome.second is not None:
        yield f"second order: {spell_name(outcome.name)} = {result_of(outcome, rounding, second=True).concise}"
    if outcome.expanded is not None:
        yield _expanded(outcome, outcome.expanded, rounding)
    if simulation is not None:
        yield from _simulated(outcome.name, simulation, rounding)


def _expanded(outcome: Outcome, expanded: Expanded, rounding: str) -> str:
    """The value with its expanded uncertainty, and what that is made of (JCGM 100, 7.2.4)."""
    told = rounded(outcome.value, expanded.U, rounding)
    parts = [f"k = {expanded.k:.4g}"]
    if expanded.coverage is not None:
        parts.append(f"{100 * expanded.coverage:g} %")
    df = expanded.degrees_of_freedom
    if not math.isnan(df):
        parts.append("infinite degrees of freedom" if math.isinf(df) else f"{df:.6g} degrees of freedom")
    if expanded.k_truncated is not None and math.isfinite(df) and not df.is_integer():
        parts.append(f"k = {expanded.k_truncated:.4g} if these are truncated to {math.floor(df)}")
    return f"expanded: {spell_name(outcome.name)} = {told.spelled} ({', '.join(parts)})"


def _simulated(name: str, simulation: Simulation, rounding: str) -> Iterator[str]:
    """Mean, uncertainty and intervals of a simulation, and whether they agree with the law of propagation."""
    result, validation = simulation
    symmetric, shortest = ([rounded(v, result.u, rounding).pair[0] for v in ends]
                           for ends in (result.symmetric, result.shortest))  # fmt: skip
    yield (
        f"Monte Carlo: {spell_name(name)} = {rounded(result.mean, result.u, rounding).concise}, "
        f"{100 * result.coverage:g} % from {' to '.join(symmetric)}, shortest from {' to '.join(shortest)} "
        f"({result.trials:,} trials)"
    )
    if validation is not None:
        how = "agrees with" if validation.validated else "differs from"
        yield (
            f"the law of propagation {how} it: the limits are {validation.low:.2g} and {validation.high:.2g} apart, "
            f"and {validation.delta:.2g} are allowed"
        )


def notes(answer: Answer) -> Iterator[str]:
    """Yield what is to be told about simulations beside their results."""
    for name, (result, _) in answer.simulations.items():
        if result.nonfinite:
            yield f"{result.nonfinite:,} of {result.trials:,} trials of {spell_name(name)} are not finite and left out"
        if result.settled is False:
            yield f"{spell_name(name)}: the second digit is not stable after {result.trials:,} trials"


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
