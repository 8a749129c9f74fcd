"""How much symbolic work may be done: a budget of steps, counted where graphs are made and gone through.

Steps, never seconds: the same request stops at the same place on every machine. One step is about a microsecond: a node
that is looked at, a factor of a product, four operations on numbers; a node that is made takes several. Each thread
has its own budget, without end until one is set. Must not know what the work is for.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gradcli.errors import GradError

REQUEST = 16_000_000
"""Steps of one request: some ten seconds, and less than 1 GB of nodes. A text of n characters brings n*n more."""
MADE = 8
"""Steps that a node takes to be made."""
NUMBERS = 4
"""Operations on single numbers, in plain Python, that are one step."""


class SpentError(Exception):
    """The steps allowed are spent. Whoever set the budget says what that means; it crosses no door."""


class _Budget(threading.local):
    left: float = math.inf


_budget = _Budget()


def spend(steps: float) -> None:
    """Count work that is done, or about to be. Raises SpentError."""
    _budget.left -= steps
    if _budget.left < 0:
        raise SpentError


def ahead(steps: float) -> None:
    """Raises SpentError where so many steps are not left: what cannot be finished need not begin."""
    if steps > _budget.left:
        raise SpentError


def earn(steps: float) -> None:
    """Allow more work: a long text may take longer."""
    _budget.left += steps


@contextmanager
def within(steps: float = math.inf, part: float = 1.0) -> Iterator[None]:
    """A smaller budget for what is done inside: at most ``steps``, and at most a ``part`` of what is left."""
    spend(0)
    before = _budget.left
    start = _budget.left = min(steps, part * before)
    try:
        yield
    finally:
        _budget.left = before - (start - _budget.left)


@contextmanager
def request() -> Iterator[None]:
    """The budget of a whole request. Raises GradError where it is spent."""
    try:
        with within(REQUEST):
            yield
    except SpentError:
        raise GradError(
            f"the expressions take more than {REQUEST:,} steps to work out, which is the limit",
            hint="a lower order, fewer variables at a time, or a shorter expression",
        ) from None
