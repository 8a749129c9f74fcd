"""Leibniz's names read back: d2f_dxdy is the second derivative of f in x and y."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gradcli.derive import name as leibniz
from gradcli.derive import readings


class Partial(NamedTuple):
    """``of`` differentiated ``total`` times; ``powers``: each variable, and how often. None: the value itself."""

    of: str
    total: int
    powers: tuple[tuple[str, int], ...]


def read(names: Sequence[str], order: Sequence[str]) -> list[Partial]:
    """What each of the names that `derive` made stands for; a name that is no derivative stands for itself."""
    found: list[Partial] = []
    output = ""
    for name in names:
        said = readings(name, output, order) if output else ()
        partial = next((p for p in said if leibniz(output, order, p) == name), None)
        if partial is None:
            output = name
            found.append(Partial(name, 0, ()))
        else:
            powers = tuple([(order[i], len(list(same))) for i, same in groupby(partial)])
            found.append(Partial(output, len(partial), powers))
    return found
