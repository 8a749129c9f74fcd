"""What the shell says about rows of a file, beside which functions are tested."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.job import Job, Rows, run


def bits(column: Any) -> list[int]:
    """Every double, bit for bit; nan is nan whatever its sign and payload."""
    values = np.array(column, dtype=float).ravel()
    values[np.isnan(values)] = math.nan
    return values.view(np.int64).tolist()


def of_file(text: str, columns: dict[str, Any], wrt: Sequence[str] | None = None, **options: Any) -> dict[str, Any]:
    """The columns of `gradcli diff` over a file, by default with --no-careful."""
    table = np.empty(len(next(iter(columns.values()))), [(name, float) for name in columns])
    for name, column in columns.items():
        table[name] = column
    file = io.BytesIO()
    np.save(file, table)
    file.seek(0)
    request = Job([text], wrt, **({"careful": False} | options))
    result = run(request, Rows(["-"], format="npy", stdin=file))
    named = dict(zip(result.names, result.whole(), strict=True))
    return {name: column for name, column in named.items() if name not in columns}
