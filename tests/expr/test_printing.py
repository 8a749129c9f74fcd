"""Text: every kind of number, brackets where they are needed and nowhere else, names, parts of their own, lengths."""

import math
from fractions import Fraction

import pytest

from gradcli.expr import ATOM, LARGEST, apply, const, constant, spell_name, spell_number, statements, text, var

pytestmark = pytest.mark.quick

x, y, z = var("x"), var("y"), var("z")
UNARY, PRODUCT = (spell_number(Fraction(n))[1] for n in (Fraction(-1), Fraction(1, 3)))
LONG = Fraction(7, 2**1000)
"""With a finite decimal of a thousand digits, short enough to be folded as a quotient."""


@pytest.mark.parametrize(
    ("value", "written", "bind"),
    [
        (math.inf, "inf", ATOM), (-math.inf, "-inf", UNARY), (math.nan, "nan", ATOM), (-0.0, "-0.0", UNARY),
        (Fraction(0), "0", ATOM), (Fraction(-3), "-3", UNARY), (Fraction(1, 4), "0.25", ATOM),
        (Fraction(10**16 - 1), "9999999999999999", ATOM), (Fraction(10**16), "1e16", ATOM),
        (Fraction(10**16 + 1), "10000000000000001", ATOM), (Fraction(-(10**22 + 1)), "-10000000000000000000001", UNARY),
        (Fraction(5, 10**8), "5e-8", ATOM), (Fraction(1, 10**12), "1e-12", ATOM), (Fraction(1, 10**4), "0.0001", ATOM),
        (Fraction(1, 3), "1/3", PRODUCT), (Fraction(-2, 3), "-2/3", PRODUCT), (Fraction(5, 6), "5/6", PRODUCT),
        # Exact decimals that no double is nearest to as they stand: up to 40 places, beyond that a quotient.
        (Fraction(10**20 + 1, 10**20), "1.00000000000000000001", ATOM),
        (Fraction(-1, 2**40), f"-0.{5**40:040}", UNARY), (Fraction(1, 2**41), f"1/{2**41}", PRODUCT),
        (Fraction(3**30, 5**40), f"0.{3**30 * 2**40:040}", ATOM), (Fraction(3**40, 5**41), f"{3**40}/{5**41}", PRODUCT),
        (LONG, f"7/{2**1000}", PRODUCT), (Fraction(7, 2**1030 * 3), f"7e-310/{2**1030 * 3}e-310", PRODUCT),
        (Fraction(LARGEST.numerator, 3 * 10**9), f"{LARGEST.numerator // 2**9}/{3 * 10**9 // 2**9}", PRODUCT),
    ],
)  # fmt: skip
def test_numbers(value, written, bind):
    assert spell_number(value) == (written, bind)


def test_a_number_too_long_to_be_folded_is_a_decimal():
    value = Fraction(3**700, 2**1000)
    assert value.numerator.bit_length() + value.denominator.bit_length() > 2048
    written, bind = spell_number(-value)
    assert (Fraction(written), bind, "/" in written) == (-value, UNARY, False)


def test_names_are_quoted_unless_they_are_words_of_ascii_and_free():
    assert [spell_name(name) for name in ("x1", "_a", "temp C", "1x", "\u03b1", "if", "pi")] == [
        "x1", "_a", "`temp C`", "`1x`", "`\u03b1`", "`if`", "`pi`"
    ]  # fmt: skip


less, equal = apply("lt", x, y), apply("eq", x + 1, y)


@pytest.mark.parametrize(
    ("e", "written"),
    [
        (apply("and", apply("or", less, equal), less), "(x < y or x + 1 == y) and x < y"),
        (apply("or", less, apply("and", less, equal)), "x < y or x < y and x + 1 == y"),
        (apply("and", less, apply("and", less, equal)), "x < y and (x < y and x + 1 == y)"),
        (apply("or", apply("or", less, equal), less), "x < y or x + 1 == y or x < y"),
        (apply("or", less, apply("or", less, equal)), "x < y or (x < y or x + 1 == y)"),
        (apply("not", apply("not", less)), "not not x < y"), (apply("not", apply("or", less, equal)),
         "not (x < y or x + 1 == y)"),
        (apply("mod", x, y) * z, "z*(x % y)"), (apply("mod", x * y, -z), "x*y % (-z)"), (apply("mod", x, y * z),
         "x % (y*z)"), (-apply("mod", x, y), "-(x % y)"), (-(apply("mod", x, y) / z), "-(x % y/z)"),
        ((x + y) * z, "z*(x + y)"), ((x - y) ** 2, "(x - y)**2"), (const(2) ** (x + y), "2**(x + y)"),
        (const(-2) ** x, "(-2)**x"), (const(2) ** -x, "2**(-x)"), (apply("exp", x) ** y, "exp(x)**y"),
        (x - (y + z), "x - (y + z)"), ((x - y) + z, "x - y + z"), ((x - y) - z, "x - y - z"),
        (x / (y / z), "x/(y/z)"), (x / y / z, "x/y/z"), ((x**y) * z, "x**y*z"), (-((-x) ** y), "-(-x)**y"),
        (-(x - y), "-(x - y)"), (x - (-y) ** 2, "x - (-y)**2"), (constant("pi") * x, "pi*x"),
        (apply("diff", x * y, x, value=1), "diff(x*y, x)"), (apply("diff", x * y, x, value=3), "diff(x*y, x, 3)"),
        (apply("besselj", x, value=0), "besselj(0, x)"), (apply("max", x, y, z), "max(x, y, z)"),
        (const(Fraction(1, 3)) ** x, "(1/3)**x"), (x / const(3), "x/3"), (x - const(Fraction(1, 3)), "x - 1/3"),
    ],
)  # fmt: skip
def test_brackets(e, written):
    assert text(e) == written


def test_what_is_used_twice_and_long_has_a_name_of_its_own():
    def names(named, **how):
        return [name for name, _ in statements(named, **how)]

    at_most, longer, other = apply("sin", var("a" * 11)), apply("sin", var("a" * 12)), apply("cos", var("a" * 12))
    assert [len(text(e)) for e in (at_most, longer)] == [16, 17]
    assert names([("f", at_most * at_most)]) == ["f"]
    assert names([("f", longer * longer)]) == ["t1", "f"]
    assert names([("f", longer), ("g", longer)]) == ["t1", "f", "g"]
    assert names([("f", longer * longer)], share=False) == ["f"]
    # Names that are taken are left out: those of variables and of outputs.
    assert names([("t1", longer * longer * var("t3")), ("f", other * other)]) == ["t2", "t4", "t1", "f"]
    condition = apply("lt", longer, x)
    assert names([("f", apply("where", condition, x, y) + apply("where", condition, y, x))]) == ["f"]
    # A short node that uses a shared one is as long as its name.
    short = apply("cos", longer)
    assert names([("f", longer + short * short)]) == ["t1", "f"]


def test_a_long_text_is_cut():
    e = x + y + z
    assert [text(e, most) for most in (9, 8, 3, 1)] == ["x + y + z", "x + y +  ...", "x + ...", "x ..."]
    assert repr(e) == "<Expr x + y + z>"
    assert repr(apply("sin", var("b" * 500))) == f"<Expr sin({'b' * 396} ...>"
