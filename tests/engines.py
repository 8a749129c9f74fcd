"""Running named expressions at one point through an engine, for the tests of every room above the table."""

from collections.abc import Mapping, Sequence

import numpy as np

from gradcli import program
from gradcli.backends import scalar, vector
from gradcli.derive import derive
from gradcli.expr import Expr

ENGINES = ("scalar", "vector")


def evaluate(named: Sequence[tuple[str, Expr]], point: Mapping[str, float], engine: str = "scalar") -> dict[str, float]:
    """The value of each named expression at a point."""
    tape = program.build([e for _, e in named], [[name] for name in point])
    extents = (1,) * len(point)
    if engine == "scalar":
        rows: list[list[float]] = [[0.0] for _ in named]
        scalar.kernel(tape)([[point[name]] for name, _ in tape.inputs], rows, extents)
        return {name: row[0] for (name, _), row in zip(named, rows, strict=True)}
    arrays = [np.zeros(1) for _ in named]
    vector.kernel(tape)([np.array([point[name]]) for name, _ in tape.inputs], arrays, extents)
    return {name: float(a[0]) for (name, _), a in zip(named, arrays, strict=True)}


def partials(
    e: Expr, point: Mapping[str, float], order: int, *, mode: str = "auto", engine: str = "scalar"
) -> dict[str, float]:
    """Value and all partial derivatives of f = e in the point's variables."""
    return evaluate(derive([("f", e)], list(point), order, mode), point, engine)
