"""Code in other languages, run by their own tools and compared with gradcli's scalar kernel."""

import functools
import itertools
import json
import math
import random
import shutil
import sqlite3

import pytest
from runners import RUN, SEEN, language_of, output_of, postgres, run
from tools import need

from gradcli.calculus.derive import derive
from gradcli.codegen import LANGUAGES, code
from gradcli.codegen.identifiers import identifiers
from gradcli.compute.backends import scalar
from gradcli.compute.program import build, lower
from gradcli.errors import GradError
from gradcli.expr import reachable
from gradcli.functions import TABLE
from gradcli.language import parse

POINTS = 12
ANY, POSITIVE, UNIT, OUTSIDE = (-3.0, 3.0), (0.1, 4.0), (-0.95, 0.95), (1.05, 6.0)
CASES = [
    ("x**y*sin(x) + tanh(x/(1 + y*y))", POSITIVE, ANY),
    ("sqrt(x) + cbrt(x*x + 1)", POSITIVE),
    ("cbrt(x) - abs(x)*x", ANY),
    ("exp(-x**2)*exp2(x) + expm1(x*1e-9)", ANY),
    ("log(x)*log2(x) - log10(x) + log1p(x*1e-8)", POSITIVE),
    ("logaddexp(x, 2*y) + softplus(x)", ANY, ANY),
    ("xlogy(x, y)", ANY, POSITIVE),
    ("sin(x)*cos(3*x) + tan(x/3)", ANY),
    ("sec(x/4) + csc(x) + cot(x)", (0.3, 2.5)),
    ("asin(x) - acos(x)*atan(x)", UNIT),
    ("atan2(y, x)", ANY, ANY),
    ("hypot(x, y)*x", ANY, ANY),
    ("asec(x) + acsc(x) + acot(x)", OUTSIDE),
    ("sinh(x) - cosh(x)*tanh(x/2)", ANY),
    ("sech(x) + csch(x)", (0.2, 5.0)),
    ("coth(x)", (-4.0, -0.2)),
    ("asinh(x)*acosh(y)", ANY, OUTSIDE),
    ("atanh(x) + asech(x*x/2 + 1/4)", UNIT),
    ("acsch(x) + acoth(y)", POSITIVE, OUTSIDE),
    ("sign(x)*floor(y) + ceil(x)*round(2*y) + trunc(x)", ANY, ANY),
    ("min(x*x, y) + max(x, y*y, 1)", ANY, ANY),
    ("clip(x*y, -1, 2) + copysign(x, y)", ANY, ANY),
    ("copysign(x, -0) + copysign(y, 0)", ANY, ANY),
    ("fmod(x, y) + 3*mod(y, x)", ANY, (0.2, 0.9)),
    ("x % y", (-9.0, 9.0), (-2.0, -1.0)),
    ("fma(x, y, sin(x))", ANY, ANY),
    ("heaviside(x, 1/2)*x + relu(y)", ANY, ANY),
    ("sigmoid(x) + 1/(1 + exp(-3*x))", ANY),
    ("sinc(x)", ANY),
    ("sinc(40*x)", ANY),
    ("erf(x)", ANY),
    ("erfc(x)", (-2.0, 4.0)),
    ("erfinv(x)", UNIT),
    ("gamma(x)", (2.0, 5.0)),
    ("lgamma(x)", (2.5, 9.0)),
    ("digamma(x)", (2.0, 9.0)),
    ("digamma(x)", (-2.9, -2.1)),
    ("polygamma(1, x)*polygamma(2, x)", (0.5, 9.0)),
    ("polygamma(1, x)", (-1.9, -1.1)),
    ("besselj(0, x) + besselj(2, x)", (3.0, 5.0)),
    ("bessely(1, x)", (3.0, 9.0)),
    ("besseli(1, x) + besselk(0, x)", (0.5, 3.0)),
    ("besselj(2.5, x) + bessely(-0.3, x)", (3.0, 5.0)),
    ("besseli(0.5, x) + besselk(1.5, x)", (0.5, 3.0)),
    ("airyai(x) + airybi(x)", ANY),
    ("airyaiprime(x) - airybiprime(x)", ANY),
    ("beta(x, y)", POSITIVE, POSITIVE),
    ("betaln(x, y)", (2.5, 4.0), (2.5, 4.0)),
    ("betainc(2.5, 3, x)", (0.2, 0.9)),
    ("gammainc(2.5, x) + gammaincc(3, x/2)", POSITIVE),
    ("lambertw(x)", POSITIVE),
    ("lambertw(x, -1)", (-0.3, -0.1)),
    ("normcdf(x)*normpdf(y)", ANY, ANY),
    ("logit(x)", (0.1, 0.9)),
    ("exprel(x)", ANY),
    ("log1mexp(x)", (-3.0, -0.1)),
    ("factorial(x)", (1.2, 5.0)),
    ("where(x > 0 and not y < 1, log(x), x*y)", ANY, ANY),
    ("where(x <= 0 or y >= x or x != x, x, y*x) + where(x == y, 1, y)", ANY, ANY),
    ("x**3 - 2*x**-1 + x**(-3/2) + x**0.3 - (-x*y)*-3", POSITIVE, ANY),
    ("x**7 - 1/x**5", (-2.0, -0.5)),
    ("pi*x - e**x/tau + 1/3 + 1e-30*x + 1e30*y", ANY, ANY),
    ("(x - y)/(x + y)/(x*y) - (x - (y - (x - 1)))", POSITIVE, POSITIVE),
    ("diff(exp(x*y), x)", ANY, ANY),
]  # fmt: skip
OPERATIONS = {"add", "sub", "mul", "div", "neg", "power", "mod"}
FUNCTIONS = [row.name for row in TABLE.values() if not row.internal and not row.reduces and row.name not in OPERATIONS]
CASES += [  # every other function, on the same range for each argument
    (f"{name}({', '.join('xyz'[:arity])})", *[ANY] * arity)
    for name, arity in ((name, TABLE[name].arity[0]) for name in FUNCTIONS)
    if not any(f"{name}(" in source for source, *_ in CASES)
]
ERF, GAMMA = {"erf", "erfc", "erfinv"}, {"gamma", "lgamma", "beta", "betaln"}
BESSEL = {
    "besselj", "bessely", "besseli", "besselk", "airyai", "airyaiprime", "airybi", "airybiprime", "betainc", "gammainc",
    "gammaincc", "lambertw",
}  # fmt: skip
UNSAID = {
    "python": {"erfinv"} | BESSEL, "numpy": set(), "julia": {"lambertw"}, "javascript": ERF | GAMMA | BESSEL,
    "c": {"erfinv"} | BESSEL, "rust": {"erfinv"} | BESSEL, "fortran": {"erfinv"} | BESSEL - {"besselj", "bessely"},
    "sql": ERF | GAMMA | BESSEL, "duckdb": ERF | BESSEL, "sqlite": ERF | GAMMA | BESSEL,
    "jq": ERF | BESSEL, "awk": ERF | GAMMA | BESSEL, "mlr": {"erfinv"} | GAMMA | BESSEL,
}  # fmt: skip
EXACT = {"add", "sub", "mul", "div", "neg", "abs", "min", "max", "where", "defined", "sign", "copysign", "fma"}


WAVES = {"dsinc": 4, "digamma": 4, "besselj": 1, "bessely": 1}
"""Near their zeros these are differences of numbers so large, in every library."""


@functools.cache
def named_of(source, order):
    parsed = parse(source)
    variables = list(parsed.variables)
    outputs = [(name or f"f{'' if len(parsed.outputs) == 1 else k}", e) for k, (name, e) in enumerate(parsed.outputs)]
    return derive(outputs, variables, order), variables


@functools.cache
def steps_of(exprs, variables):
    """A program and its steps: (function, what computes it, where its value goes, where its arguments are)."""
    program = build(exprs, [variables])
    return program, [(s.function, scalar.step_function(s), s.out, s.ins) for t in program.strata for s in t.steps]


def evaluate(named, variables, point):
    """The scalar kernel's values, and for each how far it may be off.

    Every function but the exactly rounded ones may be 4 ulp off, wherever it stands: each such step is moved by that
    much, and what the outputs move is added up. (Arithmetic is the same everywhere, so it adds nothing of its own.)
    """
    program, steps = steps_of(tuple(e for _, e in named), tuple(variables))
    slots = [*program.constants, *[point[name] for name, _ in program.inputs], *[0.0] * len(program.registers)]

    def run(slots, steps):
        for _, f, out, ins in steps:
            slots[out] = f(*[slots[i] for i in ins])
        return [float(slots[k]) for k in program.outputs]

    values = run(slots.copy(), steps)
    bounds = [4 * math.ulp(v) + 1e-300 for v in values]
    done = slots.copy()
    for k, step in enumerate(steps):
        run(done, [step])
        value = done[step[2]]
        if step[0] in EXACT or isinstance(value, bool) or not math.isfinite(value):
            continue
        size = WAVES.get(step[0], value)
        for ulps in (4, -4):
            moved = done.copy()
            moved[step[2]] += ulps * max(math.ulp(value), math.ulp(size))
            for n, v in enumerate(run(moved, steps[k + 1 :])):
                if math.isfinite(v) and math.isfinite(values[n]):
                    bounds[n] += abs(v - values[n]) / 2
    return values, bounds


def points_of(variables, ranges):
    chance = random.Random(7)
    return [{v: chance.uniform(*ranges[k]) for k, v in enumerate(variables)} for _ in range(POINTS)]


def sayable(language, named, variables):
    try:
        return code(language, named, variables)
    except GradError:
        return None


@pytest.fixture(scope="module")
def expected():
    """For each case: names, variables, points, and the values and bounds at each."""
    found = []
    for source, *ranges in CASES:
        named, variables = named_of(source, 2)
        order = sorted(variables)
        points = points_of(variables, [ranges[order.index(v)] for v in variables])
        found.append((source, named, variables, points, [evaluate(named, variables, p) for p in points]))
    return found


@pytest.mark.parametrize("tool", RUN)
def test_numbers_agree(tool, expected, tmp_path):
    language = language_of(tool)
    jobs, kept = [], []
    for source, named, variables, points, values in expected:
        text = sayable(language, named, variables)
        if text is not None:
            jobs.append((text, variables, points, len(named)))
            kept.append((source, named, points, values))
    wrong = []
    for rows, (source, named, points, values) in zip(run(tool, jobs, tmp_path), kept, strict=True):
        assert len(rows) == len(points), source
        for row, p, (want, bounds) in zip(rows, points, values, strict=True):
            for (name, _), got, v, bound in zip(named, row, want, bounds, strict=True):
                if not (got == v or abs(got - v) <= bound or (got != got and v != v)):
                    wrong.append(f"{source}: {name} at {p}: {got!r}, not {v!r} ({abs(got - v) / bound:.1f} bounds)")
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong[:40])


@pytest.mark.quick
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_function_is_said_or_refused_by_name(language):
    """What is lowered to an operation that the language lacks is refused, under its own name, and nothing else is."""
    for name in FUNCTIONS:
        row = TABLE[name]
        given = ["x > y" if name == "where" else "2" if row.parameter else "x"]
        given += ["x", "y", "z"][: row.arity[0] - (0 if row.parameter else 1)]
        named, variables = named_of(f"{name}({', '.join(given)})", 0)
        lacking = {e.op for e in reachable(lower([e for _, e in named]))} & UNSAID[language]
        try:
            code(language, named, variables)
        except GradError as error:
            assert lacking, name
            assert error.message == f"{language} cannot say {name}"
            assert error.hint.endswith(" can")
        else:
            assert not lacking, name


@pytest.mark.quick
def test_every_language_is_run_by_a_tool():
    assert {language_of(tool) for tool in RUN} == set(LANGUAGES)


def test_what_needs_all_points_is_refused():
    named, variables = named_of("sum(x) + 1", 0)
    with pytest.raises(GradError, match="sum takes all points at once"):
        code("c", named, variables)


def test_an_unknown_language_is_refused():
    with pytest.raises(GradError, match="no language 'cobol'"):
        code("cobol", *named_of("x", 0))


def compared(tool, named, variables, points, tmp):
    """Whether a tool agrees with the scalar kernel; -0.0 counts as 0."""
    text = code(language_of(tool), named, variables)
    (rows,) = run(tool, [(text, variables, points, len(named))], tmp)
    for row, p in zip(rows, points, strict=True):
        for got, v, bound in zip(row, *evaluate(named, variables, p), strict=True):
            if tool == "jq" and math.isinf(v):
                assert math.isnan(got), (p, row)
                continue
            assert got == v or abs(got - v) <= bound or (got != got and v != v), (p, row)


@pytest.mark.parametrize("tool", RUN)
def test_the_branch_not_taken_does_nothing(tool, tmp_path):
    sources = ["where(x > 0, log(x), 0)", "where(x > 0, sqrt(x), 0)", "where(x == 0, 1, sin(x)/x)"]
    named = []
    for k, source in enumerate(sources):
        named += named_of(f"y{k} = {source}", 2)[0]
    compared(tool, named, ["x"], [{"x": v} for v in (-1.0, 0.0, 2.0)], tmp_path)


@pytest.mark.parametrize("tool", RUN)
def test_nothing_raises(tool, tmp_path):
    """Each function at its poles and outside its domain, without an infinity given."""
    sources = [
        "1/x",
        " log(x) + 1/x**2",
        " sqrt(x)*exp(x)",
        " asin(x)",
        " acosh(x)",
        " atanh(x)",
        " x**-3",
        " x**0.5 - x**1.5",
        " x % (x - 1)",
        "\n        fmod(x, x + 1)",
        " sinh(x)",
        " log1p(x)",
        " round(x)",
        " asec(x)",
        " sin(exp(x))",
    ]
    named = [pair for k, source in enumerate(sources) for pair in named_of(f"y{k} = {source}", 1)[0]]
    # PostgreSQL refuses any product or quotient that overflows or underflows.
    far = 30.0 if tool == "sql" else 800.0
    values = (-far, -2.5, -1.0, 0.0, 0.5, 1.0, far)
    compared(tool, named, ["x"], [{"x": v} for v in values], tmp_path)


HOSTILE = [
    "temp C", "x;DROP TABLE points;--", "*/ int main(){", "\u00e9\u4e2d", "lambda", "in", "double", "end", "select",
    "t1", "t2", "out", "f", "x", 'a"b', "a'b", "\\(1+1)", "\\", "#{x}", "a\\", "${y}", "$x", "<comment>", "<body>",
    "{0}", "}", "]", "_", "__class__", "1st", "NULL", "x_2", "math", "np", "dp", "r", "points_1", "c_pow", "module",
    "NR", "M_PI", "??/", "print", "\u202eabc", "%d",
]  # fmt: skip


@pytest.mark.parametrize("tool", RUN)
def test_hostile_names(tool, tmp_path):
    # Not where a table cannot have them.
    twins = [] if tool in ("sqlite", "duckdb") else ["X", "T1", "Temp C"]
    names = [name for name in [*HOSTILE, *twins] if tool not in SEEN or name.isprintable()]
    total = "total = " + " + ".join(f"{k}*exp(-`{name}`)*x" for k, name in enumerate(names, 1))
    named, variables = named_of(total, 1)
    compared(tool, named, variables, [{v: 1 + k / 8 for k, v in enumerate(variables)}], tmp_path)


@pytest.mark.parametrize("language", ["duckdb", "sqlite"])
def test_names_that_differ_by_case_alone(language):
    with pytest.raises(GradError, match="differ by the case"):
        code(language, named_of("x + X", 0)[0], ["x", "X"])


@pytest.mark.parametrize("tool", RUN)
def test_long_and_deep(tool, tmp_path):
    # A filter of jq may have no more than 64 KiB of byte code; PostgreSQL plans hundreds of stages for minutes.
    terms = 2000 if tool in ("jq", "sql") else 8000
    named = [
        *named_of("s = " + " + ".join(f"x*{k}" for k in range(1, terms + 1)), 0)[0],
        *named_of("n = " + "sin(" * (terms // 4) + "x" + ")" * (terms // 4), 0)[0],
    ]
    text = code(language_of(tool), named, ["x"])
    lines = [line for line in text.splitlines() if not line.startswith(LANGUAGES[language_of(tool)].comment)]
    assert max(map(len, lines)) < 2000
    (((total, nested),),) = run(tool, [(text, ["x"], [{"x": 0.5}], 2)], tmp_path)
    assert total == terms * (terms + 1) / 4
    assert nested == pytest.approx(_nested(terms // 4))


def _nested(times):
    x = 0.5
    for _ in range(times):
        x = math.sin(x)
    return x


def test_the_comment_stays_a_comment():
    named, variables = named_of("`a\\`*2 + `b\u2028c`", 0)
    for language, row in LANGUAGES.items():
        if language not in SEEN:
            first = [line for line in code(language, named, variables).split("\n") if line.startswith(row.comment)]
            assert not any(line.endswith("\\") for line in first)
            assert all(line.isprintable() for line in first)


@pytest.mark.quick
def test_a_readable_function():
    assert (
        code("c", *named_of("x**2*sin(x)/(x + 1) - 2", 1))
        == """\
// gradcli: a C99 function that fills an array.
// Expressions as gradcli reads them, with escapes for what is not ASCII:
// f = x**2*sin(x)/(x + 1) - 2
// Gives f, df_dx, in this order.
// Build with -ffp-contract=off and without -ffast-math.

#include <math.h>

void f(double x, double out[2])
{
    const double t1 = sin(x);
    const double t2 = x + 1.0;
    const double t3 = x*x*t1/t2;
    out[0] = t3 - 2.0;
    out[1] = (x*x*cos(x) + 2.0*x*t1 - t3)/t2;
}
"""
    )


FORMULA = "x - (y - z)*(x + y)*-z - where(not x < y and (x >= z or y != z), 2, -(x + y))"
SPELLED = {
    "python": "(x + y)*(y - z)*z + x - (2 if not x < y and (x >= z or y != z) else -(x + y))",
    "numpy": "(x + y)*(y - z)*z + x - np.where((~(x < y)) & ((x >= z) | (y != z)), 2.0, -(x + y))",
    "javascript": "(x + y)*(y - z)*z + x - (!(x < y) && (x >= z || y !== z) ? 2 : -(x + y))",
    "c": "(x + y)*(y - z)*z + x - (!(x < y) && (x >= z || y != z) ? 2.0 : -(x + y))",
    "rust": "(x + y)*(y - z)*z + x - (if !(x < y) && (x >= z || y != z) { 2.0 } else { -(x + y) })",
    "fortran": "(x + y)*(y - z)*z + x - merge(2.0_dp, -(x + y), .not. (x < y) .and. (x >= z .or. y /= z))",
    "julia": "(x + y)*(y - z)*z + x - ifelse(!(x < y) && (x >= z || y != z), 2.0, -(x + y))",
    "sql": """t1*("y" - "z")*"z" + "x" - CASE WHEN NOT (("x" < "y" AND "y" <> 'NaN'::float8)) AND """
    """(("x" >= "z" AND "x" <> 'NaN'::float8) OR ("y" <> "z" OR "y" = 'NaN'::float8)) """
    """THEN CAST(2 AS double precision) ELSE -t1 END""",
    "duckdb": """t1*("y" - "z")*"z" + "x" - CASE WHEN NOT (("x" < "y" AND "y" <> 'nan'::DOUBLE)) AND """
    """(("x" >= "z" AND "x" <> 'nan'::DOUBLE) OR ("y" <> "z" OR "y" = 'nan'::DOUBLE)) """
    """THEN CAST(2.0 AS DOUBLE) ELSE -t1 END""",
    "sqlite": 't1*("y" - "z")*"z" + "x" - CASE WHEN ("x" < "y") IS NOT TRUE AND '
    '("x" >= "z" OR ("y" = "z") IS NOT TRUE) THEN 2.0 ELSE -t1 END',
    "jq": "$t1*($y - $z)*$z + $x - if (lt($x; $y) | not) and (le($z; $x) or $y != $z) then 2 else (-$t1) end",
    "awk": "(x + y)*(y - z)*z + x - (!(lt(x, y)) && (le(z, x) || !eq(y, z)) ? 2 : -(x + y))",
    "mlr": "(x + y)*(y - z)*z + x - (!(x < y) && (x >= z || y != z) ? 2.0 : -(x + y))",
}


@pytest.mark.quick
@pytest.mark.parametrize("language", LANGUAGES)
def test_brackets_stand_where_they_are_needed_alone(language):
    assert SPELLED[language] in code(language, *named_of(FORMULA, 0))


@pytest.mark.quick
def test_identifiers():
    names = ["x", "temp C", "lambda", "1st", "\u00e9", "x_2", "_", "temp_C", "X", "x", "a" * 41]
    found = identifiers(names, ["lambda"], folds=False)
    assert found == {
        "x": "x", "temp C": "temp_C_2", "lambda": "lambda_2", "1st": "x1st", "\u00e9": "x_3", "x_2": "x_2", "_": "x_4",
        "temp_C": "temp_C", "X": "X", "a" * 41: "a" * 30,
    }  # fmt: skip
    assert identifiers(["x", "X", "Lambda", "a" * 40], ["lambda"], folds=True) == {
        "x": "x", "X": "X_2", "Lambda": "Lambda_2", "a" * 40: "a" * 40,
    }  # fmt: skip


EDGES = (0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 2.5, -3.0, 709.5, 720.0, -745.0, 1e17, 1e300, 1e-300)
INTERPRETED = ("python", "numpy", "javascript", "duckdb", "sqlite", "jq", "mlr", *[t for t in RUN if t.endswith("awk")])
NO_NEGATIVE_ZERO = ("sqlite", "original-awk")
OVERFLOWING = "pi*x - e**x/tau + 1/3 + 1e-30*x + 1e30*y"
"""Where e**x is large, Miller's ** is off by more than the libraries."""


def can_be_given(tool, v):
    if math.isinf(v):
        return tool != "jq"
    return v != 0 or math.copysign(1, v) > 0 or tool not in NO_NEGATIVE_ZERO


@functools.cache
def at_edges(source):
    """Points, values and bounds of a case at every pair of EDGES, by the places of both."""
    named, variables = named_of(source, 0)
    points = {
        (j, k): dict(zip(variables, (EDGES[j], EDGES[k]), strict=False))
        for j, k in itertools.product(range(len(EDGES)), repeat=2)
    }
    return {places: (point, evaluate(named, variables, point)) for places, point in points.items()}


@pytest.mark.parametrize("tool", INTERPRETED)
def test_edges(tool, tmp_path):
    """Every function at infinities, nan and both zeros; lgamma and Bessel functions are the libraries' own."""
    jobs, wanted = [], []
    left_out = [f"{name}(" for name in ("lgamma", "beta", "betaln", *BESSEL)] + [OVERFLOWING] * (tool == "mlr")
    given = {k for k, v in enumerate(EDGES) if can_be_given(tool, v)}
    for source, *_ in CASES:
        if not any(part in source for part in left_out):
            named, variables = named_of(source, 0)
            text = sayable(language_of(tool), named, variables)
            if text is not None:
                known = [here for places, here in at_edges(source).items() if given.issuperset(places)]
                points = [point for point, _ in known]
                jobs.append((text, variables, points, 1))
                wanted.append((source, points, [values for _, values in known]))
    wrong = []
    for rows, (source, points, values) in zip(run(tool, jobs, tmp_path), wanted, strict=True):
        for (got,), p, ((v,), (bound,)) in zip(rows, points, values, strict=True):
            if tool == "jq" and math.isinf(v):
                v = math.nan
            if not (got == v or abs(got - v) <= bound or (got != got and v != v)):
                wrong.append((source, p, got, v))
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(map(str, wrong[:20]))


FIELDS = {
    "nan": math.nan, "NaN": math.nan, "-nan": math.nan, "NAN": math.nan, "inf": math.inf, "+inf": math.inf,
    "-Inf": -math.inf, "Infinity": math.inf, "-INFINITY": -math.inf, "1e400": math.inf, "-2.5e+400": -math.inf,
    "1e-400": 0.0, "5e-324": 5e-324, "-2.5e-310": -2.5e-310, "0e5": 0.0,
    "0.5": 0.5, "+.5": 0.5, "-3.": -3.0, "1.7976931348623157e+308": 1.7976931348623157e308,
    "-0.1E-2": -0.001, "header": math.nan, "0x10": math.nan, "1,5": math.nan, "e5": math.nan,
}  # fmt: skip


@pytest.mark.parametrize("awk", ["gawk", "gawk --posix", "mawk", "original-awk", "busybox awk"])
def test_fields_of_awk_are_read_as_numbers(awk, tmp_path):
    """The conversion of gawk takes inf and nan for 0. No mathematics here, which BusyBox may lack."""
    tool, *words = awk.split()
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not here")
    (tmp_path / "f.awk").write_text(code("awk", *named_of("x*y", 0)))
    rows = "".join(f"{field} 1\n" for field in FIELDS)
    found = [float(line) for line in output_of(tool, *words, "-f", "f.awk", text=rows, cwd=tmp_path).split()]
    assert [f"{v}" for v in found] == [f"{v}" for v in FIELDS.values()]


def test_infinities_of_jq_are_null(tmp_path):
    need("jq")
    (tmp_path / "f.jq").write_text(code("jq", *named_of("y = 1/x; z = -exp(1/x); w = 0*(1/x); v = x", 0)))
    assert output_of("jq", "-c", "-f", "f.jq", text='{"x": 0}', cwd=tmp_path) == '{"y":null,"z":null,"w":null,"v":0}\n'


QUOTIENTS = [(1.0, 1 / 3), (-3.0, 1 / 3), (1e17, 1 / 3), (1e300, -745.0), (1.0, 1e-300), (5e-324, 1.0), (7.0, math.inf)]


@pytest.mark.parametrize("tool", ["mlr", "gawk", "mawk", "original-awk", "sql"])
def test_remainders_of_extreme_quotients(tool, tmp_path):
    """Right to the last bit, or in PostgreSQL nan from a quotient of 2**100, which the comment says."""
    named, variables = named_of("y = fmod(x, z); w = mod(x, z)", 0)
    points = [dict(zip(variables, pair, strict=True)) for pair in QUOTIENTS]
    text = code(language_of(tool), named, variables)
    (rows,) = run(tool, [(text, variables, points, 2)], tmp_path)
    for row, p in zip(rows, points, strict=True):
        want = evaluate(named, variables, p)[0]
        if tool == "sql" and abs(p["x"]) / abs(p["z"]) > 2**100:
            assert all(map(math.isnan, row)), p
        else:
            assert row == want, p
    assert ("NaN where the quotient is 2**100" in text) == (tool == "sql")


def test_a_remainder_by_a_constant_is_exact_without_a_fused_product(tmp_path):
    named, variables = named_of("y = fmod(x, 1/3)", 0)
    points = [{"x": v} for v in (1.0, -3.0, 2 / 3, 1e15)]
    (rows,) = run("sql", [(code("sql", named, variables), variables, points, 1)], tmp_path)
    assert rows == [evaluate(named, variables, p)[0] for p in points]


def test_what_a_tool_cannot_do_is_said_above_the_text():
    assert "-- PostgreSQL ends the query with an error where an operation overflows" in code("sql", *named_of("x", 0))
    for language in ("awk", "sqlite"):
        assert "has no negative zero" in code(language, *named_of("copysign(x, y)", 0))
        assert "has no negative zero" not in code(language, *named_of("x", 0))


@pytest.mark.parametrize("tool", RUN)
def test_no_variables(tool, tmp_path):
    named = [*named_of("y = 2*pi + 1/3", 0)[0], *named_of("z = where(1 < 2 and not 3 == 4, -1, 0)", 0)[0]]
    (rows,) = run(tool, [(code(language_of(tool), named, []), [], [{}], 2)], tmp_path)
    assert rows == [[2 * math.pi + 1 / 3, -1.0]]


def test_results_of_numpy_have_the_shape_of_the_inputs():
    np = pytest.importorskip("numpy")
    named, variables = named_of("y = a*x + 3; z = 2*pi; w = x", 1)
    space = {}
    exec(compile(code("numpy", named, variables), "f.py", "exec"), space)
    x = np.array([1.0, 2.0, 4.0])
    results = space["f"](2.0, x)
    assert len(results) == len(named)
    assert [r.shape for r in results] == [x.shape] * len(named)
    assert np.column_stack(results).shape == (3, len(named))
    found = dict(zip([name for name, _ in named], np.array(results).tolist(), strict=True))
    assert found["y"] == [5.0, 7.0, 11.0]
    assert found["dy_dx"] == [2.0] * 3
    assert found["dz_dx"] == [0.0] * 3
    assert found["z"] == [2 * math.pi] * 3
    # Inputs are broadcast against each other, and scalars stay scalars.
    assert [r.shape for r in space["f"](x[:, None], x)] == [(3, 3)] * len(named)
    assert [np.shape(r) for r in space["f"](1.0, 2.0)] == [()] * len(named)


ORDERED = [tool for tool in RUN if LANGUAGES[language_of(tool)].ordered]


@pytest.mark.parametrize("tool", ORDERED)
def test_arguments_are_taken_in_the_order_given(tool, tmp_path):
    named, variables = named_of("a*exp(-b*x) + x", 1)
    order = ["x", "b", "unused", "a"]
    assert variables != [v for v in order if v != "unused"]
    points = [{"x": 1.5, "b": 0.25, "unused": 7.0, "a": 3.0}]
    (rows,) = run(tool, [(code(language_of(tool), named, order), order, points, len(named))], tmp_path)
    want, bounds = evaluate(named, variables, points[0])
    assert all(abs(got - v) <= 4 * bound for got, v, bound in zip(rows[0], want, bounds, strict=True))


CARRIED = [("note", "one"), ("x", 3.0), ("f", 7), ("y", 4.0)]
"""A row of a table, with a text and a column that is called like a result."""


@pytest.mark.parametrize("source", ["sqrt(x*x + y*y)", "7.5"])
@pytest.mark.parametrize("tool", ["sql", "duckdb", "sqlite", "jq"])
def test_all_columns_precede_the_results(tool, source, tmp_path):
    named, variables = named_of(source, 0)
    text = code(tool, named, variables, all_columns=True)
    value = evaluate(named, variables, dict(CARRIED))[0][0]
    create = "CREATE TABLE points (note TEXT, x {0}, f INTEGER, y {0})"
    insert = f"INSERT INTO points VALUES {tuple(v for _, v in CARRIED)}"
    if tool == "jq":
        need("jq")
        (tmp_path / "f.jq").write_text(text)
        found = json.loads(output_of("jq", "-c", "-f", "f.jq", text=json.dumps(dict(CARRIED)), cwd=tmp_path))
        assert found == {**dict(CARRIED), "f": value}
        return
    if tool == "sql":
        script = f"DROP TABLE IF EXISTS points; {create.format('float8')}; {insert};\n{text}"
        rows = [line.split() for line in output_of(*postgres(), text=script, cwd="/").splitlines()]
    else:
        base = sqlite3.connect(":memory:") if tool == "sqlite" else pytest.importorskip("duckdb").connect()
        base.execute(create.format("DOUBLE"))
        base.execute(insert)
        rows = base.execute(text).fetchall()
        base.close()
    assert [[str(cell).removesuffix(".0") for cell in row] for row in rows] == [
        ["one", "3", "7", "4", repr(value).removesuffix(".0")]
    ]


def test_all_columns_are_for_what_reads_them_by_name():
    with pytest.raises(GradError, match="--all-columns is for sql, duckdb, sqlite, jq, not for mlr"):
        code("mlr", *named_of("x", 0), all_columns=True)
