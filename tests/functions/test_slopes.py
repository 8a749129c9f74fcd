"""Slopes against true values, and what they are made of."""

import math

import accuracy
import pytest
from reference import FIXED_POWERS, REFERENCES

from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import apply, const, var
from gradcli.functions import NONLOCAL, TABLE, reduces
from gradcli.functions.row import PI, defined, polynomial, positive, slopes

x, y, z = map(var, "xyz")
FEW = 10


@pytest.mark.parametrize("name", [*REFERENCES, *FIXED_POWERS])
def test_slopes(name):
    """To order 4, so that slopes of slopes are among them. `tests/references` takes more points and every engine."""
    if name in TABLE and (package := TABLE[name].needs):
        pytest.importorskip(package)
    bad = [f for f in accuracy.findings(name, "scalar", FEW) if f.share > 1 and not accuracy.limited(name, f)]
    assert not bad, accuracy.describe(bad[0])


@pytest.mark.parametrize(
    ("at", "greatest", "least"),
    [((1, 2, 3), (0, 0, 1), (1, 0, 0)), ((2, 2, 2), (1 / 3,) * 3, (1 / 3,) * 3), ((5, 5, 1), (0.5, 0.5, 0), (0, 0, 1)),
     ((1, 5, 1), (0, 1, 0), (0.5, 0, 0.5)), ((1, math.nan, 2), (math.nan,) * 3, (math.nan,) * 3)],
)  # fmt: skip
def test_arguments_that_attain_an_extreme_share_its_slope(at, greatest, least):
    for name, wanted in (("max", greatest), ("min", least)):
        found = at_point(slopes(apply(name, x, y, z)), dict(zip("xyz", map(float, at), strict=True)))
        assert found == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("name", ["sum", "max", "prod", *NONLOCAL])
def test_what_takes_all_points_has_no_slope_at_one(name):
    e = apply(name, *[x, y][: 1 if name not in NONLOCAL else TABLE[name].arity[0]])
    with pytest.raises(GradError, match=f"^{name} takes all points at once"):
        slopes(e)
    assert reduces(e) or name in NONLOCAL
    assert not reduces(apply("max", x, y)) and not reduces(x)


def test_slopes_that_are_zero_are_none():
    assert slopes(apply("floor", x)) == (None,)
    assert [slope is None for slope in slopes(apply("copysign", x, y))] == [False, True]


def test_what_is_never_negative():
    square, root = x**2, apply("sqrt", x)
    for e in (const(0), const(3), PI, square, x**-4, root, x * x, square + 1, 3 * square, square / root, root**3,
              apply("exp", x), apply("abs", y) + apply("cosh", x) * x**2):  # fmt: skip
        assert positive(e), e
    for e in (const(-1), x, x**3, -square, x * y, square - 1, square + x, x * square, square / x, root + x**3,
              apply("sin", x), apply("gt", x, y), 1 / x, apply("max", x, y), x ** const(0.5)):  # fmt: skip
        assert not positive(e), e
    sums = [square]
    for _ in range(2000):
        sums.append(sums[-1] + root)
    assert positive(sums[7]) and not positive(sums[-1])  # which is true, and too deep to be seen
    assert defined(x, y, square) is y and defined(x, y) is defined(x, y, y) is apply("defined", x, y)


def test_polynomials_leave_out_terms_of_factor_zero():
    assert polynomial([(2, x), (0, y), (-1, z)]) is 2 * x - z
    assert polynomial([(0, x)]) is polynomial([]) is const(0)
