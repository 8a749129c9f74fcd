"""Leibniz's names read back: d2f_dxdy is the second derivative of f in x and y."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gradcli.derive import name as leibniz


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
        partial = _partial(name, output, order) if output else None
        if partial is None:
            output = name
            found.append(Partial(name, 0, ()))
        else:
            powers = tuple([(order[i], len(list(same))) for i, same in groupby(partial)])
            found.append(Partial(output, len(partial), powers))
    return found


def _partial(name: str, output: str, order: Sequence[str]) -> tuple[int, ...] | None:
    head = re.fullmatch(rf"d(\d*){re.escape(output)}_(.+)", name, re.DOTALL)
    if head is None:
        return None
    total, below = int(head[1] or 1), head[2]
    # Variables' names may hold digits and each other: every reading is tried, the one that makes the name is right.
    stack: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while stack:
        at, partial = stack.pop()
        if at == len(below) and len(partial) == total and leibniz(output, order, partial) == name:
            return partial
        for i, variable in enumerate(order):
            if below.startswith(f"d{variable}", at) and (not partial or i > partial[-1]):
                end = at + 1 + len(variable)
                digits = re.compile(r"\d*").match(below, end)
                assert digits is not None
                for stop in range(end, digits.end() + 1):
                    times = int(below[end:stop] or 1)
                    if len(partial) + times <= total:
                        stack.append((stop, (*partial, *[i] * times)))
    return None
