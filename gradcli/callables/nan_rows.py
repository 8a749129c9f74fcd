"""Rows of results that are nan because an argument is: no side, series or ball makes another number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradcli.expr import Expr, bit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcli.callables.arguments import Array


def of_nan_arguments(
    results: Sequence[Array], mask: Array | None, points: Sequence[Array], depends: Sequence[Sequence[int]]
) -> NDArray[np.bool_]:
    """Which rows have nothing to settle: the mask is 0, and each result finite, or nan as an argument of it is.

    ``points``: the arguments at the rows; ``depends``: as from `dependence`.
    """
    missing = [np.isnan(p) for p in points]
    done = np.ones(len(results[0]), bool) if mask is None else mask == 0
    if not any(m.any() for m in missing):
        return np.zeros(len(done), bool)
    for column, arguments in zip(results, depends, strict=True):
        settled = np.isfinite(column)
        if not settled.all():
            expected = np.zeros(len(done), bool)
            for k in arguments:
                expected |= missing[k]
            settled |= expected & np.isnan(column)
            done &= settled
    return done


def dependence(outputs: Sequence[Expr], args: Sequence[str]) -> list[list[int]]:
    """For each expression the places of the arguments on which it depends."""
    return [[k for k, name in enumerate(args) if e.variables & bit(name)] for e in outputs]
