"""Grids: columns by slices, the same doubles as lists and arrays; blocks in order; options read strictly."""

from __future__ import annotations

import math
from itertools import product

import pytest
from engines import bits
from hypothesis import given
from hypothesis import strategies as st

from gradcli.compute.grid import Axis, Column, Grid, Index, Linear, Log, Values
from gradcli.errors import GradError
from gradcli.expr import substitute, text, var
from gradcli.job.points import Points, number, split

pytestmark = pytest.mark.quick

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)


def check_slices(column: Column, lo: int, hi: int) -> None:
    n = column.length
    whole = column.floats(0, n)
    assert len(whole) == n
    assert bits([column.array(0, n)]) == bits([whole])
    lo, hi = sorted((lo % (n + 1), hi % (n + 1)))
    assert bits([column.floats(lo, hi)]) == bits([whole[lo:hi]])
    assert bits([column.array(lo, hi)]) == bits([whole[lo:hi]])


@given(finite, finite, st.integers(2, 40), st.integers(0, 99), st.integers(0, 99))
def test_linear_meets_its_ends_and_stays_between(start: float, stop: float, n: int, lo: int, hi: int) -> None:
    column = Linear(start, stop, n)
    check_slices(column, lo, hi)
    values = column.floats(0, n)
    assert bits([(values[0], values[-1])]) == bits([(start, stop)])
    slack = 1e-15 * max(abs(start), abs(stop)) + 5e-324
    assert all(min(start, stop) - slack <= v <= max(start, stop) + slack for v in values)


@given(positive, positive, st.integers(2, 40), st.integers(0, 99), st.integers(0, 99))
def test_log_meets_its_ends_and_stays_between(start: float, stop: float, n: int, lo: int, hi: int) -> None:
    column = Log(start, stop, n)
    check_slices(column, lo, hi)
    values = column.floats(0, n)
    assert (values[0], values[-1]) == (start, stop)
    assert all(min(start, stop) <= v <= max(start, stop) for v in values)


@given(st.lists(st.floats(), min_size=1, max_size=9), st.integers(0, 99), st.integers(0, 99))
def test_values_and_indices(values: list[float], lo: int, hi: int) -> None:
    check_slices(Values(values), lo, hi)
    check_slices(Index(len(values)), lo, hi)


def test_values_that_people_expect() -> None:
    assert Linear(0, 1, 11).floats(0, 11) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert Linear(1, 0, 3).floats(0, 3) == [1.0, 0.5, 0.0]
    assert Linear(-1, 1, 5).floats(0, 5) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert Linear(-(2.0**1023), 2.0**1023, 5).floats(0, 5) == [-(2.0**1023), -(2.0**1022), 0.0, 2.0**1022, 2.0**1023]
    assert Linear(7, 7, 1).floats(0, 1) == [7.0]
    assert Log(1, 1000, 4).floats(0, 4) == [1.0, 10.0, 100.0, 1000.0]
    assert Log(1000, 1e-3, 7).floats(0, 7) == [1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001]
    assert Index(4).floats(1, 3) == [1.0, 2.0]


def test_ends_whose_multiples_overflow() -> None:
    for start, stop in ((1.7e308, 0.0), (0.0, 1.7e308), (-1.7e308, 1.7e308), (1.7e308, 1.0)):
        column = Linear(start, stop, 5)
        wanted = [start * (1 - k / 4) + stop * (k / 4) for k in range(5)]
        assert column.floats(0, 5) == column.array(0, 5).tolist() == pytest.approx(wanted, rel=1e-15)


def test_a_column_is_never_whole_in_memory() -> None:
    for column in (Linear(0, 1, 10**15), Log(1, 10, 10**15), Index(10**15)):
        assert len(column.floats(10**14, 10**14 + 3)) == 3
        assert len(column.array(10**15 - 2, 10**15)) == 2


@given(st.lists(st.integers(1, 6), min_size=0, max_size=4), st.integers(1, 50))
def test_blocks_cover_the_grid_once_in_order(lengths: list[int], target: int) -> None:
    grid = Grid([Axis([f"x{k}"], [Index(n)]) for k, n in enumerate(lengths)])
    met = []
    for ranges in grid.blocks(target):
        points = list(product(*[range(lo, hi) for lo, hi in ranges]))
        assert 1 <= len(points) <= target
        met += points
    assert met == list(product(*map(range, lengths)))
    assert grid.size == len(met)


def test_blocks_fill_their_target() -> None:
    sizes = [math.prod(hi - lo for lo, hi in r) for r in Grid([Axis(["x"], [Index(1000)])] * 2).blocks(16384)]
    assert min(sizes) >= 8_000
    assert max(sizes) <= 16384
    many = Grid([Axis(["x"], [Index(10**12)])])
    assert sum(1 for _, _ in zip(range(5), many.blocks(16384), strict=False)) == 5


@pytest.mark.parametrize(
    ("option", "texts", "message", "hint"),
    [
        ("at", ["x"], "--at needs NAME=VALUE", None),
        ("at", ["3"], "--at needs NAME=VALUE", "--grid"),
        ("at", ["x=1,2"], "--at needs NAME=VALUE", "--grid"),
        ("at", ["=1"], "--at needs NAME=VALUE", None),
        ("at", ["x="], "'x' is missing", None),
        ("at", ["2x=1"], "'2x' is not the name of a variable", None),
        ("at", ["х=1"], "is not the name of a variable", None),  # noqa: RUF001
        ("at", ["pi=3"], "'pi' is a constant", None),
        ("at", ["inf=3"], "'inf' is a constant", None),
        ("at", ["x=1,x=2"], "'x' is given twice", None),
        ("at", ["x=1", "x=2"], "'x' is given twice", None),
        ("at", ["x=y"], "'x' is not a number", None),
        ("at", ["x=1_000"], "'x' is not a number", None),
        ("at", ["x=\u0661"], "'x' is not a number", None),
        ("at", ["x=1e400"], "'x' is not a number", None),
        ("at", ["x=1e-400"], "'x' is not a number", None),
        ("at", ["x=1;2"], "'x' is not a number", None),
        ("grid", ["x"], "--grid needs NAME=START:STOP:COUNT", None),
        ("grid", ["3*4"], "--grid needs", "3x4"),
        ("grid", ["3,4"], "--grid needs", "3x4"),
        ("grid", ["3x"], "--grid needs", None),
        ("grid", ["0x4"], "at least 1", None),
        ("grid", ["1x1x1x1x1x1x1x1x1"], "at most 8 dimensions", None),
        ("grid", ["3x4", "2"], "a shape is given twice", None),
        ("grid", ["x=0:1"], "a range is START:STOP:COUNT", None),
        ("grid", ["x=0:1:2:3"], "a range is START:STOP:COUNT", None),
        ("grid", ["x=0:1:2,5"], "a range is START:STOP:COUNT", None),
        ("grid", ["x=1,,2"], "'x' is missing", None),
        ("grid", ["x=0:1:0"], "--grid x=0:1:0: the count must be at least 1", None),
        ("grid", ["x=0:1:-3"], "at least 1", None),
        ("grid", ["x=0:1:2.5"], "must be an integer", None),
        ("grid", ["x=0:1:inf"], "must be an integer", None),
        ("grid", ["x=0:1:1"], "one point cannot be at both ends", "at least 2"),
        ("grid", ["x=0:1:1" + "0" * 18], "limit", None),
        ("grid", ["x=0:1:1" + "0" * 5000], "limit", None),
        ("grid", ["x=0:inf:3"], "finite", None),
        ("grid", ["x=nan:1:3"], "finite", None),
        ("grid", ["x=log:0:1:3"], "log needs both bounds > 0", None),
        ("grid", ["x=log:1:-1:3"], "log needs both bounds > 0", None),
        ("grid", ["x=0:1:3", "x=1"], "'x' is given twice", None),
        ("grid", ["x=0:1:3,y=0:1:3"], "--grid", None),
    ],
)
def test_what_is_malformed_is_named(option: str, texts: list[str], message: str, hint: str | None) -> None:
    with pytest.raises(GradError) as caught:
        Points(at=texts) if option == "at" else Points(grids=texts)
    assert message in caught.value.message
    assert "--" + option in caught.value.message
    assert caught.value.exit_code == 2
    if hint is not None:
        assert hint in (caught.value.hint or "")


def test_constant_expressions() -> None:
    assert number("2*pi", "--at", "x") == 2 * math.pi
    assert number(" -0 ", "--at", "x") == 0
    assert math.copysign(1, number("-0", "--at", "x")) == -1
    assert number("-inf", "--at", "x") == -math.inf
    assert number("0.1+0.2", "--at", "x") == 0.3
    points = Points(["x=atan2(1,2),y=max(1,2,3)"], ["z=0:2*pi:3", "u=sqrt(2)"])
    assert points.at == {"x": math.atan2(1, 2), "y": 3.0}
    assert dict(points.grids)["z"].floats(0, 3) == [0.0, math.pi, 2 * math.pi]
    assert Points(["`temp C`=7"]).at == {"temp C": 7.0}
    assert Points((), ["x=0:1:1e3"]).grids[0][1].length == 1000


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda v: v == 0 or abs(v) > 1e-300))
def test_plain_numbers_read_as_python_reads_them(value: float) -> None:
    assert bits([[number(repr(value), "--at", "x")]]) == bits([[value]])


def test_split_minds_brackets_and_backquotes() -> None:
    assert split("x=1, y=f(1,(2)) ,`a,b`=3", ",") == ["x=1", "y=f(1,(2))", "`a,b`=3"]


def test_a_shape_fills_what_has_no_value() -> None:
    grid, filled = Points(["y=2"], ["z=1,2", "3x4"]).bind(["i", "y", "z", "w"])
    assert grid.shape == (2, 3, 4)
    assert [a.names for a in grid.axes] == [("y",), ("z",), ("\0i",), ("\0j",)]
    assert set(filled) == {"i", "w"}
    # A variable called i is not an index.
    assert filled["i"] is var("\0i") + var("\0j")
    assert substitute([var("i")], filled)[0] is filled["w"]


def test_rules_to_fill_by() -> None:
    _, filled = Points((), ["3x4"], "10*i + j").bind(["x", "y"])
    assert filled["x"] is filled["y"]
    _, filled = Points((), ["3x4"], "x = i; y = j*pi").bind(["x", "y"])
    assert [text(filled[n]).replace("\0", "") for n in "xy"] == ["`i`", "pi*`j`"]
    _, filled = Points((), ["3x4"], "x = i; j").bind(["x", "y"])
    assert filled["y"] is var("\0j")
    # A constant rule is a value like any other, rounded before it is used.
    grid, filled = Points((), ["3x4"], "1/10").bind(["x"])
    assert not filled
    assert grid.axes[0].columns[0].floats(0, 1) == [0.1]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("k", "'k' is not an index; the indices of this shape are i, j"),
        ("x = i", "no rule for 'y'"),
        ("x = i; y = j; z = i", "'z' is not a variable to fill"),
        ("i; j", "one rule is needed"),
        ("i +", "--fill: "),
        ("", "--fill: "),
    ],
)
def test_wrong_rules(rule: str, message: str) -> None:
    with pytest.raises(GradError) as caught:
        Points((), ["3x4"], rule).bind(["x", "y"])
    assert caught.value.message.startswith("--fill: ")
    assert message in caught.value.message


def test_points_that_do_not_fit() -> None:
    with pytest.raises(GradError, match="--fill needs a shape"):
        Points((), ["x=1"], "i")
    with pytest.raises(GradError, match="variable 'y' has no value"):
        Points(["x=1"]).bind(["x", "y"])
    with pytest.raises(GradError, match="fills nothing"):
        Points(["x=1"], ["3x4"]).bind(["x"])
    assert not Points()
    assert Points((), ["12"]).shape == (12,)
