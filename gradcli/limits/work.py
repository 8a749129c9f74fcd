"""The limit of symbolic work: a budget of steps, counted where graphs are built and traversed.

The unit is a step, not a second, so that the same request stops at the same place on every machine. A step takes about
a microsecond: visiting a node, a factor of a product, four operations on numbers; creating a node takes several steps.
Each thread has its own budget, which is infinite until one is set.
Layer: must not know what the work is for.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gradcli.errors import GradError

REQUEST = 16_000_000
"""Steps of a request: about ten seconds, and less than 1 GB of nodes. A text of n characters adds n*n steps."""
MADE = 8
"""Steps that the creation of a node costs."""
NUMBERS = 4
"""Operations on single numbers, in plain Python, that cost one step."""


class SpentError(Exception):
    """The budget is exhausted. The code that set the budget handles it: it never leaves a public function."""


class _Budget(threading.local):
    left: float = math.inf


_budget = _Budget()


def spend(steps: float) -> None:
    """Subtract ``steps``, of work done or about to be done, from the budget. Raise SpentError if it is exhausted."""
    _budget.left -= steps
    if _budget.left < 0:
        raise SpentError


def ahead(steps: float) -> None:
    """Raise SpentError if fewer than ``steps`` are left: work that cannot be completed is not started."""
    if steps > _budget.left:
        raise SpentError


def earn(steps: float) -> None:
    """Add ``steps`` to the budget, since a longer text may take more work."""
    _budget.left += steps


@contextmanager
def within(steps: float = math.inf, part: float = 1.0) -> Iterator[None]:
    """Limit the work in a ``with`` block to ``steps`` and to the fraction ``part`` of the steps left.

    The steps used are subtracted from the outer budget as well.
    """
    spend(0)
    before = _budget.left
    start = _budget.left = min(steps, part * before)
    try:
        yield
    finally:
        # Infinity minus infinity would be nan, which no comparison refuses.
        _budget.left = before if before == math.inf else before - (start - _budget.left)


@contextmanager
def request() -> Iterator[None]:
    """Limit the work in a ``with`` block to that of a request. Raise GradError if it is exceeded."""
    try:
        with within(REQUEST):
            yield
    except SpentError:
        raise GradError(
            f"the expressions take more than {REQUEST:,} steps to work out, which is the limit",
            hint="a lower order, fewer variables at a time, or a shorter expression",
        ) from None
