"""The frame of a picture: which part of the plane it shows, and in how many pixels."""

from __future__ import annotations

from typing import NamedTuple


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
