"""Studies: known functions as textbooks have them, claims about intervals at points by mpmath, and what is refused."""

import math
import random
from fractions import Fraction

import pytest
from mpmath import mp, mpf

from gradcli.errors import GradError
from gradcli.expr import const, text
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.plot.study import Study, study  # noqa: E402  # it needs flint
from gradcli.plot.study_text import equation, spelled, spelled_span  # noqa: E402
from gradcli.truth.closed_forms import place  # noqa: E402


def studied(function: str, low=-5, high=5) -> Study:
    ends = [place(const(Fraction(end))) for end in (low, high)]
    return study(parse(function).outputs[0][1], *ends)


def spans(found) -> str:
    return ", ".join(map(spelled_span, found))


def points(found) -> list[tuple[str, str]]:
    return [(spelled(p.place), spelled(p.value)) for p in found]


def places(found) -> list[str]:
    return [spelled(getattr(p, "place", p)) for p in found]


def test_a_rational_function_as_a_textbook_has_it():
    found = studied("x**3/(x**2 - 1)")
    assert spans(found.domain) == "[-5, -1), (-1, 1), (1, 5]"
    assert [(spelled(z), z.multiplicity) for z in found.zeros] == [("0", 3)]
    assert [(spelled(p.place), p.left.sign, p.right.sign) for p in found.poles] == [("-1", -1, 1), ("1", -1, 1)]
    assert [equation(line, "x") for line in found.lines] == ["y = x"]
    assert [p.kind for p in found.extrema] == ["maximum", "minimum"]
    assert points(found.extrema) == [("-sqrt(3)", "-3*sqrt(3)/2"), ("sqrt(3)", "3*sqrt(3)/2")]
    assert points(found.inflections) == [("0", "0")]
    assert spans(found.rising) == "[-5, -sqrt(3)], [sqrt(3), 5]"
    assert spans(found.falling) == "[-sqrt(3), -1), (-1, 1), (1, sqrt(3)]"
    assert spans(found.convex) == "(-1, 0], (1, 5]"
    assert spans(found.concave) == "[-5, -1), [0, 1)"
    assert not found.undecided


@pytest.mark.parametrize(
    ("function", "domain", "zeros", "extrema", "inflections"),
    [
        ("x**3 - 3*x", "[-5, 5]", ["-sqrt(3)", "0", "sqrt(3)"], [("-1", "2"), ("1", "-2")], [("0", "0")]),
        ("x*exp(-x)", "[-5, 5]", ["0"], [("1", "1/e")], [("2", "2/exp(2)")]),
        ("log(x)/x", "(0, 5]", ["1"], [("e", "1/e")], [("exp(1.5)", "0.33469524022264474")]),
        ("x**x", "{-5}, {-4}, {-3}, {-2}, {-1}, [0, 5]", [], [("0", "1"), ("1/e", "0.6922006275553464")], []),
        ("sqrt(x**2 - 4)", "[-5, -2], [2, 5]", ["-2", "2"], [("-2", "0"), ("2", "0")], []),
        ("abs(x - 1)*sqrt(x)", "[0, 5]", ["0", "1"], [("0", "0"), ("1/3", "2*sqrt(3)/9"), ("1", "0")], []),
        ("cbrt(x)", "[-5, 5]", ["0"], [], [("0", "0")]),
        ("x*abs(x)", "[-5, 5]", ["0"], [], [("0", "0")]),
        ("asin(x)", "[-1, 1]", ["0"], [("-1", "-pi/2"), ("1", "pi/2")], [("0", "0")]),
        ("(x - 1)**50", "[-5, 5]", ["1"], [("1", "0")], []),
        ("floor(x)", "[-5, 5]", [], [], []),
        ("tanh(x)", "[-5, 5]", ["0"], [], [("0", "0")]),
        ("atan(1/x)", "[-5, 0), (0, 5]", [], [], []),
        ("exp(-1/x**2)", "[-5, 0), (0, 5]", [], [], [("-sqrt(6)/3", "exp(-1.5)"), ("sqrt(6)/3", "exp(-1.5)")]),
        ("1/(x**2 + 1e-20)", "[-5, 5]", [], [("0", "1" + 20 * "0")],
         [("-sqrt(3)/30000000000", "75000000000000000000"), ("sqrt(3)/30000000000", "75000000000000000000")]),
    ],
)  # fmt: skip
def test_functions(function, domain, zeros, extrema, inflections):
    found = studied(function)
    assert spans(found.domain) == domain
    assert places(found.zeros) == zeros
    assert points(found.extrema) == extrema
    assert points(found.inflections) == inflections
    assert not found.undecided


def test_parts_over_which_it_is_zero_constant_or_straight():
    found = studied("max(x, 0)")
    assert (spans(found.zero), spans(found.constant), spans(found.rising)) == ("[-5, 0]", "[-5, 0]", "[0, 5]")
    assert spans(found.straight) == "[-5, 0], [0, 5]"
    assert places(found.kinks) == ["0"] and not found.zeros
    steps = studied("floor(x)", -1, 2)
    assert spans(steps.constant) == "[-1, 0), [0, 1), [1, 2)"
    assert spans(steps.zero) == "[0, 1)"


def test_holes_jumps_and_places_without_a_limit():
    assert [(spelled(s.place), spelled(s.left.limit)) for s in studied("sin(x)/x").holes] == [("0", "1")]
    jump = studied("atan(1/x)").jumps[0]
    assert (spelled(jump.left.limit), spelled(jump.right.limit), jump.value) == ("-pi/2", "pi/2", None)
    wild = studied("sin(1/x)", 0, Fraction(1, 200))
    assert places(wild.oscillations) == ["0"] and wild.undecided
    assert places(studied("x*log(abs(x))").holes) == ["0"]


@pytest.mark.parametrize(
    ("function", "lines"),
    [
        ("x**3/(x**2 - 1)", ["y = x"]),
        ("sqrt(x**2 + 1)", ["y = -x", "y = x"]),
        ("atan(x)", ["y = -pi/2", "y = pi/2"]),
        ("(2*x + 1)/(3*x)", ["y = 2/3"]),
        ("sqrt(x**2 + x)", ["y = -x - 1/2", "y = x + 1/2"]),
        ("sin(x)/x", ["y = 0"]),
        ("-2*x + 3 + exp(-x*x)", ["y = -2*x + 3"]),
        ("x**2", []),
        ("sin(x)", []),
        ("log(x)", []),
        ("x/2 - pi + 1/x", ["y = (1/2)*x - pi"]),
    ],
)
def test_lines_at_infinity(function, lines):
    assert [equation(line, "x") for line in studied(function).lines] == lines


def test_places_without_a_closed_form():
    found = studied("1/(x - cos(x))")
    (pole,) = found.poles
    with mp.workdps(30):
        root = mp.findroot(lambda x: x - mp.cos(x), mpf("0.7"))
        assert abs(mpf(pole.place.value) - root) <= pole.place.radius
    assert (pole.left.sign, pole.right.sign) == (-1, 1)
    kink = studied("abs(x - cos(x))")
    assert places(kink.kinks) == places(kink.zeros) == [repr(float(root))]
    assert [p.kind for p in kink.extrema] == ["minimum"] and not kink.undecided


SMOOTH = [
    "x**3/(x**2 - 1)", "sin(x)/x", "x**2*exp(-x)", "log(x**2 + 1)*cos(x)", "sqrt(x + 5)*sin(2*x)", "x**4 - 5*x**2 + x",
    "tan(x/2)", "exp(1/x)", "x*atan(x) - x**2/9", "1/(x**5 - x - 1)", "x - 2*sin(x)", "erf(x)*x", "abs(x**2 - 3)*x",
    "max(x**2, 3 - x)", "x**(2/3)*(x - 1)", "log(abs(x))/(x - 2)",
]  # fmt: skip


@pytest.mark.parametrize("function", SMOOTH)
def test_what_is_said_of_intervals_holds_at_points(function):
    """Two points of a rising interval are in order, and the middle of two of a convex one is below the chord."""
    names = {name: getattr(mp, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "atan", "erf")}
    code = compile(function.replace("(2/3)", "(mpf(2)/3)"), "f", "eval")
    found = studied(function)
    rng = random.Random(function)

    def f(x):
        return eval(code, {**names, "x": x, "mpf": mpf, "abs": abs, "max": max})

    with mp.workdps(40):
        for spans_, sign, order in (
            (found.rising, 1, 1), (found.falling, -1, 1), (found.convex, 1, 2), (found.concave, -1, 2),
        ):  # fmt: skip
            for span in spans_:
                low, high = [mpf(e.numerator) / e.denominator for e in (span.low.high, span.high.low)]
                for _ in range(5):
                    a, b = sorted([low + (high - low) * mpf(rng.uniform(0.001, 0.999)) for _ in range(2)])
                    rise = f(b) - f(a) if order == 1 else f(a) + f(b) - 2 * f((a + b) / 2)
                    assert rise * sign > 0, (span, a, b)


@pytest.mark.parametrize("function", SMOOTH)
def test_intervals_cover_the_domain(function):
    """Rising and falling parts, and so the two bends, meet without a gap wherever nothing is undecided or flat."""
    found = studied(function)
    assert not [u for u in found.undecided if "asymptotes" not in u.what]
    length = sum(float(s.high.high - s.low.low) for s in found.domain)
    for parts in ((found.rising, found.falling, found.constant), (found.convex, found.concave, found.straight)):
        total = sum(float(s.high.high - s.low.low) for part in parts for s in part)
        assert math.isclose(total, length, rel_tol=1e-12)


@pytest.mark.parametrize("function", ["where(x == 0, 1, sin(x)/x)", "asin(sin(x))", "x*gamma(x)", "sin(1/x)*x"])
def test_nothing_is_said_of_signs_where_zeros_are_undecided(function):
    found = studied(function, -1, 2)
    parts = {"extrema": [*found.rising, *found.falling], "inflections": [*found.convex, *found.concave]}
    assert found.undecided
    for undecided in found.undecided:
        for span in parts.get(undecided.what, []):
            assert span.high.low <= undecided.place.low or undecided.place.high <= span.low.high


def test_the_sign_of_a_negative_zero_counts():
    assert spans(studied("copysign(x, -0.0)").rising) == "[-5, 0]"


def test_no_value_in_the_range():
    with pytest.raises(GradError, match=r"sqrt\(x\) has no value in the range"):
        studied("sqrt(x)", -5, -1)
    with pytest.raises(GradError, match="one variable"):
        studied("x*y")


def test_values_beyond_any_arithmetic():
    found = studied("exp(exp(exp(exp(exp(exp(x))))))")
    assert spans(found.domain) == "[-5, 5]"
    assert found.undecided and not found.zeros


def test_places_and_values_far_from_the_doubles():
    found = studied("exp(x)", -2000, 2000)
    assert spans(found.rising) == "[-2000, 2000]" and not found.undecided
    huge = studied("x**2 - 1e20", Fraction(-(10**300)), Fraction(10**300))
    assert [text(z.exact) for z in huge.zeros] == ["-10000000000", "10000000000"]
    spike = studied("exp(-1e10*(x - 0.123456)**2)", -1, 1)
    assert points(spike.extrema) == [("0.123456", "1")] and len(spike.inflections) == 2


def test_more_places_than_can_be_looked_at_are_refused():
    terms = " + ".join(f"floor({k}*x)" for k in range(1, 301))
    with pytest.raises(GradError, match="poles, jumps and kinks are too many"):
        studied(terms)
