"""Blocks in order on any number of threads, axes joined to one, and passes over the points."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from engines import bits
from hypothesis import given
from hypothesis import strategies as st

from gradcli.compute import engine
from gradcli.compute.execute import Work, aside, blocks, digests, empty, whole
from gradcli.compute.grid import Axis, Grid, Held, Index, Linear, Repeated, Values, joined
from gradcli.compute.passes import Plan
from gradcli.compute.reuse import FEW, Nest, replaced
from gradcli.expr import apply, const, reachable, var
from gradcli.limits.threads import in_order, in_thread

pytestmark = pytest.mark.quick

x, y, z = map(var, "xyz")
A, B, C = [3.0, -1.0, 2.0], [0.5, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0]


def sin(e):
    return apply("sin", e)


# Blocks.


def tables(arrays: bool, seen: list[Sequence[object]] | None = None) -> Work:
    """Work that writes 100*a + b and its number along the grid of A and B, as any kernel is called."""

    def make():
        def kernel(ins, outs, extents):
            if seen is not None:
                seen.append(ins)
            values = [100 * a + b for a, b in itertools.product(*ins)]
            assert len(values) == math.prod(extents) and tuple(map(len, ins)) == extents
            outs[0][:] = values
            outs[1][:] = [-v for v in values]

        return kernel

    return Work(
        make, [(0, 0), (1, 1)], 2, Grid([Axis(["x"], [Values(A)]), Axis(["n", "y"], [Index(2), Values(B)])]), arrays
    )


WANTED = [100 * a + b for a in A for b in B]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("target", [1, 2, 3, 4, 6, 100])
@pytest.mark.parametrize("arrays", [False, True])
def test_blocks_wholes_and_digests_are_the_same_points(arrays, target, threads):
    work = tables(arrays)
    found = [*blocks(work, target=target, threads=threads)]
    assert all(isinstance(column, np.ndarray if arrays else list) for block in found for column in block)
    assert [v for block in found for v in block[0]] == WANTED == [-v for block in found for v in block[1]]
    assert all(len(block[0]) <= target for block in found)
    parts = [*digests(work, lambda block, first: (first, [*block[0]]), target=target, threads=threads)]
    assert [v for _, part in parts for v in part] == WANTED
    assert [first for first, _ in parts] == [*itertools.accumulate([0, *[len(part) for _, part in parts]])][:-1]
    spans = []
    for lo, hi, columns in whole(work, target=target, threads=threads):
        spans.append((lo, hi))
        assert list(columns[0][lo:hi]) == WANTED[lo:hi]
    assert [list(column) for column in columns] == [WANTED, [-v for v in WANTED]]
    assert [k for lo, hi in sorted(spans) for k in range(lo, hi)] == [*range(6)]
    outs = empty(work, 6)
    assert all(columns is outs for _, _, columns in whole(work, target=target, threads=threads, outs=outs))
    assert [*outs[0]] == WANTED


def test_a_column_that_stays_is_the_same_object():
    seen: list[Sequence[object]] = []
    [*blocks(tables(False, seen), target=2)]
    assert len(seen) == 3
    assert seen[0][1] is seen[1][1] is seen[2][1] and seen[0][0] is not seen[1][0]


def test_columns_of_many_points_start_at_different_places_of_a_page():
    work = tables(True)._replace(outputs=5)
    for points in (1, 511, 512, 5000, 5120):
        columns = empty(work, points)
        assert [column.shape for column in columns] == [(points,)] * 5
        starts = {column.ctypes.data % 4096 for column in columns}
        assert points < 512 or len(starts) == 5
    assert empty(tables(False), 3) == [[0.0] * 3] * 2


def test_the_first_error_ends_the_blocks():
    def make():
        def kernel(ins, outs, extents):
            raise ValueError(f"{ins[0][0]}")

        return kernel

    for threads in (1, 3):
        with pytest.raises(ValueError, match=r"^3\.0$"):
            [*blocks(tables(False)._replace(make=make), target=1, threads=threads)]


def test_tasks_are_done_in_threads_and_given_back_in_order():
    assert in_thread(lambda: 3) == 3
    assert [*in_order((lambda k=k: k * k for k in range(99)), 3)] == [k * k for k in range(99)]
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 // 0)


def test_what_is_made_aside_comes_in_order_and_its_error_last():
    def make(put):
        for k in range(9):
            put(k)

    def broken(put):
        put(1)
        raise ValueError("2")

    assert [*aside(make)] == [*range(9)]
    found = aside(broken)
    assert next(found) == 1
    with pytest.raises(ValueError, match="2"):
        next(found)


# Axes joined to one.


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99), st.integers(0, 99))
def test_joined_axes_are_the_product(a, b, c, lo, hi):
    axes = [Axis([name], [Linear(0, n, n + 1)]) for name, n in zip("xyz", (a, b, c), strict=True)]
    axis = joined(axes, ["n"], [Index((a + 1) * (b + 1) * (c + 1))])
    rows = [*itertools.product(*[column.floats(0, column.length) for column in (e.columns[0] for e in axes)])]
    assert (axis.names, axis.length, axis.fixed) == (("n", "x", "y", "z"), len(rows), False)
    lo, hi = sorted((lo % (len(rows) + 1), hi % (len(rows) + 1)))
    for column, wanted in zip(axis.columns, [[*map(float, range(len(rows)))], *zip(*rows, strict=True)], strict=True):
        assert column.length == len(rows)
        assert column.floats(lo, hi) == list(wanted[lo:hi])
        if lo < hi:
            assert column.array(lo, hi).tolist() == list(wanted[lo:hi])


def test_what_is_repeated_reads_no_more_of_a_column_than_it_needs():
    class Watched(Index):
        def floats(self, lo, hi):
            read.append((lo, hi))
            return super().floats(lo, hi)

    read: list[tuple[int, int]] = []
    column = Repeated(Watched(5), 3, 45)
    assert column.floats(4, 8) == [1, 1, 2, 2] and read == [(1, 3)]
    assert column.floats(13, 17) == [4, 4, 0, 0] and read[1:] == [(4, 5), (0, 1)]
    assert column.floats(15, 15) == []


def test_a_held_column_is_not_copied():
    values = np.array(A)
    assert Held(values).array(1, 3).base is values and Held(values).floats(1, 3) == A[1:3]
    assert Values(A).array(0, 3).dtype == np.float64


# Passes.


def computed(outputs, axes, over=None, name="scalar", threads=1):
    """The columns of outputs with reductions, the plan, and the counts of points told."""
    grid = Grid(axes)
    over = grid if over is None else Grid(over)
    plan, told = Plan(outputs, grid, over), []
    work = plan.last(over, grid, name, threads, told.append)
    columns = [[float(v) for block in blocks(work, target=4) for v in block[k]] for k in range(len(outputs))]
    return columns, plan, told


def total(e):
    return apply("sum", e)


X, Y, Z = Axis(["x"], [Values(A)]), Axis(["y"], [Values(B)]), Axis(["z"], [Values(C)])
AT = Axis(["w"], [Values([7.0])], fixed=True)


@pytest.mark.parametrize("name", ["scalar", "vector"])
def test_reductions_take_all_points_whatever_they_depend_on(name):
    outputs = [
        total(x), total(x * y), apply("mean", y), total(const(1)) * x, x - apply("max", x * y), total(var("w")),
        apply("prod", y), apply("norm", x), apply("min", y) + apply("max", y),
    ]  # fmt: skip
    points = [(a, b) for a in A for b in B]
    wanted = [
        [sum(a for a, _ in points)] * 6, [sum(a * b for a, b in points)] * 6, [2.25] * 6, [6 * a for a, _ in points],
        [a - 12 for a, _ in points], [42.0] * 6, [8.0] * 6, [math.sqrt(28)] * 6, [4.5] * 6,
    ]  # fmt: skip
    found, plan, told = computed(outputs, [X, Y, AT], name=name)
    assert found == [pytest.approx(column, rel=1e-15) for column in wanted]
    # One pass over the points of each set of axes: none, x, y, both; then the last.
    assert sorted(p.axes for p in plan.passes) == [(), (0,), (0, 1), (1,)]
    assert (plan.before, plan.points, told[-1]) == (1 + 3 + 2 + 6, 12 + 6, 12)
    assert told == sorted(told)


def test_reductions_alone_are_one_point():
    found, plan, _ = computed([total(x * y), total(x) + total(y)], [X, Y], [])
    assert found == [[4 * 4.5], [2 * 4 + 3 * 4.5]]
    assert (plan.before, plan.points) == (3 + 2 + 6, 12)


def test_reductions_inside_reductions_are_passes_one_after_the_other():
    mean = apply("mean", x)
    found, plan, _ = computed([total((x - mean) ** 2), x - mean], [X])
    assert found[0] == pytest.approx([26 / 3] * 3, rel=1e-15) and found[1] == pytest.approx([a - 4 / 3 for a in A])
    assert [len(p.reductions) for p in plan.passes] == [1, 1]


def test_equal_reductions_share_a_pass_and_a_column():
    _, plan, _ = computed([total(x * x), apply("mean", x * x), apply("max", x * x)], [X])
    [only] = plan.passes
    assert (len(only.program.outputs), len(only.accumulators), len(only.reductions)) == (1, 2, 3)


def nested(depth, e):
    """Reductions inside each other, with much to compute at every point."""
    for k in range(depth):
        e = sin(e + k) * apply("exp", -e) + apply(
            "mean", sin(e) * e + apply("where", apply("gt", e, const(k / 9)), e, x)
        )
    return e


@pytest.mark.parametrize("name", ["scalar", "vector"])
@pytest.mark.parametrize("axes", [[X], [X, Y], [X, Y, Z], [AT, X, Z]])
def test_columns_kept_for_later_passes_change_nothing(axes, name, monkeypatch):
    e = nested(9, x * y + sin(y) if len(axes) == 2 else x + apply("cos", x) * 2)
    kept, plan, _ = computed([e, total(e)], axes, name=name)
    assert plan.stored
    monkeypatch.setattr(engine, "ROOM", 0)
    afresh, without, _ = computed([e, total(e)], axes, name=name)
    assert not without.stored and sum(p.program.length for p in without.passes) > sum(
        p.program.length for p in plan.passes
    )
    assert bits(kept) == bits(afresh)


def test_no_more_is_kept_than_there_is_room_for(monkeypatch):
    columns = {}
    for room in (2, 3):
        monkeypatch.setattr(engine, "ROOM", room)
        _, plan, _ = computed([nested(9, x)], [X])
        columns[room] = len(plan.stored)
    assert columns == {2: 0, 3: 1}


def test_a_nest_gives_variables_for_what_is_stored():
    e = sin(x * y) + x
    nest = Nest([sin(x * y), e, e * 2])
    [first] = nest.take([sin(x * y)])
    assert first is sin(x * y)
    # x*y is used by sin alone, which has been taken; sin itself is used by e.
    assert nest.needed(set(reachable([first]))) == {sin(x * y): sin(x * y)}
    assert nest.needed([]) == {}
    nest.keep({sin(x * y): z})
    assert nest.take([e]) == [z + x]
    assert nest.take([e * 2]) == [2 * (z + x)]
    assert not nest.open
    assert replaced([e, x], {sin(x * y): z}) == [z + x, x] and replaced([e], {}) == [e]
    assert FEW > 0
