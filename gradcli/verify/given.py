"""Claims as they are given: texts, names of columns, and numbers in memory.

Layer: must not know what a text says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gradcli.caret import Source

if TYPE_CHECKING:
    from gradcli.compute.grid import Column, Grid


class Data(NamedTuple):
    """A claim whose values are numbers in memory.

    ``values(grid, variables)``: a column with one for every point of a grid. ``name``: the derivative's, None for the
    only first one. ``typed`` stands for the claim in reports. ``rtol``: their relative error beyond that of the truth.
    """

    name: str | None
    typed: str
    values: Callable[[Grid, Sequence[str]], Column]
    rtol: float = 0.0


def in_memory(name: str | None) -> str:
    """The name of the column of a claim in memory, which cannot be typed since it contains a NUL."""
    return f"\0{name or ''}"


class Texts(NamedTuple):
    """The texts of claims as typed: --claim and --claims, --equals, --claim-column, --let; and those in memory."""

    claims: Sequence[str | Source] = ()
    equals: Sequence[str | Source] = ()
    columns: Sequence[str] = ()
    lets: Sequence[str | Source] = ()
    data: Sequence[Data] = ()
