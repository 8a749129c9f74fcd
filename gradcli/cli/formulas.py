"""Derivatives as a person would write them, with remarks; each form is compared before it is shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gradcli.calculus.simplify import attempted
from gradcli.calculus.simplify.guards import unguarded
from gradcli.cli import stderr
from gradcli.cli.options import CommandLine
from gradcli.expr import Expr, readable, text

if TYPE_CHECKING:
    from gradcli.calculus.derive import Named
    from gradcli.job import Request

_LINE = 200
"""The most characters of a formula in a remark."""


def simplified(
    request: Request, derived: Named, line: CommandLine, kept: Collection[str] = ()
) -> tuple[Named, list[str]]:
    """The results by name, simplified except for those ``kept``, and remarks on single points.

    Notes on stderr name the results that are not simplified.
    """
    named = [(name, e) for name, e in derived if name not in kept]
    formulas, guards = unguarded([e for _, e in named], [e for _, e in request.outputs])
    places = [text(condition, _LINE) for condition, _ in guards]
    # A remark quotes its formula, which is simplified and compared as a result is.
    entries = [
        *zip([name for name, _ in named], formulas, strict=True),
        *[(f"the formula for {place}", formula) for place, (_, formula) in zip(places, guards, strict=True)],
    ]
    forms = _compared(entries, request.variables, line)
    quoted = [text(form, _LINE) for form in forms[len(named) :]]
    shown = dict(zip([name for name, _ in named], forms, strict=False))
    return (
        [(name, shown.get(name, e)) for name, e in derived],
        [f"where {place}, {formula} counts as 0" for place, formula in zip(places, quoted, strict=True)],
    )


def _compared(named: Named, variables: list[str], line: CommandLine) -> list[Expr]:
    """The simplified forms; the textbook form where the two disagree at sample points or that takes too much work."""
    plain = readable(e for _, e in named)
    forms = attempted(plain)
    # A textbook form that is not simplified further needs no comparison.
    new = [(name, e, f) for (name, e), f, p in zip(named, forms, plain, strict=True) if f is not None and f is not p]
    wrong: list[str] = []
    unsure: list[str] = []
    if new:
        from gradcli.verify import differing

        wrong, unsure = differing(new, variables)
    long = [name for (name, _), form in zip(named, forms, strict=True) if form is None or name in unsure]
    if not line.quiet:
        if wrong:
            stderr.note(f"{_listed(wrong)}: the simpler form is not the same function, and is not shown", line.color)
        if long:
            stderr.note(f"{_listed(long)} not simplified: that takes more work than the limit", line.color)
    return [
        p if form is None or name in wrong or name in long else form
        for (name, _), form, p in zip(named, forms, plain, strict=True)
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
