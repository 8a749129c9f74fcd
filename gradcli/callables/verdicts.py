"""What lies at points: the words of the truth about kinks, jumps, holes and poles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gradcli.callables.arguments import broadcast, number
from gradcli.callables.model import Model
from gradcli.callables.results import values
from gradcli.job.hard_rows import HardRows


def verdicts(model: Model, args: Sequence[Any]) -> Any:
    """The verdict for each output and variable at the points: a text or an array, or several of these with names."""
    job = replace(model.job, verdict=True, order=1, kink="derivative", careful=None, exact=False)
    numbers = [number(value, name) for value, name in zip(args, model.args, strict=True)]
    at: dict[str, Any]
    if None not in numbers:
        rows = HardRows(job, model.request(1), "scalar")
        at, shape = {name: [x] for name, x in zip(model.args, numbers, strict=True)}, None
    else:
        import numpy as np

        given = broadcast(args, model.args)
        rows = HardRows(job, model.request(1), "vector")
        shape = given.shape
        flat = [np.broadcast_to(a, shape).ravel() for a in given.arrays]
        at = dict(zip(model.args, flat, strict=True))
    columns = dict(zip(rows.names, rows.numbers([at[name] for name in rows.variables]), strict=True))
    told: dict[str, Any] = {}
    for extra in rows.hard.extras:
        if extra.kind == "verdict":
            column = [rows.hard.words[int(code)] for code in columns[extra.name]]
            if shape is None:
                told[extra.name] = column[0]
            else:
                told[extra.name] = np.array(column, dtype=object).reshape(shape)
    if len(told) == 1:
        return next(iter(told.values()))
    return values(list(told), list(told.values()))
