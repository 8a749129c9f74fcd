"""What the outputs of a request do beside a point, along each variable: verdicts and series, from germs.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.expr import spell_name, variables
from gradcli.job.decimals import exactly
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Request
from gradcli.notation.explain import Near
from gradcli.notation.explain.reasons import shown
from gradcli.truth.words import first_few

_SHARED, _LEAST = 1_500_000, 10_000
"""Work shared by all outputs and variables, about 8 s, and what each of their germs may take at least."""


def nears(request: Request, points: Points, wrt: Sequence[str], order: int) -> list[Near] | None:
    """What each output does beside the point of ``--at`` along each of the variables, to an order; None without
    python-flint.
    """
    from gradcli.truth.repair import available

    if not available():
        return None
    from gradcli.truth.budget import BUDGET
    from gradcli.truth.verdict import Judge

    found = []
    # Of every pair the truth and two series are computed.
    work = max(_LEAST, min(BUDGET, _SHARED // (3 * max(1, len(wrt) * len(request.outputs)))))
    for output, e in request.outputs:
        judge = Judge(e, max(order, 1), work)
        names = {*variables(e), *wrt}
        point = exactly(points, {n: v for n, v in points.at.items() if n in names})
        texts = {n: points.texts.get((n, points.at[n])) or shown(points.at[n]) for n in point}
        told = [f"{spell_name(n)}={text}" for n, text in texts.items()]
        values = first_few(told)
        for x in wrt:
            truth = judge.along(point, x)
            left, right = [
                "" if side is None else judge.series(point, x, sign, order + 1)
                for sign, side in ((-1, truth.left), (1, truth.right))
            ]
            place = values if len(point) == 1 else f"{values} along {spell_name(x)}"
            found.append(Near(output, x, place, max(order, 1), truth, (left, right)))
    return found
