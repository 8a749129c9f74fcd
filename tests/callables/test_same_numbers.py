"""Functions give the numbers of the shell, bit for bit: those of rows of a file, computed by the same engine."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_of_files import bits, of_file

from gradcli import function
from gradcli.errors import GradError
from gradcli.functions import SPELLED
from gradcli.functions.row import Function as Row

INF, NAN = math.inf, math.nan
VALUES = [0.0, -0.0, 1.0, -1.3, 0.5, 25.0, -1e-9, 1e300, INF, NAN]
CALLED = [
    row for row in dict.fromkeys(SPELLED.values())
    if not row.internal and not row.reduces and row.name not in ("where", "and", "or", "not")
]  # fmt: skip
"""The rows of the function table that are functions of numbers at each point."""


def points(row: Row) -> list[tuple[float, ...]]:
    rng = random.Random(row.name)
    count = row.arity[0]
    if count == 1:
        return [*[(v,) for v in VALUES], *[(rng.gauss(0, 3),) for _ in range(4)]]
    at = [tuple([rng.choice(VALUES) for _ in range(count)]) for _ in range(8)]
    return at + [tuple([rng.gauss(0, 2) for _ in range(count)]) for _ in range(5)]


def calls() -> Iterator[tuple[str, list[str], list[str], list[tuple[float, ...]]]]:
    """The text of a call of every function, its arguments, and those in which it has derivatives."""
    for row in CALLED:
        names = ["x", "y", "z"][: row.arity[0]]
        told = dict(zip(names, row.arguments, strict=False))
        wrt = [name for name in names if told.get(name) not in row.unknown]
        yield f"{row.name}({', '.join(['2'] * row.parameter + names)})", names, wrt, points(row)


def test_every_function_at_points_and_small_arrays() -> None:
    for text, names, wrt, at in calls():
        columns = dict(zip(names, np.array(at).T, strict=True))
        f = function(text, wrt, names)
        true = of_file(text, columns, wrt, order=2, engine="scalar")
        rows = [f.partials(*point, order=2) for point in at]
        assert all(bits(column) == bits([row[name] for row in rows]) for name, column in true.items()), text
        assert bits(true["f"][-3:]) == bits([f(*point) for point in at[-3:]]), text
        firsts = [column[-3:] for name, column in true.items() if name.startswith("df_d")]
        assert bits(np.transpose(firsts)) == bits([f.grad(*point) for point in at[-3:]]), text
        true = of_file(text, columns, wrt, order=2, engine="vector")
        found = f.partials(**columns, order=2)
        assert all(bits(column) == bits(found[name]) for name, column in true.items()), text


def test_every_function_in_compiled_code() -> None:
    for text, names, wrt, at in calls():
        columns = dict(zip(names, np.array(at).T, strict=True))
        # Hard points are compiled a second time; test_hard_points.py has them.
        true = of_file(text, columns, wrt, engine="native", kink="convention")
        found = function(text, wrt, names, engine="native", kink="convention").partials(**columns)
        assert all(bits(column) == bits(found[name]) for name, column in true.items()), text


@pytest.mark.quick
@pytest.mark.parametrize("engine", ["auto", "vector", "scalar", "native"])
def test_arrays_broadcast(engine: str) -> None:
    """Each element is that of arrays of one shape and one dimension, and no argument is written to."""
    rng = np.random.default_rng(7)
    # A square of an argument, and an intermediate number that is a result, too.
    f = function("u = a*exp(-b*x)*x*x; v = max(x, a)/b", args="x,a,b", engine=engine)
    of_constants = function("u = x; v = 2; w = x*0 + a*0 + b*0", args="x,a,b", engine=engine)
    shapes: list[tuple[int, ...] | None] = [None, (), (1,), (4,), (3, 1), (1, 4), (3, 4), (2, 1, 4), (1, 1, 1)]
    for k in range(20):
        mine = [shapes[n] for n in rng.integers(len(shapes), size=3)]
        given = [1.5 if shape is None else rng.choice([0.0, -1.0, 2.5, 0.3, NAN, INF], shape) for shape in mine]
        if k % 4 == 0:
            given = [a if isinstance(a, float) or not a.ndim else np.asfortranarray(a) for a in given]
        if not any(shape is not None for shape in mine):
            continue
        shape = np.broadcast_shapes(*[s for s in mine if s is not None])
        before = [bits(a) for a in given]
        flat = [np.broadcast_to(a, shape).reshape(-1).copy() for a in given]
        for called, outputs in ((f, 2), (of_constants, 3)):
            value, jacobian, hessian = called(*given), called.jacobian(*given), called.hessian(*given)
            assert [v.shape for v in value] == [shape] * outputs
            assert jacobian.shape == (*shape, outputs, 3) and hessian.shape == (*shape, outputs, 3, 3)
            assert [bits(v) for v in value] == [bits(v) for v in called(*flat)], (mine, given)
            assert bits(jacobian) == bits(called.jacobian(*flat)), (mine, given)
            assert bits(hessian) == bits(called.hessian(*flat)), (mine, given)
        assert [bits(a) for a in given] == before
    for empty in (np.empty(0), np.empty((3, 0)), []):
        shape = np.shape(empty)
        assert f.hessian(empty, 2, 1.0).shape == (*shape, 2, 3, 3)
        assert [v.shape for v in f(1.0, empty, np.ones(1))] == [shape, shape]


@pytest.mark.parametrize(("size", "engine"), [(16_384, "vector"), (16_385, "vector"), (100_000, "native")])
def test_large_arrays(size: int, engine: str) -> None:
    x = np.linspace(-1, 2, size)
    x[:: size // 5] = [0.0, -0.0, NAN, INF, 1.0, -1.0][: len(x[:: size // 5])]
    text = "sqrt(x**4) + a*sin(x)*cos(a) + abs(x - 1)"
    true = of_file(text, {"x": x, "a": np.full(size, 0.75)}, order=2, engine=engine)
    for threads in (1, 3):
        f = function(text, args="x,a", engine=engine, threads=threads)
        found = f.partials(x, np.full(size, 0.75), order=2)
        assert {n: bits(c) for n, c in true.items()} == {n: bits(c) for n, c in found.items()}
    if engine == "vector":
        # A number is computed apart from the array, in the same operations.
        assert bits(function(text, args="x,a", engine=engine).hessian(x, 0.75)) == bits(
            f.hessian(x, np.full(size, 0.75))
        )


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "2", "-0.5", "0", "1e200", "pi"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["sin", "exp", "log", "sqrt", "abs", "floor", "atan", "-", "erf"]), inner).map(
            lambda part: f"{part[0]}({part[1]})"
        ),
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda part: f"({''.join(part)})"),
        st.tuples(st.sampled_from(["max", "hypot", "atan2"]), inner, inner).map(
            lambda part: f"{part[0]}({part[1]}, {part[2]})"
        ),
        st.tuples(inner, st.sampled_from(["<", "==", ">="]), inner, inner, inner).map(
            lambda part: f"where({part[0]} {part[1]} {part[2]}, {part[3]}, {part[4]})"
        ),
    ),
    max_leaves=9,
)


@settings(max_examples=25)
@given(EXPRESSIONS, st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), min_size=2, max_size=4))
def test_random_expressions(text: str, at: list[tuple[float, float]]) -> None:
    text = f"{text} + 0*x*y"
    x, y = np.array(at).T
    try:
        function(text)
    except GradError as error:
        # Such as a constant beyond the doubles.
        with pytest.raises(GradError, match=re.escape(error.message)):
            of_file(text, {"x": x, "y": y})
        return
    for engine in ("scalar", "vector"):
        true = of_file(text, {"x": x, "y": y}, ["x", "y"], order=2, engine=engine)
        f = function(text, "x,y", "x,y")
        if engine == "vector":
            found = f.partials(x, y, order=2)
        else:
            rows = [f.partials(*point, order=2) for point in at]
            found = {name: [row[name] for row in rows] for name in rows[0]}
        assert {n: bits(c) for n, c in true.items()} == {n: bits(c) for n, c in found.items()}
