"""Every fact of every row of the function table is true, and every room has an entry for every row it needs one of."""

import ctypes
import ctypes.util
import importlib.util
import itertools
import math
import re
from fractions import Fraction
from xml.sax.saxutils import escape

import accuracy
import numpy as np
import pytest
import reference
from checkout import ROOT
from engines import ENGINES
from reference import REFERENCES

from gradcli.autograd import complex as complex_numbers
from gradcli.autograd.elementwise import placeholder
from gradcli.compute.backends import scalar, vector
from gradcli.compute.backends.native.functions import ROWS as NATIVE
from gradcli.compute.program import Step, lower
from gradcli.errors import BadType
from gradcli.expr import BOOLEANS, apply, reachable, readable, var
from gradcli.functions import LOWERED, NONLOCAL, TABLE
from gradcli.notation import NOTATIONS
from gradcli.notation.typeset import GREEK

POINTS = 60
FEW = 10
PUBLIC = [row for row in TABLE.values() if not row.internal and not (row.reduces and row.arity == (1, 1))]
"""Every function of a point."""
SINGLE = [row for row in PUBLIC if row.arity == (1, 1)]
PLACES = sorted({k / 4 for k in range(-16, 17)} | {k * math.pi / 2 for k in range(-4, 5)})
"""Where kinks, poles and ends of domains are looked for: all that a row has near 0 is at one of these."""


def named(rows):
    return pytest.mark.parametrize("row", list(rows), ids=lambda row: row.name)


def needed(row):
    if row.needs and importlib.util.find_spec(row.needs) is None:
        pytest.skip(f"{row.needs} is not installed")


def node(row):
    x = [var(letter) for letter in "xyz"[: row.arity[0] if row.arity[1] else 2]]
    if row.name == "where":
        x[0] = apply("gt", x[0], 0 * x[0])
    return apply(row.name, *x, value=2 if row.parameter else None)


def function(e):
    names = sorted({str(v.value) for v in reachable([e]) if v.op == "var"})
    return lambda *at: scalar.at_point([e], dict(zip(names, map(float, at), strict=False)))[0]


def samples(row):
    """Points of the row's domain, edges among them."""
    return [
        (*parameter, *at) if isinstance(parameter, tuple) else at
        for parameter, at in reference.points(row.name, POINTS)
        if parameter in ((2,) if row.parameter else (None, *reference.PAIRS, *reference.SHAPES))
    ]


# Facts.


@named(row for row in TABLE.values() if row.at)
def test_exact_values(row):
    needed(row)
    for argument, value in row.at:
        assert Fraction(function(node(row))(argument)) == value


@named(row for row in TABLE.values() if row.parity)
def test_parity(row):
    needed(row)
    f, sign = function(node(row)), -1 if row.parity == "odd" else 1
    for (x,) in samples(row):
        a, b = f(x), sign * f(-x)
        assert a == b or (a != a and b != b), x


@named(row for row in SINGLE if not row.parity and row.name not in ("lgamma", "digamma", "gamma"))
def test_no_parity_is_forgotten(row):
    needed(row)
    f = function(node(row))
    values = [(f(x), f(-x)) for (x,) in samples(row)]
    values = [(a, b) for a, b in values if math.isfinite(a) and math.isfinite(b)]
    if row.parameter:
        pytest.skip("the parity is that of the parameter")
    assert len(values) < 10 or any(a != b for a, b in values)
    assert len(values) < 10 or any(a != -b for a, b in values)


@named(row for row in TABLE.values() if row.pythagorean)
def test_pythagorean(row):
    partner, sign = row.pythagorean
    f, g = function(node(row)), function(node(TABLE[partner]))
    for x in (-3.1, -0.4, 0.0, 1.3, 2.7):
        assert f(x) ** 2 + sign * g(x) ** 2 == pytest.approx(1, rel=1e-13)


@named(row for row in PUBLIC if row.nonnegative)
def test_nonnegative(row):
    needed(row)
    f = function(node(row))
    assert not [at for at in samples(row) if f(*at) < 0]


@named(row for row in PUBLIC if row.commutes)
def test_commuting(row):
    f = function(node(row))
    for at in samples(row):
        values = [f(*order) for order in itertools.permutations(at[:2])]
        assert values[0] == values[1]


@named(row for row in PUBLIC if row.selects)
def test_selecting(row):
    f = function(node(row))
    assert all(f(*at) in at for at in samples(row))


EXTREMES = {
    1: [(-1e4,), (1e4,), (-1e-308,), (1e308,)],
    2: [(3e-200, 2e-200), (1e-200, 1e200), (0.5, 1e4), (2e3, 1.5), (2e3, 3e3)],
    3: [(500.0, 700.0, 1e-4)],
}
HOLDS = {
    "nonnegative": lambda row, f: all(f(*at) >= 0 for at in samples(row)),
    "commutes": lambda row, f: all(f(*at) == f(*at[::-1]) for at in samples(row) if f(*at) == f(*at)),
    "selects": lambda row, f: all(f(*at) in at for at in samples(row)),
    "shrinks": lambda row, f: any(f(*at) == 0 for at in EXTREMES[len(samples(row)[0])]),
    "exact": lambda row, f: not any(f.off for f in accuracy.findings(row.name, "scalar", FEW) if f.order == 0),
}
UNSAID = {
    "nonnegative": {"acos", "asec", "heaviside"},  # the last where h is
    "commutes": set(),
    "selects": {"where"},
    "shrinks": {"ceil", "round", "trunc", "relu", "sinc", "sigmoid", "softplus", "atan2"},
    "exact": {"neg", "abs", "mod", "where", "min", "max", "clip"},
}
"""Rows that have a fact, so far as points tell, and do not say so."""


@named(row for row in PUBLIC if row.shrinks and not row.parameter)
def test_shrinking(row):
    assert HOLDS["shrinks"](row, function(node(row)))


@pytest.mark.parametrize("fact", UNSAID)
def test_no_fact_is_forgotten(fact):
    rows = [row for row in PUBLIC if not row.parameter and not row.needs]
    rows = [row for row in rows if not getattr(row, fact) and (fact != "commutes" or row.arity[0] == 2)]
    assert {row.name for row in rows if HOLDS[fact](row, function(node(row)))} == UNSAID[fact]


@named(row for row in SINGLE if not row.parameter)
def test_turning(row):
    """What turns does so again and again; a minimum at 0 alone is no turning."""
    needed(row)
    f = function(node(row))
    values = [v for v in (f(k / 8 + 0.05) for k in range(-64, 65)) if math.isfinite(v)]
    steps = [b > a for a, b in itertools.pairwise(values) if a != b]
    assert (sum(a != b for a, b in itertools.pairwise(steps)) > 2) == row.turns


@named(row for row in PUBLIC if row.exact)
@pytest.mark.parametrize("engine", ENGINES)
def test_exact_rows_round_nothing(row, engine):
    bad = [f for f in accuracy.findings(row.name, engine, POINTS) if f.order == 0 and f.off]
    assert not bad, accuracy.describe(bad[0])


def near(f, place, gap):
    """On both sides of a place, at a small distance."""
    return f(place - gap), f(place + gap)


@named(row for row in SINGLE if row.poles is not None)
def test_poles(row):
    """Where an expression of ``poles`` is 0 the function grows without end on one side; it does so nowhere else."""
    needed(row)
    f, distances = function(node(row)), [function(e) for e in row.poles(var("x"))]
    found = 0
    for place in PLACES:
        sizes = [[abs(v) for v in near(f, place, gap)] for gap in (1e-3, 1e-6, 1e-9)]
        grows = any(a[side] + 0.5 < b[side] < c[side] - 0.5 for a, b, c in [sizes] for side in (0, 1))
        zero = any(abs(d(place)) < 1e-12 for d in distances)
        found += zero
        assert grows == zero, place
    assert found


@named(row for row in SINGLE if row.poles is None)
def test_no_pole_is_forgotten(row):
    needed(row)
    f = function(node(row))
    for place in PLACES:
        assert math.isinf(f(place)) is False, place


@named(SINGLE)
def test_no_edge_is_forgotten(row):
    """Where the function jumps, ends or bends, an expression of ``edges`` changes its sign."""
    needed(row)
    f = function(node(row))
    edges = [function(e) for e in (row.edges(var("x")) if row.edges else ())]
    for place in PLACES:
        (a, b), (c, d) = near(f, place, 1e-9), near(f, place, 1e-5)
        ends = math.isnan(a) != math.isnan(b)
        jumps = abs(a - b) > 1e-3 * (1 + min(abs(a), abs(b)))
        bends = abs((d - b) - (a - c)) > 1e-2 * max(abs(d - b), abs(a - c), 1e-5)
        signs = [tuple(map(np.sign, near(e, place, 1e-9))) for e in edges]
        if ends or jumps or bends:
            assert any(s != t for s, t in signs), (place, "edge")


def measured(row, f):
    """The worst error of ``f`` in ulp of the true value, away from zeros."""
    errors = []
    for parameter, rows in accuracy.judged(row.name, POINTS, 1).items():
        for at, marks in rows if parameter is None else ():
            true = marks[(0,) * len(at)]
            if not true.crossing:
                errors.append(reference.off(float(f(*at)), true))
    return max(errors, default=0.0)


@named(row for row in TABLE.values() if row.numpy)
def test_numpy_has_it(row):
    ufunc = getattr(np, row.numpy)
    assert ufunc.nin == (2 if row.arity[1] is None else row.arity[0])
    if row.name in REFERENCES and row.arity[1] is not None:
        with np.errstate(all="ignore"):
            assert measured(row, ufunc) <= row.error


LIBM_IS_WORSE = {"lgamma": "next to its zeros", "gamma": "where the value is subnormal"}


@named(row for row in TABLE.values() if row.libm)
def test_libm_has_it(row):
    path = ctypes.util.find_library("m")
    if path is None:
        pytest.skip("the C library's mathematics has no file of its own here")
    f = getattr(ctypes.CDLL(path), row.libm)
    f.restype, f.argtypes = ctypes.c_double, [ctypes.c_double] * row.arity[0]
    if row.name not in LIBM_IS_WORSE:
        assert measured(row, f) <= row.error


@named(row for row in TABLE.values() if row.math)
def test_the_word_of_mathematics_is_written(row):
    x = [var(letter) for letter in "xy"[: row.arity[0]]]
    if row.name in ("and", "or", "not"):
        x = [apply("lt", argument, var("z")) for argument in x]
    e = apply(row.name, *x, value=2 if row.parameter else None)
    if row.name in BOOLEANS:
        e = apply("where", e, var("x"), var("y"))
    if readable([e])[0].op == e.op:
        latex, mathml = (NOTATIONS[n].write([("f", e)], ["x", "y"]) for n in ("latex", "mathml"))
        word, _, index = row.math.partition(" ")
        for piece in [GREEK.get(word, word)] if word.isalpha() else word:
            assert f">{escape(piece)}</m" in mathml
        assert not word.isalpha() or word in latex
        if index:
            index = index.replace("n", "2")
            kind = "mi" if index == "x" else "mn"
            assert f"<{kind}>{index}</{kind}></mrow></msub>" in mathml and f"_{{{index}}}" in latex


# Rooms.

BY_ARRAYS = {
    "gamma", "lgamma", "fma", "dsinc", "digamma", "polygamma", "erfinv", "erfinv_gauss",
    "besselj", "bessely", "besseli", "besselk", "jv", "yv", "iv", "kv", "airyai", "airyaiprime", "airybi",
    "airybiprime", "beta", "betaln", "betainc", "betapdf", "gammainc", "gammaincc", "gammapdf", "polygamma_gap",
    "lambertw", "lambertw_low", "lambertw_above",
}  # fmt: skip
NOT_HOLOMORPHIC = {
    "mod", "atan2", "hypot", "abs", "sign", "floor", "ceil", "round", "trunc", "min", "max", "clip", "copysign", "fmod",
    "heaviside", "relu",
}  # fmt: skip
NO_COMPLEX_KERNEL = {
    "fma", "cbrt", "asec", "acsc", "acot", "asech", "acsch", "acoth", "logaddexp", "xlogy", "softplus", "sinc", "sinhc",
    "erf", "erfc", "erfcx", "erfinv", "gamma", "lgamma", "digamma", "polygamma",
    "besselj", "bessely", "besseli", "besselk", "airyai", "airyaiprime", "airybi", "airybiprime", "beta", "betaln",
    "betainc", "gammainc", "gammaincc", "lambertw", "normcdf", "normpdf", "logit", "exprel", "log1mexp", "factorial",
}  # fmt: skip
EXCUSED = {
    "native": dict.fromkeys(BY_ARRAYS, "the vector engine's arrays do it"),
    "complex": {
        **dict.fromkeys(NOT_HOLOMORPHIC, "tells signs or sizes apart, which complex numbers do not have"),
        **dict.fromkeys(NO_COMPLEX_KERNEL, "its form asks for signs or sizes, and NumPy has no complex one"),
    },
}
"""What a room lacks, and why."""


def kernels():
    """Every operation that a program may hold."""
    local = [row for row in TABLE.values() if row.name not in NONLOCAL and not (row.reduces and row.arity == (1, 1))]
    return sorted({*LOWERED, *[row.name for row in local if row.expansion is None or row.arity[1] is None]})


def step(name):
    return Step(name, 2 if TABLE.get(name) is not None and TABLE[name].parameter else None, 0, (1,))


def has_complex(row):
    try:
        complex_numbers.function(apply(row.name, *map(placeholder, range(row.arity[0]))), [])
    except BadType:
        return False
    return True


def missing(room):
    if room == "scalar":
        return {name for name in kernels() if not callable(_tried(scalar.step_function, name))}
    if room == "vector":
        return {name for name in kernels() if not callable(_tried(vector.array_function, name))}
    if room == "native":
        return {name for name in kernels() if name not in NATIVE}
    if room == "complex":
        return {row.name for row in PUBLIC if row.parameter or row.arity[1] is None or not has_complex(row)}
    if room == "reference":
        return {row.name for row in PUBLIC} ^ set(REFERENCES)
    page = (ROOT / "docs" / f"{room}.md").read_text()
    spelled = {row.name for row in PUBLIC if row.infix is None and row.name != "neg"}
    return {name for name in spelled if not re.search(rf"^\| `?{name}`?[ ,]", page, re.MULTILINE)}


def _tried(find, name):
    try:
        return find(step(name))
    except KeyError:
        return None


@pytest.mark.parametrize("room", ["scalar", "vector", "native", "complex", "reference", "functions", "accuracy"])
def test_every_room_has_every_row(room):
    """A room that lacks a row lists it with a reason; one that has it does not."""
    if room in ("scalar", "vector", "native"):
        pytest.importorskip("scipy")
    assert missing(room) == set(EXCUSED.get(room, ()))


def test_what_expansions_are_made_of_has_kernels():
    for row in PUBLIC:
        inside = {e.op for e in reachable(lower([node(row)])) if e.args}
        assert inside <= {*kernels(), *BOOLEANS}, row.name
