"""What other languages write: every suggested text is read here, means the same, and follows from one step."""

import json
import math
import re

import numpy as np
import pytest
from checkout import DATA
from foreign_truth import BINARY, TERNARY, UNARY
from hypothesis import given
from hypothesis import strategies as st

from gradcli.calculus.derive import expand
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.functions import SPELLED
from gradcli.language import parse
from gradcli.language.foreign.functions import FOREIGN
from gradcli.language.foreign.meaning import known
from gradcli.language.foreign.words import CONSTANT_WORDS, NOTHING, OPERATORS
from gradcli.language.names import glued

pytestmark = pytest.mark.quick


def refused(text: str) -> GradError:
    with pytest.raises(GradError) as caught:
        parse(text)
    return caught.value


def suggested(error: GradError) -> list[str]:
    """The texts that the hint says to write: between commas outside brackets, and "or"."""
    _, write, written = (error.hint or "").rpartition("write ")
    texts, depth = [""], 0
    for piece in re.split(r"([()]|, | or )", written if write else ""):
        depth += (piece == "(") - (piece == ")")
        if piece in (", ", " or ") and depth == 0:
            texts.append("")
        else:
            texts[-1] += piece
    return [text for text in texts if text]


def value(text: str, **point: float) -> float:
    [(_, e)] = parse(text).outputs
    return at_point(expand([e]), point)[0]


CASES = [json.loads(line) for line in (DATA / "foreign.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["text"]) for case in CASES])
def test_one_step_leads_to_the_text_that_means_the_same(case):
    error = refused(case["text"])
    told = f"{error.message}\n{error.hint or ''}"
    assert re.search(case.get("says", ""), told)
    for text in case["write"]:
        assert text in told
        parse(text)
    assert error.exit_code == 2


def _rows():
    for call, text in FOREIGN.items():
        name, bracket, inside = re.fullmatch(r"([\w.]+)([(\[])(.*)[)\]]", call).groups()
        texts = [t.strip() for t in text.partition("-- ")[0].split("|") if t.strip()]
        yield call, name, bracket, inside.split(", ") if inside else [], texts


ROWS = list(_rows())
_NUMBERS = {("n", "psi"): "2", ("n", "df"): "2", ("n", "d"): "2", ("n", "derivative"): "2", ("k", "lambertw"): "-1",
            ("k", "ProductLog"): "-1"}  # fmt: skip
"""Arguments that have to be whole numbers here, of which functions."""


@pytest.mark.parametrize("call", [row[0] for row in ROWS])
def test_every_row_leads_to_texts_that_are_read(call):
    """The arguments are plain names, which no text can mistake for something else."""
    _, name, bracket, arguments, texts = next(row for row in ROWS if row[0] == call)
    letters = [a for a in arguments if a.islower() and (a, name) not in _NUMBERS]
    renamed = dict(zip(letters, "qrstv", strict=False)) | {
        a: number for (a, of), number in _NUMBERS.items() if of == name
    }
    spelled = f"{name}{bracket}{', '.join(renamed.get(a, a) for a in arguments)}{')' if bracket == '(' else ']'}"
    if "c" in arguments:
        spelled = re.sub(rf"\b{renamed['c']}\b", f"{renamed['c']} > 0", spelled)
    error = refused(spelled)
    assert "did you mean" not in error.message
    for text in suggested(error):
        parse(text)
    assert len(suggested(error)) == len(texts) > 0


def test_no_row_is_of_a_function_that_is_here():
    public = {word: row for word, row in SPELLED.items() if not row.internal}
    rows = [row for row in ROWS if row[2] == "(" and row[1] in public]
    assert not [call for call, name, _, arguments, _ in rows if public[name].takes(len(arguments))]
    assert not NOTHING.keys() & public.keys()


POINTS = {1: [(0.3,), (0.75,), (1.75,), (-0.6,), (2.5,)],
          2: [(2.0, 0.7), (2.0, 1.6), (5.5, 2.0), (-1.3, 2.4), (3.0, 3.0)],
          3: [(0.2, 0.5, 1.5), (0.4, 1.25, 2.0), (0.5, 1.25, 0.4)]}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, k) for k, table in ((1, UNARY), (2, BINARY), (3, TERNARY)) for name in table if table[name]],
)
def test_a_suggestion_has_the_values_of_the_function_it_stands_for(name, count):
    truth = {1: UNARY, 2: BINARY, 3: TERNARY}[count][name]
    compared = 0
    for point in POINTS[count]:
        try:
            with np.errstate(all="ignore"):
                true = float(truth(*point))
        except (ValueError, ZeroDivisionError, OverflowError, TypeError):
            continue
        if not math.isfinite(true):
            continue
        names = "qrs"[: len(point)]
        error = refused(f"{name}({', '.join(names)})")
        texts = suggested(error)
        assert len(texts) == 1, error.hint
        found = value(texts[0], **dict(zip(names, point, strict=True)))
        assert found == pytest.approx(true, rel=1e-12, abs=1e-13), (point, error.hint)
        compared += 1
    assert compared >= 1


def test_what_has_two_readings_is_asked():
    for text in (
        "log(a, b)",
        "sqr(x)",
        "ATAN2(a, b)",
        "INT(x)",
        "LOG(x)",
        "1/2x",
        "x^2y",
        "sin x y",
        "tan^-1(x)",
        "frac(x)",
    ):
        assert len(suggested(refused(text))) > 1, text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sn(x)", "sin"), ("cso(x)", "cos"), ("arctn(x)", "arctan"), ("sqrrt(x)", "sqrt"), ("expp(x)", "exp"),
     ("tahn(x)", "tanh"), ("gama(x)", "gamma"), ("atan2d(x)", ""), ("hypt(x, y)", "hypot"), ("SIN(x)", "sin"),
     ("floo(x)", "floor"), ("roun(x)", "round")],
)  # fmt: skip
def test_a_slip_of_the_keys_is_a_near_name(typed, meant):
    assert (f"did you mean '{meant}'" in refused(typed).message) is bool(meant)


@pytest.mark.parametrize(
    "text",
    ["sinq(x)", "erfi(x)", "expint(x)", "bessel(0, x)", "sinn(x, y)", "xsin(x)", "hsin(x)", "sinx(2)", "cosc(x)",
     "sec2(x)", "expm(x)", "exp1(x)", "polylog(2, x)", "logdet(x)", "sinhc2(x)", "hypot(x)", "square(x)", "silu(x)",
     "swish(x)", "besselh(0, x)"],
)  # fmt: skip
def test_another_function_is_no_near_name(text):
    assert "did you mean '" not in str(refused(text))


def test_words_have_one_meaning():
    assert not [word for word in NOTHING if word != word.lower()]
    for word, plain in OPERATORS.items():
        assert plain in {"+", "-", "*", "/", "%", "^", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not"}, word
    for text in CONSTANT_WORDS.values():
        value(text)
    assert known("sind") and known("Sind") and not known("sin")


def test_advice_is_for_one_statement_and_not_for_long_ones():
    assert refused("a = 2x; b = square(a)").hint == "write a = 2*x"
    assert refused("y = 3*x\nz = square(y) + 1\nw = z").hint == "write z = y**2 + 1"
    assert "write" not in (refused(f"{'x + ' * 200}square(x)").hint or "")
    assert refused(f"{'y + 1;' * 200} square(x); {'z + 1;' * 200}").hint == "write x**2"


def test_hard_texts_end():
    texts = (
        "1/2x+" * 60 + "x", "√" * 390 + "x", "log(" * 36 + "x" + ",2)" * 36, "-" * 390 + "2x", "2^" * 190 + "2x",
        "(" * 100 + "2x" + ")" * 100, "d/dx " * 70 + "x", "{" * 390, "|" * 390, "\\frac" * 60, "airy(" * 60, "f'" * 150,
    )  # fmt: skip
    for text in texts:
        assert refused(text).span is not None


PIECES = st.sampled_from(
    ["x", "y", "2", "1.5", "1,000", "sin", "cos", "log", "exp", "(", ")", "[", "]", "{", "}", "^", "**", "*", "/",
     "+", "-", "=", "==", "<", "?", ":", ",", ";", " ", "|", "!", "'", "d/dx", "\\frac", "\\sin", "²", "√", "π",
     "np.", "D", "IF", "where", "%", "°", "_", ".", "->"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12))
def test_what_is_suggested_is_read(pieces):
    text = "".join(pieces)
    try:
        parse(text)
    except GradError as error:
        assert error.span is not None
        whole = (error.hint or "").rpartition("write ")[2]
        if whole and (error.hint or "").startswith("write ") and " or " not in whole:
            parse(whole)


def test_a_name_that_looks_like_a_call_gets_a_note():
    for name, call in {
        "sinx": "sin(x)",
        "sqrtx": "sqrt(x)",
        "lnx": "ln(x)",
        "cos2x": "cos(2*x)",
        "exptheta": "exp(theta)",
        "PI": "pi",
    }.items():
        assert glued([name]) == f"{name} is read as one variable (did you mean {call}?)"
    assert glued(["sint", "t"]) == "sint is read as one variable (did you mean sin(t)?)"
    for names in (
        ["sinks"],
        ["sint"],
        ["cost", "t"],
        ["since"],
        ["expo"],
        ["maxx"],
        ["gammax"],
        ["meanx"],
        ["x", "y"],
        ["rate"],
        ["signal"],
        [],
    ):
        assert glued(names) == ""
