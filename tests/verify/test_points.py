"""Where claims are compared, which differences are allowed there, and what is said of the wrong ones."""

import math
import sys
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcli.expr import var
from gradcli.language import parse
from gradcli.verify import Tolerance, compare, differing, probe, sample
from gradcli.verify.claims import Claim

pytestmark = pytest.mark.quick
finite = st.floats(allow_nan=False, allow_infinity=False)


def read(source):
    return parse(source).outputs[0][1]


@given(finite)
def test_ranks_number_the_doubles_in_order(x):
    rank = sample._rank(x)
    assert sample._double(rank) == x
    assert sample._double(rank + 1) == math.nextafter(x, math.inf)
    assert sample._double(rank - 1) == math.nextafter(x, -math.inf)


def test_chosen_points_are_of_all_sizes_and_signs():
    xs = [x for x, _ in islice(sample.points(["x", "y"], 0), 2000)]
    assert (
        xs
        == [x for x, _ in islice(sample.points(["x", "y"], 0), 2000)]
        != [x for x, _ in islice(sample.points(["x", "y"], 1), 2000)]
    )
    sizes = [abs(x) for x in xs]
    assert min(sizes) < 2.0**-100 and max(sizes) > 2.0**100
    assert {int(20 * math.frexp(size)[0]) for size in sizes} == set(range(10, 20)), "all mantissas"
    assert 0.5 < sum(0.25 <= size < 4 for size in sizes) / 2000 < 0.75
    assert 0.2 < sum(x < 0 for x in xs) / 2000 < 0.5


def test_points_around_others_are_at_all_distances():
    centre = (3.0, -5.0)
    found = list(islice(sample.near([centre], 0), 2000))
    for k in (0, 1):
        apart = [abs(point[k] - centre[k]) for point in found]
        assert max(apart) <= abs(centre[k]) / 2
        assert min(a for a in apart if a) < 1e-6 < 0.5 < max(apart)
        assert 0.1 < apart.count(0) / 2000 < 0.4, "some points are moved along one axis alone"


def test_special_points():
    assert sample.special(["x"], 0) == [(value,) for value in sample.SPECIAL]
    found = sample.special(["x", "y"], 0)
    count = len(sample.SPECIAL)
    assert found[:count] == [(value, value) for value in sample.SPECIAL]
    assert [x for x, _ in found[count : 2 * count]] == list(sample.SPECIAL) == [y for _, y in found[2 * count :]]
    assert all(0.25 <= abs(y) < 4 for _, y in found[count : 2 * count])


@pytest.mark.parametrize(("source", "edge"), [("log(x - 0.375)", 0.375), ("abs(x + 7)", -7.0), ("tan(x)", math.pi / 2)])
def test_edges_are_found_to_the_last_digit(source, edge):
    found = sorted({x for (x,) in sample.edges([read(source)], ["x"], 0)})
    beside = [x for x in found if abs(x - edge) < 1e-9]
    assert len(beside) > 1 and beside[0] <= edge <= beside[-1]
    assert all(b == math.nextafter(a, math.inf) for a, b in pairwise(beside))
    assert sample.edges([read("exp(x)*y")], ["x", "y"], 0) == []


def test_neighbours():
    for x in (3.0, -1e6):
        found = [point[0] for point in probe._around((x, 1.0), [0])]
        assert len({*found, x}) == 13 and {near > x for near in found} == {False, True}
        assert all(2.0**-26 < abs(near - x) / abs(x) < 2.0**-11 for near in found)
    # Near 0 half of them, and nearer still all, are at a distance that does not shrink with the number.
    apart = [abs(point[0] - 1e-6) for point in probe._around((1e-6, 1.0), [0])]
    assert all(size > 2.0**-14 for size in apart[:6]) and all(size < 1e-9 for size in apart[6:8])
    assert all(0 < size < 1e-12 for size in apart[8:])
    assert all(abs(x) > 2.0**-26 for x, _ in probe._around((1e-10, 1.0), [0]))
    assert all(math.isfinite(x) for (x,) in probe._around((sys.float_info.max,), [0]))
    assert all(y == 1.0 for _, y in probe._around((3.0, 1.0), [0]))
    up, down = math.nextafter(3, math.inf), math.nextafter(3, -math.inf)
    assert probe._adjacent((1.0, 3.0), [1]) == [(1.0, down), (1.0, up)]


def test_simple_numbers_come_first():
    assert probe._simpler(0.0) == [] and probe._simpler(2.0) == [0.0, 1.0]
    assert probe._simpler(0.123456789)[-6:] == [0.1, 0.12, 0.123, 0.1235, 0.12346, 0.123457]
    assert probe._simpler(math.inf) == list(probe._PLAIN)
    points = [(0.1234, 1.0), (2.0, 3.0), (-2.0, 3.0), (10.0, 1.0), (1.0, 3.0)]
    assert sorted(points, key=probe.plainness) == [points[k] for k in (4, 1, 2, 3, 0)]


@pytest.mark.parametrize(
    ("pairs", "others", "told"),
    [
        ([(2.0, 1.0)], {}, ""),
        ([(2.0, 1.0), (6.0, 3.0)], {}, "it is 2 times what it should be"),
        ([(-1.0, 1.0), (3.0, -3.0)], {}, "the sign is wrong"),
        ([(1.0, 3.0), (-2.0, -6.0)], {"df_dy": [1.0, -2.0]}, "it is 1/3 times what it should be"),
        ([(1.0 + 1e-13, 1.0), (2.0 + 2e-13, 2.0)], {}, ""),
        ([(1.0, 3.0), (5.0, 4.0)], {"f": [1.0, 4.0], "df_dy": [1.0, 5.0]}, "it is df_dy"),
        ([(1.0, 3.0), (5.0, 7.0)], {}, "it is 2 too small"),
        ([(3.5, 3.0), (7.5, 7.0)], {}, "it is 0.5 too large"),
        ([(3.0, 0.0), (3.0, 0.0)], {}, "it is 3 too large"),
        ([(1.0, 3.0), (5.0, 8.0)], {}, ""),
        ([(3.0, 7e-9), (3e15, 7e6)], {}, "it is 3000000000/7 times what it should be"),
        ([(1e15, 1.0), (2e15, 2.0)], {}, "it is 1e+15 times what it should be"),
        ([(math.pi, 1.0), (2 * math.pi, 2.0)], {}, "it is 3.14159265359 times what it should be"),
    ],
)
def test_what_the_errors_have_in_common(pairs, others, told):
    assert compare.pattern(pairs, others) == told


def judged(claimed, true, own=0.0, other=0.0, value=1.0, tolerance=Tolerance(), column=False):  # noqa: B008
    claim = Claim("df_dx", var("x"), var("x"), "f", (0,), "", column=column)
    found = compare.compared(claim, [np.array([v]) for v in (claimed, true, own, other, value, 0.0)], tolerance)
    return int(found.verdict[0]), bool(found.conclusive[0])


def test_the_bound_decides_unless_a_tolerance_is_given():
    inf, nan = math.inf, math.nan
    assert judged(1.0, 1.0) == (compare.AGREES, True)
    assert judged(1.0 + 3.9e-9, 1.0, 1e-9, 1e-9) == (compare.AGREES, True)
    assert judged(1.0 + 4.1e-9, 1.0, 1e-9, 1e-9) == (compare.DIFFERS, True)
    assert judged(1.0, 1.0, 1e-6, 1e-6) == (compare.AGREES, False)
    assert judged(inf, 1.0)[0] == judged(nan, 1.0)[0] == compare.INFINITE
    assert judged(1.0, inf)[0] == judged(1.0, nan)[0] == judged(2.0, 1.0, value=nan)[0] == compare.OUTSIDE
    assert judged(inf, inf)[0] == compare.AGREES
    assert judged(1.0, 1.0, other=inf)[0] == judged(1.0, 1.0, own=inf)[0] == compare.UNSURE
    assert judged(2.0, 1.0, own=inf)[0] == compare.OVERFLOWS
    relative, absolute, ulps = Tolerance(rtol=0.5), Tolerance(atol=0.5), Tolerance(max_ulp=2.0)
    assert [judged(x, 2.0, 9.0, 9.0, tolerance=relative)[0] for x in (3.0, 3.1, -2.0)] == [
        compare.AGREES, compare.DIFFERS, compare.DIFFERS,
    ]  # fmt: skip
    assert [judged(x, 2.0, tolerance=absolute)[0] for x in (2.5, 1.5, 2.6)] == [
        compare.AGREES, compare.AGREES, compare.DIFFERS,
    ]  # fmt: skip
    assert [judged(1 + k * 2.0**-52, 1.0, tolerance=ulps)[0] for k in (2, 3)] == [compare.AGREES, compare.DIFFERS]
    assert (Tolerance().given, relative.given, absolute.given, ulps.given) == (False, True, True, True)
    # Data are given so many ulp, and so many bounds of the truth.
    assert [judged(1 + k * 2.0**-52, 1.0, column=True)[0] for k in (8, 9)] == [compare.AGREES, compare.DIFFERS]
    assert judged(1 + 15e-9, 1.0, other=1e-9, column=True)[0] == compare.AGREES


@pytest.mark.parametrize(
    ("claimed", "truth", "x", "failure"),
    [
        ("2*x", "2*x", 1.0, "agrees"),
        ("3*x", "2*x", 1.0, "differs"),
        ("where(x == 1, 7, 2*x)", "2*x", 1.0, "differs"),
        ("where(x >= 0, 1, -1)", "sign(x)", 0.0, "kink"),
        ("where(x > 0, 1, where(x == 0, 2, -1))", "sign(x)", 0.0, "differs"),
        ("x*x/x", "x", 0.0, "hole"),
        ("x/((x + 1e20) - 1e20)", "1 + 0*x", 3.0, "overflow"),
        ("x*x/x", "x", 1e300, "overflow"),
        ("2 + 1/(x*x)", "3 + 0*x", 1e200, "overflow"),
        ("1/(x - 1)", "x", 1.0, "differs"),
    ],
)
def test_how_a_claim_fails_at_a_point(claimed, truth, x, failure):
    claim = Claim("df_dx", read(claimed), read(truth), "f", (0,), "", root=var("x"))
    assert probe.Probe(claim, compare.columns(claim), ["x"], Tolerance()).failure((x,)) == failure


def test_forms_that_differ():
    x = var("x")
    same, equal, other = x * x, read("(x + 1)**2"), read("2*x")
    pairs = [("same", same, same), ("equal", equal, read("x**2 + 2*x + 1")), ("other", other, read("3*x"))]
    assert differing(pairs, ["x"]) == (["other"], [])
    assert differing([], ["x"]) == ([], [])
