"""Names of derivatives in Leibniz's notation, written and read: d2f_dxdy is the second derivative of f in x and y."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from gradcli.calculus.forward import Partial


def derivative_name(output: str, wrt: Sequence[str], partial: Partial) -> str:
    """The name of a partial as a column header: df_dx, d2f_dx2, d3f_dx2dy; the output's own name for order 0."""
    total = len(partial)
    if not total:
        return output
    below = "".join(f"d{wrt[i]}{n if (n := len(list(same))) > 1 else ''}" for i, same in groupby(partial))
    return f"d{total if total > 1 else ''}{output}_{below}"


_HIGHEST = 200
"""The highest order of a name that is read."""


def readings(name: str, output: str, wrt: Sequence[str]) -> Iterator[Partial]:
    """The partials of ``output`` that a name may stand for, their variables in the order of the name.

    Names of variables may contain digits and other names, so that a name can be ambiguous: every reading whose total
    order fits is yielded.
    """
    head = re.fullmatch(rf"d([0-9]{{0,3}}){re.escape(output)}_(.+)", name, re.DOTALL)
    if head is None:
        return
    total, below = int(head[1] or 1), head[2]
    stack: list[tuple[int, Partial]] = [(0, ())]
    while stack and total <= _HIGHEST:
        at, partial = stack.pop()
        if at == len(below) and len(partial) == total:
            yield partial
        for i, variable in enumerate(wrt):
            if below.startswith(f"d{variable}", at):
                end = at + 1 + len(variable)
                for stop in range(end, min(end + 3, len(below)) + 1):
                    digits = below[end:stop]
                    if digits and not (digits.isascii() and digits.isdigit() and int(digits) > 1):
                        continue
                    times = int(digits or 1)
                    if len(partial) + times <= total:
                        stack.append((stop, (*partial, *[i] * times)))


class Derivative(NamedTuple):
    """``of`` differentiated ``total`` times; ``powers`` are the variables with their orders, () for the value."""

    of: str
    total: int
    powers: tuple[tuple[str, int], ...]


def read(names: Sequence[str], order: Sequence[str]) -> list[Derivative]:
    """The derivative that each name stands for, in the order that `derive` makes them; other names are outputs."""
    derivatives: list[Derivative] = []
    output = ""
    for name in names:
        candidates = readings(name, output, order) if output else ()
        partial = next((p for p in candidates if derivative_name(output, order, p) == name), None)
        if partial is None:
            output = name
            derivatives.append(Derivative(name, 0, ()))
        else:
            powers = tuple([(order[i], len(list(same))) for i, same in groupby(partial)])
            derivatives.append(Derivative(output, len(partial), powers))
    return derivatives
