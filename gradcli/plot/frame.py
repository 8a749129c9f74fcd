"""The frame of a picture: which part of the plane it shows, and in how many pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

from gradcli.errors import GradError

_DOUBLES = 4096
"""Doubles that the abscissas of a picture have between them, at least."""
_NARROWEST = 1e-300
"""Width of the narrowest picture, and least height."""


def check_range(left: float, right: float) -> None:
    """Raise GradError unless a picture can show what lies between two abscissas.

    >>> check_range(1e15, 1e15 + 8)
    Traceback (most recent call last):
        ...
    gradcli.errors.GradError: there are only 64 doubles between 1000000000000000.0 and 1000000000000008.0
    """
    width = right - left
    if math.isnan(width) or width <= 0:
        raise GradError(f"a range of a picture goes from a number to a greater one, not from {left} to {right}")
    if math.isinf(width):
        raise GradError(f"from {left} to {right} is farther than the largest double")
    doubles = width / math.ulp(max(abs(left), abs(right)))
    if doubles < _DOUBLES:
        raise GradError(f"there are only {doubles:.0f} doubles between {left} and {right}")
    if width < _NARROWEST:
        raise GradError(f"from {left} to {right} is too near for a picture: it takes at least {_NARROWEST}")


class Frame(NamedTuple):
    """The part of the plane that a picture shows, and its size in pixels."""

    left: float
    right: float
    bottom: float
    top: float
    width: int
    height: int

    @property
    def across(self) -> float:
        """Pixels per unit of x."""
        return self.width / (self.right - self.left)

    @property
    def up(self) -> float:
        """Pixels per unit of y."""
        return self.height / (self.top - self.bottom)
