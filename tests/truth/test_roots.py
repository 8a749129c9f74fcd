"""Zeros over a range: all of them, where mpmath finds them, each enclosed and proved; and what is not decided."""

from fractions import Fraction

import pytest
from mpmath import mp, mpf

from gradcli.expr import const, readable, text
from gradcli.language import parse

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

from gradcli.truth.closed_forms import place, quadratic, root, times  # noqa: E402  # it needs flint
from gradcli.truth.places import Place, simplest  # noqa: E402
from gradcli.truth.polynomials import ratio, real_zeros  # noqa: E402
from gradcli.truth.quotients import Quotient, parts  # noqa: E402
from gradcli.truth.zeros import Range, factors, hazard_places, searched, zeros  # noqa: E402


def read(text: str):
    return readable([parse(text).outputs[0][1]])[0]


def over(low, high) -> Range:
    return Range("x", place(const(Fraction(low))), place(const(Fraction(high))))


def forms(places: list[Place]) -> list[str]:
    return [text(p.exact) if p.exact is not None else "?" for p in places]


@pytest.mark.parametrize(
    ("function", "low", "high", "expected"),
    [
        ("sin(x)", -10, 10, ["-3*pi", "-2*pi", "-pi", "0", "pi", "2*pi", "3*pi"]),
        ("sin(x)**2", -4, 4, ["-pi", "0", "pi"]),
        ("2*cos(x) - 1", 0, 6, ["pi/3", "5*pi/3"]),
        ("exp(x) - 2", -5, 5, ["log(2)"]),
        ("log(x) - 1", Fraction(1, 8), 5, ["e"]),
        ("x*log(x) + x", Fraction(1, 8), 5, ["1/e"]),
        ("(x**2 - 2)*exp(x)", -5, 5, ["-sqrt(2)", "sqrt(2)"]),
        ("sin(x)*(x - 1)**3", -1, 2, ["0", "1"]),
        ("tan(x) - x", -1, 1, ["0"]),
        ("sin(1/x)", Fraction(1, 4), 1, ["1/pi"]),
        ("exp(-x*x)", -5, 5, []),
        ("cosh(x)", -5, 5, []),
        ("sin(x) + 2", -50, 50, []),
    ],
)
def test_zeros_in_closed_form(function, low, high, expected):
    found = zeros(read(function), over(low, high))
    assert forms(found.places) == expected
    assert not found.undecided and not found.flat
    assert all(p.proved for p in found.places)


@pytest.mark.parametrize(
    ("function", "low", "high", "starts"),
    [
        ("x - cos(x)", -5, 5, [0.7]),
        ("exp(-x) - sin(x)", 0, 10, [0.6, 3.1, 6.3, 9.4]),
        ("x**2*sin(x) - x", -3.5, 3.5, [-2.7, -1.1, 0.001, 1.1, 2.7]),
        ("besselj(0, x)", 0, 20, [2.4, 5.5, 8.7, 11.8, 14.9, 18.1]),
        ("erf(x) - x/2", -3, 3, [-2.0, 0.001, 2.0]),
        ("airyai(x)", -8, 0, [-7.9, -6.8, -5.5, -4.1, -2.3]),
    ],
)
def test_zeros_where_mpmath_finds_them(function, low, high, starts):
    names = {"cos": mp.cos, "sin": mp.sin, "exp": mp.exp, "erf": mp.erf, "besselj": mp.besselj, "airyai": mp.airyai}
    found = zeros(read(function), over(low, high))
    assert len(found.places) == len(starts) and not found.undecided
    with mp.workdps(40):
        for at, start in zip(found.places, starts, strict=True):
            truth = mp.findroot(lambda x: eval(function, {**names, "x": x}), mpf(start))
            assert abs(mpf(at.value) - truth) <= at.radius + mpf(10) ** -30
            assert at.radius <= 2**-52 * max(abs(at.value), 2**-52)
            assert at.multiplicity == 1


@pytest.mark.parametrize(
    ("function", "order", "expected"),
    [("tan(x) - x", 0, 3), ("tan(x) - x", 1, 2), ("sin(x)**4", 0, 4), ("cos(x) - 1 + x**2/2", 0, 4)],
)
def test_multiplicity_of_a_zero_in_closed_form(function, order, expected):
    q = Quotient(read(function), "x")
    (zero,) = searched(q, order, over(-1, 1), []).places
    assert (forms([zero]), zero.multiplicity) == (["0"], expected)


def test_a_double_zero_without_a_closed_form_is_found_by_its_factor_and_else_undecided():
    (zero,) = zeros(read("(x - cos(x))**2"), over(-5, 5)).places
    assert zero.multiplicity == 2
    hidden = zeros(read("x**2 - 2*x*cos(x) + cos(x)**2"), over(-5, 5))
    assert not hidden.places
    ((low, high),) = hidden.undecided
    assert low < zero.low and zero.high < high and high - low < Fraction(1, 10**9)


def test_a_double_zero_that_just_fails_has_two_zeros_or_none():
    assert len(zeros(read("cos(x) - 1 + 1e-15"), over(-1, 1)).places) == 2
    none = zeros(read("cos(x) - 1 - 1e-15"), over(-1, 1))
    assert not none.places and not none.undecided
    near = zeros(read("cos(x) - 1 - 1e-30"), over(-1, 1))
    assert not near.places and near.undecided


def test_zeros_all_over_a_part():
    found = zeros(read("max(x, 0)"), over(-1, 1), [place(const(0))])
    assert not found.places and not found.undecided
    assert [(float(a), float(b)) for a, b in found.flat] == [(-1, 0)]


def test_what_512_bits_do_not_tell_is_undecided():
    found = searched(Quotient(read("sin(x)**2 + cos(x)**2"), "x"), 1, over(-1, 1), [])
    assert not found.places and found.undecided == [(Fraction(-1), Fraction(1))]


def test_too_many_zeros_end_in_an_undecided_rest():
    found = zeros(read("sin(1000*x)"), over(0, 10))
    assert 190 <= len(found.places) <= 200
    assert found.undecided[0][0] < found.places[-1].high + 1
    assert all(p.high <= found.undecided[0][0] for p in found.places)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("tan(x)", ["-3*pi/2", "-pi/2", "pi/2", "3*pi/2"]),
        ("floor(x)", ["-5", "-4", "-3", "-2", "-1", "0", "1", "2", "3", "4", "5"]),
        ("round(x/4)", ["-2", "2"]),
        ("abs(abs(x) - 1)", ["-1", "0", "1"]),
        ("gamma(x + 3)", ["-5", "-4", "-3"]),
        ("log(x**2 - 2)", ["-sqrt(2)", "sqrt(2)"]),
        ("exp(x)", []),
    ],
)
def test_places_without_a_series(function, expected):
    assert forms(hazard_places(read(function), over(-5, 5)).places) == expected


@pytest.mark.parametrize(
    ("polynomial", "expected"),
    [
        ("x**2 - x - 1", ["(1 - sqrt(5))/2", "(sqrt(5) + 1)/2"]),
        ("4*x**2 - 3", ["-sqrt(3)/2", "sqrt(3)/2"]),
        ("x**3 + 2", ["-cbrt(2)"]),
        ("x**4 - 10*x**2 + 1", ["-sqrt(2*sqrt(6) + 5)", "-sqrt(5 - 2*sqrt(6))", "sqrt(5 - 2*sqrt(6))",
                                "sqrt(2*sqrt(6) + 5)"]),
        ("6*x**2 - 5*x + 1", ["1/3", "0.5"]),
        ("x**2 + 1", []),
        ("x**5 - x - 1", ["?"]),
    ],
)  # fmt: skip
def test_zeros_of_polynomials(polynomial, expected):
    found = real_zeros(ratio(read(polynomial))[0])
    assert forms(found) == expected
    for zero in found:
        with mp.workdps(40):
            value = [eval(polynomial, {"x": mpf(end.numerator) / end.denominator}) for end in (zero.low, zero.high)]
        assert value[0] * value[1] <= 0 or zero.low == zero.high or abs(value[0]) < 1e-38


def test_wilkinsons_polynomial_has_its_twenty_zeros():
    product = "*".join([f"(x - {k})" for k in range(1, 21)])
    assert forms(real_zeros(ratio(read(product))[0])) == [str(k) for k in range(1, 21)]


def test_a_rational_function_is_reduced():
    assert [str(p) for p in ratio(read("(x**2 - 1)/(x - 1) + 1/2"))] == ["x + 3/2", "1"]
    assert ratio(read("sin(x)/x")) is None
    assert ratio(read("x**1000")) is None


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("exp(-x)*x/(x + 1)", ["-x", "x", "x + 1"]),
        ("tan(x)", ["0", "sin(x)", "cos(x)"]),
        ("exp(x) + exp(-x)", ["0", "exp(-x) + exp(x)", "1"]),
        ("sqrt(x)", ["0", "sqrt(x)", "1"]),
    ],
)
def test_parts_of_an_expression(function, expected):
    assert [text(e) for e in parts(read(function))] == expected


def test_factors_have_the_zeros_of_a_product():
    assert {text(e): n for e, n in factors(read("-(x - 1)**2*abs(sin(x))*x"))} == {"x - 1": 2, "sin(x)": 1, "x": 1}


def test_the_simplest_rational():
    assert simplest(Fraction(1, 3), Fraction(1, 3), 10) == Fraction(1, 3)
    assert simplest(Fraction(-355, 113) - Fraction(1, 10**6), Fraction(-355, 113), 1000) == Fraction(-355, 113)
    assert simplest(Fraction(-1), Fraction(2), 10) == 0
    assert simplest(Fraction(314159, 100000), Fraction(31416, 10000), 50) is None


def test_numbers_as_a_textbook_writes_them():
    assert text(root(Fraction(27, 4), 2)) == "3*sqrt(3)/2"
    assert text(root(Fraction(1, 2), 2)) == "sqrt(2)/2"
    assert text(root(Fraction(16, 81), 4)) == "2/3"
    assert text(quadratic(Fraction(1, 2), Fraction(5, 4), -1)) == "(1 - sqrt(5))/2"
    assert text(times(Fraction(-3, 4), parse("pi").outputs[0][1])) == "-3*pi/4"


def test_ends_of_huge_numbers_stay_fractions_of_bounded_length():
    far = place(parse("exp(-1e10)").outputs[0][1])
    assert far.low == 0 < far.high and far.high.denominator.bit_length() < 5000
    assert far.value == 0 and 0 < far.radius < 1e-300
