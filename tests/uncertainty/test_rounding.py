"""Rounded results: the rules against fractions, and every text read back as the same pair."""

import json
import math
import random
from fractions import Fraction
from pathlib import Path

import pytest

from gradcli.errors import GradError
from gradcli.uncertainty.measured import Measured, read
from gradcli.uncertainty.rounding import RULES, Rounded, rounded, two_sided

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]
ROUNDING = [case for case in CASES if case["kind"] == "rounding"]


def told(text: str) -> Measured:
    result = read(text, "--at")
    assert result is not None, text
    return result


@pytest.mark.parametrize("case", ROUNDING, ids=lambda case: case["id"])
def test_cases(case: dict):
    number = told(case["args"][-1].partition("=")[2])
    for pair in (number.typed, (number.value, number.u)):
        assert rounded(*pair).concise == case["true"]["two_digits"]
        assert rounded(*pair, "pdg").concise == case["true"]["pdg"]


@pytest.mark.parametrize(
    "case", [c for c in CASES if "text" in (c.get("published") or {})], ids=lambda case: case["id"]
)
def test_published_texts(case: dict):
    """Read as numbers, since sources differ in notation and digits: 0.040+/-0.004 is 0.0400(40)."""
    result, published = rounded(case["true"]["y"], case["true"]["u"]), told(case["published"]["text"])
    assert (told(result.concise).value, told(result.concise).u) == (published.value, published.u)


@pytest.mark.parametrize(
    ("value", "u", "texts"),
    [
        (9.869604401089358, 0.10065061086519174, ("9.87(10)", "9.9(1)", "9.87(10)",
                                                  "9.86960440108935800(10065061086519174)")),
        (6.62607015e-34, 4.2e-41, ("6.62607015(42)e-34", "6.6260702(4)e-34", "6.6260702(4)e-34", "6.62607015(42)e-34")),
        (9.8, 1.2, ("9.8(12)", "10(1)", "9.8(12)", "9.8(12)")),
        (299792458, 1.2, ("299792458.0(12)", "299792458(1)", "299792458.0(12)", "299792458.0(12)")),
        (1e8, 1.25e6, ("1.000(12)e8", "1.00(1)e8", "1.000(12)e8", "100000000(1250000)")),
        (123456, 3e7, ("0.0(30)e7", "0(3)e7", "0.0(30)e7", "123456(30000000)")),
        (0.0, 1e-9, ("0.0(10)e-9", "0(1)e-9", "0.0(10)e-9", "0(1)e-9")),
        (-1e-20, 0.12, ("0.00(12)", "0.0(1)", "0.00(12)", "-0.00000000000000000001(12000000000000000000)")),
        (0.0001, 0.00095, ("0.00010(95)", "0.000(1)", "0.0001(10)", "0.00010(95)")),
        (0.00001, 0.0000012, ("1.00(12)e-5", "1.0(1)e-5", "1.00(12)e-5", "1.00(12)e-5")),
        (9.80665, 0.0, ("9.80665(0)",) * 4),
        (1.0, 0.0, ("1(0)",) * 4),
        (1e22, 0.0, ("1(0)e22",) * 4),
        (5e-324, 0.0, ("5(0)e-324",) * 4),
        (-0.0, 0.0, ("0(0)",) * 4),
        ("2.00", "0", ("2.00(0)",) * 4),
        (math.nan, 0.1234, ("nan \u00b1 0.12", "nan \u00b1 0.1", "nan \u00b1 0.12", "nan \u00b1 0.1234")),
        (1.2345678, math.inf, ("1.2345678 \u00b1 inf",) * 4),
        (-math.inf, math.nan, ("-inf \u00b1 nan",) * 4),
        (math.inf, 0.0, ("inf \u00b1 0",) * 4),
    ],
)  # fmt: skip
def test_concise_texts(value: float | str, u: float | str, texts: tuple[str, ...]):
    assert tuple(rounded(value, u, rule).concise for rule in ("2", "1", "pdg", "none")) == texts


@pytest.mark.parametrize(
    ("leading", "u"),
    [("1", "0.10"), ("1.05", "0.10"), ("1.15", "0.12"), ("3.54", "0.35"),
     ("3.5499999999999999999999999999999999999", "0.35"),
     ("3.55", "0.4"), ("9.49", "0.9"), ("9.49999999999999999999999999999999999", "0.9"),
     ("9.5", "1.0"), ("9.99", "1.0")],
)  # fmt: skip
def test_the_rule_of_the_particle_data_group(leading: str, u: str):
    assert rounded("5", f"{leading}e-1", "pdg").u == (u,)


def test_ties_go_to_even_in_the_decimal_that_was_typed():
    """The double of 0.35 is below it and that of 0.45 above; what people see are the decimals."""
    assert [rounded("1", u, "1").u[0] for u in ("0.25", "0.35", "0.45", "0.55")] == ["0.2", "0.4", "0.4", "0.6"]
    assert [rounded(1.0, u, "1").u[0] for u in (0.25, 0.35, 0.45, 0.55)] == ["0.2", "0.4", "0.4", "0.6"]
    assert rounded("1.00000000000000000000000000000000000000000001", "2", "1").value == "1"
    assert rounded("0.50000000000000000000000000000000000000000001", "2", "1").value == "1"
    assert rounded("0.5", "2", "1").value == "0"


def expected(value: Fraction, u: Fraction, rule: str) -> tuple[Fraction, Fraction]:
    """The rounded pair in fractions: `round` takes a Fraction half to even."""
    lead = 0
    while Fraction(10) ** (lead + 1) <= u:
        lead += 1
    while Fraction(10) ** lead > u:
        lead -= 1
    leading = math.floor(u / Fraction(10) ** (lead - 2))
    if rule == "pdg":
        unit = Fraction(10) ** (lead if leading >= 355 else lead - 1)
        return round(value / unit) * unit, round(u / unit) * unit
    unit = Fraction(10) ** (lead + 1 - int(rule))
    if round(u / unit) == 10 ** int(rule):
        unit *= 10
    return round(value / unit) * unit, round(u / unit) * unit


def test_random_pairs_against_fractions_and_read_back():
    draw = random.Random(3)
    for _ in range(400):
        tens, below = draw.randint(-290, 290), draw.randint(-4, 12)
        value = draw.choice([0.0, draw.uniform(-10, 10), float(draw.randint(-1000, 1000))]) * 10.0**tens
        u = draw.choice([draw.uniform(1, 10), float(draw.randint(1, 999))]) * 10.0 ** (tens - below)
        for rule in RULES:
            result = rounded(value, u, rule)
            exact = Fraction(repr(value)), Fraction(repr(u))
            wanted = exact if rule == "none" else expected(*exact, rule)
            assert (Fraction(result.pair[0]), Fraction(result.pair[1])) == wanted
            check(result, wanted)


def check(result: Rounded, wanted: tuple[Fraction, ...]) -> None:
    """That every text of a result is read as its numbers."""
    for text in (result.concise, result.spelled, result.latex, result.siunitx.removeprefix(r"\num{").removesuffix("}")):
        number = told(text)
        assert (Fraction(number.typed[0]), Fraction(number.typed[1])) == wanted, text
        assert (number.value, number.u) == tuple(map(float, wanted)), text


def test_typed_texts_are_read_back():
    draw = random.Random(4)
    for _ in range(300):
        digits = "".join(draw.choices("0123456789", k=draw.randint(1, 30)))
        text = f"{draw.choice(['', '-'])}{digits}.{''.join(draw.choices('059', k=draw.randint(0, 30)))}"
        u = f"{draw.randint(1, 9999)}e{draw.randint(-30, 20)}"
        for rule in ("2", "1", "pdg"):
            check(rounded(text, u, rule), expected(Fraction(text), Fraction(u), rule))
        check(rounded(text, u, "none"), (Fraction(text), Fraction(u)))


@pytest.mark.parametrize(
    ("numbers", "text", "tex"),
    [
        ((1.0203, 0.031, 0.0123), "1.020+0.031-0.012", "1.020^{+0.031}_{-0.012}"),
        ((-2.0, 0.1, 0.2), "-2.00+0.10-0.20", "-2.00^{+0.10}_{-0.20}"),
        ((1.0, 0.0, 0.2), "1.00+0-0.20", "1.00^{+0}_{-0.20}"),
        ((1.0, 0.0, 0.0), "1+0-0", "1^{+0}_{-0}"),
        ((1e-9, 2e-10, 3e-10), "1.00e-9+0.20e-9-0.30e-9", r"1.00^{+0.20}_{-0.30} \times 10^{-9}"),
    ],
)
def test_two_sides(numbers: tuple[float, float, float], text: str, tex: str):
    result = two_sided(*numbers)
    assert (result.spelled, result.concise, result.latex, result.siunitx) == (text, text, tex, tex)
    number = told(text)
    assert (number.plus, number.minus) == tuple(float(u + (f"e{result.tens}" if result.tens else "")) for u in result.u)


def test_latex_and_siunitx():
    result = rounded(6.62607015e-34, 4.2e-41)
    assert result.latex == r"(6.62607015 \pm 0.00000042) \times 10^{-34}"
    assert result.siunitx == r"\num{6.62607015(42)e-34}"
    assert result.spelled == "(6.62607015 \u00b1 0.00000042)e-34"
    assert rounded(9.76, 0.12).latex == r"9.76 \pm 0.12" and rounded(9.76, 0.12).siunitx == r"\num{9.76(12)}"
    lost = rounded(math.nan, math.inf)
    assert lost.latex == lost.siunitx == r"\mathrm{nan} \pm \infty"
    assert rounded(1e-300, math.nan).latex == r"1 \times 10^{-300} \pm \mathrm{nan}"


def test_numbers_far_apart():
    for value, u in [(1e300, 1e-300), (1e-300, 1e300), (1e308, 5e-324), (5e-324, 1e308)]:
        for rule in RULES:
            check(rounded(value, u, rule), tuple(map(Fraction, rounded(value, u, rule).pair)))
            assert len(rounded(value, u, rule).concise) < 2000


@pytest.mark.parametrize(
    ("value", "u", "rule", "message"),
    [
        (1.0, -0.1, "2", "negative"),
        (1.0, -math.inf, "2", "negative"),
        (1.0, 0.1, "3", "unknown rule '3'"),
        ("x", 0.1, "2", "'x' is not a decimal number"),
        ("1e999999999", "1", "2", "too long"),
        ("1" * 10**6, "1", "2", "too long"),
        ("0e999999999", "1", "2", "too long"),
    ],
    ids=lambda text: str(text)[:20],
)
def test_errors(value: float | str, u: float, rule: str, message: str):
    with pytest.raises(GradError, match=message):
        rounded(value, u, rule)
