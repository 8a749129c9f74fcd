"""Hard points from the command line: kinks, holes, poles, lost digits, in csv and json, by every engine."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from command import Shell

from gradcli.errors import GradError
from gradcli.job import Job, run

DATA = Path(__file__).parents[1] / "data"
ENGINES = ("scalar", "vector", "native")
FORMATS = ("--csv", "--json")
INF, NAN = math.inf, math.nan


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def row(out: str, form: str) -> dict[str, Any]:
    """The first row of an output, its numbers as floats; JSON writes what is not finite as null."""
    if form == "--json":
        return {n: c[0] if isinstance(c, list) else c for n, c in json.loads(out)["columns"].items()}
    names, cells = list(csv.reader(io.StringIO(out)))[:2]
    return dict(zip(names, cells, strict=True))


def same(cell: Any, wanted: float, form: str, rtol: float = 0.0) -> bool:
    if cell in (None, ""):
        return not math.isfinite(wanted) if form == "--json" else math.isnan(wanted)
    number = float(cell)
    return number == wanted or (number != number and wanted != wanted) or abs(number - wanted) <= rtol * abs(wanted)


# What people met: formulas with holes that are patched, kinks that cancel, numbers that leave the range or cancel.

MET = [
    ("where(x == 0, 0, x)", "x=0", 1, "", {"f": 0.0, "df_dx": 1.0}),
    ("where(x != 0, expm1(x)/x, 1)", "x=0", 2, "", {"f": 1.0, "df_dx": 0.5, "d2f_dx2": 0.3333333333333333}),
    ("where(V == -23, 1.4, 0.28*(V+23)/(exp((V+23)/5)-1))", "V=-23", 1, "", {"f": 1.4, "df_dV": -0.14}),
    ("where(x == 1, 2, (x**2-1)/(x-1))", "x=1", 1, "", {"f": 2.0, "df_dx": 1.0}),
    ("where(x == 0, 0, x*log(x))", "x=0", 1, "", {"f": 0.0, "df_dx": -INF}),
    ("where(x < 0, sin(x), 1/2)", "x=0", 1, "jump", {"f": 0.5, "df_dx": 0.0}),
    ("hypot(x,y)**2", "x=0,y=0", 2, "", {"df_dx": 0.0, "d2f_dx2": 2.0, "d2f_dxdy": 0.0, "d2f_dy2": 2.0}),
    ("exp(-hypot(x,y)**2)", "x=0,y=0", 2, "", {"f": 1.0, "d2f_dx2": -2.0, "d2f_dxdy": 0.0, "d2f_dy2": -2.0}),
    ("cos(hypot(x,y))", "x=0,y=0", 2, "", {"f": 1.0, "d2f_dx2": -1.0, "d2f_dxdy": 0.0, "d2f_dy2": -1.0}),
    ("log(1+hypot(x,y)**2)", "x=0,y=0", 2, "", {"f": 0.0, "d2f_dx2": 2.0, "d2f_dxdy": 0.0, "d2f_dy2": 2.0}),
    ("relu(x)**2+relu(-x)**2", "x=0", 2, "", {"f": 0.0, "df_dx": 0.0, "d2f_dx2": 2.0}),
    ("x**x", "x=0", 1, "", {"f": 1.0, "df_dx": -INF}),
    ("1/(1+exp(x))", "x=800", 1, "", {"f": 0.0, "df_dx": 0.0}),
    ("1/(1+exp(-x))", "x=-709.783", 1, "", {"f": 5.5610877919479239e-309, "df_dx": 5.5610877919479239e-309}),
    ("log(cosh(x))", "x=712", 1, "", {"f": 711.30685281944005, "df_dx": 1.0}),
    ("log(1+exp(x))", "x=800", 1, "", {"f": 800.0, "df_dx": 1.0}),
    (
        "0.28*(V+23)/(exp((V+23)/5)-1)", "V=-23.0000001", 1, "",
        {"f": 1.4000000140000002, "df_dV": -0.14000000093333334},
    ),
    ("x/(1-exp(-x))", "x=1e-9", 1, "", {"f": 1.0000000005, "df_dx": 0.50000000016666667}),
    ("(1-cos(x))/x**2", "x=1e-8", 1, "", {"f": 0.5, "df_dx": -8.3333333333333335e-10}),
    ("P*r/(1-(1+r)**-n)", "P=1000,r=1e-10,n=12", 1, "", {"f": 83.3333333875, "df_dr": 541.66666686527778}),
    (
        "sqrt(x**2+y**2)", "x=1e-200,y=1e-200", 1, "",
        {"f": 1.414213562373095e-200, "df_dx": 0.70710678118654752, "df_dy": 0.70710678118654752},
    ),
    ("25*exp(-25*x)/(exp(-25*x)+1)**2", "x=-40", 1, "", {"f": 0.0, "df_dx": 0.0}),
    (
        "1/sqrt(1-v**2/c**2)", "v=299792457.99,c=299792458", 1, "",
        {"f": 122432.17385753634, "df_dv": 6121614.5308012727},
    ),
    ("-log1p(exp(-x))", "x=-37.42994775023705", 2, "", {"d2f_dx2": -5.5511151231257755e-17}),
    # A point at infinity has no derivative.
    ("logaddexp(logaddexp(a,b),2)", "a=-inf,b=-inf", 1, "non-finite", {"f": 2.0, "df_da": NAN, "df_db": NAN}),
]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("expression", "at", "order", "says", "wanted"), MET, ids=[case[0] for case in MET])
def test_what_people_met(shell: Shell, expression, at, order, says, wanted, engine, form):
    code, out, err = shell("diff", expression, "--at", at, "--order", str(order), "--engine", engine, form)
    assert code == 0
    assert says in err
    got = row(out, form)
    assert all(same(got[name], value, form, 1e-14) for name, value in wanted.items()), got


# Verdicts and sides.


def exact(text: str | None) -> float:
    if text is None or text in ("oscillates", "unknown"):
        return NAN
    return float(text) if "inf" in text else float(Fraction(text))


@pytest.mark.parametrize(
    ("case", "engine", "form"),
    [
        pytest.param(case, engine, FORMATS[(k + n) % 2], id=f"{case['id']}-{engine}")
        for k, case in enumerate(cases("truth.jsonl"))
        for n, engine in enumerate(ENGINES)
    ],
)
def test_both_sides(shell: Shell, case, engine, form):
    at = ",".join([f"{name}={value}" for name, value in case["point"].items()])
    order, wrt = case["order"], case["wrt"]
    code, out, _ = shell(
        "diff", case["expr"], "--at", at, "--wrt", wrt, "--order", str(order), "--sides", "--engine", engine, form
    )
    assert code == 0
    got = row(out, form)
    verdict = got["f_verdict"].removesuffix("?")
    if case["id"] == "t187" and verdict == "unknown":
        return
    assert verdict == case["verdict"]
    assert (None if got["f_breaks"] in ("", None) else int(got["f_breaks"])) == case["breaks"]
    for word in ("left", "right"):
        assert same(got[f"f_{word}"], exact(case[f"limit_{word}"]), form, 1e-15), (word, got)
        for k, text in enumerate(case[word] or [None] * order, 1):
            name = f"d{k if k > 1 else ''}f_d{wrt}{k if k > 1 else ''}_{word}"
            assert same(got[name], exact(text), form, 1e-15), (name, got)


# Conventions: they hold where there is no derivative.

NEW = {
    ("sqrt(x)*0", "x=0", "df_dx"): 0.0,
    ("x**x", "x=0", "df_dx"): -INF,
    # The value is nan: an infinite slope of it would claim what is not there.
    ("x % y", "x=5,y=0", "df_dy"): NAN,
    ("exp(-1/x**2)", "x=1e-160", "df_dx"): 0.0,
    ("1/(1+exp(-x))", "x=-800", "df_dx"): 0.0,
    ("log(1+exp(x))", "x=800", "df_dx"): 1.0,
    ("sqrt(x**4)", "x=0", "d2f_dx2"): 2.0,
}
"""Where the derivative, or the number without what was lost in between, is another than the convention."""


@pytest.mark.quick
@pytest.mark.parametrize("case", cases("kinks.jsonl"), ids=lambda c: f"{c['expr']} @ {c['at']} {' '.join(c['expect'])}")
def test_a_convention_or_the_derivative(shell: Shell, case):
    at = ",".join([f"{name}={value}" for name, value in case["at"].items()])
    order = 2 if any(name.startswith("d2f") for name in case["expect"]) else 1
    words = ("diff", case["expr"], "--at", at, "--order", str(order), "--csv", "-q")
    found = row(shell(*words)[1], "--csv")
    convention = row(shell(*words, "--kink", "convention", "--no-careful")[1], "--csv")
    for name, text in case["expect"].items():
        wanted = float(text)
        assert same(convention[name], wanted, "--csv", 4 * 2.0**-52), name
        assert same(found[name], NEW.get((case["expr"], at, name), wanted), "--csv", 4 * 2.0**-52), name


# Rules.

RULES = ("derivative", "convention", "limit", "left", "right", "mean", "nan")
NUMBERS = [
    # In the order of RULES: one row of results each.
    ("abs(x)", "x=0", [(0, 0, 0), (0, 0, 0), (0, NAN, 0), (0, -1, 0), (0, 1, 0), (0, 0, 0), (0, NAN, NAN)]),
    ("sqrt(x)", "x=0", [(0, INF, -INF)] * 3 + [(NAN, NAN, NAN)] + [(0, INF, -INF)] * 2 + [(0, INF, NAN)]),
    (
        "1/x", "x=0",
        [(INF, -INF, INF)] * 2 + [(NAN, -INF, NAN), (-INF,) * 3, (INF, -INF, INF), (NAN, -INF, NAN), (INF, NAN, NAN)],
    ),
    (
        "floor(x)", "x=2",
        [(2, 0, 0)] * 2 + [(NAN, 0, 0), (1, 0, 0), (2, 0, 0), (1.5, 0, 0), (2, NAN, NAN)],
    ),
    ("sin(x)/x", "x=0", [(NAN,) * 3] * 2 + [(1, 0, -1 / 3)] * 4 + [(NAN,) * 3]),
    ("where(x == 0, 5, x)", "x=0", [(5, 0, 0)] * 2 + [(0, 1, 0)] * 4 + [(5, NAN, NAN)]),
    ("x**2", "x=0", [(0, 0, 2)] * 7),
    ("x**2", "x=inf", [(INF, INF, 2)] * 7),
    ("floor(x)", "x=nan", [(NAN,) * 3] * 7),
    ("log(x)", "x=-1", [(NAN,) * 3] * 7),
    # f, df_dx, df_dy, d2f_dx2, d2f_dxdy, d2f_dy2; mixed derivatives have no sides.
    (
        "abs(x)*y", "x=0,y=3",
        [(0, 0, 0, 0, NAN, 0), (0,) * 6, (0, NAN, 0, 0, NAN, 0), (0, -3, 0, 0, NAN, 0), (0, 3, 0, 0, NAN, 0),
         (0, 0, 0, 0, NAN, 0), (0, NAN, 0, NAN, NAN, 0)],
    ),
    (
        "max(x,y)", "x=1,y=1",
        [(1, 0.5, 0.5, 0, NAN, 0), (1, 0.5, 0.5, 0, 0, 0), (1, NAN, NAN, 0, NAN, 0), (1, 0, 0, 0, NAN, 0),
         (1, 1, 1, 0, NAN, 0), (1, 0.5, 0.5, 0, NAN, 0), (1, NAN, NAN, NAN, NAN, NAN)],
    ),
    ("hypot(x,y)**2", "x=0,y=0", [(0, 0, 0, 2, 0, 2), (0,) * 6] + [(0, 0, 0, 2, 0, 2)] * 5),
    ("x*y/(x**2+y**2)", "x=0,y=0", [(NAN,) * 6] * 2 + [(0, 0, 0, 0, NAN, 0)] * 4 + [(NAN,) * 6]),
]  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("expression", "at", "numbers"), NUMBERS, ids=[f"{case[0]} @ {case[1]}" for case in NUMBERS])
def test_rules(shell: Shell, expression, at, numbers, engine):
    for rule, wanted in zip(RULES, numbers, strict=True):
        code, out, _ = shell(
            "diff", expression, "--at", at, "--order", "2", "--kink", rule, "--engine", engine, "--csv"
        )
        got = [*row(out, "--csv").values()][-len(wanted) :]
        assert code == 0
        assert all(same(a, b, "--csv", 1e-15) for a, b in zip(got, wanted, strict=True)), (rule, got)


@pytest.mark.quick
def test_an_error_or_strict_after_the_rule(shell: Shell):
    code, out, err = shell("diff", "abs(x)", "--grid", "x=-1:1:3", "--kink", "error")
    assert (code, out) == (1, "")
    assert "kink" in err
    assert shell("diff", "abs(x)", "--at", "x=1", "--kink", "error")[0] == 0
    assert shell("diff", "sin(x)/x", "--at", "x=0", "--strict")[0] == 1
    assert shell("diff", "sin(x)/x", "--at", "x=0", "--strict", "--kink", "limit")[0] == 0
    assert shell("diff", "abs(x)", "--at", "x=0", "--strict", "--kink", "limit")[0] == 1
    # The columns of sides may hold anything.
    assert (
        shell("diff", "where(x < 0, 0, sqrt(x))", "--at", "x=0", "--wrt", "x", "--order", "0", "--strict", "--sides")[0]
        == 0
    )


@pytest.mark.quick
def test_columns_are_chosen_kept_and_filled(shell: Shell):
    words = ("abs(x)*y", "--at", "x=0,y=2", "--sides", "--csv", "-q")
    code, out, _ = shell("diff", *words, "--select", "f_verdict_x,df_dx_left,y")
    assert (code, out) == (0, "f_verdict_x,df_dx_left,y\nkink,-2.0,2.0\n")
    _, out, _ = shell("diff", *words, "--drop", "x,y,f,df_dx,df_dy,f_verdict_y,f_breaks_y,f_left_y,f_right_y")
    assert out == "f_verdict_x,f_breaks_x,f_left_x,f_right_x,df_dx_left,df_dx_right,df_dy_left,df_dy_right\n" \
        "kink,1,0.0,0.0,-2.0,2.0,0.0,0.0\n"  # fmt: skip
    Path("rows.csv").write_text("name,x\na,-1\nb,0\nc,1\n")
    _, out, _ = shell("diff", "abs(x)", "--input", "rows.csv", "--keep", "--verdict", "--csv", "-q")
    assert out == "name,x,f,df_dx,f_verdict,f_breaks\na,-1,1.0,-1.0,smooth,\nb,0,0.0,0.0,kink,1\nc,1,1.0,1.0,smooth,\n"
    _, out, _ = shell("eval", "floor(x)", "--grid", "x=0:1:3", "--verdict", "--csv", "-q")
    assert out == "x,f,f_verdict,f_breaks\n0.0,0.0,jump,0\n0.5,0.0,smooth,\n1.0,1.0,jump,0\n"
    assert shell("eval", "floor(x)", "--at", "x=2", "--kink", "left", "--csv", "-q")[1] == "x,f\n2.0,1.0\n"
    assert shell("eval", "sin(x)/x", "--at", "x=0", "--kink", "limit", "--csv", "-q")[1] == "x,f\n0.0,1.0\n"


@pytest.mark.quick
def test_shapes_and_binary_columns(shell: Shell):
    _, out, _ = shell(
        "diff", "abs(x)*y", "--grid", "2x3", "--fill", "x = i; y = j", "--wrt", "x", "--verdict", "--json"
    )
    columns = json.loads(out)["columns"]
    assert columns["f_verdict"] == [["smooth", "kink", "kink"], ["smooth"] * 3]
    assert columns["f_breaks"] == [[None, 1, 1], [None] * 3]
    code, _, err = shell("diff", "abs(x)", "--grid", "x=-1:1:3", "--sides", "-o", "sides.npy")
    assert code == 2
    assert "--drop f_verdict" in err
    words = ("diff", "abs(x)", "--grid", "x=-1:1:3", "--sides", "--drop", "f_verdict", "-q", "-o", "sides.npy")
    assert shell(*words)[0] == 0
    np = pytest.importorskip("numpy")
    table = np.load("sides.npy")
    assert table["df_dx_left"].tolist() == [-1.0, -1.0, 1.0]
    assert table["f_breaks"].tolist()[1] == 1.0


# A row's answer depends on the request alone.

ROWS = [
    (0, 0), (0, 1), (1, 1), (0.5, 0.5), (0.5, 1), (1, 0.5), (-1, 0), (1e8, 1e5), (1e-8, 1e-8), (0.1, 0.3), (0.3, 0.1),
    (1e200, 1e200), (-0.0, 3), (7, 7), (0.2, 0.3), (-2, 0.25), (3, 4), (710, 3.5), (3.6, 710), (0.25, 2), (2, 0.25),
    (1e-300, 1e-10), (0.7, 4), (1.5, 1.5), (2.25, 1.5),
]  # fmt: skip
BEYOND = [(NAN, 1), (1, INF), (-INF, 2), (INF, INF), (-1, NAN)]
FORMULAS = [
    "abs(x)*y + sqrt(abs(x*y - 1/2))",
    "where(x < y, sin(x), x**2)*floor(2*y)",
    "sin(x)/x + log(1+exp(200*y))",
    "sqrt(1+x**2) - 1/(y-x)",
    "max(x**2, y) - clip(x*y, 0, 1/2) + log(x - y)",
]
OPTIONS = {
    "plain": (), "careful": ("--careful",), "exact": ("--exact",), "sides": ("--sides",), "trust": ("--trust",),
    "all": ("--sides", "--trust", "--careful"), "limit": ("--kink", "limit"),
}  # fmt: skip


def table(name: str, others: int, beyond: bool = False) -> list[int]:
    """Write a file with ROWS, after each of them so many others; return the places of ROWS.

    ``beyond``: with points that are not finite, too.
    """
    rows: list[tuple[float, float]] = []
    places = []
    for k, hard in enumerate([*ROWS, *BEYOND] if beyond else ROWS):
        places.append(len(rows))
        rows.append(hard)
        rows += [(((k + 7 * n) % 41 - 20) / 4, ((3 * k + 5 * n) % 37 - 18) / 8) for n in range(others)]
    form = name.rsplit(".", 1)[1]
    objects = [f'{{"x": {x}, "y": {y}}}' for x, y in rows]
    if form == "csv":
        Path(name).write_text("x,y\n" + "".join([f"{x},{y}\n" for x, y in rows]))
    elif form == "jsonl":
        Path(name).write_text("\n".join(objects) + "\n")
    elif form == "json":
        Path(name).write_text("[" + ",\n".join(objects) + "]")
    elif form == "npy":
        import numpy as np

        np.save(name, np.array(rows, float))
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"x": [float(x) for x, _ in rows], "y": [float(y) for _, y in rows]}), name)
    return places


def answers(shell: Shell, name: str, places: list[int], formula: str, *words: str) -> list[str]:
    columns = ("--columns", "x,y") if name.endswith("npy") else ()
    code, out, err = shell(
        "diff", formula, "--wrt", "x,y", "--order", "2", "--input", name, "--csv", "-q", *columns, *words
    )
    assert code == 0, err
    lines = out.splitlines()
    return [lines[0], *[lines[1 + n] for n in places]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_same_row_among_others_and_by_several_threads(shell: Shell, formula, options, engine):
    alone, among = table("alone.csv", 0, beyond=True), table("among.csv", 9, beyond=True)
    words = (*options, "--engine", engine, "--threads")
    first = answers(shell, "alone.csv", alone, formula, *words, "1")
    assert answers(shell, "among.csv", among, formula, *words, "2") == first


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_row_among_very_many(shell: Shell, engine):
    alone, among = table("alone.npy", 0, True), table("among.npy", 200 if engine == "scalar" else 4000, True)
    for formula, options in ((FORMULAS[0], ()), (FORMULAS[4], ("--careful",))):
        first = answers(shell, "alone.npy", alone, formula, *options, "--engine", engine, "--threads", "1")
        assert answers(shell, "among.npy", among, formula, *options, "--engine", engine, "--threads", "2") == first


@pytest.mark.parametrize("form", ["jsonl", "json", "npy", "parquet"])
@pytest.mark.parametrize("formula", [FORMULAS[0], FORMULAS[3]])
def test_the_same_row_of_every_format(shell: Shell, formula, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    words = ("--sides", "--trust", "--careful", "--engine", "vector")
    first = answers(shell, "rows.csv", table("rows.csv", 3), formula, *words)
    assert answers(shell, f"rows.{form}", table(f"rows.{form}", 3), formula, *words) == first


@pytest.mark.parametrize("engine", ["vector", "native"])
def test_the_first_hard_point_is_the_error_by_several_threads(engine):
    request = {"grids": ["x=0:1:400001"], "kink": "error", "threads": 2, "engine": engine}
    with pytest.raises(GradError, match=r"at x=0\.4375"):
        run(Job(["abs(x-0.4375)+abs(x-0.9375)"], **request)).whole()


# Without python-flint.


@pytest.fixture
def bare(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The shell, where python-flint is not installed."""
    found = importlib.util.find_spec

    def hidden(name: str, *more: Any) -> Any:
        return None if name == "flint" or name.startswith("flint.") else found(name, *more)

    monkeypatch.setattr("gradcli.truth.repair.find_spec", hidden)
    return shell


@pytest.mark.quick
def test_without_flint_plain_doubles_and_a_note(bare: Shell):
    code, out, err = bare("diff", "sin(x)/x", "--grid", "x=0,1e-9,1", "--csv")
    assert (code, out) == (
        0, "x,f,df_dx\n0.0,nan,nan\n1e-9,1.0,0.0\n1.0,0.8414709848078965,-0.30116867893975674\n"
    )  # fmt: skip
    assert err.count("python-flint, which is not installed") == 1
    # Sides at ties need none.
    _, out, err = bare("diff", "abs(x)", "--at", "x=0", "--sides", "--csv")
    assert (
        out
        == "x,f,df_dx,f_verdict,f_breaks,f_left,f_right,df_dx_left,df_dx_right\n0.0,0.0,0.0,kink,1,0.0,0.0,-1.0,1.0\n"
    )
    assert "flint" not in err


@pytest.mark.quick
@pytest.mark.parametrize("option", ["--exact", "--digits=30"])
def test_without_flint_what_needs_it_says_so(bare: Shell, option):
    code, _, err = bare("eval", "exp(x)", "--at", "x=1", option)
    assert code == 2
    assert "pip install python-flint" in err


def test_doubles_that_miss_a_tie_of_decimals(shell: Shell):
    """0.1 + x - 0.3 is 0 at the decimal 0.2 and 2.8e-17 in doubles: germs decide where the sides are that close."""
    for expression in ("abs(0.1+x-0.3)", "where(x>0.2, 0.1+x-0.3, 0)"):
        _, out, _ = shell("diff", expression, "--at", "x=0.2", "--sides", "--csv")
        row = dict(zip(*[line.split(",") for line in out.splitlines()], strict=True))
        assert (row["f_verdict"], row["f_breaks"], row["f_left"], row["f_right"]) == ("kink", "1", "0.0", "0.0")


def test_a_mixed_derivative_where_directions_disagree_is_none(shell: Shell):
    for expression in ("abs(x)*abs(y)", "max(x,y)", "x*y*(x**2-y**2)/(x**2+y**2)"):
        _, out, _ = shell("diff", expression, "--order", "2", "--at", "x=0,y=0", "--select", "d2f_dxdy", "--csv")
        assert out == "d2f_dxdy\nnan\n"
