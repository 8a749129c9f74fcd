"""Measured values as people write them: the numbers are exact decimals rounded once, and errors mark their place."""

import json
import math
import random
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest

from gradcli.errors import GradError
from gradcli.job.parse_at_grid_fill import split
from gradcli.uncertainty.measured import LONGEST, Measured, measured, read

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]


def test_the_cases_are_read_as_their_inputs_say():
    count = 0
    for case in CASES:
        if "--at" not in case["args"] or "inputs" not in case:
            continue
        for piece in split(case["args"][case["args"].index("--at") + 1], ","):
            name, _, text = piece.partition("=")
            result, told = read(text, "--at"), case["inputs"][name]
            assert result is not None and result.value == float(told["value"])
            if "u" in told:
                assert (result.u, result.typed) == (float(told["u"]), (told["value"], told["u"]))
            else:
                assert (result.plus, result.minus) == (float(told["plus"]), float(told["minus"]))
            count += 1
    assert count > 60


@pytest.mark.parametrize(
    ("text", "value", "u", "typed"),
    [
        ("1.020\u00b10.005", 1.02, 0.005, ("1.020", "0.005")),
        ("1.020+-0.005", 1.02, 0.005, ("1.020", "0.005")),
        ("1.020 +/- 0.005", 1.02, 0.005, ("1.020", "0.005")),
        (r"1.020 \pm 0.005", 1.02, 0.005, ("1.020", "0.005")),
        ("1.020(5)", 1.02, 0.005, ("1.020", "0.005")),
        ("1.020(5)e-3", 1.02e-3, 5e-6, ("1.020e-3", "0.005e-3")),
        (r"6.62607015(42)\times10^{-34}", 6.62607015e-34, 4.2e-41, ("6.62607015e-34", "0.00000042e-34")),
        ("6.62607015(42) \u00d7 10^-34", 6.62607015e-34, 4.2e-41, ("6.62607015e-34", "0.00000042e-34")),
        ("(9.76 \u00b1 0.12)e-34", 9.76e-34, 1.2e-35, ("9.76e-34", "0.12e-34")),
        ("(9.76 \u00b1 0.12)", 9.76, 0.12, ("9.76", "0.12")),
        ("12350(950)", 12350.0, 950.0, ("12350", "950")),
        ("9.8(12)", 9.8, 1.2, ("9.8", "1.2")),
        ("9.8(1.2)", 9.8, 1.2, ("9.8", "1.2")),
        (" +.5(2) ", 0.5, 0.2, (".5", "0.2")),
        ("1.(5)", 1.0, 5.0, ("1.", "5")),
        ("1.02\u00b10.5%", 1.02, 0.0051, ("1.02", "0.0051")),
        ("-1.02 \u00b1 0.5 %", -1.02, 0.0051, ("-1.02", "0.0051")),
        ("\u22121.02\u00b10.005", -1.02, 0.005, ("-1.02", "0.005")),
        ("0\u00b15%", 0.0, 0.0, ("0", "0")),
        ("1e3+-2e1", 1000.0, 20.0, ("1e3", "2e1")),
        ("9.80665(0)", 9.80665, 0.0, ("9.80665", "0.00000")),
        ("0e99999999999999999999\u00b11", 0.0, 1.0, ("0", "1")),
        ("1.02(5)e0000000000000000000001", 10.2, 0.5, None),
        ("1\u00b15e-324", 1.0, 5e-324, ("1", "5e-324")),
    ],
)
def test_notations(text: str, value: float, u: float, typed: tuple[str, str] | None):
    result = read(text, "--at")
    assert result is not None and (result.value, result.u) == (value, u)
    assert (result.plus, result.minus, result.dist) == (None, None, None)
    if typed is not None:
        assert result.typed == typed
    assert (float(result.typed[0]), float(result.typed[1])) == (value, u)


@pytest.mark.parametrize(
    ("text", "value", "plus", "minus", "u"),
    [
        ("1.02+0.03-0.01", 1.02, 0.03, 0.01, 0.02),
        ("1.02-0.01+0.03", 1.02, 0.03, 0.01, 0.02),
        ("-2 + 0.10 - 0.20", -2.0, 0.1, 0.2, 0.15),
        ("1e5+1e-1-2e-1", 1e5, 0.1, 0.2, 0.15),
        ("1.5+2e+3-4", 1.5, 2000.0, 4.0, 1002.0),
        ("1+0-0.1", 1.0, 0.0, 0.1, 0.05),
    ],
)
def test_two_sides(text: str, value: float, plus: float, minus: float, u: float):
    result = read(text, "--at")
    assert result is not None and result[:2] == (value, u) and result[3:] == (plus, minus, None)


@pytest.mark.parametrize(
    "text",
    ["(1+0.1-0.2)", "1+0.1",
     "1-0.1", "pi", "1+0.1-x", "2*(3)", "x(3)", "1+-2*3", "1e3(5)", "1+ -2", "", " ", "1+0.1-0.2-0.3",
     "nan", "inf", "(1+-2)", "1/3", "1_0(2)", "\u0661(2)", "1(-2)", "1()", "1(2)(3)"],
)  # fmt: skip
def test_what_is_left_to_arithmetic(text: str):
    assert read(text, "--at") is None


@pytest.mark.parametrize(
    ("word", "square", "kind"), [("rect", 3, "R"), ("tri", 6, "T"), ("arcsine", 2, "U"), ("normal", 1, "N")]
)
def test_half_widths(word: str, square: int, kind: str):
    with mpmath.workdps(50):
        for half in ("0.005", "1", "3.7e-9", "0.1"):
            result = read(f"1.02\u00b1{half}:{word}", "--at")
            assert result is not None and result.u == float(mpmath.mpf(half) / mpmath.sqrt(square))
            assert result.dist is not None and result.dist[:2] == (kind, 1.02) and float(result.typed[1]) == result.u
            assert result.dist.u == pytest.approx(result.u, rel=4e-16)


def test_a_coverage_factor():
    result = read("1.02\u00b10.01:normal(k=2)", "--at")
    assert result is not None and (result.u, result.typed) == (0.005, ("1.02", "0.005"))
    assert result.dist == ("N", 1.02, 0.005, math.inf)
    third = read("1\u00b10.1: normal( k = 3 )", "--at")
    assert third is not None and third.u == 0.1 / 3
    both = read("1.02+0.03-0.01:normal(k=2)", "--at")
    assert both is not None and (both.u, both.plus, both.minus) == (0.01, 0.015, 0.005)


def test_two_sides_with_limits_have_their_mean_between_these():
    """JCGM 100:2008, 4.3.8: the variance is (plus + minus)**2/12."""
    result = read("1.02+0.03-0.01:rect", "--at")
    assert result is not None and result.dist == ("R", 1.03, 0.02, math.inf) and result.value == 1.02
    assert result.u == float(mpmath.sqrt(mpmath.mpf("0.04") ** 2 / 12))
    assert result.plus is not None and result.minus is not None
    assert (result.plus + result.minus) / 2 == pytest.approx(result.u, rel=1e-15)


def test_a_width_below_the_spacing_of_the_value_is_kept():
    result = read("1e5\u00b11e-12:rect", "--at")
    assert result is not None and result.dist is not None and result.dist.width == 1e-12


def test_numbers_are_rounded_once():
    """Against fractions: a product or a sum of two doubles would be rounded twice."""
    draw = random.Random(1)

    def number() -> str:
        digits = "".join(draw.choices("0123456789", k=draw.randint(1, 25)))
        point = draw.randint(0, len(digits))
        return f"{digits[:point] or '0'}.{digits[point:]}"

    for _ in range(500):
        value, first, second = number(), number(), number()
        tens = draw.randint(-300, 250)
        percent = read(f"{value}e{tens}\u00b1{first}%", "--at")
        assert percent is not None and percent.u == float(Fraction(f"{value}e{tens}") * Fraction(first) / 100)
        assert Fraction(percent.typed[1]) == Fraction(f"{value}e{tens}") * Fraction(first) / 100
        sides = read(f"{value}+{first}-{second}", "--at")
        assert sides is not None and sides.u == float((Fraction(first) + Fraction(second)) / 2)
        last = draw.randint(0, 10**9)
        concise = read(f"-{value}({last})e{tens}", "--at")
        unit = Fraction(10) ** (tens - len(value.partition(".")[2]))
        assert concise is not None and concise.u == float(last * unit) and concise.value == float(f"-{value}e{tens}")
        assert Fraction(concise.typed[1]) == last * unit


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("1.02\u00b1-0.1", "negative", "-0.1"),
        ("1.02\u00b1-5%", "negative", "-5%"),
        ("1\u00b1nan", "the uncertainty must be a decimal number", "nan"),
        ("1\u00b1inf", "the uncertainty must be a decimal number", "inf"),
        ("1\u00b1", "the uncertainty must be a decimal number", ""),
        ("nan\u00b11", "the value must be a decimal number", "nan"),
        ("pi\u00b10.1", "the value must be a decimal number", "pi"),
        ("\u00b10.1", "the value must be a decimal number", "\u00b1"),
        ("(1\u00b10.1)*2", "the value must be a decimal number", "(1"),
        ("1\u00b10.1\u00b10.2", "a second uncertainty", "\u00b1"),
        ("1\u00b10.1:foo", "unknown distribution", "foo"),
        ("1\u00b10.1:", "unknown distribution", ":"),
        ("1\u00b10.1:rect:tri", "unknown distribution", "rect:tri"),
        ("1\u00b10.1:t(9)", "unknown distribution", "t(9)"),
        ("1\u00b10.1:rect(k=2)", "only the normal distribution", "rect(k=2)"),
        ("1\u00b10.1:normal(k=0)", "must be positive", "normal(k=0)"),
        ("1\u00b10.1:normal(k=-2)", "must be positive", "normal(k=-2)"),
        ("1\u00b10.1:normal(k=1e999)", "must be positive", "normal(k=1e999)"),
        ("1:rect", "needs a value with its half-width", ":rect"),
        ("1e400\u00b11", "beyond the range", "1e400"),
        ("1\u00b11e400", "beyond the range", "1e400"),
        ("1\u00b11e-400", "below the range", "1e-400"),
        ("1e-400\u00b11", "below the range", "1e-400"),
        ("1(5)e400", "beyond the range", "1"),
        ("0(5)e-400", "below the range", "5"),
        ("1(5)e99999999999999999999", "beyond the range", "1"),
        ("1e200\u00b11e200%", "beyond the range", "1e200"),
        ("1e-200\u00b11e-200%", "below the range", "1e-200"),
        ("1e308+1e400-1", "beyond the range", "1e400"),
        ("1.7e308+1e308-0:rect", "beyond the range", "1e308"),
        ("1\u00b15e-324:tri", "the uncertainty is below the range", "tri"),
        ("1\u00b11e300:normal(k=1e-308)", "the uncertainty is beyond the range", "normal(k=1e-308)"),
        ("(1e3\u00b11)e2", "a second power of ten", "2"),
        ("1." + "0" * LONGEST + "\u00b11", "more than 1,000 characters", "1." + "0" * LONGEST),
        ("1\u00b1" + "9" * 10**6, "more than 1,000 characters", "9" * 10**6),
        ("1(" + "9" * 10**6 + ")", "more than 1,000 characters", "9" * 10**6),
        ("1\u00b11:" + "a" * 10**6, "unknown distribution", "a" * 10**6),
        ("1(5)e-" + "9" * 10**6, "more than 1,000 characters", "-" + "9" * 10**6),
    ],
    ids=lambda text: text[:30],
)
def test_errors_mark_their_place(text: str, message: str, marked: str):
    with pytest.raises(GradError) as caught:
        read(text, "--at")
    error = caught.value
    assert error.message.startswith("--at: ") and message in error.message and error.exit_code == 2
    assert error.span is not None and error.source is not None and error.source.text == text
    assert text[slice(*error.span)] == marked
    assert "^" in str(error) and len(str(error)) < 500


def test_a_word_that_is_nearly_known():
    with pytest.raises(GradError, match="did you mean 'arcsine'"):
        read("1\u00b10.1:arcsin", "--at")


@pytest.mark.parametrize("text", ["1" * 10**6 + "x", "1." * 10**6, "1+" * 10**5, "(" * 10**6, "1(" * 10**5, " " * 10**6,
                                  "1" * 10**6 + "(", "1e" + "1" * 10**6 + "-", "1+1-" + "1" * 10**6 + "e",
                                  "1+-1" + " " * 10**6 + "x"])  # fmt: skip
def test_long_texts_that_are_no_measured_values(text: str):
    assert read(text, "--at") is None


def test_any_text_is_read_or_refused():
    """Notations with pieces put in and cut out at random: finite numbers, None, or an error."""
    draw = random.Random(2)
    pieces = ["1", "0", "9.5", ".", "e", "e-3", "+", "-", "\u00b1", "+-", "+/-", "(", ")", "%", ":", "rect", "normal",
              "(k=2)", " ", "x", "\u00d710^", "\\pm", "\\times 10^{", "}", "\u2212", "\0", "\ud800",
              "nan", ","]  # fmt: skip
    counts = {"read": 0, "none": 0, "refused": 0}
    whole = [
        "1.020\u00b10.005",
        "1.020(5)e-3",
        "1.02+0.03-0.01:rect",
        "1\u00b15%:normal(k=2)",
        "(1 \\pm 2) \\times 10^{3}",
    ]
    for _ in range(20_000):
        text = draw.choice(whole)
        for _ in range(draw.randint(1, 4)):
            start = draw.randint(0, len(text))
            text = text[:start] + draw.choice(["", *pieces]) + text[start + draw.randint(0, 2) :]
        try:
            result = read(text, "--at")
        except GradError as error:
            assert error.span is not None and 0 <= error.span.start <= error.span.end <= len(text)
            counts["refused"] += 1
            continue
        counts["none" if result is None else "read"] += 1
        if result is not None:
            assert math.isfinite(result.value) and 0 <= result.u < math.inf
            assert (float(result.typed[0]), float(result.typed[1])) == (result.value, result.u)
    assert min(counts.values()) > 300


def test_numbers_that_are_doubles_already():
    assert measured(1.02, 0.005, "--u L") == Measured(1.02, 0.005, ("1.02", "0.005"))
    assert measured(1.02, 0.005, "--u L", ("1.020", "0.005")).typed == ("1.020", "0.005")
    for value, u in [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, math.inf), (1.0, -0.1)]:
        with pytest.raises(GradError, match="--u L: "):
            measured(value, u, "--u L")
