"""The work that the arithmetic of one point may do, and the ways in which it ends without an answer.

Layer: must not know what is computed.
"""

from __future__ import annotations

BUDGET = 200_000
"""Products of coefficients that one point may take, about 0.2 s; an operation on series counts as at least 16."""
BITS = 1 << 14
"""The longest rational that is kept exact, in bits of numerator and denominator; longer ones are balls."""


class UndefinedError(Exception):
    """The function is not defined on this side of the point. ``nan``: it is nan there, not infinite."""

    def __init__(self, why: str, nan: bool = True) -> None:
        super().__init__(why)
        self.nan = nan


class UnknownError(Exception):
    """This arithmetic cannot say."""


class MoreTermsError(Exception):
    """The terms kept have cancelled: more of them are needed."""


class Budget:
    """What is left of the work of one point, the number of terms kept, and the signs that could not be proved."""

    __slots__ = ("doubts", "left", "terms")

    def __init__(self, terms: int, left: int = BUDGET) -> None:
        self.terms = terms
        self.left = left
        self.doubts = 0

    def spend(self, steps: int) -> None:
        """Subtract ``steps``, of work about to be done. Raise UnknownError if too few are left."""
        self.left -= steps
        if self.left < 0:
            raise UnknownError("it takes more work than the limit")
