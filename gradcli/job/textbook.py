"""Formulas as a person would write them, with remarks; each form is compared before it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gradcli.calculus.derive import Named
from gradcli.calculus.simplify import attempted
from gradcli.calculus.simplify.guards import unguarded
from gradcli.expr import Expr, readable, text

_LINE = 200
"""The most characters of a formula in a remark."""


class Textbook(NamedTuple):
    """Simplified expressions by name.

    ``remarks`` tell single points at which a formula does not hold, ``notes`` which results are not simplified.
    """

    named: Named
    remarks: list[str]
    notes: list[str]


Compare = Callable[[list[tuple[str, Expr, Expr]], list[str]], tuple[list[str], list[str]]]
"""The names of the pairs of forms that differ at sample points, and of those too long to compare."""


def simplified(named: Named, outputs: Named, variables: Sequence[str], differing: Compare) -> Textbook:
    """Expressions in textbook form; ``outputs`` are those whose values they are or are derived from.

    ``differing`` compares forms that were simplified with what they were; it is called only if there are some.
    """
    formulas, guards = unguarded([e for _, e in named], [e for _, e in outputs])
    places = [text(condition, _LINE) for condition, _ in guards]
    # A remark quotes its formula, which is simplified and compared as a result is.
    entries = [
        *zip([name for name, _ in named], formulas, strict=True),
        *[(f"the formula for {place}", formula) for place, (_, formula) in zip(places, guards, strict=True)],
    ]
    forms, notes = _compared(entries, list(variables), differing)
    quoted = [text(form, _LINE) for form in forms[len(named) :]]
    remarks = [f"where {place}, {formula} counts as 0" for place, formula in zip(places, quoted, strict=True)]
    return Textbook([(name, form) for (name, _), form in zip(named, forms, strict=False)], remarks, notes)


def _compared(named: Named, variables: list[str], differing: Compare) -> tuple[list[Expr], list[str]]:
    """The simplified forms; the textbook form where the two disagree at sample points or that takes too much work."""
    plain = readable(e for _, e in named)
    forms = attempted(plain)
    # A textbook form that is not simplified further needs no comparison.
    new = [(name, e, f) for (name, e), f, p in zip(named, forms, plain, strict=True) if f is not None and f is not p]
    wrong: list[str] = []
    unsure: list[str] = []
    if new:
        wrong, unsure = differing(new, variables)
    long = [name for (name, _), form in zip(named, forms, strict=True) if form is None or name in unsure]
    notes = []
    if wrong:
        notes.append(f"{_listed(wrong)}: the simpler form is not the same function, and is not shown")
    if long:
        notes.append(f"{_listed(long)} not simplified: that takes more work than the limit")
    kept = [
        p if form is None or name in wrong or name in long else form
        for (name, _), form, p in zip(named, forms, plain, strict=True)
    ]
    return kept, notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
