"""Notation as people write it: read as it is meant, or refused with both readings, and never read otherwise."""

import json
import re
import sys
import time
from collections.abc import Callable
from functools import partial

import pytest
from checkout import DATA
from natural_texts import KNOWN, Texts
from work import calls

from gradcli.errors import GradError
from gradcli.expr import text as printed
from gradcli.language import Parsed, parse

CASES = [json.loads(line) for line in (DATA / "natural.jsonl").read_text(encoding="utf-8").splitlines()]


def natural(text: str, *known: str) -> Parsed:
    """What a text means where some names are known."""
    return parse(text, known, natural=True)


def refused(text: str, *known: str) -> GradError:
    with pytest.raises(GradError) as caught:
        natural(text, *known)
    return caught.value


def bare(text: str) -> str:
    return text.replace(" ", "").replace("**", "^")


def told(error: GradError) -> str:
    return bare(f"{error.message} {error.hint}")


@pytest.mark.quick
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_is_read_as_it_is_meant_or_refused(case):
    known = case.get("wrt", ())
    if "reading" in case:
        parsed = natural(case["text"], *known)
        assert parsed.outputs == parse(case["reading"]).outputs
        if parsed.read_as is not None:
            assert parse(parsed.read_as, known).outputs == parsed.outputs
        else:
            assert parse(case["text"], known).outputs == parsed.outputs
        return
    error = refused(case["text"], *known)
    for part in case["error"]:
        assert bare(part) in told(error)
    assert error.exit_code == 2
    assert error.source is not None and error.source.text == case["text"]
    assert error.span is not None and 0 <= error.span.start <= len(case["text"])


READ = {
    "3x\u00b2 - sin 2x": "3*x**2 - sin(2*x)",
    r"\frac{x\ln x}{x+1}": "x*log(x)/(x + 1)",
    "2\u03c0r": "2*pi*r",
    "5(x+1)(x-1)": "5*(x + 1)*(x - 1)",
    r"\frac{x}{\frac{y}{2}}": "x/(y/2)",
    r"\frac{\frac{x}{y}}{2}": "(x/y)/2",
    r"-\frac{x}{y}": "-(x/y)",
    r"2\frac{x}{y}z": "2*(x/y)*z",
    r"\frac{x}{y}^2": "(x/y)**2",
    r"x^\frac{1}{2}": "x**(1/2)",
    r"\sin\frac{x}{2}": "sin(x/2)",
    r"\sin 30^{\circ}": "sin(30*pi/180)",
    r"\frac{d}{dx}\left[x^2\right]": "diff(x**2, x)",
    r"\frac{\partial}{\partial x}(x^2 y)": "diff(x**2*y, x)",
    r"\left\| x \right\|": "abs(x)",
    r"$\sqrt[4]{x}\,y$": "x**(1/4)*y",
    "sin\u00b2 2x": "sin(2*x)**2",
    "sin2\u03b8": "sin(2*theta)",
    "e^sin x": "e**sin(x)",
    "x!y": "gamma(x + 1)*y",
    "(x\u00b2)!": "gamma(x**2 + 1)",
    "x/2 + y/3": "x/2 + y/3",
    "sin x/cos x": "sin(x)/cos(x)",
    "|x - |y||": "abs(x - abs(y))",
    "2|x|": "2*abs(x)",
    "sin|x|": "sin(abs(x))",
    "\u2308x\u2309\u230ay\u230b": "ceil(x)*floor(y)",
    "\U0001d465\u00b2 + \U0001d460\U0001d456\U0001d45b \U0001d465": "x**2 + sin(x)",
    "f(x) = x^2; xf(x) + f'(x)": "f = x**2; x*f + diff(f, x)",
    "|d/dx(x^2)|": "abs(diff(x**2, x))",
    "(d/dx(x+1))^5": "diff(x + 1, x)**5",
    "x d/dx(x^2) + 1": "x*diff(x**2, x) + 1",
    r"\frac{\frac{d}{dx}(x^2)}{x}": "diff(x**2, x)/x",
    "y = x\u00b3; \u2202y/\u2202x": "y = x**3; diff(y, x)",
    "max(1,2x)": "max(1, 2*x)",
    "max{1,2x}": "max(1, 2*x)",
    r"\min\left\{x, 1\right\}\max\{x,2\}": "min(x, 1)*max(x, 2)",
    "(x\n+ 1)": "x + 1",
    # Cases.
    "{ x, x>0; -x, x<=0": "x if x > 0 else -x if x <= 0 else nan",
    "{ x\u00b2 if x \u2265 0; 2x, otherwise }": "x**2 if x >= 0 else 2*x",
    "f(x) = { 0, x < 0\n2x, 0 <= x < 1\n2, otherwise": "f = 0 if x < 0 else 2*x if 0 <= x < 1 else 2",
    r"\begin{cases} x^2 & x > 0 \\ -x, & \text{if } x \le 0 \end{cases}": "x**2 if x > 0 else -x if x <= 0 else nan",
    r"\left\{\begin{cases} x & x>0 \\ 0 & \text{otherwise}\end{cases}\right.": "x if x > 0 else 0",
    # Bases of logarithms.
    "log_{x+1}(y)": "log(y)/log(x + 1)",
    r"\log_{x^2+1}^2 (x)": "(log(x)/log(x**2 + 1))**2",
    r"\log_{\log_{3} x} 2y": "log(2*y)/log(log(x)/log(3))",
    "log_b x": "log(x)/log(b)",
    r"\log_\beta x": "log(x)/log(beta)",
    # Subscripts of LaTeX, which are never factors.
    r"x_\alpha y": "x_alpha*y",
    r"x_{\text{max}} + \theta_{\mathrm{max}}": "x_max + theta_max",
    r"\alpha_\beta": "alpha_beta",
    # What stands in brackets is not reached by what follows.
    "f(x) = x^2; f(x)(x+1) + f'(x)(x)": "f = x**2; f*(x + 1) + diff(f, x)*x",
    "f(x) = x^2; (f(x) + 1)(x)": "f = x**2; (f + 1)*x",
    "d/dx(x+1) + x": "diff(x + 1, x) + x",
    "(d/dx(x+1))^2": "diff(x + 1, x)**2",
    "e^x(x+1)": "e**x*(x + 1)",
    r"\left\{x+1\right\}": "x + 1",
    r"\varphi x + \varphi": "phi*x + phi",
}
"""Texts and what they mean."""


@pytest.mark.quick
@pytest.mark.parametrize("text", READ)
def test_a_text_is_read(text):
    assert natural(text).outputs == parse(READ[text]).outputs


REFUSED = {
    "sin x y": ["sin(x)*y", "sin(x*y)"],
    "sin^2(x)^3": ["(sin(x)^2)^3", "sin(x^3)^2"],
    "sin x % 2": ["sin(x)%2", "sin(x%2)"],
    "\u221asin x": ["sqrt(sin(x))"],
    "\u221ax\u00b2": ["(sqrt(x))^2", "sqrt(x^2)"],
    "x^2!": ["(x^2)!", "x^(2!)"],
    "x!!": ["(x!)!"],
    "log_10x": ["log_10 x", "`log_10x`"],
    "log2\u03c0": ["log2(\u03c0)", "log(2\u03c0)"],
    "gamma x": ["gamma*x", "gamma(x)"],
    "1 000": ["1000", "1*000"],
    "3,500": ["3.500", "3500"],
    "0x10": ["decimal"],
    "(x]": ["does not close"],
    "|x": ["not closed"],
    "|x|y|z|": ["pair in two ways"],
    "{ 1, x > 0; 2, otherwise 3 }": ["nothing follows"],
    "{ x + 1 }": ["condition"],
    "f(x) = x; f(2)": ["its formula"],
    "y'": ["diff(y, x)"],
    "d/dx x": ["brackets", "diff("],
    "d/dx(x+1)^5": ["diff(x+1,x)^5", "diff((x+1)^5,x)"],
    "\\frac{d}{dx}\\left(x\\right)\u00b2": ["diff(x,x)^2", "diff(x^2,x)"],
    "d/dx(x)(x+1)": ["diff(x,x)*(x+1)", "diff(x*(x+1),x)"],
    "d/dx(x) sin x": ["diff(x,x)*sin x", "diff(x*sin x,x)"],
    "d/dx(x)/x": ["diff(x,x)/x", "diff(x/x,x)"],
    "d/dx(x)*x": ["diff(x,x)*x"],
    "d/dx(x)!": ["diff(x,x)!"],
    "y' = 2x": ["dy_dx = ...", "diff(y, x)"],
    "y'' = 2x": ["d2y_dx2 = ...", "diff(y, x, 2)"],
    "y = x^2; dy/dx = 2x": ["dy_dx = ...", "diff(y, x)"],
    "f(x) = x^2; f'(x) = 2x": ["df_dx = ..."],
    "f(x) = x^2; f'(2)": ["f'(x)", "--at x="],
    "(x)_1": ["subscript"],
    "|x|_1": ["subscript"],
    "x\u00b2_1": ["subscript"],
    r"\sin x^n_1": ["^{n_1}", "_1^n"],
    "\u2202\u00b2/\u2202x\u2202y(xy)": ["diff(diff(..., x), y)"],
    r"\frac{\partial^2}{\partial x\partial y}(xy)": ["diff(diff(..., x), y)"],
    "e^xsinx": ["e^x*sinx", "e^(x*sinx)"],
    "1/3 x^2": ["(1/3)*x^2", "1/(3*x^2)"],
    "ln x / x\u00b2": ["ln(x)/x\u00b2", "ln(x/x\u00b2)"],
    r"\sin x^10": ["first digit", "^{10}"],
    r"\log_10 x": [r"\log_{10}"],
    r"2\frac{1}{2}": ["mixed"],
    "x\u00b2\u02b8": ["small signs"],
    "30\u00ba": ["unexpected character"],
    "2x(t)": ["x*(t)"],
    "rate*2": ["`rate`"],
    "f(x) = x; g(x) = 2x; (f+g)(x)": ["formula", "(...)*(x)"],
    "f(x) = x; g(x) = 2x; (fg)(x)": ["formula"],
    "f(x) = x; (df/dx)(x)": ["formula"],
    "50% x": ["50/100", "mod"],
    "e^{x}^2": ["(e^x)^2", "e^(x^2)"],
    r"\sin{(x)}^2": ["how far", ")^2"],
    "\\ln{x}\u00b2": ["ln(x)^2", "ln(x^2)"],
    r"\min_{x} y": ["subscript"],
    "f(x) = x^2; f_x": ["diff(f, x)", "`f_x`"],
    "y = x; dy/dx^2": ["diff(y, x, 2)", "diff(y, x)^2"],
    "3x10^5": ["*10", "*x10"],
    "cos-1x": ["acos(...)", "cos(-1"],
    "sin -1(x)": ["asin(...)"],
    "sqrt 2x": ["sqrt(2)*x", "sqrt(2*x)"],
    "sqrt2x": ["sqrt(2)*x", "sqrt(2*x)"],
    "sqrt x^2": ["sqrt(x)^2", "sqrt(x^2)"],
    "sqrt x\u00b2": ["sqrt(x)^2", "sqrt(x^2)"],
    "d/dx (x+1)^2": ["diff(x+1,x)^2", "diff((x+1)^2,x)"],
    "d/dx(x+1)(x-1)": ["diff(x+1,x)*(x-1)", "diff((x+1)*(x-1),x)"],
    "d/dx (x+1)/(x-1)": ["diff(x+1,x)/(x-1)", "diff((x+1)/(x-1),x)"],
    r"\frac{d}{dx}(x+1)\sin x": ["diff(x+1,x)*", "diff((x+1)*"],
    "d/dx(x)\u00b2": ["diff(x,x)^2"],
    "f^2(x)": ["f^2*(x)", "function f"],
    "f^{-1}(x)": ["f^(-1)*(x)", "inverse"],
    "x\u00b2(t)": ["x^2*(t)", "function x"],
    "f(x) = x; f\u00b2(x)": ["f^2*(x)", "or f^2"],
    "e^f(x)": ["function f"],
    "D(x^2)": ["function D"],
    "f^{(2)}(x)": ["diff(f, x, 2)"],
    r"x\circ y": ["joins two functions"],
    r"x_{i+1}": ["subscript"],
    "x_\u03b1": ["subscript"],
    r"\{x\}": ["(x)", "x-floor(x)"],
    r"\left[x\right]": ["(x)", "floor(x)"],
    r"\mathrm{d}x": ["diff("],
    r"\Delta x": ["`\u0394x`", "Delta*x"],
    "\u0394\u03b8": ["`\u0394\u03b8`"],
    "\u03c6 + \u03d5": ["other form"],
    r"\phi + \varphi": ["other form"],
    "\u03d6": ["pi", "variable"],
    "2\u1d43": ["^a"],
    "x\u1d62": ["_i"],
    "x\u00b9/2": ["x^(1/2)", "(x^1)/2"],
    "x! 2": ["(...)*2"],
    "sin^2 x y": ["sin(x)^2*y", "sin(x*y)^2"],
    "e^2(x+1)": ["e^2*(x+1)", "e^(2*(x+1))"],
}


@pytest.mark.quick
@pytest.mark.parametrize("text", REFUSED)
def test_a_text_with_two_readings_shows_both(text):
    error = refused(text)
    for part in REFUSED[text]:
        assert bare(part) in told(error)


@pytest.mark.quick
def test_every_place_stands_in_the_typed_text():
    text = "3x\u00b2 + \\frac{1}{x} + sin x"
    parsed = natural(text)
    shown = {printed(e): text[span.start : span.end] for e, span in parsed.spans.items()}
    assert shown["3*x**2"] == "3x\u00b2"
    assert shown["1/x"] == "\\frac{1}{x}"
    assert shown["sin(x)"] == "sin x"
    for end, e in parsed.spans.items():
        assert 0 <= e.start < e.end <= len(text), end
    error = refused("2x + foo(y)")
    assert error.span is not None and "2x + foo(y)"[error.span.start : error.span.end] == "foo"
    assert refused("2x + (3x + 1").message == (
        "column 13: unexpected end of expression: expected ')': the '(' at column 6 is never closed"
    )
    assert refused("2x\n+ (3x + 1").message.startswith("line 2, column 1: a line cannot begin")
    assert refused("2x;\n (3x +").message.startswith("line 2, column 7: unexpected end of expression")


@pytest.mark.quick
def test_a_power_behind_a_name_spans_its_argument():
    text = "1 + sin^2 x"
    spans = {printed(e): text[span.start : span.end] for e, span in natural(text).spans.items()}
    assert spans["sin(x)**2"] == "sin^2 x"


@pytest.mark.quick
@pytest.mark.parametrize("text", ["3*x - 1", "x^2", "x  **2 # x", "(x\n+ 1)", "a = 1\nb = a + x", "`a#b` + 1", "x;"])
def test_strict_text_has_no_note(text):
    assert natural(text).read_as is None
    assert natural(text)._replace(source=parse(text).source) == parse(text)


@pytest.mark.quick
@pytest.mark.parametrize("text", ["3x", "x\u00b2", "x^{2}", "$x$", "[x + 1]", "Sin(x)"])
def test_other_text_has_one(text):
    assert natural(text).read_as is not None


@pytest.mark.quick
@pytest.mark.parametrize(("text", "name"), [("2\u03c4", "tau"), ("2\u03b3", "gamma"), (r"2\gamma", "gamma")])
def test_a_greek_letter_is_the_name_that_an_option_gives(text, name):
    assert natural(text, name).read_as == f"2*{name}"


@pytest.mark.quick
@pytest.mark.parametrize("text", ["3x + sqrt 2x", "d/dx(x+1)(x-1)"])
def test_the_hint_without_the_option_shows_both_readings(text):
    with pytest.raises(GradError) as caught:
        parse(text, natural=False)
    assert caught.value.hint == refused(text).hint


@pytest.mark.quick
def test_columns_are_known_names():
    assert parse("ax + rate", columns=["a", "rate"], natural=True).read_as == "a*x + rate"
    assert refused("ax").message == "'ax' may be one name or a product"
    parsed = parse("2e + x", columns=["e"], natural=True)
    with pytest.raises(GradError) as caught:
        parsed.check_columns("t.csv", ["e"], [])
    assert caught.value.source is not None and caught.value.source.text == "2e + x"
    assert caught.value.span == (1, 2)


OFFERED = {
    "3x": "write 3*x, or give --natural",
    "2x + sin x": "write 2*x + sin(x), or give --natural",
    "1/2x": "write (1/2)*x or 1/(2*x)",
    "foo(x)": None,
    "2*x +": None,
    "a = 2; a^2x": "write a^2*x or a^(2*x); --natural reads a = 2; a^2*x",
    "a = 2x; a + 1": "write a = 2*x, or give --natural",
}


@pytest.mark.quick
@pytest.mark.parametrize("text", OFFERED)
def test_an_error_names_the_option_where_it_helps(text):
    with pytest.raises(GradError) as strict:
        parse(text)
    with pytest.raises(GradError) as caught:
        parse(text, natural=False)
    assert caught.value.message == strict.value.message
    assert "--natural" not in f"{strict.value.hint}"
    assert bare(f"{caught.value.hint}") == bare(f"{OFFERED[text]}")


# By lot.


def same_when_printed(count: int, seed: int) -> None:
    """Strict texts, and what is printed of them, are read the same."""
    texts, done = Texts(seed), 0
    while done < count:
        text = texts.strict()
        try:
            parsed = parse(text, KNOWN)
        except GradError:
            continue
        for each in [text] if "w =" in text else [text, printed(parsed.outputs[0][1])]:
            try:
                again = natural(each, *KNOWN)
            except GradError as error:
                # x^1/2 is one of the exceptions: what is printed has none of them.
                assert each == text and re.search(r"\^1/", each), (each, str(error))
                continue
            strict = parse(each, KNOWN)
            assert (again.outputs, again.variables) == (strict.outputs, strict.variables), each
        done += 1


def never_otherwise(count: int, seed: int) -> None:
    """Strict texts written as people do are read the same or refused; most are read."""
    texts, read, tried = Texts(seed), 0, 0
    while tried < count:
        strict = texts.strict()
        try:
            outputs = parse(strict, KNOWN).outputs
        except GradError:
            continue
        loose = texts.loose(strict)
        if loose == strict:
            continue
        tried += 1
        try:
            parsed = natural(loose, *KNOWN)
        except GradError:
            continue
        assert parsed.outputs == outputs, (strict, loose, parsed.read_as)
        read += 1
    assert read > 0.6 * tried


@pytest.mark.quick
def test_what_is_printed_is_read_the_same():
    same_when_printed(1000, 1)


@pytest.mark.quick
def test_nothing_is_read_otherwise():
    never_otherwise(2000, 2)


@pytest.mark.long
def test_what_is_printed_is_read_the_same_50_000_times():
    same_when_printed(50_000, 3)


@pytest.mark.long
def test_nothing_is_read_otherwise_100_000_times():
    never_otherwise(100_000, 4)


HOSTILE: dict[str, Callable[[int], str]] = {
    "sum": lambda n: "+".join(["3x"] * n),
    "brackets": lambda n: "(" * n + "x" + ")" * n,
    "open": lambda n: "(" * n,
    "products": lambda n: "x(" * n,
    "functions": lambda n: "sin " * n + "x",
    "bars": lambda n: "|" * n,
    "pairs of bars": lambda n: "|x|" * n,
    "factorials": lambda n: "x!" * n,
    "roots": lambda n: "\u221a" * n + "x",
    "open fractions": lambda n: r"\frac{" * n,
    "fractions": lambda n: r"\frac{1}{" * n + "x" + "}" * n,
    "letters": lambda n: "a" * n,
    "words": lambda n: "xy " * n,
    "lines": lambda n: "\n" * n + "x",
    "blanks": lambda n: " " * n + "x",
    "blank lines": lambda n: (" " * 50 + "\n") * (n // 10),
    "backslashes": lambda n: "\\" * n,
    "powers": lambda n: "x^" * n + "x",
    "raised": lambda n: "x" + "\u00b2" * n,
    "derivatives": lambda n: "d/dx(" * (n // 10) + "x" + ")" * (n // 10),
    "d with blanks": lambda n: "d" + " " * n + "/" + " " * n + "d",
    "many d": lambda n: "d " * n + "/",
    "side by side": lambda n: "x " * n,
    "powers of functions": lambda n: "sin^2 x + " * n + "x",
    "quotes": lambda n: "`" * n,
    "conditions": lambda n: "x if x>0 else " * (n // 4) + "1",
    "divisions": lambda n: "1/2/" * n + "2x",
    "primes": lambda n: "'" * n,
    "lowered": lambda n: "x" + "\u2081" * n,
    "braces": lambda n: "x^{" * n,
    "definitions": lambda n: "".join(f"v{i}=3x;" for i in range(n // 4)),
    "degrees": lambda n: "(" * (n // 4) + "x" + ")\u00b0" * (n // 4),
    "formulas": lambda n: "f(x)=x;" + "f(x)+" * n + "1",
    "bases": lambda n: r"\log_{" * n + "x" + "}2" * n,
    "cases": lambda n: "{ x, x>0; " * n,
    "rows": lambda n: "{ " + "x, x>0; " * n + "1, otherwise",
    "commas": lambda n: "f(" + "x," * n,
    "stars": lambda n: "*" * n,
    "italics": lambda n: "\U0001d465" * n,
    "left": lambda n: r"\left(" * n,
}


def outcome(text: str) -> str:
    """A result or one clear error: nothing else leaves the door."""
    try:
        natural(text)
    except GradError as error:
        return error.message
    return ""


@pytest.mark.quick
@pytest.mark.parametrize("shape", HOSTILE)
def test_work_grows_with_the_length(shape):
    make = HOSTILE[shape]
    outcome(make(40))
    short, long = (calls(partial(outcome, make(n))) for n in (400, 800))
    assert long <= 2.1 * short + 100


@pytest.mark.long
@pytest.mark.parametrize("shape", HOSTILE)
def test_twice_the_length_takes_twice_the_time(shape):
    make, limit = HOSTILE[shape], sys.getrecursionlimit()
    outcome(make(40))
    sys.setrecursionlimit(400)
    try:
        seconds = []
        for text in (make(40_000), make(80_000)):
            tries = []
            for _ in range(3):
                start = time.process_time()
                outcome(text)
                tries.append(time.process_time() - start)
            seconds.append(min(tries))
    finally:
        sys.setrecursionlimit(limit)
    assert seconds[1] <= 2.6 * max(seconds[0], 0.05)
