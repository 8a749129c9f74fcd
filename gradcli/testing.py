"""Assertions for test suites: `assert_derivative`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.callables.claims import check, derivative_of
from gradcli.callables.points import value_error
from gradcli.caret import Source, counted, inert, printable
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.callables.report import Report, Verdict

__all__ = ["assert_derivative"]


def assert_derivative(
    expression: str | Source | Sequence[str | Source] | Mapping[str, Any],
    claim: Any,
    *,
    wrt: str | None = None,
    order: int = 1,
    **options: Any,
) -> None:
    """Raise AssertionError unless a claimed derivative of an expression is right.

    ``claim``: a text, a number, a function or an array of values, or a mapping of derivatives to these, as for
    `gradcli.check`, which takes ``options`` such as ``at``, ``rtol`` and ``thorough``. ``wrt`` and ``order`` tell which
    derivative it is, where the claim does not: that of so high an order in one variable. A claim that cannot be checked
    at any point is an error, too.

    The message gives the derivative, a point, the claimed and the true value and formula, how many units in the last
    place they are apart, and what all wrong points have in common. Raises GradError for a text that cannot be read.
    Exact derivatives and tolerance: see `gradcli.check`.

    >>> assert_derivative("x**2", "2*x")
    >>> assert_derivative("exp(a*x)", "a**2*exp(a*x)", wrt="x", order=2)
    >>> try:
    ...     assert_derivative("x**2*y", {"df_dx": "2*x*y", "df_dy": "x"})
    ... except AssertionError as error:
    ...     print(error)
    df_dy disagrees at x=2
      claimed  2  x
      true     4  x**2
      apart    2.25e+15 ulp
    1 of 2 claims agrees (points chosen by seed 0)
    """
    __tracebackhide__ = True
    try:
        if wrt is not None or not (isinstance(order, int) and order == 1):
            if isinstance(claim, Mapping):
                value_error("wrt and order are for a single claim; the names of a mapping tell the derivatives")
            claim = {derivative_of(expression, wrt, order): claim}
        report = check(expression, claim, **options)
    except GradError as error:
        # A test's traceback need not go through the parser.
        raise error.with_traceback(None) from None
    if not report:
        raise AssertionError(_message(report))


def _message(report: Report) -> str:
    blocks = [_block(verdict) for verdict in report if not verdict]
    agree, every = sum(map(bool, report)), len(report)
    summary = f"{agree} of {counted(every, 'claims')} {'agrees' if agree == 1 else 'agree'}" if every > 1 else ""
    if report.seed is not None:
        summary = f"{summary} (points chosen by seed {report.seed})".strip()
    return "\n".join([*blocks, *([summary] if summary else []), *report.notes])


def _block(verdict: Verdict) -> str:
    """What is known of a claim that does not hold."""
    from gradcli.verify.wording import short, spell_point, spell_value

    formulas = [short(verdict.claimed), verdict.truth]
    if verdict.point is None:
        head = f"{verdict.name} could not be checked: {verdict.outcome}"
        return _shown(head, [("claimed", formulas[0]), ("true", formulas[1])])
    assert verdict.claimed_value is not None and verdict.true_value is not None
    head = f"{verdict.name} disagrees" + (f" at {spell_point(verdict.point)}" if verdict.point else "")
    values = [spell_value(verdict.claimed_value), spell_value(verdict.true_value)]
    if verdict.hole:
        values[0] += f" ({verdict.hole})"
    room = max(map(len, values))
    rows = [f"{value:{room}}  {formula}" for value, formula in zip(values, formulas, strict=True)]
    apart = ", ".join(filter(None, [f"{verdict.ulps:.3g} ulp" if verdict.ulps < math.inf else "", verdict.pattern]))
    return _shown(head, [("claimed", rows[0]), ("true", rows[1]), *([("apart", apart)] if apart else [])])


def _shown(head: str, rows: Sequence[tuple[str, str]]) -> str:
    return inert("\n".join(map(printable, [head, *[f"  {name:7}  {text}" for name, text in rows]])))
