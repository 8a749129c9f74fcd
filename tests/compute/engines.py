"""Running named expressions at one point through an engine, for the tests of every room above the table."""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gradcli.calculus.derive import derive
from gradcli.compute import program
from gradcli.compute.backends import native, scalar, vector
from gradcli.expr import Expr

ENGINES = ("scalar", "vector", "native")


def bits(columns: Iterable[Iterable[float] | None]) -> list[bytes]:
    """Every column's doubles, byte for byte; nothing for one that is not there."""
    return [b"" if column is None else np.array([*column], "<f8").tobytes() for column in columns]


def bits_but_nan(values: Iterable[float]) -> list[bytes]:
    """Every double, byte for byte; nan is nan whatever its sign and payload."""
    return [b"nan" if value != value else struct.pack("<d", value) for value in values]


def run(
    tape: program.Program, ins: Sequence[Sequence[float]], extents: tuple[int, ...], engine: str
) -> list[list[float]]:
    """One list of values per output, over a whole grid as one block; ``ins`` are the values of each input."""
    points = math.prod(extents)
    if engine == "scalar":
        lists = [[0.0] * points for _ in tape.outputs]
        scalar.kernel(tape)(ins, lists, extents)
        return lists
    arrays = [np.zeros(points) for _ in tape.outputs]
    kernel = vector.kernel(tape) if engine == "vector" else native.ready(tape, extents)()
    kernel([np.array(column, dtype=float) for column in ins], arrays, extents)
    return [a.tolist() for a in arrays]


def evaluate(named: Sequence[tuple[str, Expr]], point: Mapping[str, float], engine: str = "scalar") -> dict[str, float]:
    """The value of each named expression at a point."""
    tape = program.build([e for _, e in named], [[name] for name in point])
    rows = run(tape, [[point[name]] for name, _ in tape.inputs], (1,) * len(point), engine)
    return {name: row[0] for (name, _), row in zip(named, rows, strict=True)}


def partials(
    e: Expr, point: Mapping[str, float], order: int, *, mode: str = "auto", engine: str = "scalar"
) -> dict[str, float]:
    """Value and all partial derivatives of f = e in the point's variables."""
    return evaluate(derive([("f", e)], list(point), order, mode), point, engine)
