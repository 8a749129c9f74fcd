"""The one-sided limits at a number that is not finite, from germs, for its birth certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.job.kink_rules import of_side
from gradcli.job.result import Computed
from gradcli.limits.work import SpentError
from gradcli.truth.words import limits, plain

_AXES = 4
"""Variables along which a side is looked for."""


class Limits(NamedTuple):
    """The limits as one line and as a member of JSON; "" and None where nothing is known."""

    text: str = ""
    member: dict[str, Any] | None = None


def limits_at(result: Computed, column: str, point: Mapping[str, float]) -> Limits:
    """The limits of a column, a value or a derivative in one variable, at a point along that variable.

    Of a value along the first variable in which there is a side. Nothing where the function is smooth, so that only
    its double is not finite, and without python-flint.
    """
    hard = result.hard
    target = None if hard is None else next((t for t in hard.targets if t.name == column), None)
    if hard is None or target is None or len(target.powers) > 1 or not all(map(math.isfinite, point.values())):
        return Limits()
    tiers, order = hard.tiers(False), sum(target.powers.values())
    orders = sorted({1, max(order, 1)}) if hard.order else ()
    output = hard.targets[target.output * hard.per_output].name
    for axis in [*(target.powers or hard.axes)][:_AXES]:
        try:
            truth = tiers.truth(point, target.output, axis)
        except (GradError, SpentError):
            continue
        if truth is None or truth.verdict == "smooth" or (truth.left is None and truth.right is None):
            continue
        along = f"along {spell_name(axis)} " if len(hard.axes) > 1 else ""
        sides = {
            side: None if slopes is None else plain(of_side(truth, order, sign))
            for side, slopes, sign in (("left", truth.left, -1), ("right", truth.right, 1))
        }
        return Limits(along + limits(truth, output, axis, orders), {"wrt": axis, "verdict": truth.verdict, **sides})
    return Limits()
