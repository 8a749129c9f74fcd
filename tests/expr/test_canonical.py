"""The canonical form: what is folded, where a sign goes, in which order operands stand."""

import math
from fractions import Fraction

import pytest

from gradcli.errors import GradError
from gradcli.expr import FOLD_BITS, LARGEST, ONE, TWO, ZERO, Expr, apply, const, constant, text, var

pytestmark = pytest.mark.quick

x, y, z = var("x"), var("y"), var("z")


def sin(e: Expr) -> Expr:
    return apply("sin", e)


def cos(e: Expr) -> Expr:
    return apply("cos", e)


def test_integers_stand_on_both_sides_of_operators():
    assert [text(e) for e in (1 - x, x - 1, 1 / x, x / 3, const(2) ** x, x**2, 2 * x, x * 2, 1 + x, x + 1)] == [
        "1 - x", "x - 1", "1/x", "x/3", "2**x", "x**2", "2*x", "2*x", "x + 1", "x + 1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "op"),
    [(constant("e") ** x, "exp"), (constant("pi") ** x, "power"), (const(0) ** -1, "power"), (const(0) ** 2, "const"),
     (const(Fraction(1, 2)) ** const(Fraction(1, 2)), "power"), (apply("abs", x) ** 3, "power"), (ONE / ZERO, "div"),
     (const(math.inf) * 1, "const"), (const(math.inf) + 1, "add"), (const(math.inf) / 1, "const")],
)  # fmt: skip
def test_what_is_folded(made, op):
    assert made.op == op


ABS = apply("abs", x)


@pytest.mark.parametrize(
    ("made", "simple"),
    [
        (ABS**2, x**2), (ABS**-4, x**-4), (x / -1, -x), (-x / y, -(x / y)), (x / -y, -(x / y)), (-x / -y, x / y),
        (const(-3) * x + y, y - 3 * x), (const(-3) / x + y, y - 3 / x), (x - const(-2), x + 2), (x + const(-2), x - 2),
        (x - const(-3) * y, x + 3 * y), (x - const(-3) / y, x + 3 / y), (-(const(3) / x), const(-3) / x),
        (-(const(-3) * x), 3 * x), (const(Fraction(2, 3)) ** -2, const(Fraction(9, 4))), (const(-2) ** 3, const(-8)),
        (const(3) * 5, const(15)), (const(3) / 5, const(Fraction(3, 5))), (const(3) + -3, ZERO), (ZERO / 3, ZERO),
        (apply("neg", const(math.inf)), const(-math.inf)), (apply("neg", const(-0.0)), ZERO),
        (const(0.5), const(1) / 2), (x**-0, ONE), (constant("e") ** 2, apply("exp", TWO)),
    ],
)  # fmt: skip
def test_simplified_with_numbers_and_signs(made, simple):
    assert made is simple


def test_kept_though_a_sign_could_move():
    assert [text(e) for e in (x - 3 * y, x + 3 * y, 3 * y - x, y * 3 + x, ABS**3, x + sin(-x), x * y + z)] == [
        "x - 3*y", "3*y + x", "3*y - x", "3*y + x", "abs(x)**3", "sin(-x) + x", "x*y + z"
    ]  # fmt: skip


A, B = var("a"), var("b")


@pytest.mark.parametrize(
    ("left", "right", "written"),
    [
        (B, A, "a*b"), (sin(B), A, "a*sin(b)"), (x**2, A, "a*x**2"), (x, A**2, "a**2*x"), (B**2, A**2, "a**2*b**2"),
        (sin(x), cos(x), "cos(x)*sin(x)"), (A, constant("pi"), "pi*a"), (constant("tau"), constant("pi"), "pi*tau"),
        (A * constant("pi"), TWO, "2*(pi*a)"), (A * B, TWO, "2*(a*b)"), (sin(A), A * B, "a*b*sin(a)"),
        (x, A * B, "a*b*x"), (sin(A) ** 2, B, "b*sin(a)**2"), ((sin(A) + 1) ** 2, B, "b*(sin(a) + 1)**2"),
    ],
)  # fmt: skip
def test_factors_have_one_order(left, right, written):
    assert text(left * right) == text(right * left) == written


@pytest.mark.parametrize(
    ("left", "right", "written"),
    [
        (B, A, "a + b"), (B, sin(A), "sin(a) + b"), (ONE, A, "a + 1"), (constant("pi"), A, "a + pi"),
        (A, 2 * B, "2*b + a"), (sin(B), A + B, "a + b + sin(b)"), (A, B**2, "b**2 + a"), (B, A**2, "a**2 + b"),
        (sin(A), cos(A), "cos(a) + sin(a)"), (A + 1, B * x, "a + 1 + b*x"),
    ],
)  # fmt: skip
def test_terms_have_one_order(left, right, written):
    assert text(left + right) == text(right + left) == written


BITS = FOLD_BITS // 2


def test_constants_are_folded_up_to_a_length():
    tiny = const(Fraction(1, 2**500))
    assert (tiny * tiny).op == "const" and (tiny * tiny * tiny).op == "mul"
    assert (const(Fraction(1, 3**600)) * const(3**30)).op == "const"
    longest, longer = Fraction(2**BITS - 1, 2**BITS - 3), Fraction(2 ** (BITS + 1) - 1, 2**BITS - 3)
    assert (const(longest - 1) + ONE).op == "const" and (const(longer - 1) + ONE).op == "add"


def test_the_largest_and_the_smallest_constant():
    assert const(LARGEST).value == LARGEST and const(-LARGEST).value == -LARGEST
    least = Fraction(1, 2**1075)
    assert const(least * Fraction(3, 2)).op == "const"
    for refused in (LARGEST + 1, -LARGEST - 1, least, -least):
        with pytest.raises(GradError, match=r"beyond the range|too small"):
            const(refused)


def test_powers_of_numbers_are_refused_only_beyond_the_range():
    assert (const(2) ** -1074).op == "const" and (const(2) ** -1075).op == "power"
    assert (const(2) ** 1023).op == "const"
    for base, power in ((2, 1024), (2, 10**6), (-2, 10**6), (Fraction(1, 2), -(10**6))):
        with pytest.raises(GradError, match="beyond the range"):
            const(base) ** const(power)
    assert (const(2) ** -(10**6)).op == (const(Fraction(1, 2)) ** 10**6).op == "power"
