"""Slopes against true values, and what they are made of."""

import math

import accuracy
import pytest
from engines import ENGINES, evaluate
from mpmath import mp
from reference import FIXED_POWERS, REFERENCES

from gradcli.calculus.derive import derive
from gradcli.calculus.forward import minus, plus, times
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.expr import apply, const, text, var
from gradcli.functions import NONLOCAL, TABLE, reduces, vanishes
from gradcli.functions.row import PI, defined, polynomial, positive, slopes, vanishing
from gradcli.language import parse

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


@pytest.mark.parametrize("name", ["sum", "max", "prod", *sorted(NONLOCAL)])
def test_what_takes_all_points_has_no_slope_at_one(name):
    e = apply(name, *[x, y][: 1 if name not in NONLOCAL else TABLE[name].arity[0]])
    with pytest.raises(GradError, match=f"^{name} takes all points at once"):
        slopes(e)
    assert reduces(e) or name in NONLOCAL
    assert not reduces(apply("max", x, y)) and not reduces(x)


def test_slopes_of_steps_are_zero_and_nan_at_nan():
    (slope,) = slopes(apply("floor", x))
    assert vanishes(slope) and text(slope) == "0"
    assert [at_point([slope], {"x": at}) for at in (1.5, 2.0, math.inf)] == [[0.0]] * 3
    assert math.isnan(at_point([slope], {"x": math.nan})[0])
    assert not vanishes(x) and not vanishes(const(0))


def test_a_slope_that_vanishes_leaves_the_other_terms():
    zero, other = vanishing(x), vanishing(y)
    assert times(zero, y) is times(y, zero) is minus(None, zero) is plus(None, zero) is zero
    assert plus(zero, x * y) is minus(x * y, zero) is x * y, "nan already where x is"
    assert plus(zero, y) is minus(y, zero) is apply("defined", x, y)
    assert minus(zero, y) is apply("defined", x, -y)
    # What a nan passes by unseen does not stand for it.
    for unseen in (y ** apply("floor", x), apply("where", apply("gt", x, y), y, y * 2), apply("hypot", x, y)):
        assert plus(zero, unseen) is apply("defined", x, unseen)
    both = plus(zero, other)
    assert vanishes(both) and vanishes(times(zero, other))
    for e in (both, times(zero, other), minus(zero, other)):
        found = [at_point([e], {"x": a, "y": b})[0] for a, b in ((1.0, 2.0), (math.nan, 2.0), (1.0, math.nan))]
        assert str(found) == "[0.0, nan, nan]"


def test_slopes_that_are_zero_are_none():
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


@pytest.mark.parametrize(
    ("name", "held", "other"),
    [("besselj", "n", "x"), ("besselk", "n", "x"), ("betainc", "a", "x"), ("betainc", "b", "x"), ("gammainc", "a", "x"),
     ("gammaincc", "a", "x")],
)  # fmt: skip
def test_a_derivative_without_a_closed_form_is_refused_in_its_variable_alone(name, held, other):
    e = parse(f"{name}({'n' if 'bessel' in name else 'a, b' if name == 'betainc' else 'a'}, x)").outputs[0][1]
    assert text(e) == str(text(parse(text(e)).outputs[0][1]))
    for mode in ("forward", "reverse"):
        with pytest.raises(
            GradError, match=rf"^the derivative of {name}\(.*\) in {held} has no closed form\n"
        ) as error:
            derive([("f", e)], [held, other], 1, mode)
        assert error.value.hint.endswith(f"name the variables of {other} alone by --wrt")
        ((_, value), (_, slope)) = derive([("f", e)], [other], 1, mode)
        assert value is e and slope.variables == e.variables
    assert slopes(e)[0] is None, "nobody asks"


@pytest.mark.parametrize(
    ("source", "want"),
    [("besselj(3, x)", "besselj(3, x)"), ("besselj(-3, x)", "-besselj(3, x)"), ("bessely(-2, x)", "bessely(2, x)"),
     ("besseli(-3, x)", "besseli(3, x)"), ("besselk(-1, x)", "besselk(1, x)"), ("besselj(2.0, x)", "besselj(2, x)"),
     ("besselj(1/2, x)", "besselj(0.5, x)"), ("besselj(nu, x)", "besselj(nu, x)"),
     ("besselj(1001, x)", "besselj(1001, x)"),
     ("lambertw(x)", "lambertw(x)"), ("lambertw(x, 0)", "lambertw(x)"), ("lambertw(x, -1)", "lambertw(x, -1)")],
)  # fmt: skip
def test_one_word_for_several_rows(source, want):
    ((_, e),) = parse(source).outputs
    assert text(e) == want
    assert parse(want).outputs[0][1] is e


def test_lambertw_has_two_branches():
    for branch in ("1", "y", "-2"):
        with pytest.raises(GradError, match=r"^lambertw has two real branches, 0 and -1\n"):
            parse(f"lambertw(x, {branch})")
    with pytest.raises(GradError, match=r"^lambertw takes 1 to 2 arguments, 3 given\n"):
        parse("lambertw(x, 0, 1)")


@pytest.mark.parametrize("engine", ENGINES)
def test_bessel_functions_of_an_order_that_is_a_variable(engine):
    pytest.importorskip("scipy")
    for name in ("besselj", "bessely", "besseli", "besselk"):
        ((_, e),) = parse(f"{name}(nu, x)").outputs
        for nu in (-3.0, -0.5, 0.0, 1.0, 2.5, 4.0):
            for at in (0.01, 1.5, 3.0, 30.0, 500.0):
                found = evaluate(derive([("f", e)], ["x"], 1), {"nu": nu, "x": at}, engine)
                with mp.workdps(40):
                    # The derivatives of mpmath 1.3 are wrong at whole orders below 0.
                    below, here, above = (getattr(mp, name)(nu + k, mp.mpf(at)) for k in (-1, 0, 1))
                    slope = (below + above if name[-1] in "ik" else below - above) / 2
                    true = [here, -slope if name == "besselk" else slope]
                assert found["f"] == pytest.approx(float(true[0]), rel=1e-12, abs=1e-14 * (name[-1] in "jy"))
                assert found["df_dx"] == pytest.approx(float(true[1]), rel=1e-12, abs=1e-14 * (name[-1] in "jy"))
    whole = parse("besselj(nu, x)").outputs[0][1]
    assert evaluate([("f", whole)], {"nu": 3.0, "x": -2.0}, engine)["f"] == pytest.approx(-float(mp.besselj(3, 2)))
    assert math.isnan(evaluate([("f", whole)], {"nu": 0.5, "x": -2.0}, engine)["f"])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_lower_branch_of_lambertw(engine):
    pytest.importorskip("scipy")
    ((_, e),) = parse("lambertw(x, -1)").outputs
    for at in (-1 / 3, -0.3678, -0.36787944117, -0.2, -1e-5, -1e-100):
        found = evaluate(derive([("f", e)], ["x"], 2), {"x": at}, engine)
        with mp.workdps(60):
            w = mp.re(mp.lambertw(mp.mpf(at), -1))
            slope = mp.exp(-w) / (1 + w)
            bend = -mp.exp(-2 * w) * (2 + w) / (1 + w) ** 3
        for computed, true in zip(found.values(), (w, slope, bend), strict=True):
            assert computed == pytest.approx(float(true), rel=1e-14)
    ends = {at: evaluate([("f", e)], {"x": at}, engine)["f"] for at in (0.0, -0.4, 1.0, math.nan)}
    assert str(list(ends.values())) == "[-inf, nan, nan, nan]"


def test_densities_differentiate_in_their_parameters():
    """The slope of betainc and gammainc in x has derivatives in a and b, and mixed ones are those in either order."""
    pytest.importorskip("scipy")
    for source, true, names in (
        (
            "diff(gammainc(a, x), x, 2)",
            lambda a, x: mp.diff(lambda t: t ** (a - 1) * mp.exp(-t) / mp.gamma(a), x),
            "ax",
        ),
        (
            "diff(betainc(a, b, x), x, 2)",
            lambda a, b, x: mp.diff(lambda t: t ** (a - 1) * (1 - t) ** (b - 1) / mp.beta(a, b), x),
            "abx",
        ),
    ):
        ((_, e),) = parse(source).outputs
        at = {"a": 2.25, "b": 3.5, "x": 0.375}
        point = [at[name] for name in names]
        found = evaluate(derive([("f", e)], names, 1), {name: at[name] for name in names})
        with mp.workdps(40):
            for k, name in enumerate(names):
                wanted = mp.diff(true, tuple(point), tuple(int(i == k) for i in range(len(names))))
                assert found[f"df_d{name}"] == pytest.approx(float(wanted), rel=1e-12)


def test_beta_is_a_variable_too():
    parsed = parse("beta*beta(x, beta)")
    assert set(parsed.variables) == {"beta", "x"} and not parsed.uncalled
