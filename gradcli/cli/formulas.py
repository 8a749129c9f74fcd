"""Derivatives as a person would write them: the notes about them go to stderr."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gradcli.cli import stderr
from gradcli.cli.options import CommandLine
from gradcli.expr import Expr

if TYPE_CHECKING:
    from gradcli.calculus.derive import Named
    from gradcli.job import Request


def simplified(
    request: Request, derived: Named, line: CommandLine, kept: Collection[str] = ()
) -> tuple[Named, list[str]]:
    """The results by name, simplified except for those ``kept``, and remarks on single points.

    Notes on stderr name the results that are not simplified.
    """
    from gradcli.job.textbook import simplified as textbook

    form = textbook([pair for pair in derived if pair[0] not in kept], request.outputs, request.variables, _differing)
    if not line.quiet:
        for note in form.notes:
            stderr.note(note, line.color)
    shown = dict(form.named)
    return [(name, shown.get(name, e)) for name, e in derived], form.remarks


def _differing(pairs: list[tuple[str, Expr, Expr]], variables: list[str]) -> tuple[list[str], list[str]]:
    from gradcli.verify import differing

    return differing(pairs, variables)
